/**
 * How far an f32 result may be from the exact one: the one formula of the conformance suite.
 *
 * Every value of the reference carries a bound of the error that arithmetic in f32 may have made on the way to it, computed
 * beside the value from the bounds of its operands (running error analysis: N. Higham, Accuracy and Stability of Numerical
 * Algorithms, 3.3). With u = 2⁻²⁴:
 *
 *     x ∘ y            what the errors of x and y make of it, and one rounding: u·|x ∘ y|
 *     Σ of n terms     Σ errors of the terms + n·u·Σ|term|: any order of additions, fused or not, in parts or in one pass (4.2)
 *     f(x)             |f(x ± error) - f(x)|, and the accuracy that kernel/ops.ts states of f (`accuracy`)
 *     steps            comparisons, floor, casts, choices of elements: exact where x ± error falls on one side of every step;
 *                      elsewhere the height of the step, or `unknown` where there is no height
 *
 * What a machine promises less of than f32 is (`Arithmetic`) is part of the formula: quotients and roots that are some units off, by
 * divisors of usual size, numbers below the least normal one that count as 0, and what is no number.
 *
 * So the bound grows with the length of sums, the magnitudes of what is summed and the precision of the accumulator, as each
 * stands in the graph. What is computed exactly has the bound 0 and is to be met exactly: whole numbers, selections, casts of
 * what was given, gathers. `allowed` doubles the bound, since a compiler may take the same sums in another association, each
 * of whose errors has the same bound. Nothing is tuned for a case.
 */
import { type ScalarFn, scalarFunctions } from "../ops/scalar-functions.ts";

export const unit = 2 ** -24;
/** The value may be anything: overflow, a division by what may be 0, a choice that rounding decides. */
export const unknown = Number.POSITIVE_INFINITY;
/** Results below it may be 0 where a function is written out (kernel/ops.ts). */
const tiny = 2 ** -125;
const greatest = 3.4028234663852886e38;

/** How far a computed value may be from the reference's. */
export const allowed = (error: number): number => (error === 0 ? 0 : 2 * error + tiny);

/** What a machine makes of the operations that languages promise less of. */
export interface Arithmetic {
  /** How far a quotient or a square root may be off: relative, in units of u. 1: rounded once. */
  readonly quotient: number;
  readonly root: number;
  /** The greatest divisor of which that is said; others may make 0 of what they divide. */
  readonly divisor: number;
  /** Numbers below it, given or made, may count as 0; 0: none do. */
  readonly flushed: number;
  /** Whether what comes of no number is known to be none. */
  readonly nans: boolean;
}
export const exactArithmetic: Arithmetic = { quotient: 1, root: 1, divisor: greatest, flushed: 0, nans: true };

/** A number and the bound of its error; reused from call to call. */
export interface Rounded {
  value: number;
  error: number;
}

/** What each function adds, beside a rounding of its result: relative, in units of u, and absolute. */
const accuracy: Partial<Record<ScalarFn, { readonly relative: number; readonly absolute: number }>> = {
  exp: { relative: 8, absolute: tiny },
  log: { relative: 8, absolute: 0 },
  log1p: { relative: 8, absolute: tiny },
  pow: { relative: 16, absolute: tiny },
  rsqrt: { relative: 4, absolute: 0 },
  tanh: { relative: 8, absolute: 0 },
  erf: { relative: 8, absolute: 0 },
  sin: { relative: 0, absolute: 2 ** -22 },
  cos: { relative: 0, absolute: 2 ** -22 },
};

/** An error grows to `unknown` where f32 has no such number. */
const settle = (out: Rounded, value: number, error: number): void => {
  out.value = value;
  const known = !Number.isNaN(error) && (error === 0 || Math.abs(value) + error <= greatest || !Number.isFinite(value));
  out.error = known && !(Number.isFinite(value) && Math.abs(value) > greatest) ? error : unknown;
};
/** Of an operation that is rounded once. */
const rounded = (out: Rounded, value: number, error: number): void => {
  if (error === 0) return settle(out, value, Number.isFinite(value) ? Math.abs(Math.fround(value) - value) : 0);
  settle(out, value, error + unit * Math.abs(value));
};

