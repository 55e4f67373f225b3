/** Lines of text, each with a tab for a block that it is in. */
export class Writer {
  readonly #lines: string[] = [];
  #depth = 0;
  line(text: string): void {
    this.#lines.push(text === "" ? "" : `${"\t".repeat(this.#depth)}${text}`);
  }
  /** `head {`, what `fill` writes, `}`. */
  block(head: string, fill: () => void): void {
    this.line(`${head} {`);
    this.#depth += 1;
    fill();
    this.#depth -= 1;
    this.line("}");
  }
  text(): string {
    return `${this.#lines.join("\n")}\n`;
  }
}
