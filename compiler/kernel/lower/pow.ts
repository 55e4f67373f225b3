/**
 * x^y = e^(y·log|x|), the logarithm as a sum of two floats and so its product with y, since an error of it counts y·log x times. Within
 * 5 ulp where |y·log x| < 86.8. Where x < 0, y is whole: the sign is that of x where y is odd; nan otherwise. Zeros, infinities and nans
 * as IEEE 754 `pow`, so 1 to any power is 1, an infinite one too. Sums are compensated.
 */
import { add, type Bind, bitcast, constant, eq, fma, lt, mul, op, rounded, select, sub } from "../expr.ts";
import type { Expr } from "../kernel.ts";
import { halves } from "./binding.ts";
import { ln2, splitLog } from "./log.ts";

const not = (x: Expr): Expr => op("not", x);
const both = (a: Expr, b: Expr): Expr => op("and", a, b);
const infinity = Number.POSITIVE_INFINITY;

export function powOf(base: Expr, power: Expr, exp: (x: Expr) => Expr, bind: Bind): Expr {
  const [x, y] = [bind("pow_x", base), bind("pow_y", power)];
  const magnitude = bind("pow_abs", op("abs", x));
  const endless = constant(infinity, x.type);
  const atInfinity = select(
    eq(magnitude, infinity),
    select(lt(0, y), endless, 0),
    ofMagnitude(magnitude, y, exp, bind),
  );
  const size = bind("pow_size", select(eq(magnitude, 0), select(lt(y, 0), endless, 0), atInfinity));
  const whole = bind("pow_whole", eq(op("floor", y), y));
  const half = bind("pow_half", mul(y, 0.5));
  const odd = both(whole, not(eq(op("floor", half), half)));
  const signed = select(both(odd, lt(bitcast(x, "i32"), 0)), op("neg", size), size);
  const imaginary = both(lt(x, 0), both(not(whole), lt(magnitude, infinity)));
  const known = both(both(eq(x, x), eq(y, y)), not(imaginary));
  return select(eq(y, 0), 1, select(known, signed, constant(Number.NaN, x.type)));
}

/** Of a positive finite x, and a y that is no nan. */
function ofMagnitude(x: Expr, given: Expr, exp: (x: Expr) => Expr, bind: Bind): Expr {
  const y = bind("pow_by", bounded(given));
  const { high, low } = preciseLog(x, bind);
  const { high: yHigh, low: yLow } = halves(y);
  const first = bind("pow_first", mul(yHigh, high)); // exact
  const rest = bind("pow_rest", add(mul(yLow, high), mul(y, low)));
  const product = bind("pow_product", rounded(add(first, rest)));
  const lost = add(rounded(sub(first, product)), rest);
  const inside = lt(op("abs", product), 128); // far outside what is lost may be anything
  const correction = bind("pow_lost", select(inside, add(lost, 1), 1));
  return mul(exp(product), correction);
}
/** No product with a logarithm overflows, and none is a denormal: so small a power gives 1. */
const bounded = (y: Expr): Expr =>
  select(lt(op("abs", y), 1e-20), 0, select(lt(constant(1e30, y.type), y), 1e30, select(lt(y, -1e30), -1e30, y)));

/** log x = high + low to 2^-26 relative, high of 12 bits. */
function preciseLog(x: Expr, bind: Bind): { readonly high: Expr; readonly low: Expr } {
  const { k, f, cubic } = splitLog(x, bind);
  const { high: fHigh, low: fLow } = halves(f);
  const start = bind("pow_k", mul(k, ln2[0])); // exact
  const square = bind("pow_square", mul(mul(fHigh, fHigh), 0.5)); // exact
  const squareRest = mul(mul(add(f, fHigh), fLow), 0.5);
  const linear = bind("pow_linear", rounded(add(start, f)));
  const parabola = bind("pow_parabola", rounded(sub(linear, square)));
  const lost = add(rounded(sub(f, rounded(sub(linear, start)))), rounded(sub(rounded(sub(linear, parabola)), square)));
  const rest = bind("pow_log_rest", add(sub(lost, squareRest), fma(k, ln2[1], cubic)));
  const { high } = halves(add(parabola, rest));
  const held = bind("pow_log", high);
  return { high: held, low: bind("pow_log_low", add(rounded(sub(parabola, held)), rest)) };
}
