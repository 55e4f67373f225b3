/**
 * What is known, made ready for the search: every atom with a constant lower bound c is written as c + x with x >= 0,
 * fractions are multiplied away by something positive, and each atom brings the inequalities that it obeys by itself.
 */
import { intervalTable } from "./bounds.ts";
import type { Facts } from "./facts.ts";
import { isIntegral, isIntegralAtom } from "./integrality.ts";
import {
  type Atom,
  add,
  atomPoly,
  type Factor,
  type Monomial,
  monomialOf,
  monomialPoly,
  mul,
  neg,
  one,
  type Poly,
  polyOf,
  pow,
  rationalPoly,
  scaleRational,
  sub,
  type Term,
  zero,
} from "./polynomial.ts";
import { floorRational, gcdInt, type Int, lcmInt, mulRational, rational } from "./rational.ts";

/** A polynomial in shifted atoms with integer coefficients and no division. */
export interface Inequality {
  /** Said to be >= 0. */
  readonly poly: Poly;
  /** Whether its values are integers. */
  readonly integral: boolean;
}

/** divisor > 0, and divisor * floor lies in low .. high; all in shifted atoms. */
export interface FloorBounds {
  readonly divisor: Poly;
  readonly low: Poly;
  readonly high: Poly;
}

export class Ground {
  readonly facts: Facts;
  /** The stated facts. */
  readonly stated: readonly Inequality[];
  readonly #intervals: ReturnType<typeof intervalTable>;
  readonly #shifts = new Map<string, Poly>();
  readonly #nonNegative = new Set<string>();
  readonly #integral = new Map<string, boolean>();

  constructor(facts: Facts) {
    this.facts = facts;
    this.#intervals = intervalTable(facts);
    const stated = facts.nonNegative.map((f) => this.known(f));
    for (const fact of facts.integral) {
      const least = this.#leastOfIntegral(fact);
      if (least !== null) stated.push(least);
    }
    this.stated = stated;
  }

  /** An integer that is a positive quotient of positive numbers is at least 1. */
  #leastOfIntegral(fact: Poly): Inequality | null {
    const single = fact.terms[0];
    if (fact.terms.length !== 1 || single === undefined || single.coefficient.num < 0) return null;
    const positive = single.monomial.factors.every((f) => this.#isPositive(f.atom));
    return positive ? this.known(sub(fact, one)) : null;
  }

