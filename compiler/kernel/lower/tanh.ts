/**
 * tanh |x|: below 0.625 |x| + |x|³·P(x²), P a minimax fit of our own (2^-27); above 1 - 2 / (e^(2|x|) + 1). Within 2 ulp. Both are
 * computed.
 */
import { add, type Bind, constant, div, fma, lt, mul, op, select, sub } from "../expr.ts";
import type { Expr } from "../kernel.ts";
import { orZeroBelow, polynomial, withSignOf } from "./binding.ts";

const coefficients = [-0.005717041437, 0.02065058425, -0.05374349654, 0.1333149076, -0.3333328366] as const;

export function tanhOf(arg: Expr, exp: (x: Expr) => Expr, bind: Bind): Expr {
  const x = bind("tanh_of", arg);
  const a = bind("tanh_abs", op("abs", x));
  const held = bind("tanh_held", orZeroBelow(2 ** -12, a));
  const z = bind("tanh_z", mul(held, held));
  const near = fma(mul(a, z), polynomial(coefficients, z), a);
  const power = bind("tanh_power", exp(add(held, held)));
  const far = sub(constant(1, x.type), div(constant(2, x.type), add(power, 1)));
  return withSignOf(x, select(lt(a, 0.625), near, far));
}
