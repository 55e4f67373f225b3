import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Facts, noFacts, withBounds, withIntegral, withNonNegative } from "./facts.ts";
import {
  type Atom,
  add,
  atomsOf,
  ceilDivide,
  constant,
  divideExact,
  evaluate,
  floorDivide,
  index,
  indexKey,
  maxOf,
  minOf,
  modulo,
  mul,
  one,
  type Poly,
  pow,
  printPoly,
  scale,
  sub,
  substitute,
  symbol,
  symbolKey,
  value,
  valueKey,
  zero,
} from "./poly.ts";
import { compare, isIntegral, isNonNegative, isPositive } from "./prove.ts";

/** An expression that is built as a polynomial and, by ordinary arithmetic of bigint fractions, computed. */
type Expr =
  | { readonly op: "leaf"; readonly key: string }
  | { readonly op: "constant"; readonly n: number }
  | {
      readonly op: "add" | "sub" | "mul" | "div" | "ceil" | "mod" | "min" | "max" | "exact";
      readonly a: Expr;
      readonly b: Expr;
    };

type Env = ReadonlyMap<string, bigint>;

const leaves = new Map<string, Poly>([
  [symbolKey("A"), symbol("A")],
  [symbolKey("B"), symbol("B")],
  [indexKey("i"), index("i")],
  [indexKey("j"), index("j")],
  [valueKey("x"), value("x")],
]);
const positive = new Set([symbolKey("A"), symbolKey("B")]);

function build(e: Expr, facts?: Facts): Poly {
  if (e.op === "leaf") return leaves.get(e.key) ?? zero;
  if (e.op === "constant") return constant(e.n);
  const [a, b] = [build(e.a, facts), build(e.b, facts)];
  switch (e.op) {
    case "add":
      return add(a, b);
    case "sub":
      return sub(a, b);
    case "mul":
      return mul(a, b);
    case "div":
      return floorDivide(a, b, facts);
    case "ceil":
      return ceilDivide(a, b, facts);
    case "mod":
      return modulo(a, b, facts);
    case "min":
      return minOf([a, b]);
    case "max":
      return maxOf([a, b]);
    case "exact":
      return divideExact(a, b);
  }
}

/** A number that need not be an integer; den > 0, in lowest terms. */
interface Fraction {
  readonly num: bigint;
  readonly den: bigint;
}

const gcd = (a: bigint, b: bigint): bigint => (b === 0n ? (a < 0n ? -a : a) : gcd(b, a % b));
function fraction(num: bigint, den: bigint): Fraction {
  const g = den < 0n ? -gcd(num, den) : gcd(num, den);
  return { num: num / g, den: den / g };
}
const whole = (n: bigint): Fraction => ({ num: n, den: 1n });
const plus = (a: Fraction, b: Fraction): Fraction => fraction(a.num * b.den + b.num * a.den, a.den * b.den);
const times = (a: Fraction, b: Fraction): Fraction => fraction(a.num * b.num, a.den * b.den);
const over = (a: Fraction, b: Fraction): Fraction => fraction(a.num * b.den, a.den * b.num);
const minusOne = whole(-1n);
const differ = (a: Fraction, b: Fraction): Fraction => plus(a, times(minusOne, b));
const floored = (a: Fraction): Fraction => whole((a.num - (((a.num % a.den) + a.den) % a.den)) / a.den);

/** The value by ordinary arithmetic; null where an exact divisor is 0 or another divisor is not positive. */
function compute(e: Expr, env: Env): Fraction | null {
  if (e.op === "leaf") {
    const n = env.get(e.key);
    return n === undefined ? null : whole(n);
  }
  if (e.op === "constant") return whole(BigInt(e.n));
  const [a, b] = [compute(e.a, env), compute(e.b, env)];
  if (a === null || b === null) return null;
  switch (e.op) {
    case "add":
      return plus(a, b);
    case "sub":
      return differ(a, b);
    case "mul":
      return times(a, b);
    case "div":
      return b.num > 0n ? floored(over(a, b)) : null;
    case "ceil":
      return b.num > 0n ? plus(floored(over(plus(a, minusOne), b)), whole(1n)) : null;
    case "mod":
      return b.num > 0n ? differ(a, times(b, floored(over(a, b)))) : null;
    case "min":
      return differ(a, b).num < 0n ? a : b;
    case "max":
      return differ(a, b).num > 0n ? a : b;
    case "exact":
      return b.num === 0n ? null : over(a, b);
  }
}

/** What `evaluate` must say: the value where it is an integer. */
const asInteger = (v: Fraction): bigint | null => (v.den === 1n ? v.num : null);

