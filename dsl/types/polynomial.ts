/** Laurent polynomials with rational coefficients over atoms, in one normal form: types and ring operations. */
import {
  addRational,
  compareRational,
  type Int,
  invertRational,
  isHuge,
  mulRational,
  negRational,
  printRational,
  type Rational,
  rational,
  rationalOne,
} from "./rational.ts";

/** What a polynomial is over. Equal keys mean equal atoms. */
export type Atom =
  | { readonly kind: "symbol"; readonly key: string; readonly name: string }
  | { readonly kind: "index"; readonly key: string; readonly name: string }
  | { readonly kind: "value"; readonly key: string; readonly name: string }
  | { readonly kind: "floor"; readonly key: string; readonly numerator: Poly; readonly denominator: Poly }
  | { readonly kind: "min" | "max"; readonly key: string; readonly args: readonly Poly[] }
  | { readonly kind: "ratio"; readonly key: string; readonly numerator: Poly; readonly denominator: Poly };

/** An atom to a power other than 0. */
export interface Factor {
  readonly atom: Atom;
  readonly exponent: number;
}

/** A product of powers of distinct atoms, sorted by atom key. The empty product has the empty key. */
export interface Monomial {
  readonly key: string;
  readonly factors: readonly Factor[];
}

/** coefficient * monomial; the coefficient is not 0. */
export interface Term {
  readonly coefficient: Rational;
  readonly monomial: Monomial;
}

/** A sum of terms with distinct monomials, sorted by monomial key. */
export interface Poly {
  readonly key: string;
  readonly terms: readonly Term[];
}

class NormalPoly implements Poly {
  readonly terms: readonly Term[];
  #key: string | null = null;
  constructor(terms: readonly Term[]) {
    this.terms = terms;
  }
  get key(): string {
    this.#key ??= keyOf(this.terms);
    return this.#key;
  }
}

function keyOf(terms: readonly Term[]): string {
  if (terms.length === 0) return "0";
  let key = "";
  for (const { coefficient, monomial } of terms) {
    if (key !== "") key += "+";
    key += printRational(coefficient);
    if (monomial.key !== "") key += `*${monomial.key}`;
  }
  return key;
}

export const unit: Monomial = { key: "", factors: [] };

/** A product of powers of distinct atoms, given in the order of their keys. */
export function monomialOf(factors: readonly Factor[]): Monomial {
  if (factors.length === 0) return unit;
  let key = "";
  for (const { atom, exponent } of factors) {
    if (key !== "") key += "*";
    key += exponent === 1 ? atom.key : `${atom.key}^${exponent}`;
  }
  return { key, factors };
}

/** Product of two monomials. */
export function mulMonomial(a: Monomial, b: Monomial): Monomial {
  if (a.factors.length === 0) return b;
  if (b.factors.length === 0) return a;
  const out: Factor[] = [];
  let [i, j] = [0, 0];
  for (;;) {
    const left = a.factors[i];
    const right = b.factors[j];
    if (left === undefined && right === undefined) return monomialOf(out);
    if (right === undefined || (left !== undefined && left.atom.key < right.atom.key)) {
      if (left !== undefined) out.push(left);
      i++;
    } else if (left === undefined || right.atom.key < left.atom.key) {
      out.push(right);
      j++;
    } else {
      const exponent = left.exponent + right.exponent;
      if (exponent !== 0) out.push({ atom: left.atom, exponent });
      i++;
      j++;
    }
  }
}

/** m to an integer power, negative ones included. */
export function powMonomial(m: Monomial, n: number): Monomial {
  if (n === 0) return unit;
  if (n === 1) return m;
  return monomialOf(m.factors.map(({ atom, exponent }) => ({ atom, exponent: exponent * n })));
}

export const degreeOf = (m: Monomial): number => m.factors.reduce((sum, f) => sum + f.exponent, 0);

export const exponentIn = (m: Monomial, key: string): number =>
  m.factors.find((f) => f.atom.key === key)?.exponent ?? 0;

/** A total order that products keep: total degree, then the exponents in the order of atom keys. */
export function compareMonomials(a: Monomial, b: Monomial): number {
  const byDegree = degreeOf(a) - degreeOf(b);
  if (byDegree !== 0) return byDegree;
  for (let i = 0; ; i++) {
    const left = a.factors[i];
    const right = b.factors[i];
    if (left === undefined) return right === undefined ? 0 : -right.exponent;
    if (right === undefined) return left.exponent;
    if (left.atom.key !== right.atom.key) {
      return left.atom.key < right.atom.key ? left.exponent : -right.exponent;
    }
    if (left.exponent !== right.exponent) return left.exponent - right.exponent;
  }
}

export const zero: Poly = new NormalPoly([]);
export const one: Poly = new NormalPoly([{ coefficient: rationalOne, monomial: unit }]);

export function rationalPoly(c: Rational): Poly {
  return c.num === 0 ? zero : new NormalPoly([{ coefficient: c, monomial: unit }]);
}

