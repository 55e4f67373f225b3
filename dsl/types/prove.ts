/** Questions about symbolic integers with three answers. A yes or no holds for all values that the facts allow. */
import { contentOf } from "./division.ts";
import type { Facts } from "./facts.ts";
import { type Answer, isIntegral, isIntegralAtom } from "./integrality.ts";
import { asRational, neg, one, type Poly, scaleRational, sub } from "./polynomial.ts";
import { gcdInt, type Int, invertRational, mulRational, rational } from "./rational.ts";
import { proverFor } from "./search.ts";

export { type Answer, isIntegral } from "./integrality.ts";

/** Whether p >= 0 for all values that the facts allow, as far as that is proved: half of what a question of three answers costs. */
export function isSurelyNonNegative(p: Poly, facts: Facts): boolean {
  const c = asRational(p);
  return c === null ? proverFor(facts).proves(p) : c.num >= 0;
}

/** yes: p >= 0 for all values that the facts allow; no: p < 0 for all; unknown otherwise. */
export function isNonNegative(p: Poly, facts: Facts): Answer {
  const c = asRational(p);
  if (c !== null) return c.num >= 0 ? "yes" : "no";
  if (proverFor(facts).proves(p)) return "yes";
  return provesPositive(neg(p), facts) ? "no" : "unknown";
}

/** yes: p > 0 for all values that the facts allow; no: p <= 0 for all; unknown otherwise. */
export function isPositive(p: Poly, facts: Facts): Answer {
  const c = asRational(p);
  if (c !== null) return c.num > 0 ? "yes" : "no";
  if (provesPositive(p, facts)) return "yes";
  return proverFor(facts).proves(neg(p)) ? "no" : "unknown";
}

/** Integers are > 0 when they are >= 1; others are so when a positive multiple is. */
function provesPositive(p: Poly, facts: Facts): boolean {
  if (isIntegral(p, facts) === "yes") return proverFor(facts).proves(sub(p, one));
  return proverFor(facts).provesPositive(p);
}

/** equal: a = b for all values that the facts allow; different: for none; unknown otherwise. */
export function compare(a: Poly, b: Poly, facts: Facts): "equal" | "different" | "unknown" {
  if (a === b || a.key === b.key) return "equal";
  const difference = sub(a, b);
  const c = asRational(difference);
  if (c !== null) return c.num === 0 ? "equal" : "different";
  if (isNeverZero(difference, facts)) return "different";
  const [above, below] = [proverFor(facts).proves(difference), proverFor(facts).proves(neg(difference))];
  if (above && below) return "equal";
  if (above ? provesPositive(difference, facts) : below && provesPositive(neg(difference), facts)) return "different";
  return "unknown";
}

/** Whether p is a multiple of g plus something that is none: 2*x - 2*y + 1. */
function isNeverZero(p: Poly, facts: Facts): boolean {
  const atoms = p.terms.filter((t) => t.monomial.factors.length > 0);
  const constant = p.terms.find((t) => t.monomial.factors.length === 0)?.coefficient;
  if (constant === undefined) return false;
  const whole = atoms.every((t) => t.monomial.factors.every((f) => f.exponent > 0 && isIntegralAtom(f.atom, facts)));
  if (!whole) return false;
  const { den } = contentOf(p).coefficient;
  const scaled = scaleRational(p, rational(den));
  let g: Int = 0;
  for (const t of scaled.terms) if (t.monomial.factors.length > 0) g = gcdInt(g, t.coefficient.num);
  return g !== 0 && mulRational(mulRational(constant, rational(den)), invertRational(rational(g))).den !== 1;
}
