/** floor(a / b) in normal form. */
import { cancelCommon, contentOf, longDivide } from "./division.ts";
import type { Facts } from "./facts.ts";
import { isIntegral, isIntegralTerm } from "./integrality.ts";
import {
  type Atom,
  add,
  asRational,
  atomPoly,
  floorAtom,
  inverseTerm,
  type Monomial,
  monomialOf,
  monomialPoly,
  mul,
  neg,
  type Poly,
  polyOf,
  powMonomial,
  rationalPoly,
  scaleRational,
  sub,
  type Term,
  zero,
} from "./polynomial.ts";
import {
  addRational,
  ceilRational,
  floorRational,
  type Int,
  invertRational,
  lcmInt,
  mulRational,
  type Rational,
  rational,
} from "./rational.ts";

/** Says what a floor of numerator by denominator is when it knows it, else null. */
export type Fold = (numerator: Poly, denominator: Poly) => Poly | null;

/**
 * floor(a / b), where b is meant to be > 0. What is known to be an integer stands outside of the floor:
 * floor((x + k*b) / b) = floor(x / b) + k, and floor(floor(x / a) / b) = floor(x / (a*b)) for an integer b.
 * Division by 0 gives an atom that has no value.
 */
export function floorWith(a: Poly, b: Poly, facts: Facts, fold: Fold): Poly {
  if (b.terms.length === 0) return atomPoly(floorAtom(a, b));
  const divisor = asRational(b);
  if (divisor !== null && divisor.num < 0) return floorWith(neg(a), neg(b), facts, fold);
  const { quotient, rest } = pullOut(a, b, facts);
  return rest.terms.length === 0 ? quotient : add(quotient, floorOfRest(rest, b, facts, fold));
}

/** The floor when nothing more can be pulled out by b itself. */
function floorOfRest(a: Poly, b: Poly, facts: Facts, fold: Fold): Poly {
  const [n, d] = cancelCommon(a, b, (atom) => isPositiveAtom(atom, facts));
  const divisor = asRational(d);
  if (divisor !== null) return floorByNumber(scaleRational(n, invertRational(divisor)), facts, fold);
  const inner = nestedFloor(n, d, facts);
  if (inner !== null) return floorWith(inner[0], inner[1], facts, fold);
  return fold(n, d) ?? atomPoly(floorAtom(n, d));
}

/** a = quotient * b + rest, where the quotient is an integer. */
function pullOut(a: Poly, b: Poly, facts: Facts): { readonly quotient: Poly; readonly rest: Poly } {
  const single = inverseTerm(b);
  if (single !== null) {
    const quotient = wholePart(mul(a, monomialPoly(single.monomial, single.coefficient)), facts);
    return { quotient, rest: sub(a, mul(quotient, b)) };
  }
  let [quotient, rest] = [zero, a];
  for (;;) {
    const step = longDivide(rest, b, (t) => isIntegralTerm(t, facts));
    if (step.rest.terms.length >= rest.terms.length) return { quotient, rest };
    quotient = add(quotient, step.quotient);
    rest = step.rest;
  }
}

/** The integer part of a quotient, term by term: what is left has coefficients in (-1/2, 1/2] on integer monomials. */
function wholePart(q: Poly, facts: Facts): Poly {
  let whole = zero;
  const fractional: Term[] = [];
  for (const t of q.terms) {
    if (isIntegralTerm(t, facts)) whole = add(whole, monomialPoly(t.monomial, t.coefficient));
    else if (t.monomial.factors.length > 0) {
      const nearest = ceilRational(addRational(t.coefficient, rational(-1, 2)));
      if (nearest !== 0 && isIntegralTerm({ coefficient: rational(1), monomial: t.monomial }, facts)) {
        whole = add(whole, monomialPoly(t.monomial, rational(nearest)));
      }
    } else fractional.push(t);
  }
  const last = fractional[0];
  return last === undefined ? whole : add(whole, rationalPoly(rational(floorRational(last.coefficient))));
}

