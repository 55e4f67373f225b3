/**
 * An index taken apart by sizes, or by numbers: index = high·stride + low, stride a product of sizes. Where low is provably in
 * 0..stride-1 the index determines both, and what is to be shown of it is linear in each.
 */
import type { Facts } from "../../dsl/types/facts.ts";
import { add, asNumber, constant, mul, type Poly, scale, sub } from "../../dsl/types/poly.ts";
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

/** index = high·radix + low, where low takes what is no multiple of it; null where low is not provably below the radix. */
export function partsByNumber(
  p: Poly,
  radix: number,
  { width, facts }: { readonly width: number; readonly facts: Facts },
): { readonly high: Poly; readonly low: Poly } | null {
  const above = constant(Math.floor(constantPart(p) / radix));
  const partsWith = (whole: Poly): { high: Poly; low: Poly } | null => {
    const high = add(scale(whole, 1, radix), above);
    const low = sub(p, scale(high, radix));
    const fits = isSurelyNonNegative(low, facts) && isSurelyNonNegative(sub(constant(radix - width), low), facts);
    return fits ? { high, low } : null;
  };
  const isMultiple = (t: Term): boolean => t.coefficient.den === 1 && Number(t.coefficient.num) % radix === 0;
  const whole = p.terms.filter((t) => !isConstant(t) && isMultiple(t));
  const found = partsWith(polyOf(whole));
  if (found !== null) return found;
  // Of floor(a / 8)·64 + a, by 72, the floors are the high part, and a - floor(a / 8)·8 the low one; of a·72 - floor(a / 8)·575 they are
  // the low one.
  const quotients = p.terms.filter((t) => !isMultiple(t) && quotientIn(t) !== null && t.coefficient.den === 1);
  if (quotients.length === 0) return null;
  const rounded = (round: (x: number) => number): Poly =>
    quotients.reduce(
      (sum, t) => add(sum, scale(once(t), round(Number(t.coefficient.num) / radix) * radix)),
      polyOf(whole),
    );
  return partsWith(rounded(Math.ceil)) ?? partsWith(rounded(Math.floor));
}
const once = (t: Term): Poly => scale(polyOf([t]), 1, Number(t.coefficient.num));
/** The quotient that a term is a multiple of: a lane's number in one direction. */
export function quotientIn({ monomial }: Term): { readonly of: Poly; readonly by: number } | null {
  const [factor, ...others] = monomial.factors;
  if (factor === undefined || others.length > 0 || factor.exponent !== 1 || factor.atom.kind !== "floor") return null;
  const by = asNumber(factor.atom.denominator);
  return by === null ? null : { of: factor.atom.numerator, by };
}
export const isConstant = (t: Term): boolean => t.monomial.factors.length === 0;
export const constantPart = (p: Poly): number => Number(p.terms.find(isConstant)?.coefficient.num ?? 0);
