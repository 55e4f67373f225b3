/**
 * exp(x) = 2^n · e^f, n = floor(x·log2 e + 1/2), |f| <= ln 2 / 2, e^f by a polynomial of degree 7 in Horner's form (Cephes, S. Moshier,
 * `expf.c`). Within 2 ulp for x >= -86.9; below that exactly 0, so that no denormal arises, which costs a CPU 150 cycles. Above 88.73 it is +inf; a nan stays one, since comparisons and not min and max bound x.
 */
import { add, type Bind, bitcast, constant, convert, fma, lt, mul, op, rounded, select, sub } from "../expr.ts";
import type { Expr } from "../kernel.ts";

/** Its result is 1.8e-38, a normal number also when halved. */
const lowest = -86.9;
const highest = 89;
/** ln 2 in two parts, the first with few digits, so that n times it is exact. */
const ln2 = [0.693359375, -2.1219444e-4] as const;
const coefficients = [1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1] as const;

export function expOf(arg: Expr, bind: Bind): Expr {
  const given = arg.kind === "name" ? arg : bind("exp_of", arg);
  const below = bind("exp_low", lt(given, lowest));
  const x = bind("exp_x", select(below, lowest, select(lt(constant(highest, arg.type), given), highest, given)));
  const n = bind("exp_n", op("floor", fma(x, Math.LOG2E, 0.5)));
  const f = bind("exp_f", sub(rounded(sub(x, mul(n, ln2[0]))), mul(n, ln2[1])));
  const p = coefficients.reduce<Expr>((sum, c) => fma(sum, f, c), constant(1.98756915e-4, arg.type));
  const power = bind("exp_p", add(fma(p, mul(f, f), f), 1));
  // Half of 2^n, twice the rest: 2^128 is no f32, but e^88.7 is one.
  const half = bitcast(op("shl", add(convert(n, "i32"), 126), 23), "f32");
  return select(below, 0, mul(mul(power, 2), half));
}
