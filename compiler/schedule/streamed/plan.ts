/** Numbers of a streamed fold, from its structure, the sizes it is planned for, and the target. */
import { constantOf, evalDim, type Sizes } from "../../graph/dim.ts";
import type { Axis } from "../../graph/node.ts";
import { freeNames } from "../../graph/scalar.ts";
import type { KernelTarget } from "../../target/kernel-target.ts";
import { widthAlong } from "../lift/vector-along.ts";
import { divisorUpTo } from "./divisor.ts";
import type { Pattern } from "./pattern.ts";

/** The rows of an item. */
export interface RowBlock {
  /** The axis of which an item takes `count` places, which share what moves with s; null: one row. */
  readonly axis: Axis | null;
  readonly count: number;
  /** What lies in the lanes of a vector of scores: rows of the block, or places of s. */
  readonly lanes: "rows" | "places";
  readonly vector: number;
}

export interface StreamedPlan extends RowBlock {
  /** Width of vectors along c, where lanes are places. */
  readonly along: number;
  /** Places of s that are read again while they are in the cache. */
  readonly tile: number;
  /** Places of s whose scores are summed at once. */
  readonly together: number;
  /** Rows and vectors along the wide axis whose sums are in registers at once. */
  readonly spread: { readonly rows: number; readonly vectors: number };
}

/** Null where vectors do not fit. */
export function planStreamed(p: Pattern, sizes: Sizes, target: KernelTarget): StreamedPlan | null {
  const { vector, registers } = target;
  const length = constantOf(p.wide.size);
  if (target.lanes !== 1 || length === null || length % vector !== 0) return null;
  if (p.spread.some((x) => widthAlong(x.weight, p.wide.name, vector) !== vector)) return null;
  const { axis, count } = blockOf(p, sizes, target);
  const lanes = count % vector === 0 ? "rows" : "places";
  const rowVectors = lanes === "rows" ? count / vector : count;
  let together = 8;
  while (together > 1 && rowVectors * together + rowVectors + 2 > registers) together /= 2;
  const along = Math.min(...p.sums.flatMap((x) => x.segments).map((x) => alongOf(x, vector)));
  const tile = 64;
  const vectors = length / vector;
  return { axis, count, lanes, vector, along, tile, together, spread: spreadTile(count, vectors, registers) };
}

/** The widest vectors along c of what moves. */
export function alongOf(x: Pattern["sums"][number]["segments"][number], vector: number): number {
  let width = widthAlong(x.moving, x.along, vector);
  while (width > 1 && x.length % width !== 0) width /= 2;
  return width;
}

/** The fewest loads for a multiplication that fit the registers. */
function spreadTile(rows: number, vectors: number, registers: number): StreamedPlan["spread"] {
  let best = { rows: 1, vectors: 1, loads: Number.POSITIVE_INFINITY };
  for (let r = 1; r <= rows; r += 1) {
    if (rows % r !== 0) continue;
    const room = Math.floor((registers - 1) / (r + 1));
    const v = divisorUpTo(vectors, Math.min(8, room));
    const loads = (r + v) / (r * v);
    if (r * v + v + 1 <= registers && loads < best.loads - 1e-9) best = { rows: r, vectors: v, loads };
  }
  return best;
}

/** Axes that nothing that moves with s depends on. Rows that all see the same places come first: no score of a block is for nothing. */
export function sharingAxes(p: Pattern): readonly Axis[] {
  const moving = [...p.sums.flatMap((x) => x.segments.map((y) => y.moving)), ...p.spread.map((x) => x.weight)];
  const seesOwn = (a: Axis): number => (p.where !== null && freeNames(p.where).has(a.name) ? 1 : 0);
  return p.rows.filter((a) => !moving.some((e) => freeNames(e).has(a.name))).sort((a, b) => seesOwn(a) - seesOwn(b));
}

/**
 * One of these axes, and how many of its places: the cheapest way to all of them. Blocks of whole vectors sum scores without adding
 * lanes up, and larger ones read what moves more rarely.
 */
function blockOf(
  p: Pattern,
  sizes: Sizes,
  { vector, workers }: KernelTarget,
): { readonly axis: Axis | null; readonly count: number } {
  const shared = sharingAxes(p);
  const costs = [
    { count: 1, cost: 2.2 },
    { count: 2, cost: 1.6 },
    { count: vector, cost: 1.15 },
    { count: 2 * vector, cost: 1 },
  ];
  const places = p.rows.reduce((product, a) => product * Math.max(1, evalDim(a.size, sizes)), 1);
  let best: { axis: Axis | null; count: number; cost: number } = { axis: null, count: 1, cost: 2.2 };
  for (const axis of shared) {
    const n = evalDim(axis.size, sizes);
    for (const { count, cost } of costs) {
      const items = (places / Math.max(1, n)) * Math.ceil(n / count);
      const alone = Math.max(1, workers / items); // threads that have nothing to do
      const all = (alone * cost * count * Math.ceil(n / count)) / Math.max(1, n);
      if (count > 1 && all < best.cost - 1e-9) best = { axis, count, cost: all };
    }
  }
  return { axis: best.axis, count: best.count };
}
