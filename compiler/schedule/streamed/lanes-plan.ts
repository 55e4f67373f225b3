/** Numbers of a streamed fold whose items have lanes, from its structure, the sizes it is planned for, and the target. */
import { constantOf, evalDim, type Sizes } from "../../graph/dim.ts";
import type { Axis } from "../../graph/node.ts";
import type { KernelTarget } from "../../target/kernel-target.ts";
import { namesIn } from "../lift/spell-dim.ts";
import { widthAlong } from "../lift/vector-along.ts";
import type { Pattern } from "./pattern.ts";
import { alongOf, type RowBlock, sharingAxes } from "./plan.ts";
import { layoutOf } from "./stage.ts";

export interface LanesPlan extends RowBlock {
  /** Of an item; `count` divides them, and as many lanes as that leaves look after one row. */
  readonly itemLanes: number;
  /** Width of vectors along c. */
  readonly along: number;
  /** Places of s whose scores are in shared memory at once. */
  readonly tile: number;
  /** Vectors of the wide axis that a lane sums, one `itemLanes` vectors behind the other. */
  readonly vectors: number;
  /** Where the wide axis has fewer vectors than there are lanes: how many of them share the places of s. */
  readonly parts: number;
  /** Items that share the places of a block; what more than one find is merged by a kernel of its own. */
  readonly splits: number;
}

/** Scores of a lane in a tile. */
const mostTurns = 4;
const mostSplits = 64;

/** Null where the shared memory of the target does not hold it. `most`: the largest that sizes can be, where that is known. */
export function planInLanes(
  p: Pattern,
  sizes: Sizes,
  most: ReadonlyMap<string, number>,
  target: KernelTarget,
): LanesPlan | null {
  const { lanes } = target;
  const length = constantOf(p.wide.size);
  if (lanes === 1 || length === null) return null;
  let vector = Math.min(target.vector, ...p.spread.map((x) => widthAlong(x.weight, p.wide.name, target.vector)));
  while (vector > 1 && length % vector !== 0) vector /= 2;
  const wide = length / vector;
  const vectors = Math.ceil(wide / lanes);
  const parts = Math.max(1, Math.floor(lanes / wide));
  const along = Math.min(...p.sums.flatMap((x) => x.segments).map((x) => alongOf(x, target.vector)));
  const staged = layoutOf({ pattern: p }, target.vector).length;
  /** Turns of a lane in a tile that there is room for; 0: none. */
  const turnsOf = (count: number): number => {
    const sums = count * (vectors * p.spread.length + p.sums.length + 1);
    if (lanes % count !== 0 || (count > 1 && sums > target.registers)) return 0;
    const merged = parts > 1 ? parts * count * length : 0;
    const small = lanes * (1 + p.narrow.length) + count * (2 + p.narrow.length);
    for (let turns = mostTurns; turns > 0; turns -= 1) {
      const p0 = Math.max(count * lanes * turns, merged);
      if (4 * (staged * count + p0 + small) <= target.sharedBytes) return turns;
    }
    return 0;
  };
  const shape = { p, sizes, target, turnsOf };
  const { axis, count, items } = blockOf(shape);
  const turns = turnsOf(count);
  if (turns === 0) return null;
  const tile = lanes * turns;
  const row = staged + p.spread.length * length;
  const splits = splitsOf({ items, tile, places: longest(p.axis, sizes, most), row, target });
  return { axis, count, lanes: "places", vector, itemLanes: lanes, along, tile, vectors, parts, splits };
}

interface Shape {
  readonly p: Pattern;
  readonly sizes: Sizes;
  readonly target: KernelTarget;
  readonly turnsOf: (count: number) => number;
}

/** Rows of a block read what moves once: as many as there is room for, while few of them are for nothing. */
function blockOf({ p, sizes, turnsOf }: Shape): { axis: Axis | null; count: number; items: number } {
  const rows = p.rows.reduce((product, a) => product * Math.max(1, evalDim(a.size, sizes)), 1);
  let best: { axis: Axis | null; count: number; items: number; cost: number } = {
    axis: null,
    count: 1,
    items: rows,
    cost: 4,
  };
  for (const axis of sharingAxes(p)) {
    const n = Math.max(1, evalDim(axis.size, sizes));
    for (const count of [2, 4, 8]) {
      if (turnsOf(count) === 0) continue;
      const blocks = Math.ceil(n / count);
      // A load for three multiplications: what each row costs beside what they share.
      const cost = ((3 / count + 1) * blocks * count) / n;
      if (cost < best.cost - 1e-9) best = { axis, count, items: (rows / n) * blocks, cost };
    }
  }
  return best;
}

/** The most places that there may be, or as many as are planned for where nothing bounds them. */
function longest(s: Axis, sizes: Sizes, most: ReadonlyMap<string, number>): number {
  const highs: Record<string, number> = {};
  for (const n of namesIn(s.size)) {
    const high = most.get(n);
    if (high !== undefined && Number.isSafeInteger(high)) highs[n] = high;
  }
  return evalDim(s.size, { ...sizes, ...highs });
}

interface Splitting {
  readonly items: number;
  readonly tile: number;
  readonly places: number;
  /** Elements that move for a place. */
  readonly row: number;
  readonly target: KernelTarget;
}

/**
 * Where there are fewer items than the machine keeps busy, places of s are split until there are, if what that saves at the longest
 * is more than a second kernel takes: for short ones nothing more than that is lost.
 */
function splitsOf({ items, tile, places, row, target }: Splitting): number {
  const { workers, launchBytes } = target;
  const splits = Math.min(mostSplits, Math.ceil((2 * workers) / items), Math.ceil(places / tile));
  if (splits <= 1) return 1;
  const idle = (n: number): number => Math.max(1, workers / (items * n));
  const bytes = 4 * places * row;
  return bytes * (idle(1) - idle(splits)) > launchBytes ? splits : 1;
}
