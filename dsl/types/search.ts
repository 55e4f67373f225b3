/**
 * The search for a proof that a polynomial is >= 0: as a sum of known inequalities, each times something >= 0, and a
 * polynomial whose terms are all >= 0. A step takes one term that may be negative and cancels it. Every step is an
 * implication at each point that the facts allow, so a proof found is a proof; steps are counted, so it ends.
 */
import { longDivide } from "./division.ts";
import type { Facts } from "./facts.ts";
import { type FloorBounds, Ground, type Inequality } from "./ground.ts";
import {
  type Atom,
  add,
  atomMonomial,
  atomPoly,
  degreeOf,
  exponentIn,
  type Monomial,
  monomialPoly,
  mul,
  mulMonomial,
  neg,
  one,
  type Poly,
  polyOf,
  powMonomial,
  rationalPoly,
  scaleRational,
  sub,
  type Term,
} from "./polynomial.ts";
import { invertRational, mulRational, rational } from "./rational.ts";
import { insideOf } from "./walk.ts";
import { type Witnesses, witnessesOf } from "./witness.ts";

/** Rounds of the search: short proofs are tried first. Each has its greatest depth and its number of goals. */
const ROUNDS = [
  { depth: 3, steps: 16 },
  { depth: 9, steps: 60 },
] as const;
/** Multiples by polynomials are tried only for this many goals of a question: each asks questions of its own. */
const MOST_FRESH = 4;
/** Goals for one question about an atom, and for all of them under the same facts. */
const STEPS_ASIDE = 12;
const ALL_STEPS_ASIDE = 2000;
/** Ways to cancel one term that are tried, and those that are followed. */
const MOST_TRIED = 10;
const MOST_WAYS = 4;
/** Atoms whose inequalities are used for one question. */
const MOST_ATOMS = 40;
/** Floors compared with each other. */
const MOST_FLOORS = 6;
/** Terms of a goal; longer ones are given up. */
const MOST_TERMS = 80;
/** Questions asked while answering a question. */
const DEEPEST_NESTING = 3;

export interface Prover {
  /** True only if p >= 0 wherever the facts hold. */
  proves(p: Poly): boolean;
  /** True only if p > 0 wherever the facts hold; p need not be an integer. */
  provesPositive(p: Poly): boolean;
}

const provers = new WeakMap<Facts, Prover>();

/** The prover for some facts, made once. */
export function proverFor(facts: Facts): Prover {
  const known = provers.get(facts);
  if (known !== undefined) return known;
  const made = new Search(facts);
  provers.set(facts, made);
  return made;
}

type Floor = Extract<Atom, { readonly kind: "floor" }>;

/** A known fact >= 0 times something >= 0 of the given degree. */
interface Way {
  readonly fact: Poly;
  readonly times: Poly;
  readonly degree: number;
}

/** A goal and how many of its terms may be negative. */
interface Rated {
  readonly next: Inequality;
  readonly bad: number;
}

const byPromise = (a: Rated, b: Rated): number => a.bad - b.bad || a.next.poly.terms.length - b.next.poly.terms.length;

class Search implements Prover {
  readonly #ground: Ground;
  readonly #witnesses: Witnesses;
  readonly #answers = new Map<string, boolean>();
  readonly #ofAtom = new Map<string, readonly Inequality[]>();
  readonly #floors = new Map<string, FloorBounds | null>();
  readonly #pairs = new Map<string, readonly Inequality[]>();
  #steps = 0;
  #supply = ALL_STEPS_ASIDE;
  #nesting = 0;

  constructor(facts: Facts) {
    this.#ground = new Ground(facts);
    this.#witnesses = witnessesOf(facts);
  }

