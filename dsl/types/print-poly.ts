/** Symbolic integers as a person writes them. */
import { divideExact } from "./division.ts";
import {
  type Atom,
  add,
  atomPoly,
  degreeOf,
  exponentIn,
  type Monomial,
  monomialOf,
  monomialPoly,
  mul,
  neg,
  one,
  type Poly,
  polyOf,
  sub,
  type Term,
} from "./polynomial.ts";
import { compareRational, negRational, type Rational } from "./rational.ts";

/** How tightly a text binds: a sum, a product, a single thing. */
type Level = "sum" | "product" | "single";

interface Printed {
  readonly text: string;
  readonly level: Level;
  /** A `div` or `mod`, whose sign is not that of what stands first in it: -T div 4 is (-T) div 4. */
  readonly rounds?: true;
}

/** One summand: its text without a sign. */
interface Summand extends Printed {
  readonly negative: boolean;
}

/** `2*T + 1`, `E / G`, `H * W`, `T div 4`, `ceil_div(G, 2)`, `x mod m`, `min(R, 128)`. */
export const printPoly = (p: Poly): string => printed(p).text;

function printed(p: Poly): Printed {
  const { summands, rest } = recognise(p);
  const alone = summands.length + rest.terms.length === 1;
  const plain = [...rest.terms].sort(byReading).map((t) => printTerm(t, alone));
  const all = [
    ...plain.slice(0, plain.length - trailing(rest)),
    ...summands,
    ...plain.slice(plain.length - trailing(rest)),
  ];
  const first = all.findIndex((s) => !s.negative);
  if (first > 0) all.unshift(...all.splice(first, 1));
  const head = all[0];
  if (head === undefined) return { text: "0", level: "single" };
  const negated = (s: Printed): string => `-${s.rounds === true ? `(${s.text})` : wrap(s, "product")}`;
  if (all.length === 1) return head.negative ? { text: negated(head), level: "product" } : head;
  const text = all.map((s, i) =>
    i > 0 ? `${s.negative ? " - " : " + "}${wrap(s, "product")}` : s.negative ? negated(s) : wrap(s, "product"),
  );
  return { text: text.join(""), level: "sum" };
}

/** 1 when there is a constant, which is read last. */
const trailing = (p: Poly): number => (p.terms.some((t) => t.monomial.factors.length === 0) ? 1 : 0);

const rank = { sum: 0, product: 1, single: 2 } as const;

const wrap = (p: Printed, least: Level): string => (rank[p.level] >= rank[least] ? p.text : `(${p.text})`);

/** Higher degree first, then by name; the constant last. */
function byReading(a: Term, b: Term): number {
  if (a.monomial.factors.length === 0) return b.monomial.factors.length === 0 ? 0 : 1;
  if (b.monomial.factors.length === 0) return -1;
  const byDegree = degreeOf(b.monomial) - degreeOf(a.monomial);
  return byDegree !== 0 ? byDegree : a.monomial.key < b.monomial.key ? -1 : 1;
}

function printTerm(term: Term, alone: boolean): Summand {
  const c = term.coefficient;
  const negative = c.num < 0;
  const size = negative ? negRational(c) : c;
  return { ...printProduct(size, term.monomial, alone), negative };
}

/** A positive coefficient times a monomial. */
function printProduct(size: Rational, monomial: Monomial, alone: boolean): Printed {
  const above: Printed[] = [];
  const below: Printed[] = [];
  for (const { atom, exponent } of monomial.factors) {
    if (atom.kind === "ratio" && exponent === 1) {
      if (atom.numerator.key !== one.key) above.push(printed(atom.numerator));
      below.push(printed(atom.denominator));
    } else (exponent > 0 ? above : below).push(power(atom, Math.abs(exponent)));
  }
  if (size.den !== 1) below.unshift({ text: String(size.den), level: "single" });
  const counted = size.num !== 1 || above.length === 0;
  if (!counted && above.length === 1 && below.length === 0) return above[0] ?? { text: "", level: "single" };
  const spaced = alone && (!counted || above.length === 0);
  const factors = above.map((f) => wrap(f, "single"));
  if (counted) factors.unshift(String(size.num));
  const numerator = factors.join(spaced ? " * " : "*");
  if (below.length === 0) return { text: numerator, level: factors.length === 1 ? "single" : "product" };
  const divisor = below.map((f) => wrap(f, "single")).join("*");
  const denominator = below.length === 1 ? divisor : `(${divisor})`;
  return { text: `${numerator}${alone ? " / " : "/"}${denominator}`, level: "product" };
}

