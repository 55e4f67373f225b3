/**
 * The scalar functions of the tensor graph: one entry answers every question about a function. `evaluate` is its meaning
 * in f64, `flops` a first guess of its cost. Truth values are 0 and 1. `floordiv` and `mod` round towards minus infinity.
 */
import {
  roundToBf16,
  roundToE2m1,
  roundToE4m3,
  roundToE5m2,
  roundToF16,
  roundToI8,
} from "../../runtime/formats/casts.ts";
import { pow2Ceil, roundToE8m0 } from "../../runtime/formats/e8m0.ts";
import { erf } from "./erf.ts";

interface ScalarFunction {
  readonly flops: number;
  readonly arity: number;
  readonly evaluate: (a: number, b: number, c: number) => number;
}

const unary = (flops: number, evaluate: (a: number) => number): ScalarFunction => ({ flops, arity: 1, evaluate });
const binary = (flops: number, evaluate: (a: number, b: number) => number): ScalarFunction => ({
  flops,
  arity: 2,
  evaluate,
});
const truth = (x: boolean): number => (x ? 1 : 0);

export const scalarFunctions = {
  add: binary(1, (a, b) => a + b),
  sub: binary(1, (a, b) => a - b),
  mul: binary(1, (a, b) => a * b),
  div: binary(4, (a, b) => a / b),
  floordiv: binary(1, (a, b) => Math.floor(a / b)),
  mod: binary(1, (a, b) => a - b * Math.floor(a / b)),
  /** Of 32-bit integers. */
  xor: binary(1, (a, b) => a ^ b),
  pow: binary(16, (a, b) => a ** b),
  maximum: binary(1, (a, b) => Math.max(a, b)),
  minimum: binary(1, (a, b) => Math.min(a, b)),
  neg: unary(1, (a) => -a),
  exp: unary(8, Math.exp),
  log: unary(8, Math.log),
  log1p: unary(8, Math.log1p),
  sqrt: unary(4, Math.sqrt),
  /** 1/√x; x = 0 gives +inf. */
  rsqrt: unary(4, (a) => 1 / Math.sqrt(a)),
  sin: unary(8, Math.sin),
  cos: unary(8, Math.cos),
  tanh: unary(8, Math.tanh),
  erf: unary(16, erf),
  abs: unary(1, Math.abs),
  sign: unary(1, Math.sign),
  floor: unary(1, Math.floor),
  ceil: unary(1, Math.ceil),
  /** Least power of two >= x, x > 0. */
  pow2_ceil: unary(2, pow2Ceil),
  lt: binary(1, (a, b) => truth(a < b)),
  le: binary(1, (a, b) => truth(a <= b)),
  eq: binary(1, (a, b) => truth(a === b)),
  and: binary(1, (a, b) => truth(a !== 0 && b !== 0)),
  or: binary(1, (a, b) => truth(a !== 0 || b !== 0)),
  not: unary(1, (a) => truth(a === 0)),
  /** select(c, a, b): a where c, else b; what is not chosen is not computed. */
  select: { flops: 1, arity: 3, evaluate: (c, a, b) => (c !== 0 ? a : b) },
  /** Casts: to the nearest value of the format, ties to even, saturating where the format has no infinity. */
  to_f32: unary(1, Math.fround),
  to_bf16: unary(2, roundToBf16),
  to_f16: unary(2, roundToF16),
  to_e4m3: unary(2, roundToE4m3),
  to_e5m2: unary(2, roundToE5m2),
  to_e2m1: unary(2, roundToE2m1),
  to_e8m0: unary(2, roundToE8m0),
  to_i8: unary(2, roundToI8),
} as const satisfies Record<string, ScalarFunction>;

export type ScalarFn = keyof typeof scalarFunctions;
export const isScalarFn = (name: string): name is ScalarFn => Object.hasOwn(scalarFunctions, name);

/** A reduction's combination and what it gives for nothing. */
interface MonoidEntry {
  readonly identity: number;
  readonly combine: (a: number, b: number) => number;
}
export const monoids = {
  sum: { identity: 0, combine: (a, b) => a + b },
  product: { identity: 1, combine: (a, b) => a * b },
  max: { identity: Number.NEGATIVE_INFINITY, combine: Math.max },
  min: { identity: Number.POSITIVE_INFINITY, combine: Math.min },
  any: { identity: 0, combine: (a, b) => truth(a !== 0 || b !== 0) },
  all: { identity: 1, combine: (a, b) => truth(a !== 0 && b !== 0) },
} as const satisfies Record<string, MonoidEntry>;
export type Monoid = keyof typeof monoids;
export const isMonoid = (name: string): name is Monoid => Object.hasOwn(monoids, name);
