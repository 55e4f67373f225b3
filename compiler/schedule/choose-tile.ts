/** Plans for tiles, best first: numbers from the structure of a nest, sizes it is planned for, and the target. */
import type { Affine } from "../graph/affine.ts";
import { constantOf, evalDim, type Sizes } from "../graph/dim.ts";
import type { Axis, Read, Reduce, Scalar } from "../graph/node.ts";
import { children, freeNames, key, readsOf, some, walk } from "../graph/scalar.ts";
import { isSorted } from "../target/cost.ts";
import type { KernelTarget } from "../target/kernel-target.ts";
import { Unsuitable } from "./lift/lift.ts";
import { factorOf } from "./lift/spell-dim.ts";
import { vectorAlong, widthAlong } from "./lift/vector-along.ts";
import { addressOf, type Nest, operandOf } from "./nest/nest.ts";
import type { TilePlan, Walk } from "./tile-plan.ts";

/** The last one fits every nest. */
export function tilePlans(nest: Nest, sizes: Sizes, target: KernelTarget): readonly TilePlan[] {
  const best = planOf(nest, sizes, target);
  const alone = best.lanes > 1 ? [{ ...best, lanes: 1 }] : [];
  return [best, ...alone, oneByOne(nest)];
}

/** The one plan with these numbers of places; null: as many as are best. */
export function tiledPlan(nest: Nest, sizes: Sizes, target: KernelTarget, asked: AskedTile): TilePlan {
  const plan = planOf(nest, sizes, target, asked);
  if (plan.tiled) return plan;
  throw new Unsuitable("it has no sum that differs along its last axis");
}
export interface AskedTile {
  readonly rows: number | null;
  readonly tokens: number | null;
}
const anyTile: AskedTile = { rows: null, tokens: null };

const noVectors = { vector: 1, turn: 1, fewTurns: 1, lanes: 1 } as const;

/** No vectors, one place at a time. */
export const oneByOne = (nest: Nest): TilePlan => ({
  ...noVectors,
  walks: new Map(
    nest.axes.map((a, i): [string, Walk] => [a.name, { kind: i === nest.axes.length - 1 ? "loop" : "tile", count: 1 }]),
  ),
  along: null,
  grouped: null,
  order: nest.axes
    .slice(0, -1)
    .map((a) => a.name)
    .reverse(),
  says: "one by one",
});

function planOf(
  nest: Nest,
  sizes: Sizes,
  target: KernelTarget,
  asked: AskedTile = anyTile,
): TilePlan & { readonly tiled?: true } {
  const reduces = nest.where === null ? outermost(nest.body) : [...outermost(nest.body), ...outermost(nest.where)];
  const whole = nest.axes.filter((a) => isSelector(nest.body, a));
  const last = nest.axes.at(-1);
  if (last === undefined)
    return { ...oneByOne(nest), vector: target.vector, fewTurns: 4, order: [], says: "one value" };
  const others = nest.axes.filter((a) => !whole.includes(a));
  const shape: Shape = { nest, sizes, target, reduces, whole, others };
  const summed = reduces.filter((r) => others.some((a) => freeNames(r).has(a.name)));
  const main = others.at(-1);
  if (main === undefined || summed.length === 0 || !summed.some((r) => freeNames(r).has(main.name)))
    return walked(shape);
  return { ...contracted(shape, summed, asked), tiled: true };
}

interface Shape {
  readonly nest: Nest;
  readonly sizes: Sizes;
  readonly target: KernelTarget;
  readonly reduces: readonly Reduce[];
  readonly whole: readonly Axis[];
  readonly others: readonly Axis[];
}

/** Elementwise, or with reductions that all places of the last axis share. */
function walked({ nest, target, reduces, whole, others }: Shape): TilePlan {
  const last = nest.axes.at(-1);
  const main = others.at(-1);
  const along = main === undefined || main !== last ? null : outputVectors(nest, main, target);
  const walks = new Map<string, Walk>(whole.map((a) => [a.name, { kind: "whole" }]));
  for (const a of others) walks.set(a.name, { kind: "tile", count: 1 });
  const rows = reduces.length > 0;
  const length = main === undefined ? 1 : (constantOf(main.size) ?? Number.POSITIVE_INFINITY);
  const lanes = lanesFor(reduces, target);
  // A short axis is walked by one item; a long one is cut, so that several can share it. Where items are lanes beside each other, each
  // has one place.
  const together = rows || (target.lanes === 1 && length <= 1024);
  const count = target.lanes === 1 ? 16 : 1;
  if (main !== undefined) walks.set(main.name, together ? { kind: "loop", count: 1 } : { kind: "tile", count });
  const order = others
    .filter((a) => !(together && a === main))
    .map((a) => a.name)
    .reverse();
  const how = along === null ? "one by one" : `vectors of ${along.width} along ${along.axis}`;
  return {
    lanes,
    vector: target.vector,
    turn: 1,
    fewTurns: 4,
    walks,
    along,
    grouped: null,
    order,
    says: `${rows ? "row reduction" : "elementwise"}: ${how}${sharedBy(lanes)}`,
  };
}

