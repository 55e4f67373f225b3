/**
 * Cost of one node, which is one kernel: flops as a size (crossovers can be read off) and at given sizes, bytes of each
 * read, time by roofline. A model for choosing between plans, not a measurement.
 */
import { affineKey } from "../graph/affine.ts";
import { addDim, type Dim, evalDim, mulDim, oneDim, productOf, type Sizes, zeroDim } from "../graph/dim.ts";
import type { Computed, Node, Read, Scalar } from "../graph/node.ts";
import { boundNames, children, freeNames, key, readsOf, same, some, substitute } from "../graph/scalar.ts";
import { allAxes, axesOf, expressionsOf } from "../graph/walk.ts";
import { scalarFunctions } from "../ops/scalar-functions.ts";
import { bytesOf } from "./storage.ts";
import { type CostTarget, roofline } from "./target.ts";

/** One scalar operation of a node, and the indices that its value depends on. */
interface Operation {
  readonly flops: number;
  readonly names: ReadonlySet<string>;
}

const operationsMemo = new WeakMap<Computed, readonly Operation[]>();

/**
 * The distinct operations of a node. Inside one kernel an expression is computed once for each value of the indices it
 * depends on, however often it is written: the score of a position is shared by all outputs that weigh with it.
 */
function operationsOf(n: Computed): readonly Operation[] {
  const known = operationsMemo.get(n);
  if (known !== undefined) return known;
  const found = new Map<string, Operation>();
  const meaning = new Map<string, ReadonlySet<string>>(); // accumulator or let -> the indices it depends on
  const once = (k: string, flops: number, names: ReadonlySet<string>): void => {
    if (!found.has(k)) found.set(k, { flops, names });
  };
  const depends = (e: Scalar): ReadonlySet<string> => {
    if (e.kind === "name") return meaning.get(e.name) ?? new Set([e.name]);
    if (e.kind === "fold") {
      const guard = e.where === null ? none : depends(e.where);
      const all = new Set<string>();
      for (const s of e.steps) {
        const names = new Set(depends(s.body));
        if (s.how !== "let") {
          for (const x of guard) names.add(x);
          once(`${e.axis.name} ${s.how} ${key(s.body)}`, 1, new Set([...names, e.axis.name]));
          names.delete(e.axis.name);
        }
        meaning.set(s.name, names);
        for (const x of names) all.add(x);
      }
      for (const x of depends(e.result)) all.add(x);
      all.delete(e.axis.name);
      return all;
    }
    const names = new Set(children(e).flatMap((c) => [...depends(c)]));
    if (e.kind === "call") once(key(e), scalarFunctions[e.fn].flops, names);
    if (e.kind === "reduce") {
      once(key(e), 1, new Set([...names, ...e.axes.map((a) => a.name)]));
      for (const a of e.axes) names.delete(a.name);
    }
    return names;
  };
  for (const e of expressionsOf(n)) depends(e);
  const operations = [...found.values()];
  operationsMemo.set(n, operations);
  return operations;
}
const none: ReadonlySet<string> = new Set();

/** Extents of the axes of a node at given sizes; 1 for a name that is no axis. */
export function extentsOf(n: Computed, sizes: Sizes): (name: string) => number {
  const axes = allAxes(n);
  const known = new Map<string, number>();
  return (x) => {
    const found = known.get(x);
    if (found !== undefined) return found;
    const a = axes.get(x);
    const extent = a === undefined ? 1 : evalDim(a.size, sizes);
    known.set(x, extent);
    return extent;
  };
}

/** Flops of a node as a size, each operation once for each value of the indices it depends on. */
export function flops(n: Computed): Dim {
  const axes = allAxes(n);
  return operationsOf(n).reduce((total, op) => {
    const points = productOf([...op.names].map((x) => axes.get(x)?.size ?? oneDim));
    return addDim(total, mulDim(op.flops, points));
  }, zeroDim);
}

export function flopsAt(n: Computed, sizes: Sizes): number {
  const extent = extentsOf(n, sizes);
  return operationsOf(n).reduce((total, op) => total + [...op.names].reduce((p, x) => p * extent(x), op.flops), 0);
}

/** The flops where a work unit holds `tile` outputs along an axis: what does not depend on the axis is done once a tile. */
export function tiledFlops(n: Computed, sizes: Sizes, target: CostTarget): number {
  const extent = extentsOf(n, sizes);
  const outer = axesOf(n).map((a) => ({
    name: a.name,
    tiles: Math.ceil(extent(a.name) / tileOf(n, a.name, target)),
  }));
  let total = 0;
  for (const op of operationsOf(n)) {
    let points = op.flops;
    for (const x of op.names) points *= extent(x);
    for (const a of outer) if (!op.names.has(a.name)) points *= a.tiles;
    total += points;
  }
  return total;
}

/**
 * Outputs along an axis that a work unit of the node holds, when it computes another inside of it too. Many lanes share all of a row out
 * whose sums are those of all its elements.
 */
