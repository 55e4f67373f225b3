/**
 * What `x as bf16` and its sisters do to an f32, as f32 values of the format, by bits: exactly runtime/formats/casts.ts and e8m0.ts.
 * Ties go to even, what is finite saturates. No arithmetic of floats that a compiler may change, and nothing that needs the format
 * as a type. Of any width.
 */
import { type Bind, bitcast, constant, convert, eq, lt, min, mul, op, select, sub } from "./expr.ts";
import type { Expr } from "./kernel.ts";

/** `specials`: as FloatFormat of runtime/formats has them. */
interface Format {
  readonly mantissaBits: number;
  /** The exponent of the smallest normal value. */
  readonly minExponent: number;
  readonly max: number;
  readonly specials: "ieee" | "fn" | "finite";
}
const formats = {
  bf16: { mantissaBits: 7, minExponent: -126, max: (2 - 2 ** -7) * 2 ** 127, specials: "ieee" },
  f16: { mantissaBits: 10, minExponent: -14, max: 65504, specials: "ieee" },
  e4m3: { mantissaBits: 3, minExponent: -6, max: 448, specials: "fn" },
  e5m2: { mantissaBits: 2, minExponent: -14, max: 57344, specials: "ieee" },
  e2m1: { mantissaBits: 1, minExponent: 0, max: 6, specials: "finite" },
} as const satisfies Record<string, Format>;
export type RoundedFormat = keyof typeof formats;
export const roundedFormats = ["bf16", "f16", "e4m3", "e5m2", "e2m1"] as const satisfies readonly RoundedFormat[];

const scratch = new DataView(new ArrayBuffer(4));
function bitsOf(x: number): number {
  scratch.setFloat32(0, x);
  return scratch.getInt32(0);
}
const infinityBits = 0x7f800000;
const signBit = -0x80000000;
const and = (a: Expr, mask: number): Expr => op("and", a, mask);
const shr = (a: Expr, by: number): Expr => op("shr", a, by);
const nan = (x: Expr): Expr => constant(Number.NaN, x.type);

/** To nearest even; see runtime/formats/casts.ts for what is beyond the format, nans and zeros. */
export function roundTo(format: RoundedFormat, given: Expr, bind: Bind): Expr {
  const { mantissaBits, minExponent, max, specials }: Format = formats[format];
  const x = bind("cast_of", given);
  const bits = bind("cast_bits", bitcast(x, "i32"));
  const magnitude = bind("cast_magnitude", and(bits, 0x7fffffff));
  const normal = roundedAt(magnitude, 23 - mantissaBits);
  // Below, the format counts in steps; bf16 in those of f32 itself.
  const subnormal = minExponent === -126 ? null : roundedToSteps(magnitude, 2 ** (minExponent - mantissaBits));
  const near = subnormal === null ? normal : select(lt(magnitude, bitsOf(2 ** minExponent)), subnormal, normal);
  const finite = min(near, bitsOf(max));
  const kept = specials === "ieee" ? select(eq(magnitude, infinityBits), magnitude, finite) : finite;
  const size = bind("cast_size", kept);
  const sign = and(bits, signBit);
  const isNan = lt(constant(infinityBits, magnitude.type), magnitude);
  if (specials !== "finite") return select(isNan, x, bitcast(op("or", size, sign), "f32"));
  const signed = select(eq(size, 0), 0, op("or", size, sign)); // no -0
  return bitcast(select(isNan, bitsOf(max), signed), "f32");
}
/** Without the last `dropped` bits: adds just less than half of the last kept bit, and that bit itself, so that a tie goes to even. */
const roundedAt = (magnitude: Expr, dropped: number): Expr =>
  and(op("add", op("add", magnitude, 2 ** (dropped - 1) - 1), and(shr(magnitude, dropped), 1)), -(2 ** dropped));
/** To a multiple of a step, of less than 2^23 of them. */
const roundedToSteps = (magnitude: Expr, step: number): Expr =>
  bitcast(mul(convert(stepsOf(magnitude, step), "f32"), step), "i32");
/** Beside 2^23 steps an f32 counts in steps, so that adding those rounds. */
function stepsOf(magnitude: Expr, step: number): Expr {
  const start = constant(step * 2 ** 23, { ...magnitude.type, elem: "f32" });
  return sub(bitcast(op("add", bitcast(magnitude, "f32"), start), "i32"), bitsOf(step * 2 ** 23));
}

/** The nearest whole number of -128..127 as an i32, a tie to even; of a nan 0. */
export function roundToI8(given: Expr, bind: Bind): Expr {
  const x = bind("cast_of", given);
  const bits = bind("cast_bits", bitcast(x, "i32"));
  const magnitude = bind("cast_magnitude", and(bits, 0x7fffffff));
  const size = bind("cast_size", stepsOf(min(magnitude, bitsOf(128)), 1));
  const isNan = lt(constant(infinityBits, magnitude.type), magnitude);
  const near = select(lt(bits, 0), op("neg", size), min(size, 127));
  return select(isNan, constant(0, near.type), near);
}

/** The nearest power of two in 2^-127..2^127, a tie up; of what is negative nan. */
export function roundToE8m0(given: Expr, bind: Bind): Expr {
  const x = bind("cast_of", given);
  const bits = bind("cast_bits", bitcast(x, "i32"));
  const half = 0x00400000; // of an exponent's unit; also the bits of 2^-127
  const near = and(op("add", bits, half), infinityBits);
  const rounded = min(select(lt(bits, 0x00600000), half, near), bitsOf(2 ** 127));
  const negative = op("and", lt(bits, 0), op("not", eq(and(bits, 0x7fffffff), 0)));
  const isNan = lt(constant(infinityBits, bits.type), bits);
  return select(op("or", negative, isNan), nan(x), bitcast(rounded, "f32"));
}

/** The least power of two >= x, exactly; beyond 2^127 infinity; of what is not positive and finite nan. */
export function pow2Ceil(given: Expr, bind: Bind): Expr {
  const x = bind("cast_of", given);
  const bits = bind("cast_bits", bitcast(x, "i32"));
  const up = (b: Expr): Expr => and(op("add", b, 0x7fffff), infinityBits);
  // A denormal is its bits times 2^-149: their own power of two, as a number, is the bits of the result.
  const small = convert(bitcast(up(bitcast(convert(bits, "f32"), "i32")), "f32"), "i32");
  const power = bitcast(select(lt(bits, 0x00800000), small, up(bits)), "f32");
  return select(op("and", lt(0, bits), lt(bits, infinityBits)), power, nan(x));
}
