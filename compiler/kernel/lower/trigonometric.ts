/**
 * sin and cos of r = x - n·π/2, n whole, |r| <= π/4, by polynomials (minimax fits of our own, 2^-27); n mod 4 says which and its sign.
 * π/2 is a sum of four floats (Cody and Waite 1980): the first three have 7 bits, so that their products with n < 2^17 are
 * exact, and so are the differences. Within 2^-23 absolutely for |x| <= 205887 = 2^17·π/2;
 * beyond, some number of -1..1.
 */
import {
  add,
  type Bind,
  bitcast,
  constant,
  convert,
  eq,
  fma,
  lt,
  mul,
  op,
  rounded,
  select,
  sub,
  xor,
} from "../expr.ts";
import type { Expr } from "../kernel.ts";
import { orZeroBelow, polynomial } from "./binding.ts";

const halfPi = [1.5625, 0.0081787109375, 0.00011730194091796875, 3.1391647326017846e-7] as const;
const sine = [-0.0001950431615, 0.008332083002, -0.1666665375] as const;
const cosine = [2.442388723e-5, -0.001388724311, 0.04166664556] as const;
/** Below it sin r is r and cos r is 1, and squares of it might be denormals. */
const tiny = 2 ** -13;

export const sinOf = (arg: Expr, bind: Bind): Expr => ofQuarters(arg, 0, bind);
export const cosOf = (arg: Expr, bind: Bind): Expr => ofQuarters(arg, 1, bind);

/** sin(x + quarters·π/2). */
function ofQuarters(arg: Expr, quarters: number, bind: Bind): Expr {
  const x = bind("angle", arg);
  const n = bind("angle_n", op("floor", fma(x, 2 / Math.PI, 0.5)));
  const reduced = bind(
    "angle_reduced",
    halfPi.reduce<Expr>((rest, part) => rounded(sub(rest, mul(n, part))), x),
  );
  const finite = lt(op("and", bitcast(x, "i32"), 0x7fffffff), 0x7f800000);
  const beyond = select(finite, constant(0, x.type), Number.NaN); // a finite one of no use, but bounded
  const r = bind("angle_r", select(lt(op("abs", reduced), 1), reduced, beyond));
  const held = bind("angle_held", orZeroBelow(tiny, r));
  const z = bind("angle_z", mul(held, held));
  const sin = fma(mul(r, z), polynomial(sine, z), r);
  const cos = fma(mul(z, z), polynomial(cosine, z), fma(z, -0.5, 1));
  const quadrant = bind("angle_quadrant", add(convert(n, "i32"), quarters));
  const value = select(eq(op("and", quadrant, 1), 0), sin, cos);
  return bitcast(xor(bitcast(value, "i32"), op("shl", op("and", quadrant, 2), 30)), "f32");
}