  proves(p: Poly): boolean {
    const known = this.#answers.get(p.key);
    if (known !== undefined) return known;
    const answer =
      this.#ground.isNonNegativeByBounds(p) ||
      this.#isPlain(this.#ground.wanted(p).poly) ||
      (!this.#witnesses.refutes(p) && this.#search(p));
    if (this.#answers.size > 2000) this.#answers.clear();
    this.#answers.set(p.key, answer);
    return answer;
  }

  #search(p: Poly): boolean {
    return ROUNDS.some((round) => {
      this.#steps = round.steps;
      return this.#showPoly(p, round.depth);
    });
  }

  provesPositive(p: Poly): boolean {
    const cleared = mul(p, this.#ground.multiplierOf(p));
    return this.proves(sub(cleared, one));
  }

  #showPoly(p: Poly, depth: number = ROUNDS[0].depth): boolean {
    const goal = this.#ground.wanted(p);
    if (this.#isPlain(goal.poly)) return true;
    if (goal.poly.terms.length > MOST_TERMS) return false;
    return this.#nested(() => this.#show(goal, depth, this.#inequalitiesFor(goal.poly), new Set()));
  }

  /** A question about an atom, asked once: it has its own few steps, out of a supply that all share. */
  #aside(p: Poly): boolean {
    return !this.#witnesses.refutes(p) && this.#limited(() => this.#showPoly(p));
  }

  #limited(question: () => boolean): boolean {
    const left = this.#steps;
    const granted = Math.min(STEPS_ASIDE, this.#supply);
    this.#steps = granted;
    const answer = question();
    this.#supply -= granted - this.#steps;
    this.#steps = left;
    return answer;
  }

  /** A question within a question; false where that goes too deep. */
  #nested(question: () => boolean): boolean {
    if (this.#nesting >= DEEPEST_NESTING) return false;
    this.#nesting++;
    const answer = question();
    this.#nesting--;
    return answer;
  }

  #isPlain(p: Poly): boolean {
    return !p.terms.some((t) => this.#ground.isBad(t));
  }

  #show(goal: Inequality, depth: number, known: readonly Inequality[], seen: Set<string>): boolean {
    if (this.#isPlain(goal.poly)) return true;
    if (depth === 0 || this.#steps <= 0 || goal.poly.terms.length > MOST_TERMS) return false;
    if (seen.has(goal.poly.key)) return false;
    seen.add(goal.poly.key);
    this.#steps--;
    const fresh = seen.size <= MOST_FRESH && this.#nesting === 1;
    const again = (next: Inequality): boolean => this.#show(next, depth - 1, known, seen);
    return (
      this.#nextGoals(goal, known).some(again) ||
      this.#byCases(goal, again) ||
      (fresh && this.#byMultiple(goal, known, again))
    );
  }

  /** Goals that imply this one, the most promising first: few terms that may be negative, then few terms. */
  #nextGoals(goal: Inequality, known: readonly Inequality[]): readonly Inequality[] {
    const limit = this.#badTerms(goal.poly) + 1;
    const rate = (goals: readonly Inequality[], most: number): readonly Rated[] =>
      goals
        .map((next) => ({ next, bad: this.#badTerms(next.poly) }))
        .filter(({ bad }) => bad <= limit)
        .sort(byPromise)
        .slice(0, most);
    const rated = [...rate(this.#byFloor(goal), MOST_WAYS), ...rate(this.#byFact(goal, known), MOST_WAYS)];
    return rated.sort(byPromise).map(({ next }) => next);
  }

  #badTerms(p: Poly): number {
    return p.terms.reduce((count, t) => (this.#ground.isBad(t) ? count + 1 : count), 0);
  }

  /** Cancels the term that may be negative and has the fewest ways to go. */
  #byFact(goal: Inequality, known: readonly Inequality[]): readonly Inequality[] {
    let best: readonly Way[] | null = null;
    for (const term of goal.poly.terms) {
      if (!this.#ground.isBad(term)) continue;
      const ways = this.#waysToCancel(term, known);
      if (ways.length === 0) return [];
      if (best === null || ways.length < best.length) best = ways;
    }
    const tried = [...(best ?? [])].sort((a, b) => a.degree - b.degree).slice(0, MOST_TRIED);
    return tried.map(({ fact, times }) => this.#ground.fromShifted(sub(goal.poly, mul(fact, times)), goal.integral));
  }

  /** Multiples of known inequalities, by something >= 0, that contain exactly this term. */
  #waysToCancel(term: Term, known: readonly Inequality[]): readonly Way[] {
    const ways: Way[] = [];
    for (const { poly: fact } of known) {
      for (const other of fact.terms) {
        if (other.coefficient.num < 0 !== term.coefficient.num < 0) continue;
        if (!divides(other.monomial, term.monomial)) continue;
        const monomial = mulMonomial(term.monomial, powMonomial(other.monomial, -1));
        if (!this.#ground.isNonNegativeMonomial(monomial)) continue;
        const coefficient = mulRational(term.coefficient, invertRational(other.coefficient));
        ways.push({ fact, times: monomialPoly(monomial, coefficient), degree: degreeOf(monomial) });
      }
    }
    return ways;
  }

  /** Replaces a floor by its bound: with d * f in low .. high, q * f is at least q * low / d or q * high / d. */
  #byFloor(goal: Inequality): readonly Inequality[] {
    const found: Inequality[] = [];
    for (const atom of atomsIn(goal.poly)) {
      if (atom.kind !== "floor") continue;
      const bounds = this.#boundsOfFloor(atom);
      const q = bounds === null ? null : coefficientOf(goal.poly, atom);
      const sign = q === null ? 0 : this.#signOf(q);
      if (bounds === null || q === null || sign === 0) continue;
      const rest = sub(goal.poly, mul(q, atomPoly(atom)));
      const offset = mul(bounds.divisor, this.#ground.shiftConstant(atom));
      const bound = sub(sign > 0 ? bounds.low : bounds.high, offset);
      const factor = wholeQuotient(q, bounds.divisor);
      if (factor !== null) {
        found.push(this.#ground.fromShifted(add(rest, mul(factor, bound)), goal.integral));
        continue;
      }
      const scaled = add(mul(rest, bounds.divisor), mul(q, bound));
      const integral = goal.integral && this.#isWhole(bounds.divisor) && this.#isWhole(scaled);
      const weakened = integral ? add(scaled, sub(bounds.divisor, one)) : scaled;
      found.push(this.#ground.fromShifted(weakened, integral));
    }
    return found;
  }

  #isWhole(p: Poly): boolean {
    return p.terms.every(
      (t) => t.coefficient.den === 1 && t.monomial.factors.every((f) => this.#ground.isIntegralAtom(f.atom)),
    );
  }

  /** A min or a max is one of its arguments: the goal must hold for each. */
  #byCases(goal: Inequality, again: (next: Inequality) => boolean): boolean {
    for (const atom of atomsIn(goal.poly)) {
      if (atom.kind !== "min" && atom.kind !== "max") continue;
      const q = coefficientOf(goal.poly, atom);
      if (q === null || this.#ground.multiplierOf(...atom.args) !== one) continue;
      const rest = sub(goal.poly, mul(q, atomPoly(atom)));
      const constant = this.#ground.shiftConstant(atom);
      const cases = atom.args.map((a) => add(rest, mul(q, sub(this.#ground.shift(a), constant))));
      if (cases.every((p) => again(this.#ground.fromShifted(p, goal.integral)))) return true;
    }
    return false;
  }

  /**
   * Takes a known a * x + r >= 0 as often as x stands in the goal, where that is a polynomial of known sign. For a sign
   * that is not known, x between two bounds: the goal is linear in x, so it holds if it holds at both.
   */
  #byMultiple(goal: Inequality, known: readonly Inequality[], again: (next: Inequality) => boolean): boolean {
    for (const atom of atomsIn(goal.poly)) {
      const q = coefficientOf(goal.poly, atom);
      if (q === null || q.terms.length < 2 || this.#steps <= 0) continue;
      const sign = this.#signOf(q);
      const bounds = known.flatMap((fact) => {
        const a = leadingNumber(fact.poly, atom);
        return a === null ? [] : [{ poly: fact.poly, positive: a.num > 0, times: invertRational(a) }];
      });
      const at = (b: (typeof bounds)[number]): Inequality =>
        this.#ground.fromShifted(sub(goal.poly, mul(scaleRational(q, b.times), b.poly)), goal.integral);
      if (sign !== 0) {
        if (bounds.some((b) => b.positive === sign > 0 && again(at(b)))) return true;
        continue;
      }
      const [lower, upper] = [bounds.filter((b) => b.positive).map(at), bounds.filter((b) => !b.positive).map(at)];
      if (this.#ground.isNonNegative(atom)) {
        lower.push(this.#ground.fromShifted(sub(goal.poly, mul(q, atomPoly(atom))), goal.integral));
      }
      if (lower.length > 0 && upper.some(again) && lower.some(again)) return true;
    }
    return false;
  }

  /** 1 or -1 where q >= 0 or q <= 0 is known, in shifted atoms; else 0. */
  #signOf(q: Poly): -1 | 0 | 1 {
    if (this.#isPlain(q)) return 1;
    if (this.#isPlain(neg(q))) return -1;
    const shows = (p: Poly): boolean => {
      const goal: Inequality = { poly: p, integral: false };
      return this.#limited(() => this.#nested(() => this.#show(goal, 3, this.#inequalitiesFor(p), new Set())));
    };
    return shows(q) ? 1 : shows(neg(q)) ? -1 : 0;
  }

  /** All that is known about the atoms of a goal and the atoms that these lead to. */
  #inequalitiesFor(goal: Poly): readonly Inequality[] {
    const found: Inequality[] = [];
    const atoms = new Map<string, Atom>();
    const queue: Atom[] = [];
    const visit = (p: Poly): void => {
      for (const atom of atomsIn(p)) {
        if (atoms.has(atom.key) || atoms.size >= MOST_ATOMS) continue;
        atoms.set(atom.key, atom);
        queue.push(atom);
      }
    };
    visit(goal);
    const waiting = new Set(this.#ground.stated);
    for (;;) {
      for (let atom = queue.shift(); atom !== undefined; atom = queue.shift()) {
        for (const inner of insideOf(atom)) visit(inner);
        for (const fact of this.#inequalitiesOf(atom)) {
          found.push(fact);
          visit(fact.poly);
        }
      }
      for (const fact of waiting) {
        if (!atomsIn(fact.poly).some((a) => atoms.has(a.key))) continue;
        waiting.delete(fact);
        found.push(fact);
        visit(fact.poly);
      }
      if (queue.length === 0) break;
    }
    const floors = [...atoms.values()].filter((a) => a.kind === "floor").slice(0, MOST_FLOORS);
    for (const a of floors) for (const b of floors) if (a !== b) found.push(...this.#orderOf(a, b));
    return found;
  }

  #inequalitiesOf(atom: Atom): readonly Inequality[] {
    const known = this.#ofAtom.get(atom.key);
    if (known !== undefined) return known;
    this.#ofAtom.set(atom.key, []); // an atom that is asked about while it is asked about says nothing
    const found = [...this.#ground.boundsOf(atom), ...this.#ground.definitionOf(atom)];
    if (atom.kind === "floor") found.push(...this.#definitionOfFloor(atom));
    this.#ofAtom.set(atom.key, found);
    return found;
  }

  #definitionOfFloor(atom: Floor): readonly Inequality[] {
    const bounds = this.#boundsOfFloor(atom);
    if (bounds === null) return [];
    if (!this.#ground.isNonNegative(atom) && this.#aside(atom.numerator)) this.#ground.noteNonNegative(atom);
    const self = mul(bounds.divisor, add(atomPoly(atom), this.#ground.shiftConstant(atom)));
    return [sub(self, bounds.low), sub(bounds.high, self)].map((p) => this.#ground.tightened(p, this.#isWhole(p)));
  }

  /** The bounds of a floor whose divisor is known to be > 0. */
  #boundsOfFloor(atom: Floor): FloorBounds | null {
    const known = this.#floors.get(atom.key);
    if (known !== undefined) return known;
    this.#floors.set(atom.key, null);
    const bounds = this.#ground.floorBounds(atom.numerator, atom.denominator);
    const positive = this.#ground.isPlainlyPositive(bounds.divisor) || this.#aside(sub(atom.denominator, one));
    this.#floors.set(atom.key, positive ? bounds : null);
    return positive ? bounds : null;
  }

  /** floor(n / d) >= floor(m / d) + k where n >= m + k * d, for k of 1, 0, -1; and a greater divisor gives less, for n >= 0. */
  #orderOf(a: Floor, b: Floor): readonly Inequality[] {
    const key = `${a.key} ${b.key}`;
    const known = this.#pairs.get(key);
    if (known !== undefined) return known;
    this.#pairs.set(key, []);
    const found = this.#order(a, b);
    this.#pairs.set(key, found);
    return found;
  }

  #order(a: Floor, b: Floor): readonly Inequality[] {
    if (this.#boundsOfFloor(a) === null || this.#boundsOfFloor(b) === null) return [];
    const difference = sub(atomPoly(a), atomPoly(b));
    if (a.denominator.key === b.denominator.key) {
      const rise = sub(a.numerator, b.numerator);
      for (const k of [1, 0, -1]) {
        const offset = rationalPoly(rational(k));
        if (!this.#aside(sub(rise, mul(a.denominator, offset)))) continue;
        return [this.#ground.known(sub(difference, offset))];
      }
      return [];
    }
    if (a.numerator.key !== b.numerator.key || !this.#aside(a.numerator)) return [];
    return this.#aside(sub(b.denominator, a.denominator)) ? [this.#ground.known(difference)] : [];
  }
}

const divides = (a: Monomial, b: Monomial): boolean => a.factors.every((f) => exponentIn(b, f.atom.key) >= f.exponent);

/** The atoms that a polynomial is directly made of, in the order of its terms. */
function atomsIn(p: Poly): readonly Atom[] {
  const found = new Map<string, Atom>();
  for (const t of p.terms) for (const f of t.monomial.factors) found.set(f.atom.key, f.atom);
  return [...found.values()];
}

/** q of p = q * x + r, where x stands to the first power at most; null where it does not or is absent. */
function coefficientOf(p: Poly, atom: Atom): Poly | null {
  const mine: Term[] = [];
  for (const t of p.terms) {
    const exponent = exponentIn(t.monomial, atom.key);
    if (exponent === 1) mine.push(t);
    else if (exponent !== 0) return null;
  }
  return mine.length === 0 ? null : mul(polyOf(mine), monomialPoly(powMonomial(atomMonomial(atom), -1)));
}

/** a of p = a * x + r, where a is a number and r is free of x. */
function leadingNumber(p: Poly, atom: Atom): Term["coefficient"] | null {
  const q = coefficientOf(p, atom);
  const single = q?.terms[0];
  if (q?.terms.length !== 1 || single === undefined || single.monomial.factors.length > 0) return null;
  return single.coefficient;
}

/** q / d where that is a polynomial. */
function wholeQuotient(q: Poly, d: Poly): Poly | null {
  const { quotient, rest } = longDivide(q, d, (t) => t.monomial.factors.every((f) => f.exponent > 0));
  return rest.terms.length === 0 ? quotient : null;
}