const leafArb: fc.Arbitrary<Expr> = fc.oneof(
  { arbitrary: fc.constantFrom(...leaves.keys()).map((key): Expr => ({ op: "leaf", key })), weight: 3 },
  { arbitrary: fc.integer({ min: -4, max: 4 }).map((n): Expr => ({ op: "constant", n })), weight: 1 },
);
/** Something that is a divisor: positive for all values, or at least often. */
const divisorArb: fc.Arbitrary<Expr> = fc.oneof(
  fc.constantFrom(...positive).map((key): Expr => ({ op: "leaf", key })),
  fc.integer({ min: 1, max: 4 }).map((n): Expr => ({ op: "constant", n })),
  fc.constant<Expr>({ op: "mul", a: { op: "leaf", key: symbolKey("A") }, b: { op: "leaf", key: symbolKey("B") } }),
  fc.constant<Expr>({ op: "add", a: { op: "leaf", key: symbolKey("A") }, b: { op: "constant", n: 1 } }),
  fc.constant<Expr>({ op: "exact", a: { op: "leaf", key: symbolKey("A") }, b: { op: "leaf", key: symbolKey("B") } }),
  fc.constant<Expr>({ op: "exact", a: { op: "leaf", key: symbolKey("A") }, b: { op: "constant", n: 2 } }),
);
const ring = fc.constantFrom("add" as const, "sub" as const, "mul" as const);
const other = fc.constantFrom("min" as const, "max" as const);
const quotient = fc.constantFrom("div" as const, "ceil" as const, "mod" as const, "exact" as const);
/** An exact divisor may have either sign. */
const signedDivisorArb: fc.Arbitrary<Expr> = fc.oneof(
  fc.constantFrom(...leaves.keys()).map((key): Expr => ({ op: "leaf", key })),
  fc.constant<Expr>({ op: "add", a: { op: "leaf", key: valueKey("x") }, b: { op: "leaf", key: symbolKey("A") } }),
);

function exprArb(depth: number): fc.Arbitrary<Expr> {
  if (depth === 0) return leafArb;
  const inner = exprArb(depth - 1);
  return fc.oneof(
    { arbitrary: leafArb, weight: 2 },
    { arbitrary: fc.record({ op: ring, a: inner, b: inner }), weight: 5 },
    { arbitrary: fc.record({ op: quotient, a: inner, b: divisorArb }), weight: 3 },
    { arbitrary: fc.record({ op: fc.constant("exact" as const), a: inner, b: signedDivisorArb }), weight: 1 },
    { arbitrary: fc.record({ op: other, a: inner, b: inner }), weight: 1 },
  );
}

const envArb: fc.Arbitrary<Env> = fc
  .tuple(...[...leaves.keys()].map((k) => fc.integer({ min: positive.has(k) ? 1 : -6, max: 7 })))
  .map((values) => new Map([...leaves.keys()].map((k, at) => [k, BigInt(values[at] ?? 0)])));

const sizesOf =
  (env: Env) =>
  (atom: Atom): bigint | null =>
    env.get(atom.key) ?? null;

const runs = { numRuns: 1500 };

describe("arithmetic", () => {
  it("agrees with integer arithmetic", () => {
    fc.assert(
      fc.property(exprArb(3), envArb, (e, env) => {
        const expected = compute(e, env);
        if (expected !== null) expect(evaluate(build(e), sizesOf(env))).toBe(asInteger(expected));
      }),
      { numRuns: 4000 },
    );
  });

  it("keeps the laws of a ring, by key", () => {
    fc.assert(
      fc.property(exprArb(2), exprArb(2), exprArb(2), (x, y, z) => {
        const [a, b, c] = [build(x), build(y), build(z)];
        expect(add(a, b).key).toBe(add(b, a).key);
        expect(mul(a, b).key).toBe(mul(b, a).key);
        expect(add(add(a, b), c).key).toBe(add(a, add(b, c)).key);
        expect(mul(mul(a, b), c).key).toBe(mul(a, mul(b, c)).key);
        expect(mul(a, add(b, c)).key).toBe(add(mul(a, b), mul(a, c)).key);
        expect(sub(a, a).key).toBe(zero.key);
        expect(pow(a, 3).key).toBe(mul(a, mul(a, a)).key);
        expect(scale(scale(a, 3), 1, 3).key).toBe(a.key);
      }),
      runs,
    );
  });

  it("divides exactly what was multiplied", () => {
    fc.assert(
      fc.property(exprArb(2), exprArb(2), (x, y) => {
        const [a, b] = [build(x), build(y)];
        if (b.key !== zero.key && b.terms.length <= 8) expect(divideExact(mul(a, b), b).key).toBe(a.key);
      }),
      runs,
    );
  });

  it("has floors in normal form", () => {
    fc.assert(
      fc.property(exprArb(2), divisorArb, exprArb(1), (x, y, z) => {
        const [a, b] = [build(x), build(y)];
        const quotientOf = floorDivide(a, b);
        expect(floorDivide(quotientOf, one).key).toBe(quotientOf.key);
        for (const atom of atomsOf(quotientOf).values()) {
          if (atom.kind === "floor") expect(floorDivide(atom.numerator, atom.denominator).key).toContain(atom.key);
        }
        const k = build(z);
        if (b.terms.length === 1 && isIntegral(k, noFacts) === "yes") {
          expect(floorDivide(add(a, mul(k, b)), b).key).toBe(add(quotientOf, k).key);
        }
      }),
      runs,
    );
  });

  it("substitutes as it evaluates", () => {
    fc.assert(
      fc.property(exprArb(3), exprArb(1), fc.constantFrom(indexKey("i"), valueKey("x")), envArb, (e, by, key, env) => {
        const inner = compute(by, env);
        if (inner === null || inner.den !== 1n) return;
        const expected = compute(e, new Map(env).set(key, inner.num));
        if (expected === null) return;
        expect(evaluate(substitute(build(e), new Map([[key, build(by)]])), sizesOf(env))).toBe(asInteger(expected));
      }),
      { numRuns: 3000 },
    );
  });

  it("prints anything", () => {
    fc.assert(
      fc.property(exprArb(3), (e) => {
        expect(printPoly(build(e))).not.toBe("");
      }),
    );
  });
});