/** Functions that never fall or never rise around the argument: what is between f(x - error) and f(x + error). */
function monotone(out: Rounded, f: (x: number) => number, x: number, error: number, fn: ScalarFn): void {
  const value = f(x);
  const { relative = 0, absolute = 0 } = accuracy[fn] ?? {};
  const own = accuracy[fn] === undefined ? unit * Math.abs(value) : unit * relative * Math.abs(value) + absolute;
  const exact = Number.isNaN(value) || !Number.isFinite(value) || (value === 0 && absolute === 0);
  if (error === 0) return settle(out, value, exact ? 0 : own);
  const [below, above] = [f(x - error), f(x + error)];
  settle(out, value, Math.max(Math.abs(above - value), Math.abs(below - value)) + own);
}
/** Of functions whose results are exact where their arguments are. */
function step(out: Rounded, f: (x: number) => number, x: number, error: number): void {
  const value = f(x);
  if (error === 0) return settle(out, value, 0);
  settle(out, value, Math.max(Math.abs(f(x + error) - value), Math.abs(f(x - error) - value)));
}
function truth(out: Rounded, value: boolean, certain: boolean): void {
  out.value = value ? 1 : 0;
  out.error = certain ? 0 : 1;
}

/** f(a, b, c) with its error into `out`. `whole`: in i32, which rounds nothing. `select` is not called: it chooses. */
export function applyRounded(
  fn: ScalarFn,
  whole: boolean,
  a: Rounded,
  b: Rounded,
  out: Rounded,
  by: Arithmetic = exactArithmetic,
): void {
  if (!by.nans && !whole && (Number.isNaN(a.value) || Number.isNaN(b.value)))
    return settle(out, scalarFunctions[fn].evaluate(a.value, b.value, 0), unknown);
  if (by.flushed === 0 || whole) return apply(fn, whole, a, b, out, by);
  const [x, y] = [flushed(a, by), flushed(b, by)];
  apply(fn, whole, x, y, out, by);
  if (out.error !== unknown) out.error = flushed(out, by).error;
}
/** The same number, which may be 0 where it may be below the least normal one. */
const flushed = (x: Rounded, { flushed: least }: Arithmetic): Rounded =>
  x.value !== 0 && Math.abs(x.value) - x.error < least
    ? { value: x.value, error: x.error + Math.min(least, Math.abs(x.value) + x.error) }
    : x;
/** By how much a quotient or root is off beside what its arguments are. */
function loosely(out: Rounded, value: number, error: number, units: number): void {
  if (units === 1 || error === unknown || !Number.isFinite(value)) return rounded(out, value, error);
  settle(out, value, error + units * unit * Math.abs(value));
}

function apply(fn: ScalarFn, whole: boolean, a: Rounded, b: Rounded, out: Rounded, by: Arithmetic): void {
  const f: (x: number, y: number, z: number) => number = scalarFunctions[fn].evaluate;
  const one = (x: number): number => f(x, 0, 0);
  const [x, y, ex, ey] = [a.value, b.value, a.error, b.error];
  const value = f(x, y, 0);
  if (whole && ex === 0 && ey === 0) {
    out.value = value;
    out.error = 0;
    return;
  }
  switch (fn) {
    case "add":
    case "sub":
      return rounded(out, value, ex + ey);
    case "mul":
      return rounded(out, value, times(x, ey) + times(y, ex) + times(ex, ey));
    case "div":
      if (Math.abs(y) > by.divisor && Number.isFinite(y)) return settle(out, value, unknown);
      if (ey === 0) return loosely(out, value, ex === 0 ? 0 : ex / Math.abs(y), by.quotient);
      return loosely(
        out,
        value,
        ey < Math.abs(y) ? (ex + Math.abs(value) * ey) / (Math.abs(y) - ey) : unknown,
        by.quotient,
      );
    case "floordiv":
    case "mod":
      return quotient(fn, a, b, value, out, by);
    case "xor":
    case "pow":
      if (fn === "pow") return power(a, b, value, out);
      return settle(out, value, ex + ey === 0 ? 0 : unknown);
    case "maximum":
    case "minimum":
      return settle(out, value, Number.isNaN(x) || Number.isNaN(y) ? unknown : Math.max(ex, ey));
    case "neg":
    case "abs":
      return settle(out, value, ex);
    case "sqrt":
      monotone(out, one, x, ex, fn);
      if (out.error !== unknown && out.value > 0) out.error += (by.root - 1) * unit * out.value;
      return;
    case "exp":
    case "log":
    case "log1p":
    case "tanh":
    case "erf":
      return monotone(out, one, x, ex, fn);
    case "rsqrt":
      return ex > 0 && ex >= Math.abs(x) ? settle(out, value, unknown) : monotone(out, one, x, ex, fn);
    case "sin":
    case "cos":
      if (Math.abs(x) > 2 ** 17.5 && Number.isFinite(x)) return settle(out, value, 2);
      return settle(out, value, Number.isNaN(value) ? 0 : Math.min(2, ex + (accuracy[fn]?.absolute ?? 0)));
    case "sign":
    case "floor":
    case "ceil":
    case "pow2_ceil":
    case "to_bf16":
    case "to_f16":
    case "to_e4m3":
    case "to_e5m2":
    case "to_e2m1":
    case "to_e8m0":
    case "to_i8":
      // The argument is an f32: one that is not, in the reference, is off by that rounding already.
      return step(out, one, x, ex);
    case "to_f32":
      return rounded(out, x, ex);
    case "lt":
    case "le":
    case "eq":
      return truth(out, value !== 0, ex + ey === 0 || Math.abs(x - y) > ex + ey);
    case "and":
      return truth(out, value !== 0, (ex === 0 && x === 0) || (ey === 0 && y === 0) || ex + ey === 0);
    case "or":
      return truth(out, value !== 0, (ex === 0 && x !== 0) || (ey === 0 && y !== 0) || ex + ey === 0);
    case "not":
      return truth(out, value !== 0, ex === 0);
    case "select":
      return settle(out, value, unknown);
    default:
      return fn satisfies never;
  }
}

