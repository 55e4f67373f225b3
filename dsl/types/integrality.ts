/** Which polynomials are integers whatever their atoms are. */
import type { Facts } from "./facts.ts";
import {
  type Atom,
  type Monomial,
  monomialPoly,
  mul,
  mulMonomial,
  type Poly,
  polyOf,
  powMonomial,
  sub,
  type Term,
} from "./polynomial.ts";
import { invertRational, mulRational } from "./rational.ts";

export type Answer = "yes" | "no" | "unknown";

/** How many facts may be multiplied to explain one term, and used to explain one sum. */
const MOST_FACTS = 4;

/** yes: an integer for all values; no: never one; unknown otherwise. */
export function isIntegral(p: Poly, facts: Facts): Answer {
  let rest = fractionalPart(p, facts);
  for (let i = 0; i < MOST_FACTS && rest.length > 1; i++) {
    const reduced = subtractFact(rest, facts);
    if (reduced === null) break;
    rest = fractionalPart(reduced, facts);
  }
  if (rest.length === 0) return "yes";
  return rest.length === 1 && rest[0]?.monomial.factors.length === 0 ? "no" : "unknown";
}

/** The terms that are not known to be integers. */
function fractionalPart(p: Poly, facts: Facts): readonly Term[] {
  return p.terms.filter((t) => !isIntegralTerm(t, facts));
}

/** Takes an integer multiple of a fact of several terms away, so that the first term vanishes. */
function subtractFact(rest: readonly Term[], facts: Facts): Poly | null {
  for (const fact of facts.integral) {
    const core = fractionalPart(fact, { ...facts, integral: [] });
    if (core.length < 2) continue;
    for (const lead of rest) {
      const head = core[0];
      if (head === undefined) continue;
      const quotient = divideTerm(lead, head);
      if (!isIntegralTerm(quotient, facts)) continue;
      const factor = monomialPoly(quotient.monomial, quotient.coefficient);
      return sub(polyOf(rest), mul(factor, polyOf(core)));
    }
  }
  return null;
}

const divideTerm = (a: Term, b: Term): Term => ({
  coefficient: mulRational(a.coefficient, invertRational(b.coefficient)),
  monomial: mulMonomial(a.monomial, powMonomial(b.monomial, -1)),
});

/** Whether one term is known to be an integer. */
export function isIntegralTerm(term: Term, facts: Facts, depth: number = MOST_FACTS): boolean {
  if (term.coefficient.den === 1 && isIntegralMonomial(term.monomial, facts)) return true;
  if (depth === 0) return false;
  for (const fact of facts.integral) {
    const single = fact.terms[0];
    if (single === undefined || fact.terms.length !== 1 || !sharesFraction(term, single)) continue;
    if (isIntegralTerm(divideTerm(term, single), facts, depth - 1)) return true;
  }
  return false;
}

/** Whether dividing by the fact can remove something fractional from the term. */
function sharesFraction(term: Term, fact: Term): boolean {
  if (fact.coefficient.den !== 1 && term.coefficient.den !== 1) return true;
  return fact.monomial.factors.some((f) =>
    term.monomial.factors.some(
      (g) => g.atom.key === f.atom.key && ((g.exponent < 0 && f.exponent < 0) || !isIntegralKind(g.atom)),
    ),
  );
}

const isIntegralKind = (atom: Atom): boolean => atom.kind !== "ratio" && atom.kind !== "min" && atom.kind !== "max";

/** Whether a product of powers is an integer by its atoms alone. */
function isIntegralMonomial(monomial: Monomial, facts: Facts): boolean {
  return monomial.factors.every(({ atom, exponent }) => exponent > 0 && isIntegralAtom(atom, facts));
}

/** Whether an atom is an integer by its kind. */
export function isIntegralAtom(atom: Atom, facts: Facts): boolean {
  switch (atom.kind) {
    case "symbol":
    case "index":
    case "value":
    case "floor":
      return true;
    case "min":
    case "max":
      return atom.args.every((a) => isIntegral(a, facts) === "yes");
    case "ratio":
      return facts.integral.some((f) => f.key === `1*${atom.key}`);
    default:
      return atom satisfies never;
  }
}
