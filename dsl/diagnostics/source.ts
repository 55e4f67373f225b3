/** A text with a path: what every span points into. Offsets count UTF-16 code units, lines and columns start at 1. */
export interface Source {
  readonly path: string;
  readonly text: string;
  /** Offset of the first character of each line. */
  readonly lineStarts: readonly number[];
}

/** A half-open range of offsets [start, end) of one source. */
export interface Span {
  readonly source: Source;
  readonly start: number;
  readonly end: number;
}

export interface Position {
  readonly line: number;
  readonly column: number;
}

export function makeSource(path: string, text: string): Source {
  const lineStarts = [0];
  for (let i = text.indexOf("\n"); i >= 0; i = text.indexOf("\n", i + 1)) lineStarts.push(i + 1);
  return { path, text, lineStarts };
}

/** Line and column of an offset; offsets beyond the text count as its end. Binary search. */
export function positionAt(source: Source, offset: number): Position {
  const at = Math.max(0, Math.min(offset, source.text.length));
  let low = 0;
  let high = source.lineStarts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((source.lineStarts[middle] ?? 0) <= at) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: at - (source.lineStarts[low] ?? 0) + 1 };
}

/** The text of a line (first line is 1), without its line break. */
export function lineText(source: Source, line: number): string {
  const start = source.lineStarts[line - 1] ?? source.text.length;
  const next = source.lineStarts[line];
  const end = next === undefined ? source.text.length : next - 1;
  return source.text.slice(start, end).replace(/\r$/, "");
}

export const spanText = (span: Span): string => span.source.text.slice(span.start, span.end);

/** The smallest span that holds both; they must lie in one source. */
export const coverSpans = (a: Span, b: Span): Span => ({
  source: a.source,
  start: Math.min(a.start, b.start),
  end: Math.max(a.end, b.end),
});