/** 0 times what is unknown is unknown only where the 0 is not exact; an infinite number has no finite error. */
export const times = (x: number, error: number): number => (error === 0 || x === 0 ? 0 : Math.abs(x) * error);

function quotient(fn: "floordiv" | "mod", a: Rounded, b: Rounded, value: number, out: Rounded, by: Arithmetic): void {
  const q = a.value / b.value;
  const given = a.error === 0 && b.error === 0;
  if (!Number.isFinite(q)) return settle(out, value, given ? 0 : unknown);
  const exact = given && (by.quotient === 1 || q === 0);
  if (Number.isFinite(q) && (Math.abs(q) > greatest || Math.abs(b.value) > by.divisor))
    return settle(out, value, unknown);
  if (exact && q === Math.fround(Math.floor(q))) return settle(out, value, 0);
  const made = (a.error + Math.abs(q) * b.error) / Math.max(Math.abs(b.value) - b.error, 0);
  const off = made + by.quotient * unit * Math.abs(q) + Math.max(2 ** -150, by.flushed); // a quotient below all of f32 is 0
  if (Math.floor(q - off) !== Math.floor(q + off)) return settle(out, value, fn === "floordiv" ? 1 + off : unknown);
  if (fn === "floordiv") return settle(out, value, 0);
  const steps = Math.floor(q);
  const carried = a.error + Math.abs(steps) * b.error;
  settle(out, value, carried + unit * (Math.abs(steps * b.value) + Math.abs(value)));
}

function power(a: Rounded, b: Rounded, value: number, out: Rounded): void {
  const [x, y] = [a.value, b.value];
  if (Math.abs(x) === 1 && !Number.isFinite(y)) return settle(out, value, unknown); // targets differ
  if (!Number.isFinite(value) || value === 0 || x === 1)
    return settle(out, value, a.error + b.error === 0 ? 0 : unknown);
  const { relative = 0, absolute = 0 } = accuracy.pow ?? {};
  const own = unit * relative * Math.abs(value) + absolute;
  if (b.error === 0 && y >= 1 && Number.isInteger(y))
    return settle(out, value, (Math.abs(x) + a.error) ** y - Math.abs(x) ** y + own);
  const inside = a.error < Math.abs(x) && (b.error === 0 || x > 0);
  if (!inside && a.error + b.error > 0) return settle(out, value, unknown);
  const exponent = (Math.abs(y) * a.error) / (Math.abs(x) - a.error) + Math.abs(Math.log(Math.abs(x))) * b.error;
  settle(out, value, Math.abs(value) * Math.expm1(exponent) + own);
}