/** The values that are enumerated: small ones. */
const symbols = [1n, 2n, 3n, 4n];
const firstIndices = [-1n, 0n, 1n, 3n];
const secondIndices = [-1n, 0n, 2n];
const values = [-2n, -1n, 0n, 1n, 4n];

interface World {
  readonly facts: Facts;
  readonly holds: (env: Env) => boolean;
}

interface Stated {
  readonly nonNegative: readonly Expr[];
  readonly integral: readonly Expr[];
  readonly bounds: readonly { readonly key: string; readonly lower: Expr | null; readonly upper: Expr | null }[];
}

const statedArb: fc.Arbitrary<Stated> = fc.record({
  nonNegative: fc.array(exprArb(2), { maxLength: 3 }),
  integral: fc.array(divisorArb, { maxLength: 2 }),
  bounds: fc.array(
    fc.record({
      key: fc.constantFrom(...leaves.keys()),
      lower: fc.option(exprArb(1)),
      upper: fc.option(exprArb(1)),
    }),
    { maxLength: 3 },
  ),
});

function worldOf(stated: Stated): World {
  let facts = noFacts;
  const bounded = new Set<string>();
  const checks: ((env: Env) => boolean)[] = [];
  const atLeast =
    (low: Expr, high: Expr) =>
    (env: Env): boolean => {
      const [a, b] = [compute(low, env), compute(high, env)];
      return a !== null && b !== null && differ(b, a).num >= 0n;
    };
  for (const { key, lower, upper } of stated.bounds) {
    if (bounded.has(key)) continue;
    bounded.add(key);
    const self: Expr = { op: "leaf", key };
    const low = lower === null && positive.has(key) ? ({ op: "constant", n: 1 } as const) : lower;
    facts = withBounds(facts, key, {
      lower: low === null ? null : build(low),
      upper: upper === null ? null : build(upper),
    });
    if (low !== null) checks.push(atLeast(low, self));
    if (upper !== null) checks.push(atLeast(self, upper));
  }
  for (const key of [indexKey("i"), indexKey("j")]) {
    if (!bounded.has(key)) checks.push(atLeast({ op: "constant", n: 0 }, { op: "leaf", key }));
  }
  for (const e of stated.nonNegative) {
    facts = withNonNegative(facts, build(e));
    checks.push(atLeast({ op: "constant", n: 0 }, e));
  }
  for (const e of stated.integral) {
    facts = withIntegral(facts, build(e));
    checks.push((env) => compute(e, env)?.den === 1n);
  }
  return { facts, holds: (env) => checks.every((c) => c(env)) };
}

function* environments(): Generator<Env> {
  for (const A of symbols)
    for (const B of symbols)
      for (const i of firstIndices)
        for (const j of secondIndices)
          for (const x of values) {
            yield new Map([
              [symbolKey("A"), A],
              [symbolKey("B"), B],
              [indexKey("i"), i],
              [indexKey("j"), j],
              [valueKey("x"), x],
            ]);
          }
}
const everyEnvironment = [...environments()];

/** Symbols are enumerated as >= 1 only; their stated lower bounds above are never below that. */
const usable = (stated: Stated): boolean => stated.bounds.every((b) => !positive.has(b.key) || b.lower === null);

