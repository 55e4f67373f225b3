/** A nest of sums that differ along its last axis: which of its axes play rows and tokens, and what each sum differs along. */
import type { Affine } from "../graph/affine.ts";
import { evalDim, type Sizes } from "../graph/dim.ts";
import type { Axis, Read, Reduce, Scalar } from "../graph/node.ts";
import { freeNames, readsOf, some, walk } from "../graph/scalar.ts";
import { isSorted } from "../target/cost.ts";
import { vectorAlong } from "./lift/vector-along.ts";
import { addressOf, type Nest, operandOf } from "./nest/nest.ts";
import { outputVectors, type Shape } from "./nest-shape.ts";
import type { Grouped, TilePlan } from "./tile-plan.ts";

export interface Contraction {
  readonly shape: Shape;
  readonly summed: readonly Reduce[];
  readonly extent: (a: Axis) => number;
  /** Width of vectors along the sums; 1: none. */
  readonly vectors: number;
  /** Where there are none, vectors along an output axis. */
  readonly along: TilePlan["along"];
  readonly rowAxis: Axis | undefined;
  /** What shares the largest operand: the longest axis that it does not change with, or one whose lookups are sorted. */
  readonly tokenAxis: Axis | undefined;
  readonly grouped: Grouped | null;
  /** How many places of the token axis find one part of the largest operand, on average. */
  readonly groupSize: number;
  readonly sums: readonly Sum[];
  /** Axes whose items follow each other, the fastest first: what a block of weights is used for, so that it stays in the cache. */
  readonly order: readonly string[];
}

/** A reduction of the nest, and which of the tiled axes it differs along. */
export interface Sum {
  /** Accumulators for one place of the tiled axes. */
  readonly copies: number;
  readonly rows: boolean;
  readonly tokens: boolean;
}

/** Picks the axis of rows among those that the largest operand depends on, other than by looking up. */
export type RowAxisOf = (used: readonly Axis[], summed: readonly Reduce[], shape: Shape) => Axis | undefined;

export function contractionOf(shape: Shape, summed: readonly Reduce[], rowAxisOf: RowAxisOf): Contraction {
  const { nest, sizes, target, whole, others } = shape;
  const extent = (a: Axis): number => evalDim(a.size, sizes);
  const vectors = Math.min(...summed.map((r) => Math.max(...r.axes.map((a) => vectorAlong(r, a, target.vector)))));
  const last = others.at(-1);
  const along =
    vectors > 1 || last === undefined || last !== nest.axes.at(-1) ? null : outputVectors(nest, last, target);
  // Vectors along an output axis make it the rows, whichever operand is larger: what differs along it is then what others share.
  const big = largestRead(summed, nest, { extent, along: along?.axis ?? null });
  const uses = (a: Axis): boolean => big !== null && freeNames(big).has(a.name);
  const looked = (a: Axis): boolean => big !== null && isLookedUp(big, a);
  const used = others.filter((a) => uses(a) && !looked(a));
  const rowAxis = along !== null ? last : rowAxisOf(used, summed, shape);
  const shared = others.filter((a) => a !== rowAxis && !uses(a) && extent(a) > 1);
  const entries = (a: Axis): number => (big === null ? 1 : entriesOf(big, a, sizes));
  const again = (a: Axis): boolean => looked(a) && extent(a) > 1.5 * entries(a);
  const sortedAxis = along === null ? others.find((a) => again(a) && sortedLookup(big, a, nest) !== null) : undefined;
  const grouped =
    sortedAxis === undefined
      ? null
      : { axis: sortedAxis.name, lookup: sortedLookup(big, sortedAxis, nest) ?? nest.body };
  const tokenAxis =
    sortedAxis ??
    shared.reduce<Axis | undefined>(
      (best, a) => (best === undefined || extent(a) > extent(best) ? a : best),
      undefined,
    );
  const sums = summed.map((r): Sum => {
    const names = freeNames(r);
    const copies = whole.reduce((n, a) => (names.has(a.name) ? n * extent(a) : n), 1);
    const along = (a: Axis | undefined): boolean => a !== undefined && names.has(a.name);
    return { copies, rows: along(rowAxis), tokens: along(tokenAxis) };
  });
  // What a block of weights is used for comes first: the block stays in the cache. Lanes beside others take rows that are adjacent.
  const isAdjacent = (a: Axis): boolean => target.lanes > 1 && a.name === along?.axis;
  const rank = (a: Axis): number => (isAdjacent(a) ? -1 : a === tokenAxis ? 0 : again(a) ? 1 : uses(a) ? 2 : 3);
  const order = [...others]
    .reverse()
    .sort((a, b) => rank(a) - rank(b))
    .map((a) => a.name);
  const groupSize = sortedAxis === undefined ? 1 : extent(sortedAxis) / Math.max(1, entries(sortedAxis));
  return { shape, summed, extent, vectors, along, rowAxis, tokenAxis, grouped, groupSize, sums, order };
}

