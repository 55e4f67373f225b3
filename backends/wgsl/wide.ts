/** i64 as two words, the lower first: WGSL has no type for it. */
import type { Elem } from "../../compiler/kernel/elem.ts";
import type { OpName } from "../../compiler/kernel/ops.ts";
import { fn } from "./codes.ts";
import type { Prelude } from "./prelude.ts";

const pair = "vec2u";
const binary = (body: readonly string[], to = pair): ((n: string) => string) => {
  return (n) => fn(`${n}(a: ${pair}, b: ${pair}) -> ${to}`, body);
};

const add = (p: Prelude): string =>
  p.fn("i64_add", binary(["let low = a.x + b.x;", `return ${pair}(low, a.y + b.y + u32(low < a.x));`]));
const sub = (p: Prelude): string => p.fn("i64_sub", binary([`return ${pair}(a.x - b.x, a.y - b.y - u32(a.x < b.x));`]));
const neg = (p: Prelude, x: string): string => `${sub(p)}(${pair}(0u), ${x})`;
/** By halves of 16 bits, whose products fit a word. */
const mul = (p: Prelude): string =>
  p.fn(
    "i64_mul",
    binary([
      `let a_low = a.x & 0xffffu;`,
      `let a_high = a.x >> 16u;`,
      `let b_low = b.x & 0xffffu;`,
      `let b_high = b.x >> 16u;`,
      `let first = a_high * b_low + ((a_low * b_low) >> 16u);`,
      `let second = a_low * b_high + (first & 0xffffu);`,
      `let carried = a_high * b_high + (first >> 16u) + (second >> 16u);`,
      `return ${pair}(a.x * b.x, carried + a.x * b.y + a.y * b.x);`,
    ]),
  );
const lt = (p: Prelude): string =>
  p.fn("i64_lt", binary(["return (bitcast<i32>(a.y) < bitcast<i32>(b.y)) | ((a.y == b.y) & (a.x < b.x));"], "bool"));
const below = (a: string, b: string): string => `(${a}.y < ${b}.y) | ((${a}.y == ${b}.y) & (${a}.x < ${b}.x))`;
/** Without signs, bit by bit: quotient and rest. The divisor is at most 2^63, so the rest does not overflow. */
const divided = (p: Prelude): string => {
  const minus = sub(p);
  return p.fn("u64_divide", (n) =>
    fn(`${n}(a: ${pair}, b: ${pair}) -> vec4u`, [
      "var quotient = a;",
      `var rest = ${pair}(0u);`,
      "for (var i = 0; i < 64; i += 1) {",
      `\trest = ${pair}((rest.x << 1u) | (quotient.y >> 31u), (rest.y << 1u) | (rest.x >> 31u));`,
      `\tquotient = ${pair}(quotient.x << 1u, (quotient.y << 1u) | (quotient.x >> 31u));`,
      `\tif (!(${below("rest", "b")})) {`,
      `\t\trest = ${minus}(rest, b);`,
      "\t\tquotient.x |= 1u;",
      "\t}",
      "}",
      "return vec4u(quotient, rest);",
    ]),
  );
};
const isNegative = (x: string): string => `bitcast<i32>(${x}.y) < 0`;
const abs = (p: Prelude): string => {
  const negated = neg(p, "a");
  return p.fn("i64_abs", (n) =>
    fn(`${n}(a: ${pair}) -> ${pair}`, [`return select(a, ${negated}, ${isNegative("a")});`]),
  );
};
const div = (p: Prelude): string => {
  const [size, divide, negated] = [abs(p), divided(p), neg(p, "size")];
  return p.fn(
    "i64_div",
    binary([
      `let size = ${divide}(${size}(a), ${size}(b)).xy;`,
      `return select(size, ${negated}, (${isNegative("a")}) != (${isNegative("b")}));`,
    ]),
  );
};
const mod = (p: Prelude): string => {
  const [size, divide, negated] = [abs(p), divided(p), neg(p, "size")];
  return p.fn(
    "i64_mod",
    binary([
      `let size = ${divide}(${size}(a), ${size}(b)).zw;`,
      `return select(size, ${negated}, ${isNegative("a")});`,
    ]),
  );
};
/** A shift of a word by 32 bits is none, so a whole word moves by itself. */
const shl = (p: Prelude): string =>
  p.fn(
    "i64_shl",
    binary([
      "let by = b.x & 31u;",
      "let carried = select(a.x >> (32u - by), 0u, by == 0u);",
      `let near = ${pair}(a.x << by, (a.y << by) | carried);`,
      `return select(near, ${pair}(0u, a.x << by), b.x > 31u);`,
    ]),
  );
const shr = (p: Prelude): string =>
  p.fn(
    "i64_shr",
    binary([
      "let by = b.x & 31u;",
      "let carried = select(a.y << (32u - by), 0u, by == 0u);",
      "let high = bitcast<u32>(bitcast<i32>(a.y) >> by);",
      `let near = ${pair}((a.x >> by) | carried, high);`,
      `return select(near, ${pair}(high, bitcast<u32>(bitcast<i32>(a.y) >> 31u)), b.x > 31u);`,
    ]),
  );