/** floor(q) for a q whose rational coefficients alone make it fractional, as far as that is known. */
function floorByNumber(q: Poly, facts: Facts, fold: Fold): Poly {
  const whole = wholePart(q, facts);
  const rest = sub(q, whole);
  const plain = rest.terms.filter((t) => t.monomial.factors.length > 0);
  const constant = rest.terms.find((t) => t.monomial.factors.length === 0)?.coefficient ?? rational(0);
  const den = plain.reduce<Int>((d, t) => lcmInt(d, t.coefficient.den), 1);
  const exact = plain.every((t) => isIntegralTerm({ coefficient: rational(1), monomial: t.monomial }, facts));
  const offset = exact ? roundedOffset(constant, den) : { whole: 0, rest: constant };
  const outside = add(whole, rationalPoly(rational(offset.whole)));
  if (plain.length === 0) return add(outside, rationalPoly(rational(floorRational(offset.rest))));
  const scaled = lcmInt(den, offset.rest.den);
  const fraction = scaleRational(add(polyOf(plain), rationalPoly(offset.rest)), rational(scaled));
  const below = monomialPoly(denominatorOf(fraction, facts));
  const n = mul(fraction, below);
  const d = scaleRational(below, rational(scaled));
  const inner = nestedFloor(n, d, facts);
  if (inner !== null) return add(outside, floorWith(inner[0], inner[1], facts, fold));
  return add(outside, fold(n, d) ?? atomPoly(floorAtom(n, d)));
}

/** The monomial of the positive atoms that every term divides by: E / G is written as E by G under a floor. */
function denominatorOf(p: Poly, facts: Facts): Monomial {
  const divided = contentOf(p).monomial.factors.filter((f) => f.exponent < 0 && isPositiveAtom(f.atom, facts));
  return powMonomial(monomialOf(divided), -1);
}

/** Whether an atom is positive by its natural range or by a constant bound: a divisor under a floor must stay positive. */
function isPositiveAtom(atom: Atom, facts: Facts): boolean {
  const bounds = facts.bounds.get(atom.key);
  if (bounds === undefined) return atom.kind === "symbol";
  const lower = bounds.lower === null ? null : asRational(bounds.lower);
  return lower !== null && lower.num > 0;
}

/**
 * The constant c beside a sum of multiples of 1 / den: rounded down to such a multiple, and brought into
 * -1/den .. (den-2)/den, so that ceil_div(x, den) = floor((x - 1) / den) + 1 has one form.
 */
function roundedOffset(c: Rational, den: Int): { readonly whole: Int; readonly rest: Rational } {
  const steps = floorRational(mulRational(c, rational(den)));
  const above = rational(floorRational(rational(steps, den)));
  const rest = addRational(rational(steps, den), mulRational(above, rational(-1)));
  const last = addRational(rest, rational(1, den));
  if (last.num === 1 && last.den === 1 && den !== 1) {
    return { whole: addRational(above, rational(1)).num, rest: rational(-1, den) };
  }
  return { whole: above.num, rest };
}

/** floor((floor(x / a) + c) / b) as floor((x + a*c) / (a*b)), for integers b and c. */
function nestedFloor(n: Poly, d: Poly, facts: Facts): readonly [Poly, Poly] | null {
  const term = n.terms.find((t) => t.monomial.factors.some((f) => f.atom.kind === "floor"));
  if (term === undefined || term.coefficient.num !== 1 || term.coefficient.den !== 1) return null;
  const factor = term.monomial.factors[0];
  if (factor === undefined || term.monomial.factors.length !== 1 || factor.exponent !== 1) return null;
  if (factor.atom.kind !== "floor") return null;
  const c = asRational(sub(n, atomPoly(factor.atom)));
  if (c === null || c.den !== 1 || isIntegral(d, facts) !== "yes") return null;
  const { numerator, denominator } = factor.atom;
  if (denominator.terms.length === 0) return null;
  return [add(numerator, scaleRational(denominator, c)), mul(denominator, d)];
}
