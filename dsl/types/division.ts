/** Exact division of polynomials, and what two polynomials have in common. */
import {
  type Atom,
  add,
  asRational,
  atomPoly,
  compareMonomials,
  exponentIn,
  type Factor,
  inverseTerm,
  type Monomial,
  monomialOf,
  monomialPoly,
  mul,
  mulMonomial,
  type Poly,
  powMonomial,
  ratioAtom,
  sub,
  type Term,
  unit,
  zero,
} from "./polynomial.ts";
import { gcdInt, type Int, invertRational, lcmInt, mulRational, type Rational, rational } from "./rational.ts";

/** The greatest term in the order of `compareMonomials`; null for 0. */
export function leadingTerm(p: Poly): Term | null {
  let lead: Term | null = null;
  for (const t of p.terms) {
    if (lead === null || compareMonomials(t.monomial, lead.monomial) > 0) lead = t;
  }
  return lead;
}

/** Long division does not go on for more steps than this. */
const MOST_STEPS = 64;

/** quotient and rest of a by b, taking only those steps whose quotient term is admitted. */
export function longDivide(a: Poly, b: Poly, admits: (t: Term) => boolean): { quotient: Poly; rest: Poly } {
  let [quotient, rest] = [zero, a];
  const head = leadingTerm(b);
  if (head === null) return { quotient, rest };
  const inverse = powMonomial(head.monomial, -1);
  for (let i = 0; i < MOST_STEPS && rest.terms.length > 0; i++) {
    let step: Term | null = null;
    let highest: Monomial | null = null;
    for (const t of rest.terms) {
      if (highest !== null && compareMonomials(t.monomial, highest) <= 0) continue;
      const candidate = {
        coefficient: mulRational(t.coefficient, invertRational(head.coefficient)),
        monomial: mulMonomial(t.monomial, inverse),
      };
      if (!admits(candidate)) continue;
      [step, highest] = [candidate, t.monomial];
    }
    if (step === null) break;
    const factor = monomialPoly(step.monomial, step.coefficient);
    quotient = add(quotient, factor);
    rest = sub(rest, mul(factor, b));
  }
  return { quotient, rest };
}

/** No negative exponent: what an ordinary long division may put into a quotient. */
const isOrdinary = (t: Term): boolean => t.monomial.factors.every((f) => f.exponent > 0);

/** The greatest positive rational and monomial that divide every term; the monomial's exponents may be negative. */
export function contentOf(p: Poly): { readonly coefficient: Rational; readonly monomial: Monomial } {
  let num: Int = 0;
  let den: Int = 1;
  for (const { coefficient } of p.terms) {
    num = gcdInt(num, coefficient.num);
    den = lcmInt(den, coefficient.den);
  }
  return { coefficient: num === 0 ? rational(1) : rational(num, den), monomial: commonMonomial(p) };
}

/** For every atom the least exponent over the terms, an absent one counting as 0. */
function commonMonomial(p: Poly): Monomial {
  const seen = new Set<string>();
  const common: Factor[] = [];
  for (const term of p.terms) {
    for (const { atom, exponent } of term.monomial.factors) {
      if (seen.has(atom.key)) continue;
      seen.add(atom.key);
      const least = p.terms.reduce((e, t) => Math.min(e, exponentIn(t.monomial, atom.key)), exponent);
      if (least !== 0) common.push({ atom, exponent: least });
    }
  }
  return monomialOf(common.sort((a, b) => (a.atom.key < b.atom.key ? -1 : 1)));
}

/** p / (coefficient * monomial). */
export const divideByTerm = (p: Poly, t: Term): Poly =>
  mul(p, monomialPoly(powMonomial(t.monomial, -1), invertRational(t.coefficient)));

/**
 * a / b, said to be exact. A divisor of one term divides by exponents, one of several by long division, and where that
 * leaves a rest the quotient becomes a `ratio` atom. So does division by 0, which has no value.
 */
export function divideExact(a: Poly, b: Poly): Poly {
  if (b.terms.length === 0) return atomPoly(ratioAtom(a, b));
  if (a.terms.length === 0 || a.key === b.key) return divideSame(a);
  const single = inverseTerm(b);
  if (single !== null) return mul(a, monomialPoly(single.monomial, single.coefficient));
  const [above, below] = [signedContent(a), signedContent(b)];
  const [numerator, denominator] = [divideByTerm(a, above), divideByTerm(b, below)];
  const outside = divideByTerm(monomialPoly(above.monomial, above.coefficient), below);
  const { quotient, rest } = longDivide(numerator, denominator, isOrdinary);
  if (rest.terms.length === 0) return mul(outside, quotient);
  return mul(outside, atomPoly(ratioAtom(numerator, denominator)));
}

const divideSame = (a: Poly): Poly => (a.terms.length === 0 ? zero : monomialPoly(unit));

/** The content with the sign of the leading term. */
function signedContent(p: Poly): Term {
  const { coefficient, monomial } = contentOf(p);
  const negative = (leadingTerm(p)?.coefficient.num ?? 1) < 0;
  return { coefficient: negative ? mulRational(coefficient, rational(-1)) : coefficient, monomial };
}

/**
 * n / d with common positive factors cancelled, so that d keeps its sign, but with fractions left where they stand: `i / (P/2)` stays, because P/2 may be
 * known to be an integer where 2*i/P tells less.
 */
export function cancelCommon(n: Poly, d: Poly, isPositive: (atom: Atom) => boolean): readonly [Poly, Poly] {
  if (n.terms.length === 0 || asRational(d)?.num === 0) return [n, d];
  const [above, below] = [contentOf(n), contentOf(d)];
  const coefficient = rational(
    gcdInt(above.coefficient.num, below.coefficient.num),
    gcdInt(above.coefficient.den, below.coefficient.den),
  );
  const common: Term = { coefficient, monomial: sharedMonomial(above.monomial, below.monomial, isPositive) };
  if (common.monomial === unit && coefficient.num === 1 && coefficient.den === 1) return [n, d];
  return [divideByTerm(n, common), divideByTerm(d, common)];
}

/** The powers of positive atoms that both have with the same sign, as far as both have them. */
function sharedMonomial(a: Monomial, b: Monomial, isPositive: (atom: Atom) => boolean): Monomial {
  const shared: Factor[] = [];
  for (const { atom, exponent } of a.factors) {
    const other = exponentIn(b, atom.key);
    if (Math.sign(other) !== Math.sign(exponent) || !isPositive(atom)) continue;
    shared.push({ atom, exponent: Math.sign(exponent) * Math.min(Math.abs(exponent), Math.abs(other)) });
  }
  return monomialOf(shared);
}
