/** One source line and the rows of marks and texts beneath it. */
import { Canvas, type Style } from "./canvas.ts";
import { columnOf, type Glyph, layOut, widthOf } from "./display.ts";

/** A label on the line: offsets within it, [start, end); both may be the length of the line. */
export interface Marked {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly primary: boolean;
}

export interface LineOptions {
  readonly severity: "error" | "warning";
  readonly colour: boolean;
  readonly width: number;
}

/** A label in columns, [from, to), at least one wide. */
interface Placed {
  readonly from: number;
  readonly to: number;
  readonly text: string;
  readonly primary: boolean;
}

/** Columns [from, to) of the line that are shown. */
interface Window {
  readonly from: number;
  readonly to: number;
}

/** Column of the first character: one blank stands between the frame and the text. */
const indent = 1;
const context = 12;

/** The whole line if it fits; else the part around its labels, or around the primary one when they lie too far apart. */
function chooseWindow(width: number, labels: readonly Placed[], limit: number): Window {
  if (width <= limit) return { from: 0, to: width };
  const low = Math.min(...labels.map(({ from }) => from));
  const high = Math.max(...labels.map(({ to }) => to));
  const main = labels.find(({ primary }) => primary) ?? labels[0];
  const anchor = high - low + 2 <= limit || main === undefined ? low : main.from;
  const span = high - low + 2 <= limit ? high - low : 0;
  const room = Math.max(1, Math.min(context, (limit - span) >> 1));
  const from = Math.max(0, Math.min(anchor - room, width + 1 - limit));
  return { from, to: Math.min(from + limit, Math.max(width, high)) };
}

/** The text of the window; `…` takes the first and the last column where something is cut. */
function cut(glyphs: readonly Glyph[], window: Window): string {
  const width = widthOf(glyphs);
  const left = window.from > 0;
  const right = window.to < width;
  const first = window.from + (left ? 1 : 0);
  const last = window.to - (right ? 1 : 0);
  let text = left ? "…" : "";
  let column = first;
  for (const glyph of glyphs) {
    if (glyph.column < first || glyph.column + glyph.width > last) continue;
    text += " ".repeat(glyph.column > column ? glyph.column - column : 0) + glyph.text;
    column = glyph.column + glyph.width;
  }
  return text + (right ? `${" ".repeat(last - column)}…` : "");
}

/** Labels beyond the window point at its `…`. */
function clamp(label: Placed, { from, to }: Window): Placed {
  const start = Math.min(Math.max(label.from, from), to - 1);
  const end = Math.max(start + 1, Math.min(label.to, Math.max(to, start + 1)));
  return { ...label, from: start - from + indent, to: end - from + indent };
}

/** Left to right; of labels that start together the primary one last. */
const byColumn = (a: Placed, b: Placed): number =>
  a.from - b.from || a.to - b.to || Number(a.primary) - Number(b.primary);

/** The label whose text may stand on the row of marks: the one that ends last; null when it says nothing. */
function trailingLabel(labels: readonly Placed[]): Placed | null {
  const last = labels.reduce<Placed | null>(
    (best, label) => (best === null || label.to >= best.to ? label : best),
    null,
  );
  return last === null || last.text === "" ? null : last;
}

export function renderLine(line: string, labels: readonly Marked[], options: LineOptions): readonly string[] {
  const { severity, colour, width: limit } = options;
  const glyphs = layOut(line.trimEnd());
  const columns = labels.map((label): Placed => {
    const from = columnOf(glyphs, label.start);
    return { ...label, from, to: Math.max(from + 1, columnOf(glyphs, label.end)) };
  });
  const width = Math.max(widthOf(glyphs), ...columns.map(({ from }) => from + 1));
  const window = chooseWindow(width, columns, Math.max(limit, 20));
  const placed = columns.map((label) => clamp(label, window)).sort(byColumn);
  const style = (label: Placed): Style => (label.primary ? severity : "frame");

  const text = new Canvas();
  text.write(indent, cut(glyphs, window), "plain");
  const trailing = trailingLabel(placed);
  const marks = new Canvas();
  // Longer spans first, so that a short one inside them stays visible; of equal ones the primary is seen.
  const painting = [...placed].sort((a, b) => b.to - b.from - (a.to - a.from) || Number(a.primary) - Number(b.primary));
  for (const label of painting) {
    marks.write(label.from, (label.primary ? "^" : "-").repeat(label.to - label.from), style(label));
  }
  if (trailing !== null) marks.write(trailing.to + 1, trailing.text, style(trailing));

  const hanging = placed.filter((label) => label !== trailing && label.text !== "");
  const rows = [text, marks];
  const bars = (upTo: number): Canvas => {
    const row = new Canvas();
    for (const label of hanging.slice(0, upTo)) row.write(label.from, "│", style(label));
    return row;
  };
  if (hanging.length > 0) rows.push(bars(hanging.length));
  for (let i = hanging.length - 1; i >= 0; i--) {
    const label = hanging[i];
    if (label === undefined) continue;
    const row = bars(hanging.findIndex(({ from }) => from === label.from));
    row.write(label.from, label.text, style(label));
    rows.push(row);
  }
  return rows.map((row) => row.render(colour));
}