export function tileOf(n: Computed, axis: string, target: CostTarget, inside: Computed = n): number {
  if (streams(n)) return target.foldTile;
  const isRow = target.manyLanes && axis === axesOf(n).at(-1)?.name && reduces(inside) && !reducesAlong(n, axis);
  return isRow ? Number.MAX_SAFE_INTEGER : target.tile;
}
const holds = (n: Computed, is: (e: Scalar) => boolean): boolean => expressionsOf(n).some((e) => some(e, is));
const isReduction = (e: Scalar): boolean => boundNames(e).length > 0;
const reduces = (n: Computed): boolean => holds(n, isReduction);
/** Whether a reduction differs along one of its axes. */
const reducesAlong = (n: Computed, axis: string): boolean => holds(n, (e) => isReduction(e) && freeNames(e).has(axis));

const streamsMemo = new WeakMap<Computed, boolean>();
/** Whether a fold keeps a running maximum: its outputs are rescaled as it goes, so they are kept together. */
function streams(n: Computed): boolean {
  const known = streamsMemo.get(n) ?? holds(n, (x) => x.kind === "fold" && x.steps.some((s) => s.how === "max"));
  streamsMemo.set(n, known);
  return known;
}

const isIndirect = (e: Scalar): e is Read => e.kind === "read" && e.value.type.dims.length > 0;

/**
 * Elements that one read moves: no more than the tensor holds. Through an index tensor a row is moved for each point,
 * unless the indices are sorted: then it is the rows that are hit at all, E·(1 - (1 - 1/E)^draws) expected of E. `picks`: how
 * many of the draws are known to differ, of a sorted index tensor.
 */
export function readElements(
  r: Read,
  extent: (name: string) => number,
  sizes: Sizes,
  picks: (sorted: Node) => number = () => 1,
): number {
  const product = (names: Iterable<string>): number => [...names].reduce((p, x) => p * extent(x), 1);
  const names = new Set(r.at.flatMap((x) => [...freeNames(x)]));
  const along = r.at.findIndex(isIndirect);
  const through = r.at[along];
  if (through === undefined || !isIndirect(through)) return Math.min(elementsOf(r.value, sizes), product(names));
  if (!isSorted(through.value)) return product(names);
  const chosen = freeNames(through);
  const others = [...names].filter((x) => !chosen.has(x));
  const rows = evalDim(r.value.type.dims[along] ?? oneDim, sizes);
  return product(others) * expectedDistinct(rows, product(chosen), picks(through.value));
}

/** Expected number of different rows among uniform draws, each of `together` different rows and independent of the others. */
export const expectedDistinct = (rows: number, draws: number, together = 1): number =>
  rows * (1 - (1 - Math.min(1, together / rows)) ** (draws / together));

/**
 * How many of the entries of sorted indices are known to differ: the members of one selection do. Plans are not priced by it
 * (docs/performance.md, what was tried and left).
 */
export function picksOf(n: Node, sizes: Sizes): number {
  const selected = n.kind === "map" ? readsOf(n.body).find((r) => r.value.kind === "top_k")?.value : undefined;
  return selected?.kind === "top_k" ? Math.max(1, evalDim(selected.k, sizes)) : 1;
}

export const elementsOf = (n: Node, sizes: Sizes): number =>
  n.type.dims.reduce((product, d) => product * evalDim(d, sizes), 1);

const sortedMemo = new WeakMap<Node, boolean>();
/**
 * x[p] = key(perm[p]) with perm = argsort(key): x does not descend. The structure shows it, so no pass has to keep a
 * note of it up to date; but a pass that takes such a node apart loses it.
 */
export function isSorted(n: Node): boolean {
  if (n.kind !== "map" || n.domain.length !== 1) return false;
  const known = sortedMemo.get(n);
  if (known !== undefined) return known;
  const [p] = n.domain;
  const sorted = readsOf(n.body).some((r) => {
    const [at] = r.at;
    if (r.value.kind !== "argsort" || at?.kind !== "name" || at.name !== p?.name) return false;
    return same(substitute(r.value.body, new Map([[r.value.over.name, r]])), n.body);
  });
  sortedMemo.set(n, sorted);
  return sorted;
}

/** Bytes of an element of a node where nothing else is known. */
const plainWidth = (n: Node): number => bytesOf[n.type.dtype];

/**
 * Bytes that a node reads and writes; two reads of the same elements count once. `width`: bytes of a node's element, `picks` as
 * `readElements` has it.
 */
export function bytes(n: Computed, sizes: Sizes, width = plainWidth, picks?: (sorted: Node) => number): number {
  const extent = extentsOf(n, sizes);
  const seen = new Map<string, number>();
  for (const x of expressionsOf(n).flatMap(readsOf)) {
    const k = `${x.value.id}[${x.at.map(affineKey).join(",")}]`;
    if (!seen.has(k)) seen.set(k, readElements(x, extent, sizes, picks) * width(x.value));
  }
  const written = elementsOf(n, sizes) * width(n);
  return [...seen.values()].reduce((a, x) => a + x, written);
}

/** Seconds of a node as a kernel of its own; `picks` as `readElements` has it. */
export const timeOf = (n: Computed, sizes: Sizes, target: CostTarget, picks?: (sorted: Node) => number): number =>
  roofline(target, tiledFlops(n, sizes, target), bytes(n, sizes, plainWidth, picks)) + target.launchSeconds;
