/** Sizes as they are printed: `2*T + 1`, `E / G`, `T div 4`, `x mod m`, `T^2`, `ceil_div(O, 128)`, `min(K, 64)`. */
import {
  add,
  ceilDivide,
  constant,
  divideExact,
  floorDivide,
  maxOf,
  minOf,
  modulo,
  mul,
  neg,
  pow,
  sub,
  symbol,
} from "../../dsl/types/poly.ts";
import type { Dim } from "./dim.ts";
import { isSizeName } from "./text-form.ts";
import type { Cursor } from "./tokens.ts";

/** No size that anyone writes comes near these; a text that passes them was made to. */
const mostTerms = 128;
const mostNesting = 32;
const mostPower = 16;
const longestKey = 4096;

/** Sum = Product {("+"|"-") Product}; a sign binds as in the language: -T div 4 is (-T) div 4. */
export function parseDim(c: Cursor, depth = 0): Dim {
  const start = c.next;
  if (depth > mostNesting) c.fail("a size is nested too deep");
  const bounded = (d: Dim): Dim => {
    if (d.terms.length > mostTerms || d.key.length > longestKey) c.fail("a size is too long", start);
    return d;
  };

  const power = (base: Dim): Dim => {
    if (!c.accept("^")) return base;
    const t = c.next;
    const n = c.whole("an exponent");
    if (n > mostPower) c.fail(`an exponent is at most ${mostPower}`, t);
    let out = base;
    for (let i = 1; i < n; i += 1) out = bounded(mul(out, base));
    return n === 0 ? pow(base, 0) : out;
  };
  const single = (): Dim => {
    if (c.accept("(")) {
      const d = parseDim(c, depth + 1);
      c.expect(")");
      return d;
    }
    if (c.next.kind === "number") return constant(c.whole("a whole number"));
    const t = c.of("word", "a size");
    if (t.text === "min" || t.text === "max" || t.text === "ceil_div") {
      c.expect("(");
      const args = c.list(")", () => parseDim(c, depth + 1));
      const [a, b] = args;
      if (a === undefined || (t.text === "ceil_div" && args.length !== 2)) c.fail(`${t.text} has other arguments`, t);
      if (t.text !== "ceil_div") return t.text === "min" ? minOf(args) : maxOf(args);
      return b === undefined ? a : ceilDivide(a, notZero(b));
    }
    if (!isSizeName(t.text)) c.fail(`${t.text} is no size`, t);
    return symbol(t.text);
  };
  const notZero = (d: Dim): Dim => (d.terms.length === 0 ? c.fail("a size is divided by 0") : d);
  const factor = (): Dim => (c.accept("-") ? neg(power(single())) : power(single()));
  const product = (): Dim => {
    let d = factor();
    for (;;) {
      if (c.accept("*")) d = bounded(mul(d, factor()));
      else if (c.accept("/")) d = bounded(divideExact(d, notZero(factor())));
      else if (c.accept("div")) d = bounded(floorDivide(d, notZero(factor())));
      else if (c.accept("mod")) d = bounded(modulo(d, notZero(factor())));
      else return d;
    }
  };

  let d = product();
  for (;;) {
    if (c.accept("+")) d = bounded(add(d, product()));
    else if (c.accept("-")) d = bounded(sub(d, product()));
    else return bounded(d);
  }
}
