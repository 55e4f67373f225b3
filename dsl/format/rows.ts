/** Lines in the making: cells that align with those of neighbouring lines of the same kind. */
import { concat, type Doc, flatText, layOut, lineWidth } from "./doc.ts";

export interface Cell {
  /** Cells of one column align; a column is only looked for among rows of one kind. */
  readonly column: string;
  readonly doc: Doc;
}

export interface Row {
  /** Rows of different kinds never align, save in the `at` column. */
  readonly kind: string;
  readonly indent: number;
  readonly blankBefore: boolean;
  readonly cells: readonly Cell[];
  /** A comment at the end of its last line. */
  trailing: string | null;
}

/** A column moves right by at most this much, so that one long name does not tear all others apart. */
const widestShift: Readonly<Record<string, number>> = { at: 28, default: 4 };
const usualShift = 8;
/** Where trailing comments begin if the line is short enough. */
const commentColumn = 61;

export function renderRows(rows: readonly Row[]): string {
  const lines: string[] = [];
  const columns = [
    "type",
    "default",
    "value",
    "scalar",
    "range",
    "define",
    "at",
    "or",
    "keep",
    "copy",
    "where",
    "brace",
  ];
  const shaped = rows.map(shape);
  for (const column of columns) alignColumn(shaped, column);
  for (const row of shaped) {
    if (row.row.blankBefore && lines.length > 0) lines.push("");
    for (const text of rowLines(row)) lines.push(text);
  }
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

interface Shaped {
  readonly row: Row;
  /** Spaces before each cell. */
  readonly gaps: number[];
  readonly flat: readonly (string | null)[];
}

const shape = (row: Row): Shaped => ({
  row,
  gaps: row.cells.map((_, i) => (i === 0 ? 0 : 1)),
  flat: row.cells.map(({ doc }) => flatText(doc)),
});

/** Width of the first `count` cells with their gaps; null if one of them breaks. */
function widthOf(shaped: Shaped, count: number): number | null {
  let width = shaped.row.indent;
  for (let i = 0; i < count; i++) {
    const text = shaped.flat[i];
    if (text === null || text === undefined) return null;
    width += (shaped.gaps[i] ?? 0) + text.length;
  }
  return width;
}

interface Member {
  readonly shaped: Shaped;
  readonly cell: number;
  readonly width: number;
  /** Columns left at the end of the line; null for lines that break anyway. */
  readonly room: number | null;
}

/** Neighbours whose cells of one column begin at one place. */
class Alignment {
  readonly #widestShift: number;
  #members: Member[] = [];
  #narrowest = Number.POSITIVE_INFINITY;
  #widest = 0;
  /** The farthest the column may begin before a line grows too long. */
  #limit = Number.POSITIVE_INFINITY;

  constructor(column: string) {
    this.#widestShift = widestShift[column] ?? usualShift;
  }

  add(member: Member): void {
    if (!this.#fits(member)) this.settle();
    this.#members.push(member);
    this.#narrowest = Math.min(this.#narrowest, member.width);
    this.#widest = Math.max(this.#widest, member.width);
    this.#limit = Math.min(this.#limit, limitOf(member));
  }

  #fits(member: Member): boolean {
    const widest = Math.max(this.#widest, member.width);
    const narrowest = Math.min(this.#narrowest, member.width);
    return widest - narrowest <= this.#widestShift && widest <= Math.min(this.#limit, limitOf(member));
  }

  settle(): void {
    for (const { shaped, cell, width } of this.#members) shaped.gaps[cell] = 1 + this.#widest - width;
    this.#members = [];
    this.#narrowest = Number.POSITIVE_INFINITY;
    this.#widest = 0;
    this.#limit = Number.POSITIVE_INFINITY;
  }
}

const limitOf = ({ width, room }: Member): number => (room === null ? Number.POSITIVE_INFINITY : width + room);

function alignColumn(rows: readonly Shaped[], column: string): void {
  const alignment = new Alignment(column);
  let before: Row | null = null;
  for (const shaped of rows) {
    if (before === null || !inOneRun(before, shaped.row, column)) alignment.settle();
    before = shaped.row;
    const cell = shaped.row.cells.findIndex((each) => each.column === column);
    const width = cell < 0 ? null : widthOf(shaped, cell);
    if (width === null) {
      if (shaped.row.cells.length === 1) alignment.settle();
      continue;
    }
    const whole = widthOf(shaped, shaped.flat.length);
    alignment.add({ shaped, cell, width, room: whole === null || whole > lineWidth ? null : lineWidth - whole });
  }
  alignment.settle();
}

const tensorKinds: ReadonlySet<string> = new Set(["weight", "part"]);

function inOneRun(before: Row, row: Row, column: string): boolean {
  if (row.blankBefore || before.indent !== row.indent) return false;
  if (column === "at") return tensorKinds.has(before.kind) && tensorKinds.has(row.kind);
  return before.kind === row.kind;
}

function rowLines({ row, gaps }: Shaped): readonly string[] {
  const parts: Doc[] = row.cells.flatMap(({ doc }, i) => [" ".repeat(gaps[i] ?? 0), doc]);
  const lines = layOut(concat(...parts), row.indent).map((text, i) => (i === 0 ? " ".repeat(row.indent) + text : text));
  if (row.trailing === null) return lines;
  const last = lines.at(-1) ?? "";
  const isBrace = row.kind === "head" || row.kind === "close";
  const atColumn = !isBrace && last.length + 2 <= commentColumn && commentColumn + row.trailing.length <= lineWidth;
  const gap = atColumn ? commentColumn - last.length : 2;
  return [...lines.slice(0, -1), last + " ".repeat(gap) + row.trailing];
}
