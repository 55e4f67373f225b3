/** Whether a read stays inside its tensor wherever a pass may move it, and what conditions say for all indices. */
import { type Facts, noFacts, withBounds, withNonNegative } from "../../dsl/types/facts.ts";
import { constant, symbolKey } from "../../dsl/types/poly.ts";
import { type Dim, subDim, zeroDim } from "../graph/dim.ts";
import { type Place, reachOf, within, yes } from "../graph/index-range.ts";
import type { Axis, Graph, Read, Scalar } from "../graph/node.ts";
import { num, substitute } from "../graph/scalar.ts";

/** By sizes and bounds, which all passes hand on: what the prover has learnt is kept by the identity of its facts. */
const factsMemo = new WeakMap<object, Facts>();
export function factsOf(g: Graph): Facts {
  const known = factsMemo.get(g.bounds ?? g.sizes);
  if (known !== undefined) return known;
  let facts: Facts = noFacts;
  for (const [name, { low, high }] of g.sizes) {
    const upper = Number.isSafeInteger(high) ? constant(high) : null;
    facts = withBounds(facts, symbolKey(name), { lower: constant(low), upper });
  }
  for (const { low, high } of g.bounds ?? []) facts = withNonNegative(facts, subDim(high, low));
  factsMemo.set(g.bounds ?? g.sizes, facts);
  return facts;
}

/** Where the indices run over all of their axes, no guard or branch being known to hold. */
export const placeOf = (facts: Facts, axes: Iterable<Axis>): Place =>
  within({ facts, names: new Map(), counts: new Map(), reachable: true }, [...axes]);

/** a >= b for all sizes. */
export const atLeast = (a: Dim, b: Dim, place: Place): boolean => yes(subDim(a, b), place);

/**
 * The read is in range for all values of its indices, whatever guard or branch it stands under. Index tensors are in
 * range by construction: top_k fills with 0.
 */
export function staysInRange(r: Read, place: Place): boolean {
  return r.at.every((x, i) => {
    const size = r.value.type.dims[i];
    if (size === undefined) return false;
    if (x.kind === "read") return staysInRange(x, place);
    const reach = reachOf(x, place);
    return reach !== null && yes(reach.low, place) && atLeast(subDim(size, 1), reach.high, place);
  });
}

/** What a condition says for all values of its indices; null where it depends on them or is not understood. */
export function decide(e: Scalar, place: Place): boolean | null {
  if (e.kind === "const") return e.value !== 0;
  const [a, b] = e.kind === "call" ? e.args : [];
  if (e.kind !== "call" || a === undefined) return null;
  if (e.fn === "not") {
    const inner = decide(a, place);
    return inner === null ? null : !inner;
  }
  if (b === undefined) return null;
  if (e.fn === "and" || e.fn === "or") {
    const [x, y] = [decide(a, place), decide(b, place)];
    const absorbing = e.fn === "or";
    return x === absorbing || y === absorbing ? absorbing : x === null || y === null ? null : !absorbing;
  }
  if (e.fn !== "lt" && e.fn !== "le" && e.fn !== "eq") return null;
  const gap = reachOf({ kind: "call", fn: "sub", args: [b, a] }, place);
  if (gap === null) return null;
  if (e.fn === "eq") {
    if (gap.low.key === zeroDim.key && gap.high.key === zeroDim.key) return true;
    const apart = yes(subDim(gap.low, 1), place) || yes(subDim(subDim(zeroDim, gap.high), 1), place);
    return apart ? false : null;
  }
  const least = e.fn === "lt" ? 1 : 0;
  if (yes(subDim(gap.low, least), place)) return true;
  return yes(subDim(subDim(zeroDim, gap.high), 1 - least), place) ? false : null;
}

/** A guarded set of points is never empty: its first point is in it. */
export function hasPoints(axes: readonly Axis[], where: Scalar | null, place: Place): boolean {
  if (!axes.every((a) => yes(subDim(a.size, 1), place))) return false;
  const first = new Map(axes.map((a) => [a.name, num(0)]));
  return where === null || decide(substitute(where, first), place) === true;
}
