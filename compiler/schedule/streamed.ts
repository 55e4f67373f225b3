/**
 * Folds with a running maximum in one pass: attention of any shape, as its graph has it (streamed/pattern.ts). An item is a block
 * of rows. What its scores multiply by is staged once; then, over tiles of s: scores, their maximum, weights p = exp(a - m), and
 * sums, of which those so far are rescaled by exp(m_old - m_new). A row that sees no place gets what its result is of sums 0 and
 * maximum -inf. Scores below -1e29 count as such of places that are not seen.
 */
import type { Sizes } from "../graph/dim.ts";
import type { Node } from "../graph/node.ts";
import { freeNames } from "../graph/scalar.ts";
import { type Body, type BufferSpec, kernel, type Memory } from "../kernel/build.ts";
import { elems } from "../kernel/elem.ts";
import { add, ceilDiv, constant, convert, max, min, mul, op, select, sub } from "../kernel/expr.ts";
import type { Expr, Kernel } from "../kernel/kernel.ts";
import type { KernelTarget } from "../target/kernel-target.ts";
import { Lift } from "./lift/lift.ts";
import { dimExpr } from "./lift/spell-dim.ts";
import { allDims, buffersOf, sizesOf } from "./nest/given.ts";
import type { Nest } from "./nest/nest.ts";
import { Block, gridName } from "./streamed/block.ts";
import type { Item } from "./streamed/item.ts";
import { lanesKernels, type Partial } from "./streamed/lanes-kernel.ts";
import { planInLanes } from "./streamed/lanes-plan.ts";
import { outIndex } from "./streamed/out-index.ts";
import { type Pattern, patternOf } from "./streamed/pattern.ts";
import { PlacesInLanes } from "./streamed/places-in-lanes.ts";
import { planStreamed, type StreamedPlan } from "./streamed/plan.ts";
import { knowMax, resultAt } from "./streamed/result.ts";
import { RowsInLanes } from "./streamed/rows-in-lanes.ts";
import { Spread } from "./streamed/spread.ts";
import { type Visible, visibleOf } from "./streamed/visible.ts";
import type { Weights } from "./streamed/weights.ts";
import type { TileOptions } from "./tile-plan.ts";

export interface StreamedKernel {
  readonly kernel: Kernel;
  readonly says: string;
  /** Where items share what one would walk alone: what is called before it, and what that leaves. */
  readonly ahead: Partial | null;
}

export interface StreamedOptions extends TileOptions {
  /** Whether items may share the places of a block. */
  readonly apart: boolean;
}

/** Null where the nest is no such fold, or the target has no use for it. */
export function streamed(
  nest: Nest,
  sizes: Sizes,
  target: KernelTarget,
  options: StreamedOptions,
): StreamedKernel | null {
  const pattern = patternOf(nest);
  if (pattern === null || !elems[nest.elem].float) return null;
  if (target.lanes > 1) {
    const best = planInLanes(pattern, sizes, nest.most, target);
    if (best === null) return null;
    const plan = options.apart ? best : { ...best, splits: 1 };
    const { count, tile, itemLanes, splits } = plan;
    const by = splits > 1 ? `, by ${splits} items` : "";
    const says = `streamed: ${count} rows x ${tile} places, shared by ${itemLanes} lanes${by}`;
    return { ...lanesKernels({ nest, pattern, plan, options, says }), says };
  }
  const plan = planStreamed(pattern, sizes, target);
  if (plan === null) return null;
  const says = `streamed: ${plan.count} rows x ${plan.tile} places, ${plan.together} at once, ${plan.lanes} in lanes`;
  return { kernel: written({ nest, pattern, plan, options, says }), says, ahead: null };
}

interface Asked {
  readonly nest: Nest;
  readonly pattern: Pattern;
  readonly plan: StreamedPlan;
  readonly options: TileOptions;
  readonly says: string;
}

