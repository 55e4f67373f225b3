/**
 * The operations of kernel IR: one entry answers what they take, how they are written, and what they mean. They act lane by
 * lane on vectors of any width. Every f32 result is rounded once to f32; i32, i64 and u32 wrap; a bool is 0 or 1.
 */
import { erf } from "../ops/erf.ts";
import type { Elem } from "./elem.ts";

export type Meaning = (a: number, b: number, c: number) => number;
/** Of an i64; `condition` is what `select` chooses by. A comparison is a truth value. */
export type WideMeaning = (a: bigint, b: bigint, condition: number) => bigint | boolean;
export interface Op {
  readonly arity: 1 | 2 | 3;
  /** By the elem of the operands (of the last two, for `select`); what is not there is not allowed. */
  readonly on: {
    readonly f32?: Meaning;
    readonly i32?: Meaning;
    readonly u32?: Meaning;
    readonly bool?: Meaning;
    readonly i64?: WideMeaning;
  };
  /** Whether the result is a bool; otherwise it has the operands' type. */
  readonly compares: boolean;
  /** Infix spelling; a higher level binds tighter, all associate to the left. Without it the name is called. */
  readonly infix: { readonly sign: string; readonly level: number } | null;
}

const round = Math.fround;
const truth = (x: boolean): number => (x ? 1 : 0);
const called = (arity: 1 | 2 | 3, on: Op["on"]): Op => ({ arity, on, compares: false, infix: null });
const infix = (sign: string, level: number, on: Op["on"]): Op => ({
  arity: 2,
  on,
  compares: false,
  infix: { sign, level },
});
const comparison = (sign: string, level: number, meaning: Meaning, i64: WideMeaning): Op => ({
  ...infix(sign, level, { f32: meaning, i32: meaning, u32: meaning, i64 }),
  compares: true,
});
/** Not Math.min itself: a meaning may be called with more arguments than it takes. */
const least: Meaning = (a, b) => Math.min(a, b);
const greatest: Meaning = (a, b) => Math.max(a, b);
const wrapped = (x: bigint): bigint => BigInt.asIntN(64, x);
const chosen: Meaning = (c, a, b) => (c !== 0 ? a : b);

