/** Walks over symbolic integers: their atoms, substitution, evaluation. */
import { divideExact } from "./division.ts";
import { maxOf, minOf } from "./extremum.ts";
import { type Atom, add, atomPoly, mul, one, type Poly, pow, rationalPoly, zero } from "./polynomial.ts";

/** All atoms by key, those inside of floor, min, max and ratio included. */
export function atomsOf(p: Poly): ReadonlyMap<string, Atom> {
  const found = new Map<string, Atom>();
  collect(p, found);
  return found;
}

function collect(p: Poly, into: Map<string, Atom>): void {
  for (const { monomial } of p.terms) {
    for (const { atom } of monomial.factors) {
      if (into.has(atom.key)) continue;
      into.set(atom.key, atom);
      for (const inner of insideOf(atom)) collect(inner, into);
    }
  }
}

/** The polynomials that an atom is made of. */
export function insideOf(atom: Atom): readonly Poly[] {
  switch (atom.kind) {
    case "symbol":
    case "index":
    case "value":
      return [];
    case "floor":
    case "ratio":
      return [atom.numerator, atom.denominator];
    case "min":
    case "max":
      return atom.args;
    default:
      return atom satisfies never;
  }
}

/** p with atoms replaced by their key, also inside of other atoms, which are built anew with the given floor. */
export function substituteWith(p: Poly, by: ReadonlyMap<string, Poly>, floor: (a: Poly, b: Poly) => Poly): Poly {
  const known = new Map<string, Poly>();
  const atom = (a: Atom): Poly => {
    const replaced = by.get(a.key) ?? known.get(a.key);
    if (replaced !== undefined) return replaced;
    const built = rebuild(a);
    known.set(a.key, built);
    return built;
  };
  const rebuild = (a: Atom): Poly => {
    const inside = insideOf(a);
    const inner = inside.map(poly);
    if (inner.every((q, i) => q === inside[i])) return atomPoly(a);
    const [n, d] = [inner[0] ?? zero, inner[1] ?? one];
    switch (a.kind) {
      case "floor":
        return floor(n, d);
      case "ratio":
        return divideExact(n, d);
      case "min":
        return minOf(inner);
      case "max":
        return maxOf(inner);
      case "symbol":
      case "index":
      case "value":
        return atomPoly(a);
      default:
        return a satisfies never;
    }
  };
  const poly = (q: Poly): Poly => {
    let changed = false;
    let result = zero;
    for (const term of q.terms) {
      let product = rationalPoly(term.coefficient);
      for (const { atom: a, exponent } of term.monomial.factors) {
        const to = atom(a);
        if (to.key !== atomPoly(a).key) changed = true;
        product = exponent > 0 ? mul(product, pow(to, exponent)) : divideExact(product, pow(to, -exponent));
      }
      result = add(result, product);
    }
    return changed ? result : q;
  };
  return poly(p);
}

/** A fraction of bigints, den > 0, not reduced. */
interface Fraction {
  readonly num: bigint;
  readonly den: bigint;
}

/**
 * The value of p, exactly. Null when a size is unknown, the value is no integer, something is divided by 0, or a power
 * is too large to compute.
 */
export function evaluate(p: Poly, sizes: (atom: Atom) => bigint | null): bigint | null {
  const known = new Map<string, Fraction | null>();
  const atom = (a: Atom): Fraction | null => {
    const cached = known.get(a.key);
    if (cached !== undefined) return cached;
    const result = computed(a);
    known.set(a.key, result);
    return result;
  };
  const computed = (a: Atom): Fraction | null => {
    const inner = insideOf(a).map(poly);
    const [n, d] = [inner[0] ?? null, inner[1] ?? null];
    switch (a.kind) {
      case "symbol":
      case "index":
      case "value": {
        const size = sizes(a);
        return size === null ? null : { num: size, den: 1n };
      }
      case "floor": {
        const quotient = divide(n, d);
        return quotient === null ? null : { num: floorOf(quotient), den: 1n };
      }
      case "ratio":
        return divide(n, d);
      case "min":
      case "max":
        return extremum(a.kind, inner);
      default:
        return a satisfies never;
    }
  };
  const poly = (q: Poly): Fraction | null => {
    let [num, den] = [0n, 1n];
    for (const { coefficient, monomial } of q.terms) {
      let [above, below] = [BigInt(coefficient.num), BigInt(coefficient.den)];
      for (const { atom: a, exponent } of monomial.factors) {
        const v = atom(a);
        const power = v === null ? null : powerOf(v, exponent);
        if (power === null) return null;
        above *= power.num;
        below *= power.den;
      }
      num = below === den ? num + above : num * below + above * den;
      den = below === den ? den : den * below;
    }
    return { num, den };
  };
  const result = poly(p);
  return result === null || result.num % result.den !== 0n ? null : result.num / result.den;
}

/** Powers with more digits than this are not computed. */
const MOST_DIGITS = 20_000;

function powerOf(v: Fraction, exponent: number): Fraction | null {
  if (exponent === 1) return v;
  const digits = String(v.num).length + String(v.den).length;
  if (digits > 2 && digits * Math.abs(exponent) > MOST_DIGITS) return null;
  const n = BigInt(Math.abs(exponent));
  const power = { num: v.num ** n, den: v.den ** n };
  return exponent > 0 ? power : divide({ num: 1n, den: 1n }, power);
}

function divide(a: Fraction | null, b: Fraction | null): Fraction | null {
  if (a === null || b === null || b.num === 0n) return null;
  const [num, den] = [a.num * b.den, a.den * b.num];
  return den < 0n ? { num: -num, den: -den } : { num, den };
}

function floorOf(v: Fraction): bigint {
  const quotient = v.num / v.den;
  return v.num % v.den < 0n ? quotient - 1n : quotient;
}

function extremum(kind: "min" | "max", args: readonly (Fraction | null)[]): Fraction | null {
  let best: Fraction | null = null;
  for (const arg of args) {
    if (arg === null) return null;
    if (best === null) best = arg;
    else {
      const less = arg.num * best.den < best.num * arg.den;
      if (less === (kind === "min")) best = arg;
    }
  }
  return best;
}
