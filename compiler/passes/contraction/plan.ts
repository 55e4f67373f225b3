/** A flat term as a problem of the tree search: what its factors hold, what exists already, what a step costs. */
import { evalDim } from "../../graph/dim.ts";
import type { Axis, Node, Scalar } from "../../graph/node.ts";
import { freeNames } from "../../graph/scalar.ts";
import { readElements } from "../../target/cost.ts";
import { bytesOf, isQuantised } from "../../target/storage.ts";
import { roofline } from "../../target/target.ts";
import type { PassContext } from "../pass.ts";
import { isContraction, type Origin, type Term } from "./term.ts";
import { type Bits, bitsOf, cheapestTree, type Kept, type Leaf, type Priced, type Step, type Tree } from "./tree.ts";

export interface TermPlan {
  readonly tree: Tree;
  /** Modelled seconds of all steps. */
  readonly cost: number;
  readonly factors: readonly Scalar[];
  /** In the order of the tree's `kept`. */
  readonly origins: readonly Origin[];
  /** In the order of the tree's index bits. */
  readonly axes: readonly Axis[];
  readonly guards: readonly Scalar[];
}

export interface Planning {
  /** Positions of the factors that hold a summed index. */
  readonly inner: readonly number[];
  readonly axes: ReadonlyMap<string, Axis>;
  readonly isShared: (n: Node) => boolean;
  readonly premultiply: boolean;
  readonly context: PassContext;
}

const maxIndices = 30;

/** null where the term has too many indices or no step has a finite price. */
export function planTerm(term: Term, p: Planning): TermPlan | null {
  const list = p.inner.flatMap((i) => term.factors[i] ?? []);
  const used = [...new Set(list.flatMap((f) => [...freeNames(f)]))].flatMap((x) => p.axes.get(x) ?? []);
  if (used.length > maxIndices) return null;
  const bit = new Map(used.map((a, i) => [a.name, 1 << i]));
  const bits = (names: Iterable<string>): Bits => [...names].reduce((m, x) => m | (bit.get(x) ?? 0), 0);
  const origins = term.origins.filter((o) => ownFactors(o, p.inner) !== null);
  const sizes = p.context.sizes;
  const extents = used.map((a) => evalDim(a.size, sizes));
  const extent = (x: string): number => extents[used.findIndex((a) => a.name === x)] ?? 1;
  const leaves = list.map((f): Leaf => ({ indices: bits(freeNames(f)), bytes: bytesRead(f, extent, p.context) }));
  const kept = origins.map(
    (o): Kept => ({
      leaves: ownFactors(o, p.inner) ?? 0,
      closes: bits(o.axes),
      free: p.isShared(o.read.value),
      bytes: readElements(o.read, extent, sizes) * bytesOf[o.read.value.type.dtype],
    }),
  );
  const summed = bits(term.axes.map((a) => a.name));
  const found = cheapestTree({ leaves, summed, extents, kept, price: pricing(list, p) });
  return found === null ? null : { ...found, factors: list, origins, axes: used, guards: term.guards };
}

/** The factors of an origin as leaves; null where one of them holds no summed index and has moved out of the term. */
function ownFactors(o: Origin, inner: readonly number[]): Bits | null {
  let mask = 0;
  for (let i = o.from; i < o.to; i += 1) {
    const leaf = inner.indexOf(i);
    if (leaf < 0) return null;
    mask |= 1 << leaf;
  }
  return mask;
}

/**
 * Bytes of a factor. An elementwise producer, softmax's p, will be part of the kernel that reads it: counting bytes of
 * what is never stored makes short contractions look bound by memory, and moves the change of plan by a factor of two.
 */
function bytesRead(f: Scalar, extent: (x: string) => number, { sizes }: PassContext): number {
  const virtual = f.kind !== "read" || (f.value.kind === "map" && !isContraction(f.value));
  return virtual ? 0 : readElements(f, extent, sizes) * bytesOf[f.value.type.dtype];
}

function pricing(list: readonly Scalar[], { premultiply, context }: Planning): (s: Step) => Priced {
  const full = (1 << list.length) - 1;
  const weights = list.reduce((m, f, i) => (f.kind === "read" && f.value.kind === "weight" ? m | (1 << i) : m), 0);
  return ({ leaves, points, leftBytes, rightBytes, elements, closes }) => {
    // A product stands in the expression that reads it and is not stored; it is read as its parts are.
    if (closes === 0) return { cost: points / context.target.flopsPerSecond, bytes: leftBytes + rightBytes };
    if ((leaves & ~weights) === 0) {
      // Weights times weights happens once, at load: free to run, but its size is read on every call from then on.
      const types = bitsOf(leaves).flatMap((i) => dtypeOf(list[i]) ?? []);
      const allowed = premultiply && !types.some(isQuantised);
      const each = Math.max(...types.map((t) => bytesOf[t]));
      return { cost: allowed ? 0 : Number.POSITIVE_INFINITY, bytes: elements * each };
    }
    // The result of the last step belongs to the kernel around it.
    const bytes = leaves === full ? 0 : elements * 4;
    return { cost: roofline(context.target, 2 * points, leftBytes + rightBytes + bytes), bytes };
  };
}
const dtypeOf = (f: Scalar | undefined): keyof typeof bytesOf | null =>
  f?.kind === "read" ? f.value.type.dtype : null;
