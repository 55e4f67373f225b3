/**
 * log(x) = k·ln 2 + log(1 + f), 1 + f in √½..√2 by the bits of x, log(1 + f) = f - f²/2 + f³·P(f), P of degree 8 by a minimax fit of
 * our own (relative error 2^-28). log and log1p within 2 ulp.
 */
import { add, type Bind, bitcast, constant, convert, div, fma, lt, mul, op, rounded, select, sub } from "../expr.ts";
import type { Expr } from "../kernel.ts";
import { polynomial } from "./binding.ts";

/** ln 2 in two parts, the first with few digits, so that k times it is exact. */
export const ln2 = [0.693359375, -2.1219444e-4] as const;
const rootHalf = 0x3f3504f3;
const coefficients = [
  0.06746646762, -0.1167566255, 0.1188816503, -0.1240558773, 0.1421955228, -0.1666799635, 0.2000211924, -0.2500000894,
  0.3333331347,
] as const;

export interface Split {
  readonly k: Expr;
  readonly f: Expr;
  /** f³·P(f). */
  readonly cubic: Expr;
}
/** Of a positive finite x; of others it is some number. */
export function splitLog(x: Expr, bind: Bind): Split {
  const small = bind("log_small", lt(x, 2 ** -126)); // a denormal has no exponent of its own
  const bits = bind("log_bits", sub(bitcast(select(small, mul(x, 2 ** 23), x), "i32"), rootHalf));
  const k = bind("log_k", add(convert(op("shr", bits, 23), "f32"), select(small, constant(-23, x.type), 0)));
  const f = bind("log_f", rounded(sub(bitcast(add(op("and", bits, 0x7fffff), rootHalf), "f32"), 1)));
  return { k, f, cubic: mul(mul(f, mul(f, f)), polynomial(coefficients, f)) };
}

function finiteLog(x: Expr, bind: Bind): Expr {
  const { k, f, cubic } = splitLog(x, bind);
  const small = bind("log_rest", sub(fma(k, ln2[1], cubic), mul(mul(f, f), 0.5)));
  return fma(k, ln2[0], add(f, small));
}
/** Infinity and nan stay, of 0 it is -inf, of less nan. */
const special = (x: Expr, finite: Expr): Expr => {
  const none = select(op("eq", x, 0), constant(Number.NEGATIVE_INFINITY, x.type), Number.NaN);
  return select(lt(x, Number.POSITIVE_INFINITY), select(lt(0, x), finite, none), x);
};

export function logOf(arg: Expr, bind: Bind): Expr {
  const x = bind("log_of", arg);
  return special(x, finiteLog(x, bind));
}
/** With u = 1 + x rounded: log(u) + (x - (u - 1)) / u. */
export function log1pOf(arg: Expr, bind: Bind): Expr {
  const x = bind("log1p_of", arg);
  const u = bind("log1p_u", rounded(add(x, 1)));
  const lost = bind("log1p_lost", div(sub(x, rounded(sub(u, 1))), u));
  return special(u, add(finiteLog(u, bind), lost));
}
