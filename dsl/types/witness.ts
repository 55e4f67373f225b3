/**
 * Sample points that satisfy the facts. A point where p < 0 shows that no search for a proof of p >= 0 can succeed, which
 * saves the search. Nothing is ever proved by points, so computing them in floating point cannot make an answer wrong.
 */
import type { Bounds, Facts } from "./facts.ts";
import type { Atom, Poly } from "./polynomial.ts";

export interface Witnesses {
  /** Whether p < 0 at some point that satisfies the facts. */
  refutes(p: Poly): boolean;
}

/** What the symbols are at a point, and where indices and values lie between their bounds. */
interface Scheme {
  readonly symbol: (hash: number) => number;
  readonly free: (hash: number) => number;
  readonly place: (hash: number) => number;
}

const schemes: readonly Scheme[] = [
  { symbol: () => 1, free: () => 0, place: () => 0 },
  { symbol: () => 4, free: () => 0, place: () => 0 },
  { symbol: () => 240, free: () => 1, place: () => 0.25 }, // some item of many
  { symbol: () => 4, free: () => 3, place: () => 1 },
  { symbol: (h) => 2 ** (h % 5), free: (h) => (h % 9) - 4, place: () => 1 },
  { symbol: (h) => 64 / 2 ** (h % 6), free: (h) => (h % 5) - 2, place: (h) => (h >> 3) & 1 },
  { symbol: (h) => 1 + (h % 7), free: (h) => h % 7, place: (h) => ((h >> 5) & 3) / 3 },
  { symbol: (h) => 3 + ((h >> 4) % 11), free: (h) => -(h % 7), place: (h) => (h >> 7) & 1 },
  { symbol: (h) => 1 + ((h >> 8) % 3), free: (h) => (h >> 3) % 3, place: (h) => (h >> 2) & 1 },
];

const rounding = 1e-9;

export function witnessesOf(facts: Facts): Witnesses {
  let points: readonly ((p: Poly) => number)[] | null = null;
  return {
    refutes(p) {
      points ??= schemes.map((s) => pointOf(s, facts)).filter((at) => satisfies(at, facts));
      return points.some((at) => at(p) < -rounding);
    },
  };
}

function satisfies(at: (p: Poly) => number, facts: Facts): boolean {
  return (
    facts.nonNegative.every((f) => at(f) >= 0) &&
    facts.integral.every((f) => isWhole(at(f))) &&
    [...facts.bounds.values()].every(({ lower, upper }) => lower === null || upper === null || at(lower) <= at(upper))
  );
}

const isWhole = (x: number): boolean => Math.abs(x - Math.round(x)) < rounding;

/** The value of a polynomial at a point; nan where it has none. */
function pointOf(scheme: Scheme, facts: Facts): (p: Poly) => number {
  const known = new Map<string, number>();

  const ofAtom = (atom: Atom): number => {
    const found = known.get(atom.key);
    if (found !== undefined) return found;
    known.set(atom.key, Number.NaN); // an atom bounded by itself has no value here
    const result = computed(atom);
    known.set(atom.key, result);
    return result;
  };

  const computed = (atom: Atom): number => {
    switch (atom.kind) {
      case "symbol":
      case "index":
      case "value":
        return chosen(atom, facts.bounds.get(atom.key));
      case "floor": {
        const quotient = ofPoly(atom.numerator) / ofPoly(atom.denominator);
        return isWhole(quotient) ? Math.round(quotient) : Math.floor(quotient);
      }
      case "ratio":
        return ofPoly(atom.numerator) / ofPoly(atom.denominator);
      case "min":
        return Math.min(...atom.args.map(ofPoly));
      case "max":
        return Math.max(...atom.args.map(ofPoly));
      default:
        return atom satisfies never;
    }
  };

  const chosen = (atom: Atom, bounds: Bounds | undefined): number => {
    const hash = hashOf(atom.key);
    const wanted =
      atom.kind === "symbol"
        ? scheme.symbol(hash)
        : atom.kind === "index"
          ? Math.abs(scheme.free(hash))
          : scheme.free(hash);
    if (bounds === undefined) return wanted;
    const lower = bounds.lower === null ? null : Math.ceil(ofPoly(bounds.lower) - rounding);
    const upper = bounds.upper === null ? null : Math.floor(ofPoly(bounds.upper) + rounding);
    if (lower !== null && upper !== null)
      return lower > upper ? Number.NaN : lower + Math.round((upper - lower) * scheme.place(hash));
    if (lower !== null) return Math.max(lower, wanted);
    return upper === null ? wanted : Math.min(upper, wanted);
  };

  const ofPoly = (p: Poly): number => {
    let total = 0;
    for (const { coefficient, monomial } of p.terms) {
      let product = Number(coefficient.num) / Number(coefficient.den);
      for (const { atom, exponent } of monomial.factors) {
        const x = ofAtom(atom);
        product *= exponent === 1 ? x : x ** exponent;
      }
      total += product;
    }
    return Number.isSafeInteger(Math.round(total)) ? total : Number.NaN;
  };

  return ofPoly;
}

function hashOf(key: string): number {
  let h = 2166136261;
  for (let i = 0; i < key.length; i++) h = Math.imul(h ^ key.charCodeAt(i), 16777619);
  return (h ^ (h >>> 15)) >>> 1;
}