/** An integer as a polynomial. */
export const constant = (n: Int): Poly => rationalPoly(rational(n));

export const monomialPoly = (monomial: Monomial, coefficient: Rational = rationalOne): Poly =>
  coefficient.num === 0 ? zero : new NormalPoly([{ coefficient, monomial }]);

export const atomMonomial = (atom: Atom): Monomial => ({ key: atom.key, factors: [{ atom, exponent: 1 }] });

export const atomPoly = (atom: Atom): Poly => monomialPoly(atomMonomial(atom));

const plainName = /^[A-Za-z_][A-Za-z0-9_.]*$/;
const quoted = (name: string): string => (plainName.test(name) ? name : JSON.stringify(name));

export const symbolKey = (name: string): string => `$${quoted(name)}`;
export const indexKey = (name: string): string => `#${quoted(name)}`;
export const valueKey = (name: string): string => `@${quoted(name)}`;

export const symbol = (name: string): Poly => atomPoly({ kind: "symbol", key: symbolKey(name), name });
export const index = (name: string): Poly => atomPoly({ kind: "index", key: indexKey(name), name });
export const value = (name: string): Poly => atomPoly({ kind: "value", key: valueKey(name), name });

export function add(a: Poly, b: Poly): Poly {
  if (a.terms.length === 0) return b;
  if (b.terms.length === 0) return a;
  const out: Term[] = [];
  let [i, j] = [0, 0];
  for (;;) {
    const left = a.terms[i];
    const right = b.terms[j];
    if (left === undefined && right === undefined) break;
    if (right === undefined || (left !== undefined && left.monomial.key < right.monomial.key)) {
      if (left !== undefined) out.push(left);
      i++;
    } else if (left === undefined || right.monomial.key < left.monomial.key) {
      out.push(right);
      j++;
    } else {
      const coefficient = addRational(left.coefficient, right.coefficient);
      if (coefficient.num !== 0) out.push({ coefficient, monomial: left.monomial });
      i++;
      j++;
    }
  }
  return out.length === 0 ? zero : new NormalPoly(out);
}

export const neg = (a: Poly): Poly =>
  a.terms.length === 0
    ? zero
    : new NormalPoly(a.terms.map((t) => ({ coefficient: negRational(t.coefficient), monomial: t.monomial })));

export const sub = (a: Poly, b: Poly): Poly => (a === b ? zero : add(a, neg(b)));

/** a * c for a rational c. */
export function scaleRational(a: Poly, c: Rational): Poly {
  if (c.num === 0) return zero;
  if (c.num === 1 && c.den === 1) return a;
  const terms = a.terms.map((t) => ({ coefficient: mulRational(t.coefficient, c), monomial: t.monomial }));
  if (terms.some((t) => isHuge(t.coefficient))) return unexpanded(a, rationalPoly(c));
  return new NormalPoly(terms);
}

/** a * num / den; a denominator of 0 is the caller's mistake and gives an undefined ratio. */
export function scale(a: Poly, num: Int, den: Int = 1): Poly {
  if (BigInt(den) === 0n) return atomPoly(ratioAtom(a, zero));
  return scaleRational(a, rational(num, den));
}

/** Products of more pairs of terms than this stay unexpanded, so that no text can make a polynomial explode. */
const MOST_PAIRS = 4096;

export function mul(a: Poly, b: Poly): Poly {
  if (a.terms.length === 0 || b.terms.length === 0) return zero;
  const [first, second] = a.terms.length < b.terms.length ? [a, b] : [b, a];
  const single = first.terms[0];
  if (first.terms.length === 1 && single !== undefined) return mulTerm(second, single);
  if (a.terms.length * b.terms.length > MOST_PAIRS) return unexpanded(a, b);
  const byKey = new Map<string, Term>();
  for (const s of a.terms) {
    for (const t of b.terms) {
      const monomial = mulMonomial(s.monomial, t.monomial);
      const product = mulRational(s.coefficient, t.coefficient);
      const known = byKey.get(monomial.key);
      const coefficient = known === undefined ? product : addRational(known.coefficient, product);
      byKey.set(monomial.key, { coefficient, monomial });
    }
  }
  const terms = [...byKey.values()].filter((t) => t.coefficient.num !== 0);
  if (terms.some((t) => isHuge(t.coefficient))) return unexpanded(a, b);
  return fromTerms(terms);
}

/** The sum of terms with distinct monomials, already sorted by monomial key: some of the terms of a polynomial. */
export const polyOf = (terms: readonly Term[]): Poly => (terms.length === 0 ? zero : new NormalPoly(terms));

/** Terms with distinct monomials and no zero coefficient, in any order. */
function fromTerms(terms: Term[]): Poly {
  if (terms.length === 0) return zero;
  terms.sort((s, t) => (s.monomial.key < t.monomial.key ? -1 : 1));
  return new NormalPoly(terms);
}

