/**
 * A streamed fold whose items have lanes (in-lanes.ts). Where several items share the places of a block, each leaves what it has found
 * of a row, [split, row, (wide sums, m, narrow sums)], and a second kernel merges (merge-splits.ts).
 */
import { freeNames } from "../../graph/scalar.ts";
import type { Body, BufferSpec, Memory } from "../../kernel/build.ts";
import { add, ceilDiv, constant, convert, eq, max, min, mul, name, sub } from "../../kernel/expr.ts";
import type { Expr, Kernel } from "../../kernel/kernel.ts";
import { Lift } from "../lift/lift.ts";
import { dimExpr } from "../lift/spell-dim.ts";
import { Block, gridName } from "./block.ts";
import { type Found, InLanes } from "./in-lanes.ts";
import { type Item, vectorOf } from "./item.ts";
import type { LanesPlan } from "./lanes-plan.ts";
import { merging } from "./merge-splits.ts";
import { outIndex } from "./out-index.ts";
import {
  type AskedLanes,
  elementsOf,
  layoutOf,
  type Places,
  partialName,
  rowsOf,
  splitName,
  written,
} from "./partials.ts";
import { knowMax, resultAt } from "./result.ts";
import { visibleOf } from "./visible.ts";

/** What the kernels of a fold write beside the result: f32. */
export interface Partial {
  readonly kernel: Kernel;
  readonly name: string;
  /** Elements. */
  readonly extent: Expr;
}

export function lanesKernels(asked: AskedLanes): { readonly kernel: Kernel; readonly ahead: Partial | null } {
  const { nest, plan } = asked;
  const made: BufferSpec = { elem: nest.elem, extent: elementsOf(nest), access: "write" };
  if (plan.splits === 1) return { kernel: folding(asked, { made }), ahead: null };
  const extent = mul(plan.splits, rowsOf(asked.pattern), layoutOf(asked).stride);
  const ahead = folding(asked, { [partialName]: { elem: "f32", extent, access: "write" } });
  const kernel = merging(asked, { [partialName]: { elem: "f32", extent }, made });
  return { kernel, ahead: { kernel: ahead, name: partialName, extent } };
}

function folding(asked: AskedLanes, more: Readonly<Record<string, BufferSpec>>): Kernel {
  const { pattern, plan } = asked;
  // Items that read the same follow each other.
  const grid: Record<string, Expr> = {};
  if (plan.axis !== null) grid[gridName(plan.axis)] = ceilDiv(dimExpr(plan.axis.size), plan.count);
  for (const a of [...pattern.rows].reverse()) if (a !== plan.axis) grid[gridName(a)] = dimExpr(a.size);
  if (plan.splits > 1 || pattern.rows.length === 0) grid[splitName] = constant(plan.splits);
  return written(asked, more, {
    lanes: plan.itemLanes,
    grid,
    fill: (b, places, memory) => fold(asked, b, { places, to: memory(plan.splits > 1 ? partialName : "made") }),
  });
}

function fold(asked: AskedLanes, b: Body, { places, to }: { readonly places: Places; readonly to: Memory }): void {
  const { pattern, plan } = asked;
  const lift = new Lift(b, places);
  const block = new Block(pattern, plan, lift);
  const item: Item<LanesPlan> = { pattern, plan, b, lift, memory: places, block };
  const differs = (e: Parameters<typeof freeNames>[0]): boolean =>
    plan.axis !== null && freeNames(e).has(plan.axis.name);
  const seen = visibleOf(pattern.where, pattern.axis.name, differs);
  const { length } = layoutOf(asked);
  const lanes = new InLanes(item, length, seen.left);
  lanes.stage();
  const size = dimExpr(pattern.axis.size);
  const bounds = seen.below.map((e) => block.extreme("max", e)).reduce((x, y) => min(x, y), size);
  let end = b.let("end", max(0, bounds));
  let first = b.let(
    "first",
    seen.from.map((e) => block.extreme("min", e)).reduce((x, y) => max(x, y), constant(0) as Expr),
  );
  if (plan.splits > 1) {
    const share = b.let("share", ceilDiv(max(0, sub(end, first)), plan.splits));
    first = b.let("own_first", add(first, mul(name(splitName), share)));
    end = b.let("own_end", min(end, add(first, share)));
  }
  b.loop("s0", { from: first, to: end, step: plan.tile }, (s0) =>
    lanes.tile(s0, b.let("count", min(plan.tile, sub(end, s0)))),
  );
  lanes.finish((r, e, found) => {
    const guard = block.guard(r);
    const store = (): void =>
      plan.splits > 1
        ? storePartial(asked, item, { r, e: e.index, found, to })
        : storeResult(asked, item, { r, e: e.index, found, to });
    if (guard === null) store();
    else b.if(guard, store);
  });
}

interface Storing {
  readonly r: Expr | number;
  readonly e: Expr;
  readonly found: Found;
  readonly to: Memory;
}
function storeResult({ options }: AskedLanes, item: Item<LanesPlan>, { r, e, found, to }: Storing): void {
  const { b, lift, plan, pattern, block } = item;
  const own = new Map(block.row(r));
  const bound = plan.axis === null ? undefined : own.get(plan.axis.name);
  // A bound of its own: what is known of this row is known in this block only.
  if (plan.axis !== null && bound !== undefined) own.set(plan.axis.name, lift.bound(bound.index));
  own.set(pattern.wide.name, lift.bound(e, { width: plan.vector }));
  knowMax(pattern, lift, own, () => found.max);
  for (const [i, s] of pattern.narrow.entries()) lift.know(s.value, own, found.narrow[i] ?? constant(0, vectorOf(1)));
  for (const [i, s] of pattern.spread.entries())
    lift.know(s.value, own, found.spread[i] ?? constant(0, vectorOf(plan.vector)));
  const value = resultAt(pattern, lift, own, plan.vector, options);
  b.store(to, outIndex(item, { r, e }, dimExpr(pattern.wide.size)), convert(value, to.type.elem));
}

/** The row of a split; m and narrow sums are stored by who has the first of the wide ones. */
function storePartial(asked: AskedLanes, item: Item<LanesPlan>, { r, e, found, to }: Storing): void {
  const { b } = item;
  const { length, max: behind, stride } = layoutOf(asked);
  const row = (at: Expr): Expr =>
    add(outIndex(item, { r, e: at }, constant(stride)), mul(name(splitName), mul(rowsOf(asked.pattern), stride)));
  for (const [i, sum] of found.spread.entries()) b.store(to, row(add(e, i * length)), sum);
  b.if(eq(e, 0), () => {
    for (const [i, x] of [found.max, ...found.narrow].entries()) b.store(to, row(constant(behind + i)), x);
  });
}
