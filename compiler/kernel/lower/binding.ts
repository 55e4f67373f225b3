/** What expansions of functions share: each writes its steps as `let`s in front of the statement that it stands in. */
import { bitcast, constant, fma, type Operand, op, select, sub } from "../expr.ts";
import type { Expr } from "../kernel.ts";

/** Horner's form, the coefficient of the highest power first. */
export function polynomial(coefficients: readonly number[], x: Expr): Expr {
  const [first = 0, ...rest] = coefficients;
  return rest.reduce<Expr>((sum, c) => fma(sum, x, c), constant(first, x.type));
}
/** A magnitude with the sign of x, of zeros too. */
export const withSignOf = (x: Expr, magnitude: Expr): Expr =>
  bitcast(op("or", bitcast(magnitude, "i32"), op("and", bitcast(x, "i32"), -0x80000000)), "f32");
/** x, or 0 where |x| is below the limit: so that no power of it is a denormal. */
export const orZeroBelow = (limit: number, x: Expr): Expr => select(op("lt", op("abs", x), limit), 0, x);
/** The upper 12 bits of a float, and the rest of 12 bits, exactly: a product of two such parts is exact. */
export function halves(x: Expr): { readonly high: Expr; readonly low: Operand } {
  const high = bitcast(op("and", bitcast(x, "i32"), -4096), "f32");
  return { high, low: sub(x, high) };
}