/** Places of the rows, each a vector where vectors lie along them, and of the tokens. */
export const rowPlaces = ({ rowAxis, along, extent }: Contraction): number =>
  rowAxis === undefined ? 1 : Math.ceil(extent(rowAxis) / (along?.width ?? 1));
export const tokenPlaces = ({ tokenAxis, extent }: Contraction): number =>
  tokenAxis === undefined ? 1 : extent(tokenAxis);

/** Sums of a lane. */
export const sumsOf = ({ sums }: Contraction, rows: number, tokens: number): number =>
  sums.reduce((n, s) => n + s.copies * (s.rows ? rows : 1) * (s.tokens ? tokens : 1), 0);
/** Registers that they take: each a vector on processors, as many numbers where lanes are many (`numbers` of a plan). */
export function accumulators(c: Contraction, rows: number, tokens: number): number {
  const {
    along,
    shape: { target },
  } = c;
  const all = sumsOf(c, rows, tokens);
  return target.lanes > 1 && along === null ? Math.ceil(all / target.vector) : all;
}
/**
 * And of what is read for them. A processor reads what it multiplies from memory but for one place of the rows; a lane beside others with
 * vectors along rows holds what it has read of its tokens, and a vector for each term of them.
 */
export function registersOf(c: Contraction, rows: number, tokens: number): number {
  const { target } = c.shape;
  const ofRows = target.lanes === 1 ? 1 : c.along === null ? streamsOf(c.sums) * rows : target.vector;
  return accumulators(c, rows, tokens) + ofRows + tokens;
}
/** Operands of which a place of the rows has one of its own. */
export const streamsOf = (sums: readonly Sum[]): number => sums.reduce((n, s) => n + (s.rows ? s.copies : 0), 0);

/** Says how vectors lie, for people. */
export const vectorsText = ({ vectors, along }: Contraction): string =>
  vectors > 1
    ? `vectors of ${vectors} along the sum`
    : along === null
      ? "no vectors"
      : `vectors of ${along.width} along ${along.axis}`;

/** Of those that differ along an axis, where one is named. */
function largestRead(
  summed: readonly Reduce[],
  nest: Nest,
  { extent, along }: { readonly extent: (a: Axis) => number; readonly along: string | null },
): Read | null {
  let best: { read: Read; points: number } | null = null;
  for (const r of summed)
    for (const read of readsOf(r.body)) {
      if (nest.operands.every((o) => o.flat !== read.value)) continue;
      const names = freeNames(read);
      if (along !== null && !names.has(along)) continue;
      const points = nest.axes.reduce((n, a) => (names.has(a.name) ? n * extent(a) : n), 1);
      if (best === null || points > best.points) best = { read, points };
    }
  return best?.read ?? null;
}

/** Whether the read goes through a table at this index. */
const isLookedUp = (r: Read, a: Axis): boolean =>
  r.at.some((x) => some(x, (y) => y.kind === "read" && freeNames(y).has(a.name)));

/** The table that a read goes through along an axis, where its entries do not descend; null where it is none such. */
function sortedLookup(r: Read | null, a: Axis, nest: Nest): Scalar | null {
  let found: Scalar | null = null;
  for (const at of r?.at ?? [])
    walk(at, (x) => {
      if (x.kind !== "read") return;
      const operand = operandOf(nest, x);
      const [index] = x.at;
      if (operand !== undefined && isSorted(operand.node) && index?.kind === "name" && index.name === a.name) found = x;
    });
  return found;
}

/** How many different parts of the memory a read can find through its table. */
function entriesOf(r: Read, a: Axis, sizes: Sizes): number {
  const { piece, index } = addressOf(r);
  const steps = ({ terms }: Affine): readonly number[] =>
    [...terms.values()].flatMap(({ atom, coefficient }) =>
      atom.kind !== "name" && freeNames(atom).has(a.name) ? [evalDim(coefficient, sizes)] : [],
    );
  const [pieces, elements] = [r.value.type.dims.slice(0, -1), r.value.type.dims.slice(-1)].map((dims) =>
    dims.reduce((n, d) => n * evalDim(d, sizes), 1),
  );
  const found = piece === null ? [] : steps(piece);
  if (found.length > 0) return (pieces ?? 1) / Math.max(1, ...found);
  return (elements ?? 1) / Math.max(1, ...steps(index));
}
