/**
 * Text in a picture: how wide it is at most, and how it is cut or broken so that it stays in its box. The reader's fonts
 * are not known, so the tables hold the widest advance of the fonts a stack usually ends at (DejaVu Sans, Liberation Sans).
 */
import { printable } from "../diagnostics/display.ts";

export interface Face {
  /** The CSS class that carries this face. */
  readonly css: string;
  readonly family: "sans" | "mono";
  readonly bold: boolean;
  /** In pixels. */
  readonly size: number;
}

const sans = (css: string, size: number, bold = false): Face => ({ css, family: "sans", bold, size });
const mono = (css: string, size: number, bold = false): Face => ({ css, family: "mono", bold, size });

export const faces = {
  huge: sans("dsc-huge", 30, true),
  body: sans("dsc-body", 13),
  small: sans("dsc-small", 11),
  caption: sans("dsc-caption", 11, true),
  room: sans("dsc-room", 14, true),
  number: sans("dsc-number", 12, true),
  badge: sans("dsc-badge", 13, true),
  code: mono("dsc-code", 11),
  name: mono("dsc-name", 12, true),
  block: mono("dsc-block", 12),
} as const;

const families = {
  sans: "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue','DejaVu Sans',Arial,sans-serif",
  mono: "ui-monospace,'SF Mono',Menlo,Consolas,'DejaVu Sans Mono',monospace",
};

export const faceStyles: string = Object.values(faces)
  .map((face) => `.${face.css}{font:${face.bold ? "600" : "400"} ${face.size}px ${families[face.family]}}`)
  .join("");

/** Advance widths of U+0020 to U+007E, in hundredths of an em. */
const advances = {
  regular: widths(
    "32 40 46 84 64 95 78 28 39 39 50 84 32 36 32 34 64 64 64 64 64 64 64 64 64 64 34 34 84 84 84 56 102 69 69 73 77 67 " +
      "61 78 76 30 50 67 56 87 75 79 67 79 73 67 61 74 69 99 69 67 69 39 34 39 84 56 50 62 64 55 64 62 36 64 64 28 28 58 " +
      "28 98 64 62 64 64 42 52 40 64 60 82 60 60 53 64 34 64 84",
  ),
  bold: widths(
    "35 46 52 84 70 101 88 31 46 46 53 84 38 42 38 37 70 70 70 70 70 70 70 70 70 70 40 40 84 84 84 61 100 78 77 74 83 69 " +
      "69 82 84 38 56 78 64 100 84 85 74 85 77 72 69 82 78 111 77 73 73 46 37 46 84 56 50 68 72 60 72 68 44 72 72 35 35 " +
      "67 35 105 72 69 72 72 50 60 48 72 66 93 65 66 59 72 37 72 84",
  ),
};

function widths(table: string): readonly number[] {
  return table.split(" ").map(Number);
}

/** Signs of our own beside ASCII that every font has at about one em or less. */
const known = new Map([
  ["·", 40],
  ["×", 84],
  ["…", 100],
  ["→", 100],
]);

/** Letters of other scripts are given room for the widest usual ones. */
const unknownWidth = 130;

function charWidth(char: string, face: Face): number {
  const code = char.codePointAt(0) ?? 0;
  if (face.family === "mono" && (code < 0x7f || known.has(char))) return 62;
  return advances[face.bold ? "bold" : "regular"][code - 0x20] ?? known.get(char) ?? unknownWidth;
}

/** At most so many pixels. */
export function textWidth(text: string, face: Face): number {
  let hundredths = 0;
  for (const char of text) hundredths += charWidth(char, face);
  return (hundredths * face.size) / 100;
}

/** Whether the tables know every sign, so that `textWidth` is a bound and not a guess. */
const isMeasured = (text: string): boolean => [...text].every((char) => /^[ -~]$/.test(char) || known.has(char));

/** The text, or as much of its beginning as fits before `…`. */
export function cutText(text: string, face: Face, width: number): string {
  const chars = [...printable(text)];
  if (textWidth(chars.join(""), face) <= width) return chars.join("");
  let room = width - textWidth("…", face);
  let kept = "";
  for (const char of chars) {
    room -= textWidth(char, face);
    if (room < 0) break;
    kept += char;
  }
  return kept === "" && room < 0 && width < textWidth("…", face) ? "" : `${kept.trimEnd()}…`;
}

/** Breaks at spaces, and inside a word only when it alone is too long; the last line allowed is cut. */
export function wrapText(text: string, face: Face, width: number, lines: number): readonly string[] {
  const done: string[] = [];
  let rest = printable(text).trim();
  while (rest !== "" && done.length < lines - 1) {
    const end = lineEnd(rest, face, width);
    done.push(rest.slice(0, end).trimEnd());
    rest = rest.slice(end).trimStart();
  }
  return rest === "" ? done : [...done, cutText(rest, face, width)];
}

function lineEnd(text: string, face: Face, width: number): number {
  let used = 0;
  let end = 0;
  let atSpace = 0;
  for (const char of text) {
    used += textWidth(char, face);
    if (used > width) return atSpace > 0 ? atSpace : end > 0 ? end : char.length;
    if (char === " ") atSpace = end;
    end += char.length;
  }
  return end;
}

/** Text that is safe inside an element or a quoted attribute. */
export const escapeXml = (text: string): string =>
  text
    .replace(/[\ufffe\uffff]/g, "\ufffd")
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;")
    .replace(/"/g, "&quot;")
    .replace(/'/g, "&#39;");

export interface Run {
  readonly text: string;
  readonly face: Face;
  readonly fill: string;
  /** Pixels before it, where they differ from those of the line. */
  readonly before?: number;
}

export const runsWidth = (runs: readonly Run[], gap: number): number =>
  runs.reduce(
    (total, run, i) => total + textWidth(printable(run.text), run.face) + (i > 0 ? (run.before ?? gap) : 0),
    0,
  );

/** Several styles on one line, `gap` apart, cut at `width`; what was cut can be read by pointing at it. */
export function runLine(x: number, y: number, runs: readonly Run[], gap: number, width: number): string {
  let left = width;
  let spans = "";
  let cut = false;
  for (const [i, run] of runs.entries()) {
    const space = i > 0 ? (run.before ?? gap) : 0;
    const text = left - space > 0 ? cutText(run.text, run.face, left - space) : "";
    cut ||= text !== printable(run.text);
    if (text === "") continue;
    const length = textWidth(text, run.face);
    // A guess is made true by the reader's own text engine.
    const exact = isMeasured(text) ? "" : ` textLength="${round(length)}" lengthAdjust="spacingAndGlyphs"`;
    spans += `<tspan class="${run.face.css}" fill="${run.fill}"${space > 0 ? ` dx="${space}"` : ""}${exact}>${escapeXml(text)}</tspan>`;
    left -= space + length;
  }
  if (spans === "") return "";
  const hint = cut ? `<title>${escapeXml(printable(runs.map((run) => run.text).join(" ")))}</title>` : "";
  return `<text x="${round(x)}" y="${round(y)}" xml:space="preserve">${hint}${spans}</text>`;
}

/** One style, ending at `x`. */
export function endLine(x: number, y: number, run: Run, width: number): string {
  const text = cutText(run.text, run.face, width);
  if (text === "") return "";
  const exact = isMeasured(text)
    ? ""
    : ` textLength="${round(textWidth(text, run.face))}" lengthAdjust="spacingAndGlyphs"`;
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="end" class="${run.face.css}" fill="${run.fill}"${exact}>${escapeXml(text)}</text>`;
}

/** One decimal is finer than a screen shows. */
export const round = (value: number): string => String(Math.round(value * 10) / 10);
