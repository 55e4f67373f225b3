/**
 * An index taken apart by sizes: index = high·stride + low, stride a product of sizes. Where low is provably in
 * 0..stride-1 the index determines both, and what is to be shown of it is linear in each.
 */
import type { Facts } from "../../dsl/types/facts.ts";
import { constant, mul, type Poly, scale, sub } from "../../dsl/types/poly.ts";
import { type Monomial, monomialOf, monomialPoly, polyOf, type Term } from "../../dsl/types/polynomial.ts";
import { isSurelyNonNegative } from "../../dsl/types/prove.ts";
import { multipleOf } from "./multiples.ts";

const sizePart = (m: Monomial): Monomial => monomialOf(m.factors.filter((f) => f.atom.kind === "symbol"));
const otherPart = (t: Term): Term => ({
  ...t,
  monomial: monomialOf(t.monomial.factors.filter((f) => f.atom.kind !== "symbol")),
});
const byKey = (a: Term, b: Term): number => (a.monomial.key < b.monomial.key ? -1 : 1);

/** The products of sizes in some indices, those of most factors first. */
export function strides(indices: readonly Poly[]): readonly Monomial[] {
  const found = new Map<string, Monomial>();
  for (const p of indices)
    for (const t of p.terms) {
      const size = sizePart(t.monomial);
      if (size.factors.length > 0) found.set(size.key, size);
    }
  return [...found.values()].sort((a, b) => b.factors.length - a.factors.length || (a.key < b.key ? -1 : 1));
}

export interface Parts {
  readonly high: Poly;
  readonly low: Poly;
  readonly stride: Poly;
}
/** What stands before a product of sizes. */
export function highPart(index: Poly, size: Monomial): Poly {
  const taken = index.terms.filter((t) => sizePart(t.monomial).key === size.key);
  return polyOf(taken.map(otherPart).sort(byKey));
}
/** By `unit` times a product of sizes; null if what stands before it is no multiple of `unit`. */
export function partsBy(index: Poly, size: Monomial, unit: number): Parts | null {
  const high = highPart(index, size);
  if (multipleOf(high) % unit !== 0) return null;
  const low = sub(index, mul(high, monomialPoly(size)));
  return { high: scale(high, 1, unit), low, stride: scale(monomialPoly(size), unit) };
}
/** Whether 0 <= low and low + width <= stride. */
export const lowFits = (x: Parts, width: number, facts: Facts): boolean =>
  isSurelyNonNegative(x.low, facts) && isSurelyNonNegative(sub(sub(x.stride, x.low), constant(width)), facts);
