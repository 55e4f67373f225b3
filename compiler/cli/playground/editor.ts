/** A text with numbered lines: those that something is said of are marked. */
import { byId, element } from "../../../runtime/page/dom.ts";

export interface Mark {
  readonly line: number;
  readonly severity: "error" | "warning";
}

export class Editor {
  readonly #text = byId("text", HTMLTextAreaElement);
  readonly #gutter = byId("gutter", HTMLDivElement);
  #marks: readonly Mark[] = [];
  #here: number | null = null;

  constructor(edited: (text: string) => void) {
    this.#text.addEventListener("input", () => {
      this.#here = null;
      this.#number();
      edited(this.#text.value);
    });
    this.#text.addEventListener("scroll", () => this.#follow());
    this.#text.addEventListener("keydown", (event) => {
      // Tab leaves the field, as everywhere; two blanks are typed by hand.
      if (event.key === "Escape") this.#text.blur();
    });
  }

  show(text: string): void {
    this.#text.value = text;
    this.#marks = [];
    this.#here = null;
    this.#text.scrollTop = 0;
    this.#number();
  }

  mark(marks: readonly Mark[]): void {
    this.#marks = marks;
    this.#number();
  }

  /** Brings a line into view and points at it. */
  point(line: number): void {
    this.#here = line;
    this.#number();
    const rows = this.#text.value.split("\n").length;
    const height = this.#text.scrollHeight / Math.max(1, rows);
    this.#text.scrollTop = Math.max(0, (line - 1) * height - this.#text.clientHeight / 3);
    this.#follow();
  }

  #number(): void {
    const rows = this.#text.value.split("\n").length;
    const severity = new Map<number, Mark["severity"]>();
    for (const mark of this.#marks) if (severity.get(mark.line) !== "error") severity.set(mark.line, mark.severity);
    const numbers = Array.from({ length: rows }, (_, i) => {
      const className = i + 1 === this.#here ? "here" : (severity.get(i + 1) ?? "");
      return element("span", { className, text: String(i + 1) });
    });
    this.#gutter.replaceChildren(...numbers);
    this.#follow();
  }

  #follow(): void {
    this.#gutter.scrollTop = this.#text.scrollTop;
  }
}
