/** How far an index reaches, as far as structure tells, under the guards and branches that it stands in. */
import type { Facts } from "../../dsl/types/facts.ts";
import { floorDivide, maxOf, minOf } from "../../dsl/types/poly.ts";
import { type Answer, isNonNegative } from "../../dsl/types/prove.ts";
import { affineOf } from "./affine.ts";
import { addDim, type Dim, mulDim, subDim, zeroDim } from "./dim.ts";
import type { Axis, Node, Scalar } from "./node.ts";
import { freeNames } from "./scalar.ts";

/** Both ends included. */
export interface Reach {
  readonly low: Dim;
  readonly high: Dim;
  /** Both ends are taken at some point; otherwise the interval may be wider than what is reached. */
  readonly exact: boolean;
}

/** What is known where an expression stands. */
export interface Place {
  /** Of sizes. */
  readonly facts: Facts;
  readonly names: ReadonlyMap<string, Reach>;
  /** How often the repeat of a loop index runs. */
  readonly counts: ReadonlyMap<Node, Dim>;
  /** False where a guard leaves no point. */
  readonly reachable: boolean;
}

const answers = new WeakMap<Facts, Map<string, Answer>>();
/** d >= 0; asked once for each size under the same facts. */
function sign(d: Dim, { facts }: Place): Answer {
  const known = answers.get(facts) ?? new Map<string, Answer>();
  answers.set(facts, known);
  const answer = known.get(d.key) ?? isNonNegative(d, facts);
  known.set(d.key, answer);
  return answer;
}
export const yes = (d: Dim, place: Place): boolean => sign(d, place) === "yes";
export const never = (d: Dim, place: Place): boolean => sign(d, place) === "no";

export const reachOfAxis = (a: Axis): Reach => ({ low: zeroDim, high: subDim(a.size, 1), exact: true });
export const within = (place: Place, axes: readonly Axis[]): Place => ({
  ...place,
  names: new Map([...place.names, ...axes.map((a) => [a.name, reachOfAxis(a)] as const)]),
});

/** Null where nothing is known. */
export function reachOf(e: Scalar, place: Place): Reach | null {
  const { terms, constant } = affineOf(e);
  let [low, high, exact] = [constant, constant, true];
  const seen = new Set<string>();
  for (const { atom, coefficient } of terms.values()) {
    const r = reachOfAtom(atom, place);
    const direction = sign(coefficient, place);
    if (r === null || direction === "unknown") return null;
    const [from, to] = direction === "yes" ? [r.low, r.high] : [r.high, r.low];
    low = addDim(low, mulDim(coefficient, from));
    high = addDim(high, mulDim(coefficient, to));
    exact &&= r.exact && areNew(atom, seen);
  }
  return { low, high, exact };
}

/** Parts that share a name do not take their ends together. */
function areNew(e: Scalar, seen: Set<string>): boolean {
  const names = [...freeNames(e)];
  const shared = names.some((n) => seen.has(n));
  for (const n of names) seen.add(n);
  return !shared;
}

function reachOfAtom(e: Scalar, place: Place): Reach | null {
  if (e.kind === "name") return place.names.get(e.name) ?? null;
  if (e.kind === "read") {
    const n = e.value;
    const count = place.counts.get(n);
    if (count !== undefined) return reachOfAxis({ name: n.name, size: count });
    return n.kind === "top_k" || n.kind === "argsort" ? { ...reachOfAxis(n.over), exact: false } : null;
  }
  if (e.kind !== "call") return null;
  const [a, b] = e.args;
  if (a === undefined || b === undefined) return null;
  const [x, y] = [reachOf(a, place), reachOf(b, place)];
  if (e.fn === "minimum" || e.fn === "maximum") {
    if (x === null || y === null) return null;
    const pick = e.fn === "minimum" ? minOf : maxOf;
    const exact = x.exact && y.exact && areNew(b, new Set(freeNames(a)));
    return { low: pick([x.low, y.low]), high: pick([x.high, y.high]), exact };
  }
  if (y === null || y.low.key !== y.high.key || !yes(subDim(y.low, 1), place)) return null;
  const by = y.low;
  if (e.fn === "floordiv") {
    return x === null ? null : { low: floorDivide(x.low, by), high: floorDivide(x.high, by), exact: x.exact };
  }
  if (e.fn !== "mod") return null;
  const inside = x !== null && yes(x.low, place) && yes(subDim(subDim(by, 1), x.high), place);
  return inside ? x : { low: zeroDim, high: subDim(by, 1), exact: false };
}

/** The place inside of a guard that holds, or does not. */
export function refine(place: Place, guard: Scalar, holds = true): Place {
  const [a, b] = guard.kind === "call" ? guard.args : [];
  if (guard.kind === "const") return place;
  if (guard.kind !== "call" || a === undefined) return blur(place, guard);
  if (guard.fn === "not") return refine(place, a, !holds);
  if (b === undefined) return blur(place, guard);
  if (guard.fn === (holds ? "and" : "or")) return refine(refine(place, a, holds), b, holds);
  if (guard.fn === "le" || guard.fn === "lt") {
    const strict = guard.fn === "lt" ? 1 : 0;
    return holds ? bound(place, a, b, strict) : bound(place, b, a, 1 - strict);
  }
  if (guard.fn === "eq" && holds) return bound(bound(place, a, b, 0), b, a, 0);
  return blur(place, guard);
}

/** Where a + strict <= b holds: a bound of a name where one stands alone, else the ends of all names may be missed. */
function bound(place: Place, a: Scalar, b: Scalar, strict: number): Place {
  const { terms, constant } = affineOf({ kind: "call", fn: "sub", args: [b, a] });
  const rest = subDim(constant, strict);
  const [only] = terms.values();
  const apart = terms.size === 1 && only?.atom.kind === "name" ? only : null;
  const name = apart?.atom.kind === "name" ? apart.atom.name : "";
  const old = place.names.get(name);
  if (apart === null || old === undefined) return blur(place, { kind: "call", fn: "le", args: [a, b] });
  if (apart.coefficient.key === "1") return narrowed(place, name, { ...old, low: subDim(zeroDim, rest) }, old);
  if (apart.coefficient.key === "-1") return narrowed(place, name, { ...old, high: rest }, old);
  return blur(place, { kind: "call", fn: "le", args: [a, b] });
}
function narrowed(place: Place, name: string, wanted: Reach, old: Reach): Place {
  const raise = subDim(wanted.low, old.low);
  const lower = subDim(old.high, wanted.high);
  const low = yes(raise, place) ? wanted.low : old.low;
  const high = yes(lower, place) ? wanted.high : old.high;
  const known = [raise, lower].every((d) => yes(d, place) || never(d, place));
  const names = new Map(place.names).set(name, { low, high, exact: old.exact && known });
  return { ...place, names, reachable: place.reachable && !never(subDim(high, low), place) };
}

/** Some points are missing, and which is not understood: no end is sure to be taken. */
function blur(place: Place, guard: Scalar): Place {
  const inside = freeNames(guard);
  const concerned = (n: string): boolean => inside.size === 0 || inside.has(n);
  return {
    ...place,
    names: new Map([...place.names].map(([n, r]) => [n, concerned(n) ? { ...r, exact: false } : r])),
  };
}