function outputVectors(nest: Nest, a: Axis, target: KernelTarget): TilePlan["along"] {
  let width = widthAlong(nest.body, a.name, target.vector);
  if (nest.where !== null) width = widthAlong(nest.where, a.name, width);
  // Rows before it begin at multiples of the width, or are not there.
  if (nest.axes.length > 1) while (width > 1 && factorOf(a.size) % width !== 0) width /= 2;
  return width > 1 ? { axis: a.name, width } : null;
}

/** Sums that differ along the last axis: register tiles over what the largest operand depends on and what shares it. */
function contracted(shape: Shape, summed: readonly Reduce[], asked: AskedTile): TilePlan {
  const { nest, sizes, target, whole, others } = shape;
  const extent = (a: Axis): number => evalDim(a.size, sizes);
  const vectors = Math.min(...summed.map((r) => Math.max(...r.axes.map((a) => vectorAlong(r, a, target.vector)))));
  const last = others.at(-1);
  const along =
    vectors > 1 || last === undefined || last !== nest.axes.at(-1) ? null : outputVectors(nest, last, target);
  const big = largestRead(summed, nest, extent);
  const uses = (a: Axis): boolean => big !== null && freeNames(big).has(a.name);
  const looked = (a: Axis): boolean => big !== null && isLookedUp(big, a);
  const rowAxis =
    along !== null
      ? last
      : rowAxisOf(
          others.filter((a) => uses(a) && !looked(a)),
          summed,
          target,
        );
  const shared = others.filter((a) => a !== rowAxis && !uses(a) && extent(a) > 1);
  const again = (a: Axis): boolean => looked(a) && big !== null && extent(a) > 1.5 * entriesOf(big, a, sizes);
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
  const width = along?.width ?? 1;
  const rowsThere = rowAxis === undefined ? 1 : Math.ceil(extent(rowAxis) / width);
  if ((asked.rows ?? 1) > 1 && rowAxis === undefined) throw new Unsuitable("it has no axis of rows here");
  if ((asked.tokens ?? 1) > 1 && tokenAxis === undefined) throw new Unsuitable("it has no axis of tokens here");
  const best = registerTile({
    sums,
    rows: rowsThere,
    tokens: tokenAxis === undefined ? 1 : extent(tokenAxis),
    target,
  });
  const { rows, tokens } = { rows: asked.rows ?? best.rows, tokens: asked.tokens ?? best.tokens };
  const walks = new Map<string, Walk>(whole.map((a) => [a.name, { kind: "whole" }]));
  for (const a of others) walks.set(a.name, { kind: "tile", count: 1 });
  if (rowAxis !== undefined) walks.set(rowAxis.name, rowWalk(rowAxis, rows, along === null));
  if (tokenAxis !== undefined) walks.set(tokenAxis.name, { kind: "tile", count: tokens });
  // What a block of weights is used for comes first: the block stays in the cache.
  const rank = (a: Axis): number => (a === tokenAxis ? 0 : again(a) ? 1 : uses(a) ? 2 : 3);
  const order = [...others]
    .reverse()
    .sort((a, b) => rank(a) - rank(b))
    .map((a) => a.name);
  // What several tokens share is in registers; one token's sums are long, and lanes read them side by side.
  const lanes = tokens === 1 && along === null ? lanesFor(summed, target) : 1;
  const how =
    vectors > 1
      ? `vectors of ${vectors} along the sum`
      : along === null
        ? "no vectors"
        : `vectors of ${width} along ${along.axis}`;
  return {
    lanes,
    vector: target.vector,
    turn: tokens > 1 ? 1 : 2, // a turn of many products is long enough
    fewTurns: 4,
    walks,
    along,
    grouped: tokens > 1 ? grouped : null,
    order,
    says: `${tokens > 1 && grouped !== null ? "grouped " : ""}contraction: ${rows} x ${tokens} places, ${sums.length} sums, ${how}${sharedBy(lanes)}`,
  };
}