const picked = (p: Prelude, what: "min" | "max"): string => {
  const less = lt(p);
  const [first, second] = what === "min" ? ["b", "a"] : ["a", "b"];
  return p.fn(`i64_${what}`, binary([`return select(${first}, ${second}, ${less}(a, b));`]));
};

/** An operation on i64, whose operands are texts; null where there is none. */
export function wideOp(p: Prelude, op: OpName, [a = "", b = "", c = ""]: readonly string[]): string | null {
  switch (op) {
    case "add":
      return `${add(p)}(${a}, ${b})`;
    case "sub":
      return `${sub(p)}(${a}, ${b})`;
    case "mul":
      return `${mul(p)}(${a}, ${b})`;
    case "div":
      return `${div(p)}(${a}, ${b})`;
    case "mod":
      return `${mod(p)}(${a}, ${b})`;
    case "shl":
      return `${shl(p)}(${a}, ${b})`;
    case "shr":
      return `${shr(p)}(${a}, ${b})`;
    case "min":
    case "max":
      return `${picked(p, op)}(${a}, ${b})`;
    case "neg":
      return neg(p, a);
    case "and":
      return `((${a}) & (${b}))`;
    case "or":
      return `((${a}) | (${b}))`;
    case "xor":
      return `((${a}) ^ (${b}))`;
    case "eq":
      return `all((${a}) == (${b}))`;
    case "lt":
      return `${lt(p)}(${a}, ${b})`;
    case "le":
      return `!${lt(p)}(${b}, ${a})`;
    case "select":
      return `select(${b}, ${a}, ${c})`; // the condition comes last
    default:
      return null;
  }
}

/** A scalar of 32 bits as i64; null where that is not said. */
export function toWide(p: Prelude, from: Elem, x: string): string | null {
  switch (from) {
    case "u32":
      return `${pair}(${x}, 0u)`;
    case "i32":
      return `${p.fn("i32_to_i64", (n) => fn(`${n}(x: i32) -> ${pair}`, [`return ${pair}(bitcast<u32>(x), bitcast<u32>(x >> 31u));`]))}(${x})`;
    case "f32":
      return `${truncated(p)}(${x})`;
    default:
      return null;
  }
}

/** Towards 0, saturating, a nan as 0. */
const truncated = (p: Prelude): string => {
  const [left, right, negated] = [shl(p), shr(p), neg(p, "size")];
  return p.fn("f32_to_i64", (n) =>
    fn(`${n}(x: f32) -> ${pair}`, [
      "let bits = bitcast<u32>(x);",
      "let exponent = i32((bits >> 23u) & 0xffu) - 150;",
      "let negative = bits > 0x7fffffffu;",
      "if ((bits & 0x7fffffffu) > 0x7f800000u) { return vec2u(0u); }",
      `if (exponent > 39) { return select(${pair}(0xffffffffu, 0x7fffffffu), ${pair}(0u, 0x80000000u), negative); }`,
      `let digits = ${pair}((bits & 0x7fffffu) | 0x800000u, 0u);`,
      `let by = ${pair}(u32(min(abs(exponent), 63)), 0u);`,
      `let size = select(${right}(digits, by), ${left}(digits, by), exponent >= 0);`,
      `return select(size, ${negated}, negative);`,
    ]),
  );
};

/** An i64 as a scalar of 32 bits; null where that is not said. */
export function fromWide(p: Prelude, to: Elem, x: string): string | null {
  switch (to) {
    case "u32":
      return `(${x}).x`;
    case "i32":
      return `bitcast<i32>((${x}).x)`;
    case "f32":
      return `${rounded(p)}(${x})`;
    default:
      return null;
  }
}

/** To nearest even, once: the highest bit moves to the top, 24 bits stay, and what follows says where to. */
const rounded = (p: Prelude): string => {
  const [size, left] = [abs(p), shl(p)];
  return p.fn("i64_to_f32", (n) =>
    fn(`${n}(x: ${pair}) -> f32`, [
      `let size = ${size}(x);`,
      "if (all(size == vec2u(0u))) { return 0.0; }",
      "let zeros = select(countLeadingZeros(size.y), 32u + countLeadingZeros(size.x), size.y == 0u);",
      `let top = ${left}(size, ${pair}(zeros, 0u));`,
      "let digits = top.y >> 8u;",
      "let rest = top.y & 0xffu;",
      "let up = (rest > 0x80u) | ((rest == 0x80u) & ((top.x != 0u) | ((digits & 1u) == 1u)));",
      "// The digits' own first bit counts into the exponent, and so does a carry out of them.",
      "let bits = ((189u - zeros) << 23u) + digits + u32(up);",
      "return bitcast<f32>(bits | (x.y & 0x80000000u));",
    ]),
  );
};
