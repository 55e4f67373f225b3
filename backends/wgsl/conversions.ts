/** Conversions between elems, lane by lane. Codes pass through f32, narrow integers through i32. */
import { type Elem, elems, type Type, typeName } from "../../compiler/kernel/elem.ts";
import { type Coded, codesOf, decoded, fn } from "./codes.ts";
import { packed, unpacked } from "./packed.ts";
import type { Prelude } from "./prelude.ts";
import { vector } from "./types.ts";
import type { WgslVariant } from "./variant.ts";
import { fromWide, toWide } from "./wide.ts";

export interface Converting {
  readonly prelude: Prelude;
  readonly variant: WgslVariant;
  readonly refuse: (why: string) => never;
}

const isCoded = (elem: Elem): elem is Coded => elem === "f16" || elem === "bf16";
const isNarrow = (elem: Elem): elem is "i8" | "i16" => elem === "i8" || elem === "i16";
const range = { i8: [-128, 127], i16: [-32768, 32767] } as const;

export function converted(c: Converting, from: Type, to: Elem, x: string): string {
  const { prelude: p, variant } = c;
  const { elem, width } = from;
  if (elem === to) return x;
  const narrow = elems[elem].bytes < 4 || elems[to].bytes < 4;
  if (width > 4) return c.refuse(`${typeName(from)} as ${to}: more than four lanes`);
  const via = (middle: Elem, value: string): string => converted(c, { elem: middle, width }, to, value);
  if (!narrow) return between32(c, from, to, x);
  if (elem === "f16" && variant.f16) return via("f32", `${vector("f32", width)}(${x})`);
  if (isCoded(elem)) return via("f32", decoded(p, elem, width, x));
  if (isNarrow(elem)) {
    const whole = width === 1 ? x : unpacked(p, elem, width, x);
    return isCoded(to) ? via("f32", between32(c, { elem: "i32", width }, "f32", whole)) : via("i32", whole);
  }
  if (isCoded(to)) {
    if (elem !== "f32") return via("f32", exactFloat(c, from, to, x));
    const codes = codesOf(p, to, width, x);
    const words = width === 1 ? codes : packed(p, 16, width, codes);
    if (to === "bf16" || !variant.f16) return words;
    // Rounded already, so this is exact; the bits themselves naga does not take for an f16.
    return `${vector("f16", width)}(${decoded(p, "f16", width, words)})`;
  }
  if (!isNarrow(to)) return c.refuse(`${typeName(from)} as ${to}`);
  if (elem === "f32") {
    const [least, most] = range[to].map((bound) => filled("i32", width, String(bound)));
    return narrowed(p, to, width, `clamp(${between32(c, from, "i32", x)}, ${least}, ${most})`);
  }
  return narrowed(p, to, width, elem === "i32" ? x : between32(c, from, "i32", x));
}

const filled = (scalar: string, width: number, value: string): string =>
  width === 1 ? value : `${vector(scalar, width)}(${value})`;

/** The low bits of i32. */
function narrowed(p: Prelude, to: "i8" | "i16", width: number, x: string): string {
  const bits = to === "i8" ? 8 : 16;
  return width === 1 ? `extractBits(${x}, 0u, ${bits}u)` : packed(p, bits, width, `${vector("u32", width)}(${x})`);
}

/** Rounding to f32 first is no second rounding where the integer is exact in f32, or so large that an f16 saturates. */
function exactFloat(c: Converting, from: Type, to: Coded, x: string): string {
  if (to === "bf16") return c.refuse(`${typeName(from)} as bf16, which would be rounded twice`);
  return between32(c, from, "f32", x);
}

/** Elems of 32 and 64 bits. */
function between32({ prelude: p, refuse }: Converting, from: Type, to: Elem, x: string): string {
  const { elem, width } = from;
  if (elem === "i64") return fromWide(p, to, x) ?? refuse(`i64 as ${to}`);
  if (to === "i64") return toWide(p, elem, x) ?? refuse(`${typeName(from)} as i64`);
  if (elem === "f32" && (to === "i32" || to === "u32")) return truncated(p, to, width, x);
  return `${vector(to, width)}(${x})`;
}

/** Towards 0, saturating, a nan as 0: WGSL saturates to the nearest f32 below, and leaves the nan open. */
function truncated(p: Prelude, to: "i32" | "u32", width: number, x: string): string {
  const [u, f] = [vector("u32", width), vector("f32", width)];
  const [beyond, most, zero] =
    to === "i32" ? ["2147483648.0", "2147483647", "0"] : ["4294967296.0", "0xffffffffu", "0u"];
  const name = p.fn(`f32${width === 1 ? "" : `x${width}`}_to_${to}`, (n) =>
    fn(`${n}(x: ${f}) -> ${vector(to, width)}`, [
      `let bounded = select(${vector(to, width)}(x), ${filled(to, width, most)}, x >= ${filled("f32", width, beyond)});`,
      `let is_nan = (bitcast<${u}>(x) & ${filled("u32", width, "0x7fffffffu")}) > ${filled("u32", width, "0x7f800000u")};`,
      `return select(bounded, ${filled(to, width, zero)}, is_nan);`,
    ]),
  );
  return `${name}(${x})`;
}