/** Those of the target, where every reduction is long enough to be shared out among them. */
function lanesFor(reduces: readonly Reduce[], { lanes }: KernelTarget): number {
  const isLong = (r: Reduce): boolean => r.axes.some((a) => (constantOf(a.size) ?? Number.POSITIVE_INFINITY) >= lanes);
  return lanes > 1 && reduces.length > 0 && reduces.every(isLong) ? lanes : 1;
}
const sharedBy = (lanes: number): string => (lanes > 1 ? `, shared by ${lanes} lanes` : "");

/** The axis of rows: one that the most reads do not change with, and of these the outermost that has enough, whose streams are the longest. */
function rowAxisOf(used: readonly Axis[], summed: readonly Reduce[], target: KernelTarget): Axis | undefined {
  const reads = new Map(summed.flatMap((r) => readsOf(r.body)).map((r) => [key(r), r]));
  const shares = (a: Axis): number => [...reads.values()].filter((r) => !freeNames(r).has(a.name)).length;
  const most = Math.max(0, ...used.map(shares));
  const best = used.filter((a) => shares(a) === most);
  const enough = (a: Axis): boolean => (constantOf(a.size) ?? 0) >= 2 * target.streams;
  return best.find(enough) ?? best.at(-1);
}

/**
 * Rows far apart: each is a stream of its own that items walk in order, which memory fetches ahead. Adjacent rows begin a new
 * stream at every item, which costs half of the bandwidth where rows are short.
 */
function rowWalk(a: Axis, rows: number, alone: boolean): Walk {
  const n = constantOf(a.size);
  if (!alone || rows === 1 || n === null) return { kind: "tile", count: rows };
  return { kind: "spread", count: rows, apart: Math.ceil(n / rows) };
}

/** A reduction of the nest, and which of the tiled axes it differs along. */
interface Sum {
  /** Accumulators for one place of the tiled axes. */
  readonly copies: number;
  readonly rows: boolean;
  readonly tokens: boolean;
}

/** The tile with the fewest loads for a multiplication that fits the registers; one token: as many rows as memory wants. */
function registerTile(of: { sums: readonly Sum[]; rows: number; tokens: number; target: KernelTarget }): {
  rows: number;
  tokens: number;
} {
  const { sums, target } = of;
  const streams = sums.reduce((n, s) => n + (s.rows ? s.copies : 0), 0);
  if (of.tokens <= 1)
    return { rows: Math.max(1, Math.min(of.rows, Math.floor(target.streams / Math.max(1, streams)))), tokens: 1 };
  let best = { rows: 1, tokens: 1, loads: Number.POSITIVE_INFINITY };
  for (let rows = 1; rows <= Math.min(of.rows, 8); rows += 1)
    for (let tokens = 1; tokens <= Math.min(of.tokens, 8); tokens += 1) {
      const kept = sums.reduce((n, s) => n + s.copies * (s.rows ? rows : 1) * (s.tokens ? tokens : 1), 0);
      if (kept + tokens + 1 > target.registers) continue;
      // Rows stay in the nearest cache, tokens come from the next one: twice as far.
      const loads = (streams * rows + 2 * tokens) / (streams * rows * tokens);
      if (loads < best.loads - 1e-9) best = { rows, tokens, loads };
    }
  return best;
}

function largestRead(summed: readonly Reduce[], nest: Nest, extent: (a: Axis) => number): Read | null {
  let best: { read: Read; points: number } | null = null;
  for (const r of summed)
    for (const read of readsOf(r.body)) {
      if (nest.operands.every((o) => o.flat !== read.value)) continue;
      const names = freeNames(read);
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

/** A short axis by which branches are chosen: written out, each place computes its own branch. */
function isSelector(e: Scalar, a: Axis): boolean {
  const n = constantOf(a.size);
  if (n === null || n > 4) return false;
  let found = false;
  walk(e, (x) => {
    const [condition] = x.kind === "call" && x.fn === "select" ? x.args : [];
    if (condition !== undefined && freeNames(condition).has(a.name) && !some(condition, (y) => y.kind === "read"))
      found = true;
  });
  return found;
}

/** Each once: both halves of a rotation read the same sums. */
function outermost(e: Scalar): readonly Reduce[] {
  const found = new Map<string, Reduce>();
  const visit = (x: Scalar): void => {
    if (x.kind === "reduce") found.set(key(x), x);
    else children(x).forEach(visit);
  };
  visit(e);
  return [...found.values()];
}