  #isPositive(atom: Atom): boolean {
    const { lower } = this.#intervals.ofAtom(atom);
    return lower !== null && lower.num > 0;
  }

  /** Whether constant bounds of its atoms alone show that p, not shifted, is >= 0. */
  isNonNegativeByBounds(p: Poly): boolean {
    const { lower } = this.#intervals.ofPoly(p);
    return lower !== null && lower.num >= 0;
  }

  isIntegralAtom(atom: Atom): boolean {
    const known = this.#integral.get(atom.key);
    if (known !== undefined) return known;
    const answer = isIntegralAtom(atom, this.facts);
    this.#integral.set(atom.key, answer);
    return answer;
  }

  /** Whether the shifted atom is known to be >= 0. */
  isNonNegative(atom: Atom): boolean {
    this.#shiftOf(atom);
    return this.#nonNegative.has(atom.key);
  }

  /** Notes that an atom without a constant lower bound is >= 0 all the same. */
  noteNonNegative(atom: Atom): void {
    if (this.shiftConstant(atom).terms.length === 0) this.#nonNegative.add(atom.key);
  }

  /** The constant c of an atom that is written as c + x. */
  shiftConstant(atom: Atom): Poly {
    return sub(this.#shiftOf(atom), atomPoly(atom));
  }

  #shiftOf(atom: Atom): Poly {
    const known = this.#shifts.get(atom.key);
    if (known !== undefined) return known;
    const { lower } = this.#intervals.ofAtom(atom);
    if (lower !== null) this.#nonNegative.add(atom.key);
    const plain = atomPoly(atom);
    const shifted = lower === null ? plain : add(plain, rationalPoly(lower));
    this.#shifts.set(atom.key, shifted);
    return shifted;
  }

  /** The constant upper bound of a shifted atom. */
  shiftedUpper(atom: Atom): Poly | null {
    const { upper } = this.#intervals.ofAtom(atom);
    return upper === null ? null : sub(rationalPoly(upper), this.shiftConstant(atom));
  }

  /** The known p >= 0, in its strongest form. */
  known(p: Poly): Inequality {
    return this.#inequality(p, false);
  }

  /** The p >= 0 that is to be shown, in its weakest form: an integer p is >= 0 as soon as m * p + m - 1 is. */
  wanted(p: Poly): Inequality {
    return this.#inequality(p, true);
  }

  #inequality(p: Poly, mayWeaken: boolean): Inequality {
    const multiplier = this.multiplierOf(p);
    const cleared = mul(p, multiplier);
    const whole = this.#allIntegral(cleared) && this.#allIntegral(multiplier);
    const weaken = mayWeaken && whole && multiplier !== one && isIntegral(p, this.facts) === "yes";
    return this.tightened(this.shift(weaken ? add(cleared, sub(multiplier, one)) : cleared), whole);
  }

  /**
   * The p >= 0 that is to be shown, in shifted atoms, of which a goal follows. Where that goal is an integer, p > -1 is
   * enough; that is an inequality of integers again only if all atoms of p are integers, whatever the goal was made of.
   */
  fromShifted(p: Poly, ofInteger: boolean): Inequality {
    const whole = this.#allIntegral(p);
    const den = p.terms.reduce<Int>((d, t) => lcmInt(d, t.coefficient.den), 1);
    if (den === 1) return this.tightened(p, whole);
    const scaled = scaleRational(p, rational(den));
    return this.tightened(ofInteger && whole ? add(scaled, sub(rationalPoly(rational(den)), one)) : scaled, whole);
  }

  /** Divides by the common factor of the coefficients that stand on atoms, rounding the constant down. */
  tightened(poly: Poly, integral: boolean): Inequality {
    let g: Int = 0;
    for (const t of poly.terms) if (t.monomial.factors.length > 0) g = gcdInt(g, t.coefficient.num);
    if (g === 0 || g === 1 || !integral) return { poly, integral };
    const by = rational(1, g);
    const terms = poly.terms.flatMap((t): readonly Term[] => {
      const coefficient = mulRational(t.coefficient, by);
      if (t.monomial.factors.length > 0) return [{ coefficient, monomial: t.monomial }];
      const whole = floorRational(coefficient);
      return whole === 0 ? [] : [{ coefficient: rational(whole), monomial: t.monomial }];
    });
    return { poly: polyOf(terms), integral };
  }

  #allIntegral(p: Poly): boolean {
    return p.terms.every((t) => t.monomial.factors.every((f) => f.exponent > 0 && this.isIntegralAtom(f.atom)));
  }

  /** Something positive that makes p free of fractions: an atom of unknown sign is taken to an even power. */
  multiplierOf(...polys: readonly Poly[]): Poly {
    let den: Int = 1;
    const exponents = new Map<string, Factor>();
    for (const p of polys) {
      for (const { coefficient, monomial } of p.terms) {
        den = lcmInt(den, coefficient.den);
        for (const { atom, exponent } of monomial.factors) {
          if (exponent >= 0) continue;
          const needed = exponent % 2 === 0 || this.#isPositive(atom) ? -exponent : 1 - exponent;
          if (needed > (exponents.get(atom.key)?.exponent ?? 0)) exponents.set(atom.key, { atom, exponent: needed });
        }
      }
    }
    if (exponents.size === 0) return den === 1 ? one : rationalPoly(rational(den));
    const factors = [...exponents.values()].sort((a, b) => (a.atom.key < b.atom.key ? -1 : 1));
    return monomialPoly(monomialOf(factors), rational(den));
  }

  /** p in shifted atoms; p must be free of negative exponents. */
  shift(p: Poly): Poly {
    let result: Poly = zero;
    const same: Term[] = [];
    for (const term of p.terms) {
      if (this.#isUnshifted(term.monomial)) same.push(term);
      else {
        let product = rationalPoly(term.coefficient);
        for (const { atom, exponent } of term.monomial.factors)
          product = mul(product, pow(this.#shiftOf(atom), exponent));
        result = add(result, product);
      }
    }
    return same.length === p.terms.length ? p : add(result, polyOf(same));
  }

  #isUnshifted(monomial: Monomial): boolean {
    return monomial.factors.every((f) => this.#shiftOf(f.atom).terms.length === 1);
  }

  /** Whether p, in shifted atoms, is > 0 by its signs alone. */
  isPlainlyPositive(p: Poly): boolean {
    let positive = false;
    for (const t of p.terms) {
      if (this.isBad(t)) return false;
      if (t.monomial.factors.length === 0) positive = true;
    }
    return positive;
  }

  /** Whether a term of shifted atoms may be negative. */
  isBad(t: Term): boolean {
    return t.coefficient.num < 0 || !this.isNonNegativeMonomial(t.monomial);
  }

  isNonNegativeMonomial(m: Monomial): boolean {
    return m.factors.every((f) => f.exponent % 2 === 0 || this.isNonNegative(f.atom));
  }

  /** d * floor(n / d) within n - d + 1 .. n, or n - d .. n when n or d may be fractions; d must be > 0. */
  floorBounds(n: Poly, d: Poly): FloorBounds {
    const exact = isIntegral(n, this.facts) === "yes" && isIntegral(d, this.facts) === "yes";
    const low = exact ? add(sub(n, d), one) : sub(n, d);
    const multiplier = this.multiplierOf(n, d, low);
    const clear = (p: Poly): Poly => this.shift(mul(p, multiplier));
    return { divisor: clear(d), low: clear(low), high: clear(n) };
  }

  /** Inequalities that an atom obeys by its stated bounds. */
  boundsOf(atom: Atom): readonly Inequality[] {
    const bounds = this.facts.bounds.get(atom.key);
    const found: Inequality[] = [];
    const self = atomPoly(atom);
    if (bounds !== undefined && bounds.lower !== null) found.push(this.known(sub(self, bounds.lower)));
    if (bounds !== undefined && bounds.upper !== null) found.push(this.known(sub(bounds.upper, self)));
    const upper = this.shiftedUpper(atom);
    if (upper !== null) found.push({ poly: sub(upper, self), integral: this.isIntegralAtom(atom) });
    return found.filter((f) => f.poly.terms.some((t) => this.isBad(t)));
  }

  /** Inequalities of min, max and ratio atoms; those of floors need a positive divisor and come from `floorBounds`. */
  definitionOf(atom: Atom): readonly Inequality[] {
    const self = atomPoly(atom);
    switch (atom.kind) {
      case "min":
        return atom.args.map((a) => this.known(sub(a, self)));
      case "max":
        return atom.args.map((a) => this.known(sub(self, a)));
      case "ratio": {
        const difference = sub(atom.numerator, mul(atom.denominator, self));
        return [this.known(difference), this.known(neg(difference))];
      }
      case "symbol":
      case "index":
      case "value":
      case "floor":
        return [];
      default:
        return atom satisfies never;
    }
  }
}