const offset = (e: Expr, n: number): Expr => ({ op: "add", a: e, b: { op: "constant", n } });
const minus = (a: Expr, b: Expr): Expr => ({ op: "sub", a, b });

/** Sides of stated inequalities, of which goals are made that often follow from the facts or nearly do. */
const sidesOf = (stated: Stated): readonly Expr[] => [
  ...stated.nonNegative,
  ...stated.bounds.flatMap(({ key, lower, upper }) => [
    ...(lower === null ? [] : [minus({ op: "leaf", key }, lower)]),
    ...(upper === null ? [] : [minus(upper, { op: "leaf", key })]),
  ]),
];

/** Picks, from what is stated, a goal that is close to being true. */
interface Recipe {
  readonly first: number;
  readonly second: number;
  readonly shape: "sum" | "product" | "floor" | "scaled" | "order" | "wild";
  readonly by: Expr;
  readonly divisor: Expr;
  readonly wild: Expr;
  readonly n: number;
}

const recipeArb: fc.Arbitrary<Recipe> = fc.record({
  first: fc.nat(9),
  second: fc.nat(9),
  shape: fc.constantFrom("sum", "product", "floor", "scaled", "order", "wild"),
  by: exprArb(1),
  divisor: divisorArb,
  wild: exprArb(3),
  n: fc.integer({ min: -2, max: 2 }),
});

function goalOf(recipe: Recipe, stated: Stated): Expr {
  const sides = sidesOf(stated);
  const [a, b] = [sides[recipe.first % sides.length], sides[recipe.second % sides.length]];
  if (a === undefined || b === undefined || recipe.shape === "wild") return recipe.wild;
  switch (recipe.shape) {
    case "sum":
      return offset({ op: "add", a, b }, recipe.n);
    case "product":
      return offset({ op: "mul", a, b }, recipe.n);
    case "floor":
      return offset({ op: "div", a: { op: "add", a, b: recipe.by }, b: recipe.divisor }, recipe.n);
    case "scaled":
      return offset({ op: "mul", a, b: recipe.by }, recipe.n);
    case "order": {
      const divided = (e: Expr): Expr => ({ op: "div", a: e, b: recipe.divisor });
      return offset(minus(divided({ op: "add", a, b: recipe.by }), divided(recipe.by)), recipe.n);
    }
    default:
      return recipe.shape satisfies never;
  }
}

describe("soundness", () => {
  it("is never contradicted by a value", () => {
    let [decided, withFacts] = [0, 0];
    fc.assert(
      fc.property(
        statedArb,
        fc.array(recipeArb, { minLength: 2, maxLength: 8 }),
        fc.boolean(),
        (stated, recipes, blind) => {
          if (!usable(stated)) return;
          const { facts: plain, holds } = worldOf(stated);
          // A fact that no sample point satisfies leaves the search on its own: points may not hide a wrong proof.
          const facts = blind ? withNonNegative(plain, sub(symbol("Large"), constant(100_000))) : plain;
          const envs = everyEnvironment.filter(holds);
          if (envs.length === 0) return;
          for (const recipe of recipes) {
            const e = goalOf(recipe, stated);
            const p = build(e, facts);
            const answers = [
              isNonNegative(p, facts),
              isPositive(p, facts),
              compare(p, zero, facts),
              isIntegral(p, facts),
            ];
            const [sign, strict, same, integer] = answers;
            if (answers.every((a) => a === "unknown")) continue;
            if (p.terms.length > 1) decided++;
            if (sign !== "unknown" && isNonNegative(p, noFacts) === "unknown") withFacts++;
            envs.forEach((env, at) => {
              const v = compute(e, env);
              if (v === null) return;
              if (at < 10) expect(evaluate(p, sizesOf(env))).toBe(asInteger(v));
              if (sign !== "unknown" && v.num >= 0n !== (sign === "yes")) fail("isNonNegative", p, env, v);
              if (strict !== "unknown" && v.num > 0n !== (strict === "yes")) fail("isPositive", p, env, v);
              if (same !== "unknown" && (v.num === 0n) !== (same === "equal")) fail("compare", p, env, v);
              if (integer !== "unknown" && (v.den === 1n) !== (integer === "yes")) fail("isIntegral", p, env, v);
            });
          }
        },
      ),
      { numRuns: process.env["DSC_FULL"] === "1" ? 6000 : 800 },
    );
    expect(decided).toBeGreaterThan(500);
    expect(withFacts).toBeGreaterThan(50);
  }, 300_000);
});

function fail(question: string, p: Poly, env: Env, v: Fraction): void {
  throw new Error(
    `${question} of ${p.key} is wrong: ${v.num}/${v.den} at ${[...env].map(([k, n]) => `${k}=${n}`).join(" ")}`,
  );
}
