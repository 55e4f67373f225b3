/** How text stands on a terminal: column widths, tabs, and characters that must not reach one as they are. */

const tabStop = 4;

/** East Asian wide and fullwidth blocks (Unicode 15, UAX 11), coarse on purpose; emoji are asked of the engine. */
const wideRanges: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xa000, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f],
  [0x1f900, 0x1f9ff],
  [0x20000, 0x3fffd],
];

/** Columns a code point takes: 0, 1 or 2. */
function codePointWidth(char: string): number {
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x300) return 1;
  if (/^[\p{Mn}\p{Me}\u200b-\u200d]$/u.test(char)) return 0;
  if (wideRanges.some(([low, high]) => code >= low && code <= high)) return 2;
  return /^\p{Emoji_Presentation}$/u.test(char) ? 2 : 1;
}

/** Controls and direction marks could rewrite the terminal or hide text: each becomes one visible sign. */
function visible(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  if (code === 0x7f) return "\u2421";
  const hidden =
    (code >= 0x80 && code < 0xa0) ||
    (code >= 0xd800 && code < 0xe000) ||
    code === 0x061c ||
    code === 0x200e ||
    code === 0x200f ||
    (code >= 0x2028 && code <= 0x202e) ||
    (code >= 0x2060 && code <= 0x2069) ||
    code === 0xfeff;
  return hidden ? "\ufffd" : char;
}

/** A character as it is shown. `width` is 0 (stands on the character before it), 1 or 2. */
export interface Glyph {
  readonly text: string;
  readonly width: number;
  /** Column, from 0. */
  readonly column: number;
  /** Where it comes from, in UTF-16 units: [offset, offset + length). A tab is its first space; the others have length 0. */
  readonly offset: number;
  readonly length: number;
}

/** The characters of one line with their columns. */
export function layOut(line: string): readonly Glyph[] {
  const glyphs: Glyph[] = [];
  let column = 0;
  let offset = 0;
  let joined = false;
  const push = (text: string, width: number, length: number): void => {
    glyphs.push({ text, width, column, offset, length });
    column += width;
    offset += length;
  };
  for (const char of line) {
    if (char === "\t") {
      push(" ", 1, 1);
      while (column % tabStop !== 0) push(" ", 1, 0);
    } else {
      push(visible(char), joined ? 0 : codePointWidth(char), char.length);
    }
    joined = char === "\u200d";
  }
  return glyphs;
}

export function widthOf(glyphs: readonly Glyph[]): number {
  const last = glyphs.at(-1);
  return last === undefined ? 0 : last.column + last.width;
}

/** The column at which an offset of the line stands; the end of the line for offsets beyond it. */
export function columnOf(glyphs: readonly Glyph[], offset: number): number {
  for (const glyph of glyphs) if (glyph.offset + glyph.length > offset) return glyph.column;
  return widthOf(glyphs);
}

/** Text of one line, safe to print: line breaks become spaces, controls become signs. */
export const printable = (text: string): string =>
  [...text.replace(/\s*\r?\n\s*/g, " ").replace(/\t/g, " ")].map(visible).join("");