function power(atom: Atom, exponent: number): Printed {
  const base = printAtom(atom);
  return exponent === 1 ? base : { text: `${wrap(base, "single")}^${exponent}`, level: "single" };
}

function printAtom(atom: Atom): Printed {
  switch (atom.kind) {
    case "symbol":
    case "index":
    case "value":
      return { text: atom.name, level: "single" };
    case "floor":
      return binary(atom.numerator, "div", atom.denominator);
    case "ratio":
      return binary(atom.numerator, "/", atom.denominator);
    case "min":
    case "max":
      return { text: `${atom.kind}(${atom.args.map(printPoly).join(", ")})`, level: "single" };
    default:
      return atom satisfies never;
  }
}

function binary(left: Poly, operator: "div" | "mod" | "/", right: Poly): Printed {
  const [a, b] = [printed(left), printed(right)];
  const text = `${wrap(a, "product")} ${operator} ${wrap(b, "single")}`;
  return operator === "/" ? { text, level: "product" } : { text, level: "product", rounds: true };
}

/** Takes out of p what is better written as ceil_div or mod. */
function recognise(p: Poly): { readonly summands: readonly Summand[]; readonly rest: Poly } {
  const summands: Summand[] = [];
  let rest = p;
  for (const term of p.terms) {
    for (const { atom, exponent } of term.monomial.factors) {
      if (atom.kind !== "floor" || exponent !== 1) continue;
      const found = ceiling(rest, term, atom) ?? remainder(rest, atom);
      if (found === null) continue;
      summands.push(found.summand);
      rest = found.rest;
      break;
    }
  }
  return { summands, rest };
}

type Floor = Extract<Atom, { readonly kind: "floor" }>;

interface Found {
  readonly summand: Summand;
  readonly rest: Poly;
}

/** c * m * floor((x - 1) / d) + c * m = c * m * ceil_div(x, d). */
function ceiling(p: Poly, term: Term, atom: Floor): Found | null {
  if (!p.terms.includes(term)) return null;
  const x = add(atom.numerator, one);
  if (x.terms.length === 0 || x.terms.length >= atom.numerator.terms.length) return null;
  const others = monomialOf(term.monomial.factors.filter((f) => f.atom !== atom));
  const beside = p.terms.find((t) => t.monomial.key === others.key)?.coefficient;
  const c = term.coefficient;
  if (beside === undefined || beside.num > 0 !== c.num > 0) return null;
  if (compareRational(absolute(beside), absolute(c)) < 0) return null;
  const taken = add(monomialPoly(term.monomial, c), monomialPoly(others, c));
  const text = `ceil_div(${printPoly(x)}, ${printPoly(atom.denominator)})`;
  return { summand: multiple(c, others, { text, level: "single" }), rest: sub(p, taken) };
}

/** k * n - k * d * floor(n / d) = k * (n mod d), where that makes p shorter. */
function remainder(p: Poly, atom: Floor): Found | null {
  const mine = p.terms.filter((t) => exponentIn(t.monomial, atom.key) === 1);
  const k = neg(divideExact(divideExact(polyOf(mine), atomPoly(atom)), atom.denominator));
  const single = k.terms[0];
  if (k.terms.length !== 1 || single === undefined) return null;
  if (single.monomial.factors.some((f) => f.exponent < 0 || f.atom.kind === "ratio")) return null;
  const taken = mul(k, sub(atom.numerator, mul(atom.denominator, atomPoly(atom))));
  const rest = sub(p, taken);
  if (rest.terms.length > p.terms.length - mine.length - atom.numerator.terms.length) return null;
  const modulo = binary(atom.numerator, "mod", atom.denominator);
  return { summand: multiple(single.coefficient, single.monomial, modulo), rest };
}

const absolute = (c: Rational): Rational => (c.num < 0 ? negRational(c) : c);

/** c * m * thing. */
function multiple(c: Rational, m: Monomial, thing: Printed): Summand {
  const negative = c.num < 0;
  const size = absolute(c);
  if (m.factors.length === 0 && size.num === 1 && size.den === 1) return { ...thing, negative };
  if (size.num === 1 && size.den !== 1 && m.factors.length === 0) {
    return { text: `${wrap(thing, "single")}/${size.den}`, level: "product", negative };
  }
  const factor = printProduct(size, m, false);
  return { text: `${wrap(factor, "product")}*${wrap(thing, "single")}`, level: "product", negative };
}
