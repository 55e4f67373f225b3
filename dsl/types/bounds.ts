/** Constant bounds of symbolic integers by interval arithmetic. */
import type { Facts } from "./facts.ts";
import { isIntegralAtom } from "./integrality.ts";
import type { Atom, Poly, Term } from "./polynomial.ts";
import {
  addRational,
  ceilRational,
  compareRational,
  floorRational,
  invertRational,
  mulRational,
  negRational,
  type Rational,
  rational,
} from "./rational.ts";

/** lower <= x <= upper; null where nothing is known. */
export interface Interval {
  readonly lower: Rational | null;
  readonly upper: Rational | null;
}

const unbounded: Interval = { lower: null, upper: null };

/** Bounds of atoms and polynomials under fixed facts, each atom computed once. */
export interface IntervalTable {
  ofAtom(atom: Atom): Interval;
  ofPoly(p: Poly): Interval;
}

export function intervalTable(facts: Facts): IntervalTable {
  const known = new Map<string, Interval>();
  const stated = statedBounds(facts);

  const ofAtom = (atom: Atom): Interval => {
    const found = known.get(atom.key);
    if (found !== undefined) return found;
    known.set(atom.key, unbounded); // an atom bounded by itself learns nothing from that
    const inner = intersect(natural(atom), stated.get(atom.key) ?? unbounded);
    const result = isIntegralAtom(atom, facts) ? rounded(inner) : inner;
    known.set(atom.key, result);
    return result;
  };

  const natural = (atom: Atom): Interval => {
    const bounds = facts.bounds.get(atom.key);
    if (bounds !== undefined) {
      const lower = bounds.lower === null ? null : ofPoly(bounds.lower).lower;
      const upper = bounds.upper === null ? null : ofPoly(bounds.upper).upper;
      const derived = atom.kind === "floor" || atom.kind === "min" || atom.kind === "max";
      return intersect({ lower, upper }, derived ? byKind(atom) : unbounded);
    }
    return byKind(atom);
  };

  const byKind = (atom: Atom): Interval => {
    switch (atom.kind) {
      case "symbol":
        return { lower: rational(1), upper: null };
      case "index":
        return { lower: rational(0), upper: null };
      case "value":
      case "ratio":
        return unbounded;
      case "floor":
        return floorInterval(ofPoly(atom.numerator), ofPoly(atom.denominator));
      case "min":
      case "max":
        return extremumInterval(atom.kind, atom.args.map(ofPoly));
      default:
        return atom satisfies never;
    }
  };

  const ofTerm = (term: Term): Interval => {
    let product: Interval = { lower: term.coefficient, upper: term.coefficient };
    for (const { atom, exponent } of term.monomial.factors) {
      product = times(product, power(ofAtom(atom), exponent));
    }
    return product;
  };

  const ofPoly = (p: Poly): Interval => {
    let [lower, upper]: [Rational | null, Rational | null] = [rational(0), rational(0)];
    for (const term of p.terms) {
      const next = ofTerm(term);
      lower = lower === null || next.lower === null ? null : addRational(lower, next.lower);
      upper = upper === null || next.upper === null ? null : addRational(upper, next.upper);
      if (lower === null && upper === null) return unbounded;
    }
    return { lower, upper };
  };

  return { ofAtom, ofPoly };
}

/** What facts of the form a * x + c >= 0 say of the atom x. */
function statedBounds(facts: Facts): ReadonlyMap<string, Interval> {
  const stated = new Map<string, Interval>();
  for (const fact of facts.nonNegative) {
    const [term, ...others] = fact.terms.filter((t) => t.monomial.factors.length > 0);
    const factor = term?.monomial.factors[0];
    if (term === undefined || others.length > 0 || term.monomial.factors.length !== 1 || factor?.exponent !== 1)
      continue;
    const constant = fact.terms.find((t) => t.monomial.factors.length === 0)?.coefficient ?? rational(0);
    const bound = mulRational(negRational(constant), invertRational(term.coefficient));
    const interval = term.coefficient.num > 0 ? { lower: bound, upper: null } : { lower: null, upper: bound };
    stated.set(factor.atom.key, intersect(stated.get(factor.atom.key) ?? unbounded, interval));
  }
  return stated;
}

const atLeast = (a: Rational | null, c: number): a is Rational => a !== null && compareRational(a, rational(c)) >= 0;

function tighter(a: Rational | null, b: Rational | null, sign: 1 | -1): Rational | null {
  if (a === null) return b;
  if (b === null) return a;
  return compareRational(a, b) * sign >= 0 ? a : b;
}

const intersect = (a: Interval, b: Interval): Interval => ({
  lower: tighter(a.lower, b.lower, 1),
  upper: tighter(a.upper, b.upper, -1),
});

