/**
 * A streamed fold whose items have lanes (in-lanes.ts). Where several items share the places of a block, each leaves what it has found
 * of a row, [split, row, (wide sums, m, narrow sums)], and a second kernel merges: the greatest m, sums rescaled by exp(m_i - m), added.
 */
import { constantOf } from "../../graph/dim.ts";
import { InternalError } from "../../graph/internal-error.ts";
import type { Node } from "../../graph/node.ts";
import { freeNames } from "../../graph/scalar.ts";
import { at, type Body, type BufferSpec, kernel, type Memory } from "../../kernel/build.ts";
import { add, ceilDiv, constant, convert, eq, fma, max, min, mul, name, op, splat, sub } from "../../kernel/expr.ts";
import type { Expr, Kernel } from "../../kernel/kernel.ts";
import { loadsOf } from "../../kernel/walk.ts";
import { Lift } from "../lift/lift.ts";
import { dimExpr } from "../lift/spell-dim.ts";
import { allDims, buffersOf, sizesOf } from "../nest/given.ts";
import type { Nest } from "../nest/nest.ts";
import type { TileOptions } from "../tile-plan.ts";
import { Block, gridName } from "./block.ts";
import { InLanes } from "./in-lanes.ts";
import { type Item, lowest, vectorOf } from "./item.ts";
import type { LanesPlan } from "./lanes-plan.ts";
import { outIndex } from "./out-index.ts";
import type { Pattern } from "./pattern.ts";
import type { RowBlock } from "./plan.ts";
import { knowMax, resultAt } from "./result.ts";
import { visibleOf } from "./visible.ts";

export interface AskedLanes {
  readonly nest: Nest;
  readonly pattern: Pattern;
  readonly plan: LanesPlan;
  readonly options: TileOptions;
  readonly says: string;
}

/** What the kernels of a fold write beside the result: f32. */
export interface Partial {
  readonly kernel: Kernel;
  readonly name: string;
  /** Elements. */
  readonly extent: Expr;
}

/** The name of what items of a split leave; operands have names of `buffersOf`. */
const partialName = "partials";
const splitName = "split";

export function lanesKernels(asked: AskedLanes): { readonly kernel: Kernel; readonly ahead: Partial | null } {
  const { nest, plan } = asked;
  const made: BufferSpec = { elem: nest.elem, extent: elementsOf(nest), access: "write" };
  if (plan.splits === 1) return { kernel: folding(asked, { made }), ahead: null };
  const extent = mul(plan.splits, rowsOf(asked.pattern), layoutOf(asked).stride);
  const ahead = folding(asked, { [partialName]: { elem: "f32", extent, access: "write" } });
  const kernel = merging(asked, { [partialName]: { elem: "f32", extent }, made });
  return { kernel, ahead: { kernel: ahead, name: partialName, extent } };
}

const product = (all: readonly Expr[]): Expr => all.reduce((a, b) => mul(a, b), constant(1) as Expr);
const elementsOf = (nest: Nest): Expr => product(nest.axes.map((a) => dimExpr(a.size)));
const rowsOf = (p: Pattern): Expr => product(p.rows.map((a) => dimExpr(a.size)));

/** Of one row of one split. */
interface PartialLayout {
  readonly length: number;
  /** Where m stands; narrow sums are behind it. */
  readonly max: number;
  readonly stride: number;
}
function layoutOf({ pattern, plan }: Pick<AskedLanes, "pattern" | "plan">): PartialLayout {
  const length = constantOf(pattern.wide.size);
  if (length === null) throw new InternalError(`${pattern.wide.name} has no fixed size`);
  const max = length * pattern.spread.length;
  const stride = Math.ceil((max + 1 + pattern.narrow.length) / plan.vector) * plan.vector;
  return { length, max, stride };
}

/** Buffers that the body does not touch are left out. */
function touched(k: Kernel): Kernel {
  const loaded = loadsOf(k.body);
  return { ...k, buffers: k.buffers.filter((b) => b.access !== "read" || loaded.has(b.name)) };
}

