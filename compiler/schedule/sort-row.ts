/** What a selection is told, and where its rows are. */
import { InternalError } from "../graph/internal-error.ts";
import type { Body, SizeSpec } from "../kernel/build.ts";
import { add, min, mul, name } from "../kernel/expr.ts";
import type { Expr } from "../kernel/kernel.ts";

export interface Selection {
  readonly name: string;
  readonly sizes: Readonly<Record<string, SizeSpec>>;
  /** Expressions over the sizes: keys are i32[rows * count], of each row `k` are chosen. */
  readonly rows: Expr;
  readonly count: Expr;
  readonly k: number;
}

/** Elements of a buffer. */
export interface Span {
  readonly from: Expr;
  /** Exclusive. */
  readonly to: Expr;
  /** Of the buffer. */
  readonly extent: Expr;
  /** What `from` and `to` are known to be multiples of. */
  readonly multiple: number;
}

export interface Row extends Span {
  readonly count: Expr;
}

/** Keys of the row that the grid's axis `row` names. */
export function rowSpan(b: Body, d: Selection): Row {
  const extent = mul(d.rows, d.count);
  const from = b.let("row_from", mul(name("row"), d.count));
  const to = b.let("row_to", min(add(from, d.count), extent));
  return { from, to, extent, multiple: multipleOf(d), count: d.count };
}

/** Of whole numbers. */
export const gcd = (a: number, b: number): number => (b === 0 ? Math.abs(a) : gcd(b, a % b));
/** What `count` is known to be a multiple of. */
export const multipleOf = (d: Pick<Selection, "count" | "sizes">): number => multipleIn(d.count, d.sizes);
/** The same of any expression over sizes. */
export function multipleIn(e: Expr, sizes: Selection["sizes"]): number {
  if (e.kind === "const") return e.value;
  if (e.kind === "name") return sizes[e.name]?.multiple ?? 1;
  if (e.kind !== "op") throw new InternalError("an extent is over sizes only");
  const [a = 1, b = 1] = e.args.map((x) => multipleIn(x, sizes));
  if (e.op === "mul") return a * b;
  return e.op === "add" || e.op === "sub" || e.op === "min" || e.op === "max" ? gcd(a, b) : 1;
}
