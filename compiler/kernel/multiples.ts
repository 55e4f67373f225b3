/** Arithmetic of symbolic indices that keeps common factors in sight. */
import type { Facts } from "../../dsl/types/facts.ts";
import { constant, floorDivide, type Poly, scale } from "../../dsl/types/poly.ts";
import { add, asAtom, mul, polyOf, rationalPoly } from "../../dsl/types/polynomial.ts";

const gcd = (a: number, b: number): number => (b === 0 ? Math.abs(a) : gcd(b, a % b));

/**
 * The greatest number that p and `step` provably are multiples of, all atoms being integers; 0 if both are 0. A quotient in p
 * gives 1.
 */
export function multipleOf(p: Poly, step = 0): number {
  let common = step;
  for (const { coefficient, monomial } of p.terms) {
    const whole = coefficient.den === 1 && monomial.factors.every((f) => f.exponent > 0);
    common = whole ? gcd(common, Number(coefficient.num)) : 1;
    if (!Number.isSafeInteger(common)) return 1;
  }
  return common;
}

/** floor(p / n) for n > 0. */
export const divideBy = (p: Poly, n: number, facts: Facts): Poly => floorDivide(p, constant(n), facts);

/** min or max of two, with their common factor in front: the factor would be out of sight inside. */
export function extremumBy(extremum: (args: readonly Poly[]) => Poly, a: Poly, b: Poly): Poly {
  const common = multipleOf(a, multipleOf(b));
  return common > 1 ? scale(extremum([scale(a, 1, common), scale(b, 1, common)]), common) : extremum([a, b]);
}

/** p >= 0 as facts; where p is floor(n / d) + c, what it says of n as well: n + c*d >= 0. */
export function floorRange(p: Poly): readonly Poly[] {
  const others = p.terms.filter((t) => t.monomial.factors.length > 0);
  const rest = p.terms.find((t) => t.monomial.factors.length === 0);
  const atom = asAtom(polyOf(others));
  if (atom === null || atom.kind !== "floor") return [p];
  const c = rest === undefined ? constant(0) : rationalPoly(rest.coefficient);
  return [p, add(atom.numerator, mul(c, atom.denominator))];
}
