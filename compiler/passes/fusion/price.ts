/** What it costs to compute a producer inside of its readers: elements asked for over elements that there are. */
import { affineKey } from "../../graph/affine.ts";
import { constantOf } from "../../graph/dim.ts";
import type { Axis, Computed, MapNode, Node, Read, Scalar } from "../../graph/node.ts";
import { boundNames, children, freeNames, num, substitute } from "../../graph/scalar.ts";
import { allAxes, axesOf, expressionsOf } from "../../graph/walk.ts";
import { bytes, elementsOf, extentsOf, flopsAt, tileOf } from "../../target/cost.ts";
import { bytesOf } from "../../target/storage.ts";
import type { PassContext } from "../pass.ts";

export interface Price {
  /** How often each element is computed. */
  readonly ratio: number;
  readonly cost: number;
  readonly gain: number;
}
export interface Reader {
  readonly node: Computed;
  /** Rounds of repeats that the reader stands in and the producer does not. */
  readonly rounds: number;
}

/** `producer` is the original that readers read, `body` what it is now. */
export function priceOf(producer: Node, body: MapNode, readers: readonly Reader[], context: PassContext): Price {
  const { sizes, target } = context;
  const own = elementsOf(body, sizes);
  const asked = readers.reduce((sum, r) => sum + r.rounds * elementsAsked(producer, body, r.node, context), 0);
  const stored = own * bytesOf[body.type.dtype];
  const extra = (Math.max(0, asked - own) * flopsAt(body, sizes)) / own;
  // Operands are read again with every repetition. There is no cache model: a refusal too many costs one round trip.
  const again = (asked / own - 1) * (bytes(body, sizes) - stored);
  const moved = stored * (1 + readers.reduce((sum, r) => sum + r.rounds, 0));
  return {
    ratio: own === 0 ? 1 : asked / own,
    cost: Math.max(0, extra / target.flopsPerSecond, again / target.bytesPerSecond),
    gain: moved / target.bytesPerSecond + target.launchSeconds,
  };
}

/** Distinct elements that one kernel computes: once per value of the read's indices, again per tile of other outputs. */
function elementsAsked(p: Node, body: MapNode, c: Computed, { sizes, target }: PassContext): number {
  const extent = extentsOf(c, sizes);
  const axes = allAxes(c);
  const distinct = new Map<string, number>();
  const visit = (e: Scalar): void => {
    for (const x of children(e)) visit(x);
    if (e.kind !== "read" || e.value !== p) return;
    const names = new Set(e.at.flatMap((x) => [...freeNames(x)]));
    let again = 1;
    for (const a of axesOf(c))
      if (!names.has(a.name)) again *= Math.ceil(extent(a.name) / tileOf(c, a.name, target, body));
    for (const at of enumerated(e, names, axes)) {
      const left = new Set(at.flatMap((x) => [...freeNames(x)]));
      distinct.set(
        at.map(affineKey).join(","),
        [...left].reduce((points, x) => points * extent(x), again),
      );
    }
  };
  for (const e of expressionsOf(c)) visit(e);
  return [...distinct.values()].reduce((a, x) => a + x, 0);
}

const enumeratedSize = 4;
/** The read for each value of its small axes: x[2i + u] and x[2i + 1 - u] over u < 2 are the same two elements. */
function enumerated(
  r: Read,
  names: ReadonlySet<string>,
  axes: ReadonlyMap<string, Axis>,
): readonly (readonly Scalar[])[] {
  let all: readonly (readonly Scalar[])[] = [r.at];
  for (const x of names) {
    const a = axes.get(x);
    const size = a === undefined ? null : constantOf(a.size);
    if (size === null || size > enumeratedSize) continue;
    const values = Array.from({ length: size }, (_, v) => new Map([[x, num(v)]]));
    all = all.flatMap((at) => values.map((by) => at.map((e) => substitute(e, by))));
  }
  return all;
}

const sizeMemo = new WeakMap<Scalar, number>();
/** How many operations and leaves an expression is written with. */
export function sizeOf(e: Scalar): number {
  const known = sizeMemo.get(e);
  if (known !== undefined) return known;
  const size = children(e).reduce((sum, c) => sum + sizeOf(c), 1);
  sizeMemo.set(e, size);
  return size;
}
/** How often a node is read in an expression as it is written. */
export const copiesOf = (e: Scalar, p: Node): number =>
  children(e).reduce((sum, c) => sum + copiesOf(c, p), e.kind === "read" && e.value === p ? 1 : 0);

/** How deep reductions nest in an expression. */
export const depth = (e: Scalar): number => Math.max(0, ...children(e).map(depth)) + (boundNames(e).length > 0 ? 1 : 0);

/** How many reductions stand around the reads of a node; -Infinity where there is none. */
export function depthAround(e: Scalar, p: Node): number {
  if (e.kind === "read" && e.value === p) return 0;
  const inner = Math.max(Number.NEGATIVE_INFINITY, ...children(e).map((c) => depthAround(c, p)));
  return inner + (boundNames(e).length > 0 ? 1 : 0);
}
