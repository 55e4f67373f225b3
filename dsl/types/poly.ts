/** Symbolic integers: what the checker computes with. Division here may use facts; the rest is `polynomial.ts`. */
import { type Facts, noFacts } from "./facts.ts";
import { type Fold, floorWith } from "./floor.ts";
import { add, mul, neg, one, type Poly, sub, zero } from "./polynomial.ts";
import { proverFor } from "./search.ts";
import { substituteWith } from "./walk.ts";

export { divideExact } from "./division.ts";
export { maxOf, minOf } from "./extremum.ts";
export {
  type Atom,
  add,
  asConstant,
  asNumber,
  asSymbol,
  constant,
  index,
  indexKey,
  mul,
  neg,
  one,
  type Poly,
  pow,
  scale,
  sub,
  symbol,
  symbolKey,
  value,
  valueKey,
  zero,
} from "./polynomial.ts";
export { printPoly } from "./print-poly.ts";
export { atomsOf, evaluate } from "./walk.ts";

/** Knows floor(n / d) where -d <= n < d is proved. */
const foldBy =
  (facts: Facts): Fold =>
  (n, d) => {
    const prover = proverFor(facts);
    const below = sub(sub(d, n), one);
    if (prover.proves(n)) return prover.proves(below) ? zero : null;
    return prover.proves(sub(neg(n), one)) && prover.proves(add(n, d)) ? neg(one) : null;
  };

const noFold: Fold = () => null;

/**
 * floor(a / b) for b > 0, in normal form: parts that are known to be integral stand outside, and with facts a floor
 * that is proved to be 0 or -1 is folded. Without facts only the kinds of the atoms are used.
 */
export function floorDivide(a: Poly, b: Poly, facts?: Facts): Poly {
  return floorWith(a, b, facts ?? noFacts, facts === undefined ? noFold : foldBy(facts));
}

/** ceil(a / b) as floor((a - 1) / b) + 1, for integers a and b > 0. */
export function ceilDivide(a: Poly, b: Poly, facts?: Facts): Poly {
  return add(floorDivide(sub(a, one), b, facts), one);
}

/** a - b * floor(a / b), never negative for b > 0. */
export function modulo(a: Poly, b: Poly, facts?: Facts): Poly {
  return sub(a, mul(b, floorDivide(a, b, facts)));
}

/** p with atoms replaced by their key, also inside of other atoms; the result is in normal form again. */
export function substitute(p: Poly, by: ReadonlyMap<string, Poly>, facts?: Facts): Poly {
  return by.size === 0 ? p : substituteWith(p, by, (a, b) => floorDivide(a, b, facts));
}
