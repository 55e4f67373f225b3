/**
 * erf |x|: below 0.92 |x| + |x|·P(x²), above 1 - e^(-Q(|x|)) with Q = -log erfc up to 4, where it is 1 in f32. P, Q are minimax fits of
 * our own (2^-26 and 2^-28 of erf). Within 2 ulp. Both are computed.
 */
import { type Bind, constant, fma, lt, op, select, sub } from "../expr.ts";
import type { Expr } from "../kernel.ts";
import { orZeroBelow, polynomial, withSignOf } from "./binding.ts";

const near = [
  8.382390661e-5, -0.0008145598113, 0.005201286171, -0.02685949951, 0.1128369719, -0.376126349, 0.1283791661,
] as const;
const far = [
  7.375215318e-7, 1.131046884e-5, -0.0003788445902, 0.003994084895, -0.02477448061, 0.1078581735, 0.6336633563,
  1.129381776, -0.0001506114349,
] as const;

export function erfOf(arg: Expr, exp: (x: Expr) => Expr, bind: Bind): Expr {
  const x = bind("erf_of", arg);
  const a = bind("erf_abs", op("abs", x));
  const held = bind("erf_held", orZeroBelow(2 ** -12, a));
  const z = bind("erf_z", op("mul", held, held));
  const bounded = bind("erf_bounded", select(lt(constant(4, x.type), a), 4, a));
  const rest = exp(bind("erf_log", op("neg", polynomial(far, bounded))));
  const small = fma(a, polynomial(near, z), a);
  return withSignOf(x, select(lt(a, 0.92), small, sub(constant(1, x.type), rest)));
}
