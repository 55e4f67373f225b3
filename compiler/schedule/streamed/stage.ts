/** The fixed parts of the scores of all rows, computed once an item: rotated queries, say. */
import { constantOf } from "../../graph/dim.ts";
import { InternalError } from "../../graph/internal-error.ts";
import type { Axis } from "../../graph/node.ts";
import { add, constant, eq, mul } from "../../kernel/expr.ts";
import type { Expr } from "../../kernel/kernel.ts";
import type { Bound, Env } from "../lift/lift.ts";
import { isSelector } from "../nest-shape.ts";
import type { Item } from "./item.ts";
import type { Segment } from "./pattern.ts";
import type { RowBlock } from "./plan.ts";

export interface Placed {
  readonly segment: Segment;
  /** Where it begins in the staged memory of a row. */
  readonly from: number;
}
export interface Layout {
  /** By inner sum. */
  readonly sums: readonly (readonly Placed[])[];
  readonly length: number;
}
/** Segments after each other, each from a multiple of `width`. */
export function layoutOf({ pattern }: Pick<Item, "pattern">, width: number): Layout {
  let length = 0;
  const sums = pattern.sums.map((s) =>
    s.segments.map((segment) => {
      const from = length;
      length += Math.ceil(segment.length / width) * width;
      return { segment, from };
    }),
  );
  return { sums, length };
}

/** `store`: for each c, in the order of the moving part, and each row. Lanes share the places c. */
export function stage(item: Item<RowBlock>, layout: Layout, store: (c: Expr, row: number, value: Expr) => void): void {
  for (const { segment, from } of layout.sums.flat())
    eachOf(item, segment, (env, c) => {
      for (let r = 0; r < item.plan.count; r += 1) {
        const value = item.lift.float(segment.fixed, new Map([...item.block.row(r), ...env]));
        store(add(c, from), r, value);
      }
    });
}

/** Axes by which branches are chosen are written out: each place computes its own. */
function eachOf(
  { b, lift }: Item<RowBlock>,
  { axes: all, fixed }: Segment,
  then: (env: Env, position: Expr) => void,
): void {
  const looped = all.filter((a) => lengthOf(a) > 1 && !isSelector(fixed, a));
  const last = looped.at(-1);
  const go = (axes: readonly Axis[], env: Env, position: Expr): void => {
    const [a, ...rest] = axes;
    if (a === undefined) return then(env, position);
    const [n, stride] = [lengthOf(a), rest.reduce((x, y) => x * lengthOf(y), 1)];
    const at = (bound: Bound): void =>
      go(rest, new Map(env).set(a.name, bound), add(position, mul(add(bound.index, bound.offset), stride)));
    if (!looped.includes(a)) for (let i = 0; i < n; i += 1) at(lift.bound(constant(i)));
    else {
      const range = a === last ? { from: b.lane, to: n, step: b.lanes } : { from: 0, to: n, step: 1 };
      b.loop("c", range, (c) => at(lift.bound(c)));
    }
  };
  if (b.lanes > 1 && last === undefined) b.if(eq(b.lane, 0), () => go(all, new Map(), constant(0)));
  else go(all, new Map(), constant(0));
}
function lengthOf(a: Axis): number {
  const n = constantOf(a.size);
  if (n === null) throw new InternalError(`${a.name} has no fixed size`);
  return n;
}