const rounded = (i: Interval): Interval => ({
  lower: i.lower === null ? null : rational(ceilRational(i.lower)),
  upper: i.upper === null ? null : rational(floorRational(i.upper)),
});

/** The product of two intervals. */
function times(a: Interval, b: Interval): Interval {
  if (a.lower !== null && a.upper !== null && a.lower === a.upper) return scaled(b, a.lower);
  if (atLeast(a.lower, 0) && atLeast(b.lower, 0)) {
    const upper = a.upper === null || b.upper === null ? null : mulRational(a.upper, b.upper);
    return { lower: mulRational(a.lower, b.lower), upper };
  }
  if (a.lower === null || a.upper === null || b.lower === null || b.upper === null) {
    if (atLeast(a.lower, 0)) return mixed(a, b);
    return a.upper !== null && a.upper.num <= 0 ? negated(mixed(negated(a), b)) : unbounded;
  }
  const corners = [
    mulRational(a.lower, b.lower),
    mulRational(a.lower, b.upper),
    mulRational(a.upper, b.lower),
    mulRational(a.upper, b.upper),
  ].sort(compareRational);
  return { lower: corners[0] ?? null, upper: corners[3] ?? null };
}

/** The product of a >= 0 and a b of one sign, where some bound is missing. */
function mixed(a: Interval, b: Interval): Interval {
  if (a.lower === null) return unbounded;
  if (atLeast(b.lower, 0)) return { lower: mulRational(a.lower, b.lower), upper: null };
  if (b.upper === null || b.upper.num > 0) return unbounded;
  const lower = a.upper === null || b.lower === null ? null : mulRational(a.upper, b.lower);
  return { lower, upper: mulRational(a.lower, b.upper) };
}

const negated = (i: Interval): Interval => ({
  lower: i.upper === null ? null : negRational(i.upper),
  upper: i.lower === null ? null : negRational(i.lower),
});

function scaled(i: Interval, c: Rational): Interval {
  if (c.num < 0) return negated(scaled(i, negRational(c)));
  const by = (x: Rational | null): Rational | null => (x === null ? null : mulRational(x, c));
  return { lower: by(i.lower), upper: by(i.upper) };
}

/** Powers above this are not computed; a base that is not negative keeps its sign. */
const MOST_POWER = 16;

function power(i: Interval, exponent: number): Interval {
  if (exponent === 1) return i;
  const n = Math.abs(exponent);
  if (!atLeast(i.lower, exponent < 0 ? 1 : 0)) return unbounded;
  if (n > MOST_POWER) return { lower: rational(0), upper: exponent < 0 ? rational(1) : null };
  const raise = (x: Rational): Rational => {
    let result = rational(1);
    for (let k = 0; k < n; k++) result = mulRational(result, x);
    return result;
  };
  const lower = raise(i.lower);
  const upper = i.upper === null ? null : raise(i.upper);
  if (exponent > 0) return { lower, upper };
  if (upper !== null && upper.num <= 0) return unbounded;
  return { lower: upper === null ? rational(0) : invertRational(upper), upper: invertRational(lower) };
}

/** floor(n / d) for d >= 1. */
function floorInterval(n: Interval, d: Interval): Interval {
  if (d.lower === null || d.lower.num <= 0 || (d.upper !== null && d.upper.num <= 0)) return unbounded;
  const least = invertRational(d.lower);
  const most = d.upper === null ? rational(0) : invertRational(d.upper);
  const floored = (x: Rational, by: Rational): Rational => rational(floorRational(mulRational(x, by)));
  const lower = n.lower === null ? null : floored(n.lower, n.lower.num >= 0 ? most : least);
  if (n.upper === null) return { lower, upper: null };
  const upper = n.upper.num >= 0 ? floored(n.upper, least) : most.num === 0 ? rational(-1) : floored(n.upper, most);
  return { lower, upper };
}

function extremumInterval(kind: "min" | "max", args: readonly Interval[]): Interval {
  const strongest = (bounds: readonly (Rational | null)[], sign: 1 | -1): Rational | null =>
    bounds.reduce<Rational | null>((best, b) => tighter(best, b, sign), null);
  const weakest = (bounds: readonly (Rational | null)[], sign: 1 | -1): Rational | null => {
    const known = bounds.filter((b) => b !== null);
    if (known.length < bounds.length) return null;
    return known.reduce<Rational | null>((worst, b) => (worst === null ? b : tighter(worst, b, sign)), null);
  };
  const [lowers, uppers] = [args.map((a) => a.lower), args.map((a) => a.upper)];
  if (kind === "min") return { lower: weakest(lowers, -1), upper: strongest(uppers, -1) };
  return { lower: strongest(lowers, 1), upper: weakest(uppers, 1) };
}