const table = {
  or: infix("|", 1, {
    bool: (a, b) => a | b,
    i32: (a, b) => a | b,
    u32: (a, b) => (a | b) >>> 0,
    i64: (a, b) => a | b,
  }),
  and: infix("&", 2, {
    bool: (a, b) => a & b,
    i32: (a, b) => a & b,
    u32: (a, b) => (a & b) >>> 0,
    i64: (a, b) => a & b,
  }),
  eq: comparison(
    "==",
    3,
    (a, b) => truth(a === b),
    (a, b) => a === b,
  ),
  lt: comparison(
    "<",
    4,
    (a, b) => truth(a < b),
    (a, b) => a < b,
  ),
  le: comparison(
    "<=",
    4,
    (a, b) => truth(a <= b),
    (a, b) => a <= b,
  ),
  xor: called(2, { i32: (a, b) => a ^ b, u32: (a, b) => (a ^ b) >>> 0, i64: (a, b) => a ^ b }),
  /** By 0 to 31 bits, of an i64 by 0 to 63. */
  shl: infix("<<", 5, { i32: (a, b) => a << b, u32: (a, b) => (a << b) >>> 0, i64: (a, b) => wrapped(a << b) }),
  /** As `shl`; of an i32 and an i64 the sign is repeated. */
  shr: infix(">>", 5, { i32: (a, b) => a >> b, u32: (a, b) => a >>> b, i64: (a, b) => a >> b }),
  add: infix("+", 6, {
    f32: (a, b) => round(a + b),
    i32: (a, b) => (a + b) | 0,
    u32: (a, b) => (a + b) >>> 0,
    i64: (a, b) => wrapped(a + b),
  }),
  sub: infix("-", 6, {
    f32: (a, b) => round(a - b),
    i32: (a, b) => (a - b) | 0,
    u32: (a, b) => (a - b) >>> 0,
    i64: (a, b) => wrapped(a - b),
  }),
  mul: infix("*", 7, {
    f32: (a, b) => round(a * b),
    i32: Math.imul,
    u32: (a, b) => Math.imul(a, b) >>> 0,
    i64: (a, b) => wrapped(a * b),
  }),
  /** Integers truncate; division by zero has no meaning, and the interpreter reports it. */
  div: infix("/", 7, {
    f32: (a, b) => round(a / b),
    i32: (a, b) => (a / b) | 0,
    u32: (a, b) => (a / b) >>> 0,
    i64: (a, b) => wrapped(a / b),
  }),
  /** a - b * (a / b): the sign of a. */
  mod: infix("%", 7, { i32: (a, b) => (a % b) | 0, u32: (a, b) => (a % b) >>> 0, i64: (a, b) => a % b }),
  /** Of a nan and a number either may result, of -0 and 0 either: targets differ. */
  min: called(2, { f32: least, i32: least, u32: least, i64: (a, b) => (a < b ? a : b) }),
  max: called(2, { f32: greatest, i32: greatest, u32: greatest, i64: (a, b) => (a > b ? a : b) }),
  /** a*b + c, rounded once or twice: the target's choice, so results may differ in the last bit. */
  fma: called(3, { f32: (a, b, c) => round(round(a * b) + c) }),
  /** select(condition, then, else): both are computed. */
  select: called(3, { f32: chosen, i32: chosen, u32: chosen, bool: chosen, i64: (a, b, c) => (c !== 0 ? a : b) }),
  not: called(1, { bool: (a) => 1 - a }),
  neg: called(1, { f32: (a) => -a, i32: (a) => -a | 0, i64: (a) => wrapped(-a) }),
  abs: called(1, { f32: Math.abs }),
  /** The number itself. Arithmetic of reals is not taken apart across it, as compilers of GPUs do: (a + b) - a would be b. */
  rounded: called(1, { f32: (a) => a }),
  floor: called(1, { f32: Math.floor }),
  ceil: called(1, { f32: Math.ceil }),
  sqrt: called(1, { f32: (a) => round(Math.sqrt(a)) }),
  /** 1/√x to 2 ulp; x = 0 gives +inf. */
  rsqrt: called(1, { f32: (a) => round(1 / Math.sqrt(a)) }),
  /** To 4 ulp; results below 2^-125 may be 0. */
  exp: called(1, { f32: (a) => round(Math.exp(a)) }),
  /** To 4 ulp; of 0 -inf, below 0 nan. */
  log: called(1, { f32: (a) => round(Math.log(a)) }),
  /** log(1 + a) to 4 ulp; of -1 -inf, below nan; results below 2^-126 may be 0. */
  log1p: called(1, { f32: (a) => round(Math.log1p(a)) }),
  /**
   * To 8 ulp where |b·log a| < 86; results below 2^-125 may be 0. Where a < 0, b is whole; otherwise nan. 1 to an infinite
   * power is 1 or nan: targets differ.
   */
  pow: called(2, { f32: (a, b) => round(a ** b) }),
  /** To 2^-22 absolutely for |a| <= 2^17.5; beyond, targets may give any number of -1..1. Of -0 either zero. */
  sin: called(1, { f32: (a) => round(Math.sin(a)) }),
  cos: called(1, { f32: (a) => round(Math.cos(a)) }),
  /** To 4 ulp. */
  tanh: called(1, { f32: (a) => round(Math.tanh(a)) }),
  /** To 4 ulp. */
  erf: called(1, { f32: (a) => round(erf(a)) }),
} as const satisfies Record<string, Op>;

export type OpName = keyof typeof table;
export const ops: Readonly<Record<OpName, Op>> = table;
export const isOp = (name: string): name is OpName => Object.hasOwn(table, name);
/** What an operation does to numbers; none of an i64, which are no numbers. */
export function meaningOn(op: OpName, elem: Elem): Meaning | undefined {
  const { on } = ops[op];
  return elem === "f32" || elem === "i32" || elem === "u32" || elem === "bool" ? on[elem] : undefined;
}
export const opNames: readonly OpName[] = Object.keys(table).filter(isOp);

/** What lowering writes out as polynomials for targets that do not have it at the accuracy above. */
export const transcendentals = ["exp", "log", "log1p", "pow", "sin", "cos", "tanh", "erf"] as const satisfies OpName[];
export type Transcendental = (typeof transcendentals)[number];
export const isTranscendental = (op: OpName): op is Transcendental => transcendentals.some((t) => t === op);

/** Reductions: of the lanes of a vector (`fold`) or of a work item (`reduce`). The order of the operations is the target's. */
export const monoids = {
  sum: { op: "add", identity: { f32: 0, i32: 0 } },
  max: { op: "max", identity: { f32: Number.NEGATIVE_INFINITY, i32: -0x80000000 } },
  min: { op: "min", identity: { f32: Number.POSITIVE_INFINITY, i32: 0x7fffffff } },
} as const satisfies Record<string, { op: OpName; identity: { f32: number; i32: number } }>;
export type Monoid = keyof typeof monoids;
export const isMonoid = (name: string): name is Monoid => Object.hasOwn(monoids, name);