function written(asked: Asked): Kernel {
  const { nest, pattern, plan, options, says } = asked;
  const inputs = buffersOf(nest);
  const buffers: Record<string, BufferSpec> = {};
  for (const b of inputs) buffers[b.name] = b.spec;
  const extent = nest.axes.map((a) => dimExpr(a.size)).reduce((a, b) => mul(a, b), constant(1));
  buffers["made"] = { elem: nest.elem, extent, access: "write" };
  // Items that read the same follow each other.
  const grid: Record<string, Expr> = {};
  if (plan.axis !== null) grid[gridName(plan.axis)] = ceilDiv(dimExpr(plan.axis.size), plan.count);
  for (const a of [...pattern.rows].reverse()) if (a !== plan.axis) grid[gridName(a)] = dimExpr(a.size);
  if (pattern.rows.length === 0) grid["once"] = constant(1);
  const sizes = sizesOf(nest, allDims(nest));
  return kernel({ name: options.name, source: says, lanes: 1, sizes, buffers, grid }, (b, memory) => {
    const places = new Map(inputs.map((x): [Node, Memory] => [x.node, memory(x.name)]));
    write(asked, b, { memory: places, out: memory("made") });
  });
}

interface Places {
  readonly memory: ReadonlyMap<Node, Memory>;
  readonly out: Memory;
}

function write(asked: Asked, b: Body, { memory, out }: Places): void {
  const { pattern, plan } = asked;
  const lift = new Lift(b, memory);
  const block = new Block(pattern, plan, lift);
  const item: Item = { pattern, plan, b, lift, memory, block };
  const differs = (e: Parameters<typeof freeNames>[0]): boolean =>
    plan.axis !== null && freeNames(e).has(plan.axis.name);
  const seen = visibleOf(pattern.where, pattern.axis.name, differs);
  const weights = plan.lanes === "rows" ? new RowsInLanes(item, seen.left) : new PlacesInLanes(item, seen.left);
  const spread = new Spread(item);
  weights.start();
  spread.start();
  const size = dimExpr(pattern.axis.size);
  const end = b.let(
    "end",
    // From 0 on, so that the verifier can count with it where it follows the bounds of many rows no further.
    max(
      0,
      seen.below.map((e) => block.extreme("max", e)).reduce((x, y) => min(x, y), size),
    ),
  );
  const first = b.let(
    "first",
    seen.from.map((e) => block.extreme("min", e)).reduce((x, y) => max(x, y), constant(0)),
  );
  const least = seen.left.length === 0 ? null : sharedEnd(seen, block, b);
  b.loop("s0", { from: first, to: end, step: plan.tile }, (s0) => {
    const count = b.let("count", min(plan.tile, sub(end, s0)));
    const shared = least === null ? null : b.let("shared", select(op("le", add(s0, count), least), 1, 0));
    const run = { first: s0, count, end, shared };
    weights.tile(run);
    spread.tile(run, weights);
  });
  for (let r = 0; r < plan.count; r += 1) {
    const guard = block.guard(r);
    const row = (): void => storeRow({ ...asked, item, weights, spread, out }, r);
    if (guard === null) row();
    else b.if(guard, row);
  }
}

/** The end of the places that all rows of a block see, as far as bounds tell. */
function sharedEnd(seen: Visible, block: Block, b: Body): Expr {
  const bounds = seen.below.map((e) => block.extreme("min", e));
  const [bound, ...others] = bounds;
  return bound === undefined || !seen.onlyBelow
    ? constant(0)
    : b.let(
        "least",
        others.reduce((x, y) => min(x, y), bound),
      );
}

interface Storing extends Asked {
  readonly item: Item;
  readonly weights: Weights;
  readonly spread: Spread;
  readonly out: Memory;
}

/** The result of row r, in vectors along the wide axis. */
function storeRow({ options, item, weights, spread, out }: Storing, r: number): void {
  const { b, lift, pattern, plan, block } = item;
  const { vector } = plan;
  const own = new Map(block.row(r));
  const bound = plan.axis === null ? undefined : own.get(plan.axis.name);
  // A bound of its own: what is known of this row is known in this block only.
  if (plan.axis !== null && bound !== undefined) own.set(plan.axis.name, lift.bound(bound.index));
  knowMax(pattern, lift, own, () => weights.max(r));
  for (const [i, s] of pattern.narrow.entries()) lift.know(s.value, own, b.let("total", weights.narrow(i, r)));
  b.loop("e", { from: 0, to: dimExpr(pattern.wide.size), step: vector }, (e) => {
    const env = new Map(own).set(pattern.wide.name, lift.bound(e, { width: vector }));
    for (const [i, s] of pattern.spread.entries()) lift.know(s.value, env, b.let("total", spread.value(i, r, e)));
    const value = resultAt(pattern, lift, env, vector, options);
    b.store(out, outIndex(item, { r, e }, dimExpr(pattern.wide.size)), convert(value, out.type.elem));
  });
}
