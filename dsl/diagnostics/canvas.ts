/** A row of terminal cells that pieces of text are written into by column, and the ANSI styles they may have. */
import { layOut } from "./display.ts";

export type Style = "plain" | "error" | "warning" | "frame" | "help" | "title" | "code";

/** SGR parameters of each style. */
const sgr: Readonly<Record<Style, string>> = {
  plain: "",
  error: "1;31",
  warning: "1;33",
  frame: "34",
  help: "36",
  title: "1",
  code: "32",
};

export const paint = (text: string, style: Style, colour: boolean): string =>
  colour && style !== "plain" && text !== "" ? `\u001b[${sgr[style]}m${text}\u001b[0m` : text;

/** One column; the second column of a wide character is an empty text. */
interface Cell {
  readonly text: string;
  readonly style: Style;
}

const blank: Cell = { text: " ", style: "plain" };

export class Canvas {
  readonly #cells: Cell[] = [];

  /** Columns written so far. */
  get width(): number {
    return this.#cells.length;
  }

  write(column: number, text: string, style: Style): void {
    while (this.#cells.length < column) this.#cells.push(blank);
    for (const glyph of layOut(text)) {
      const at = column + glyph.column;
      const before = this.#cells[at - 1];
      if (glyph.width > 0) this.#cells[at] = { text: glyph.text, style };
      else if (before !== undefined) this.#cells[at - 1] = { text: before.text + glyph.text, style: before.style };
      if (glyph.width === 2) this.#cells[at + 1] = { text: "", style };
    }
  }

  /** The row, without blanks at its end. */
  render(colour: boolean): string {
    let end = this.#cells.length;
    while (end > 0 && this.#cells[end - 1]?.text === " ") end--;
    let out = "";
    let run = "";
    let style: Style = "plain";
    for (const cell of this.#cells.slice(0, end)) {
      if (cell.style !== style) {
        out += paint(run, style, colour);
        run = "";
        style = cell.style;
      }
      run += cell.text;
    }
    return out + paint(run, style, colour);
  }
}
