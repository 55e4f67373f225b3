/** Sizes as expressions: of kernels, and of programs. */
import type { Atom, Poly } from "../../../dsl/types/polynomial.ts";
import type { SizeExpr } from "../../../runtime/artifact/program.ts";
import { constantOf, type Dim, printDim } from "../../graph/dim.ts";
import { InternalError } from "../../graph/internal-error.ts";
import * as ir from "../../kernel/expr.ts";
import type { Expr } from "../../kernel/kernel.ts";

/** Arithmetic on whole numbers that sizes are spelled in. */
interface Arithmetic<E> {
  readonly number: (n: number) => E;
  readonly name: (n: string) => E;
  readonly add: (a: E, b: E) => E;
  readonly mul: (a: E, b: E) => E;
  /** Rounds down; both are not negative. */
  readonly div: (a: E, b: E) => E;
  readonly min: (a: E, b: E) => E;
  readonly max: (a: E, b: E) => E;
}

function spell<E>(d: Poly, by: Arithmetic<E>): E {
  let total: E | null = null;
  for (const { coefficient, monomial } of d.terms) {
    const [num, den] = [Number(coefficient.num), Number(coefficient.den)];
    let product: E | null = num === 1 && monomial.factors.length > 0 ? null : by.number(num);
    for (const { atom, exponent } of monomial.factors) {
      if (exponent < 0) throw new InternalError(`the size ${printDim(d)} divides by a run-time size`);
      for (let i = 0; i < exponent; i += 1) {
        const factor: E = spellAtom(atom, by);
        product = product === null ? factor : by.mul(product, factor);
      }
    }
    let term: E = product ?? by.number(num);
    if (den !== 1) term = by.div(term, by.number(den));
    total = total === null ? term : by.add(total, term);
  }
  return total ?? by.number(0);
}

function spellAtom<E>(atom: Atom, by: Arithmetic<E>): E {
  switch (atom.kind) {
    case "symbol":
    case "index":
    case "value":
      return by.name(atom.name);
    case "floor":
    case "ratio":
      return by.div(spell(atom.numerator, by), spell(atom.denominator, by));
    case "min":
    case "max": {
      const [first, ...rest] = atom.args.map((a) => spell(a, by));
      if (first === undefined) throw new InternalError("an extremum of nothing");
      return rest.reduce((a, b) => (atom.kind === "min" ? by.min(a, b) : by.max(a, b)), first);
    }
    default:
      return atom satisfies never;
  }
}

const kernelArithmetic: Arithmetic<Expr> = {
  number: (n) => ir.constant(n),
  name: (n) => ir.name(n),
  add: (a, b) => ir.add(a, b),
  mul: (a, b) => ir.mul(a, b),
  div: ir.div,
  min: ir.min,
  max: ir.max,
};
/** Over the kernel's sizes. */
export const dimExpr = (d: Dim): Expr => {
  const n = constantOf(d);
  return n === null ? spell(d, kernelArithmetic) : ir.constant(n);
};

const programArithmetic: Arithmetic<SizeExpr> = {
  number: (n) => n,
  name: (n) => n,
  add: (a, b) => ["+", a, b],
  mul: (a, b) => ["*", a, b],
  div: (a, b) => ["/", a, b],
  min: (a, b) => ["min", a, b],
  max: (a, b) => ["max", a, b],
};
/** Over the sizes of a call. */
export const dimSize = (d: Dim): SizeExpr => spell(d, programArithmetic);

/** Names of sizes in a size. */
export function namesIn(d: Poly, into: Set<string> = new Set()): Set<string> {
  for (const { monomial } of d.terms)
    for (const { atom } of monomial.factors) {
      if ("numerator" in atom) {
        namesIn(atom.numerator, into);
        namesIn(atom.denominator, into);
      } else if ("args" in atom) for (const a of atom.args) namesIn(a, into);
      else into.add(atom.name);
    }
  return into;
}

/** The largest number that is known to divide a size. */
export function factorOf(d: Dim): number {
  const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
  let factor = 0;
  for (const { coefficient } of d.terms) {
    if (Number(coefficient.den) !== 1) return 1;
    factor = gcd(Math.abs(Number(coefficient.num)), factor);
  }
  return factor;
}