type Places = ReadonlyMap<Node, Memory>;
function written(
  { nest, options, says }: AskedLanes,
  more: Readonly<Record<string, BufferSpec>>,
  { lanes, grid, fill }: { lanes: number; grid: Record<string, Expr>; fill: Filling },
): Kernel {
  const inputs = buffersOf(nest, [partialName, splitName]);
  const buffers: Record<string, BufferSpec> = {};
  for (const b of inputs) buffers[b.name] = b.spec;
  Object.assign(buffers, more);
  const sizes = sizesOf(nest, allDims(nest));
  const spec = { name: options.name, source: `${nest.label}: ${says}`, lanes, sizes, buffers, grid };
  return touched(
    kernel(spec, (b, memory) => fill(b, new Map(inputs.map((x): [Node, Memory] => [x.node, memory(x.name)])), memory)),
  );
}
type Filling = (b: Body, places: Places, memory: (name: string) => Memory) => void;

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
  readonly r: number;
  readonly e: Expr;
  readonly found: { readonly max: Expr; readonly narrow: readonly Expr[]; readonly spread: readonly Expr[] };
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

/** An item has a vector of a row. */
function merging(asked: AskedLanes, more: Readonly<Record<string, BufferSpec>>): Kernel {
  const { pattern, plan } = asked;
  const { length } = layoutOf(asked);
  const grid: Record<string, Expr> = { wide: constant(length / plan.vector) };
  for (const a of [...pattern.rows].reverse()) grid[gridName(a)] = dimExpr(a.size);
  return written({ ...asked, says: `${asked.says}, merged` }, more, {
    lanes: 1,
    grid,
    fill: (b, places, memory) => merge(asked, b, { places, from: memory(partialName), to: memory("made") }),
  });
}
interface Merging {
  readonly places: Places;
  readonly from: Memory;
  readonly to: Memory;
}
function merge(asked: AskedLanes, b: Body, { places, from, to }: Merging): void {
  const { pattern, plan, options } = asked;
  const { length, max: behind, stride } = layoutOf(asked);
  const lift = new Lift(b, places);
  const alone: RowBlock = { axis: null, count: 1, lanes: "places", vector: plan.vector };
  const block = new Block(pattern, alone, lift);
  const item: Item<RowBlock> = { pattern, plan: alone, b, lift, memory: places, block };
  const row = b.let("row", outIndex(item, { r: 0, e: constant(0) }, constant(stride)));
  const apart = b.let("apart", mul(rowsOf(asked.pattern), stride));
  const e = b.let("e", mul(name("wide"), plan.vector));
  const [scalar, vec] = [vectorOf(1), vectorOf(plan.vector)];
  const here = (split: Expr, i: Expr | number): Expr => add(mul(split, apart), row, i);
  const best = b.reg("best", scalar, 1, constant(lowest, scalar));
  const splits = { from: 0, to: plan.splits, step: 1 };
  b.loop("i", splits, (i) => b.store(best, 0, max(at(best, 0), at(from, here(i, behind)))));
  const m = b.let("m", at(best, 0));
  const narrow = pattern.narrow.map((_, i) => b.reg(`z${i}`, scalar, 1, constant(0, scalar)));
  const spread = pattern.spread.map((_, i) => b.reg(`acc${i}`, vec, 1, constant(0, vec)));
  b.loop("i", splits, (i) => {
    const factor = b.let("factor", op("exp", sub(at(from, here(i, behind)), m)));
    for (const [j, z] of narrow.entries()) b.store(z, 0, fma(at(from, here(i, behind + 1 + j)), factor, at(z, 0)));
    for (const [j, acc] of spread.entries())
      b.store(acc, 0, fma(at(from, here(i, add(e, j * length)), plan.vector), splat(factor, plan.vector), at(acc, 0)));
  });
  const own = new Map(block.row(0)).set(pattern.wide.name, lift.bound(e, { width: plan.vector }));
  knowMax(pattern, lift, own, () => m);
  for (const [i, s] of pattern.narrow.entries()) lift.know(s.value, own, at(narrow[i] ?? best, 0));
  for (const [i, s] of pattern.spread.entries()) lift.know(s.value, own, at(spread[i] ?? best, 0));
  const value = resultAt(pattern, lift, own, plan.vector, options);
  b.store(to, outIndex(item, { r: 0, e }, dimExpr(pattern.wide.size)), convert(value, to.type.elem));
}
