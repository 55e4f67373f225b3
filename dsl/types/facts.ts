/** What is known about the atoms of symbolic integers. */
import type { Poly } from "./polynomial.ts";

/** Inclusive bounds; null says that nothing is known on that side. */
export interface Bounds {
  readonly lower: Poly | null;
  readonly upper: Poly | null;
}

/**
 * Known facts. An atom without an entry in `bounds` has its natural range: a symbol is >= 1, an index >= 0, a value
 * anything. An entry replaces the natural range on both sides.
 */
export interface Facts {
  /** By atom key. */
  readonly bounds: ReadonlyMap<string, Bounds>;
  /** Each is >= 0. */
  readonly nonNegative: readonly Poly[];
  /** Each is an integer. */
  readonly integral: readonly Poly[];
}

export const noFacts: Facts = { bounds: new Map(), nonNegative: [], integral: [] };

/** The facts with the bounds of one atom replaced. */
export function withBounds(facts: Facts, key: string, bounds: Bounds): Facts {
  const known = facts.bounds.get(key);
  if (known !== undefined && sameKey(known.lower, bounds.lower) && sameKey(known.upper, bounds.upper)) return facts;
  return { ...facts, bounds: new Map(facts.bounds).set(key, bounds) };
}

const sameKey = (a: Poly | null, b: Poly | null): boolean => a?.key === b?.key;

/** The facts and p >= 0. */
export function withNonNegative(facts: Facts, p: Poly): Facts {
  if (facts.nonNegative.some((f) => f.key === p.key)) return facts;
  return { ...facts, nonNegative: [...facts.nonNegative, p] };
}

/** The facts and that p is an integer. */
export function withIntegral(facts: Facts, p: Poly): Facts {
  if (facts.integral.some((f) => f.key === p.key)) return facts;
  return { ...facts, integral: [...facts.integral, p] };
}
