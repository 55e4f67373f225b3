/** Contractions whose sums lanes share: what is read goes through once, lanes side by side read what is adjacent. */
import { evalDim } from "../graph/dim.ts";
import type { Axis, Reduce } from "../graph/node.ts";
import { accumulators, contractionOf, rowPlaces, sumsOf, tokenPlaces } from "./contraction.ts";
import { longestAxis, type Shape, walksOf } from "./nest-shape.ts";
import type { TilePlan } from "./tile-plan.ts";

/** Vectors of a sum that each of the lanes should have at least: what they then do together costs as much. */
const enoughTurns = 4;
/** Sums side by side from which on a lane need not wait for one to add to it again: of fewer each is as many as a vector has numbers. */
const enoughSums = 8;
/** Of more tokens than this the sums of a lane are enough to read each operand for. */
const mostTokens = 8;

/**
 * For one token or a few: neighbouring lanes share the sum of a row, as many as leave each some turns, and each such group of lanes has
 * rows of its own. Null where there are no lanes, sums are too short, or there are more tokens.
 */
export function sharedSums(shape: Shape, summed: readonly Reduce[]): TilePlan | null {
  const { target, others, sizes } = shape;
  const c = contractionOf(shape, summed, innermost);
  const { rowAxis, tokenAxis, order, sums } = c;
  const tokens = tokenPlaces(c);
  if (target.lanes === 1 || c.along !== null || tokens > mostTokens) return null;
  const axes = summed.map((r) => longestAxis(r, target));
  // What is short beside others, such as a sum over what was picked, each lane does by itself.
  const longest = Math.max(...axes.map((a) => a.vectors));
  const long = axes.filter((a) => a.vectors * 4 >= longest);
  const most = Math.min(...long.map((a) => a.vectors));
  const width = Math.min(...long.map((a) => a.width));
  const items = others.reduce((n, a) => (a === tokenAxis || a === rowAxis ? n : n * evalDim(a.size, sizes)), 1);
  const rows = rowPlaces(c);
  let [share, atOnce] = [powerBelow(most / enoughTurns, target.lanes), powerBelow(rows, target.streams)];
  const fits = (): boolean => accumulators(c, atOnce, tokens) + tokens + 1 <= target.registers;
  while (atOnce > 1 && !fits()) atOnce /= 2;
  if (share === 1 || !fits()) return null;
  // Rather short turns and few rows than too few to do.
  const groups = (): number => items * Math.ceil(rows / (atOnce * (target.lanes / share)));
  while (atOnce > 1 && groups() < target.workers) atOnce /= 2;
  while (share * 2 <= Math.min(most, target.lanes) && groups() < target.workers) share *= 2;
  const among = target.lanes / share;
  if (rowAxis === undefined && among > 1) return null;
  return {
    lanes: target.lanes,
    share,
    vector: target.vector,
    numbers: sumsOf(c, atOnce, tokens) >= enoughSums,
    products: target.dot.group,
    turn: 1,
    fewTurns: 1,
    walks: walksOf(shape, [
      [rowAxis, { kind: "dealt", count: atOnce, among, every: share }],
      [tokenAxis, { kind: "tile", count: tokens }],
    ]),
    along: null,
    grouped: null,
    order,
    staged: null,
    says: `contraction: ${atOnce} x ${tokens} places, ${sums.length} sums, ${width > 1 ? `vectors of ${width} along the sum` : "no vectors"}, shared by ${share} of ${target.lanes} lanes`,
  };
}

/** Adjacent rows are written side by side. */
const innermost = (used: readonly Axis[]): Axis | undefined => used.at(-1);
/** The largest power of two that is not above x, at most `most` and at least 1. */
function powerBelow(x: number, most: number): number {
  let n = 1;
  while (n * 2 <= Math.min(x, most)) n *= 2;
  return n;
}