function mulTerm(a: Poly, term: Term): Poly {
  if (term.monomial.factors.length === 0) return scaleRational(a, term.coefficient);
  const terms = a.terms.map((t) => ({
    coefficient: mulRational(t.coefficient, term.coefficient),
    monomial: mulMonomial(t.monomial, term.monomial),
  }));
  if (terms.some((t) => isHuge(t.coefficient))) return unexpanded(a, new NormalPoly([term]));
  return fromTerms(terms);
}

/** a * b written as a / (1 / b): the same number, held as one atom. */
function unexpanded(a: Poly, b: Poly): Poly {
  const [first, second] = a.key < b.key ? [a, b] : [b, a];
  return atomPoly(ratioAtom(first, atomPoly(ratioAtom(one, second))));
}

/** a to the power n, an integer >= 0. */
export function pow(a: Poly, n: number): Poly {
  const single = a.terms[0];
  if (n > 1 && a.terms.length === 1 && single?.coefficient.num === 1 && single.coefficient.den === 1) {
    return monomialPoly(powMonomial(single.monomial, n));
  }
  let [result, base, left] = [one, a, n];
  while (left > 0) {
    if (left % 2 === 1) result = mul(result, base);
    left = Math.floor(left / 2);
    if (left > 0) base = mul(base, base);
  }
  return result;
}

/** 1 / (coefficient * monomial) of a polynomial of exactly one term; null otherwise. */
export function inverseTerm(a: Poly): Term | null {
  const single = a.terms[0];
  if (a.terms.length !== 1 || single === undefined) return null;
  return { coefficient: invertRational(single.coefficient), monomial: powMonomial(single.monomial, -1) };
}

/** The value of a polynomial without atoms. */
export function asRational(p: Poly): Rational | null {
  if (p.terms.length === 0) return { num: 0, den: 1 };
  const single = p.terms[0];
  if (p.terms.length > 1 || single === undefined || single.monomial.factors.length > 0) return null;
  return single.coefficient;
}

/** The value of an integer constant. */
export function asConstant(p: Poly): bigint | null {
  const c = asRational(p);
  return c === null || c.den !== 1 ? null : BigInt(c.num);
}

/** The value of an integer constant that is a safe number. */
export function asNumber(p: Poly): number | null {
  const c = asRational(p);
  return c === null || c.den !== 1 || typeof c.num !== "number" ? null : c.num;
}

/** The atom when p is exactly one atom. */
export function asAtom(p: Poly): Atom | null {
  const single = p.terms[0];
  if (p.terms.length !== 1 || single === undefined || single.monomial.factors.length !== 1) return null;
  const factor = single.monomial.factors[0];
  if (factor === undefined || factor.exponent !== 1 || compareRational(single.coefficient, rationalOne) !== 0)
    return null;
  return factor.atom;
}

/** The name when p is exactly one symbol. */
export function asSymbol(p: Poly): string | null {
  const atom = asAtom(p);
  return atom?.kind === "symbol" ? atom.name : null;
}

/** Atoms with longer keys are forgotten, see `bounded`. */
const LONGEST_KEY = 10_000;

export function floorAtom(numerator: Poly, denominator: Poly): Atom {
  const key = `floor(${numerator.key};${denominator.key})`;
  if (key.length > LONGEST_KEY) return forgotten(key);
  return { kind: "floor", key, numerator, denominator };
}

export function ratioAtom(numerator: Poly, denominator: Poly): Atom {
  const key = `ratio(${numerator.key};${denominator.key})`;
  if (key.length > LONGEST_KEY) return forgottenFraction(key);
  return { kind: "ratio", key, numerator, denominator };
}

export function extremumAtom(kind: "min" | "max", args: readonly Poly[]): Atom {
  const key = `${kind}(${args.map((a) => a.key).join(";")})`;
  if (key.length > LONGEST_KEY) return forgottenFraction(key);
  return { kind, key, args };
}

/** An integer of which only a fingerprint is kept: nothing is known of it but equality with itself. */
function forgotten(key: string): Atom {
  const name = `...${fingerprint(key, 1)}${fingerprint(key, 2)}`;
  return { kind: "value", key: valueKey(name), name };
}

/** The same for a number that need not be an integer. */
function forgottenFraction(key: string): Atom {
  const whole = atomPoly(forgotten(key));
  return ratioAtom(whole, add(atomPoly(forgotten(`den ${key}`)), one));
}

/** A 53-bit hash (cyrb53). */
function fingerprint(text: string, seed: number): string {
  let [h, k] = [0xdeadbeef ^ seed, 0x41c6ce57 ^ seed];
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    h = Math.imul(h ^ c, 2654435761);
    k = Math.imul(k ^ c, 1597334677);
  }
  h = Math.imul(h ^ (h >>> 16), 2246822507) ^ Math.imul(k ^ (k >>> 13), 3266489909);
  k = Math.imul(k ^ (k >>> 16), 2246822507) ^ Math.imul(h ^ (h >>> 13), 3266489909);
  return (4294967296 * (2097151 & k) + (h >>> 0)).toString(36);
}
