/**
 * Small floating-point formats as data, and three pure functions over them: code to number, number to code, and the
 * number that a cast gives. Numbers are JS doubles throughout, so every value of every format here is exact.
 *
 * A cast rounds the double once, to the nearest value, ties to the even mantissa (never through f32 first), and
 * saturates: a finite number beyond the range becomes the largest finite one. An infinity stays itself where the format
 * has one, so a mask of -inf survives a cast, and saturates where it has none.
 */

/**
 * What the codes with all exponent bits set mean. `ieee`: infinity and nan; `fn`: only the code with all bits set is nan,
 * there is no infinity (OCP 8-bit floating point, 5.2); `finite`: numbers like all others (OCP microscaling, 5.3.3).
 */
type Specials = "ieee" | "fn" | "finite";

export interface FloatFormat {
  readonly name: string;
  readonly exponentBits: number;
  /** Stored bits of the mantissa, the leading one left out. */
  readonly mantissaBits: number;
  readonly bias: number;
  readonly specials: Specials;
  /** The largest finite value. */
  readonly max: number;
  /** The exponent of the smallest normal value; subnormals share it. */
  readonly minExponent: number;
  /** By exponent field: what one unit of the mantissa is worth there. */
  readonly units: Float64Array;
}

const scratch = new DataView(new ArrayBuffer(8));

/** 2^exponent, exactly, for -1022..1023; built from bits since `**` is not specified to be exact. */
export function powerOfTwo(exponent: number): number {
  scratch.setInt32(0, (exponent + 1023) << 20);
  scratch.setInt32(4, 0);
  return scratch.getFloat64(0);
}

/** floor(log2 |x|) of a finite normal double; -1023 for 0 and subnormals, which lie below every format here. */
export function exponentOf(x: number): number {
  scratch.setFloat64(0, x);
  return ((scratch.getInt32(0) >>> 20) & 0x7ff) - 1023;
}

interface Layout {
  readonly name: string;
  readonly exponentBits: number;
  readonly mantissaBits: number;
  readonly specials: Specials;
}

function floatFormat({ name, exponentBits, mantissaBits, specials }: Layout): FloatFormat {
  const bias = 2 ** (exponentBits - 1) - 1;
  const fields = 2 ** exponentBits;
  const topField = specials === "ieee" ? fields - 2 : fields - 1;
  // With `fn` the mantissa of all ones is nan in the top field.
  const topMantissa = 2 ** (mantissaBits + 1) - (specials === "fn" ? 2 : 1);
  const units = Float64Array.from({ length: fields }, (_, field) =>
    powerOfTwo(Math.max(field, 1) - bias - mantissaBits),
  );
  const max = topMantissa * (units[topField] ?? Number.NaN);
  return { name, exponentBits, mantissaBits, bias, specials, max, minExponent: 1 - bias, units };
}

/** IEEE 754 binary16. */
export const f16 = floatFormat({ name: "f16", exponentBits: 5, mantissaBits: 10, specials: "ieee" });
/** The upper half of an f32. */
export const bf16 = floatFormat({ name: "bf16", exponentBits: 8, mantissaBits: 7, specials: "ieee" });
/** `e4m3fn`: largest 448, no infinity, nan is 0x7F and 0xFF. */
export const e4m3 = floatFormat({ name: "e4m3", exponentBits: 4, mantissaBits: 3, specials: "fn" });
/** Largest 57344, with infinities. */
export const e5m2 = floatFormat({ name: "e5m2", exponentBits: 5, mantissaBits: 2, specials: "ieee" });
/** Four bits: ±{0, 0.5, 1, 1.5, 2, 3, 4, 6}, no infinity, no nan. */
export const e2m1 = floatFormat({ name: "e2m1", exponentBits: 2, mantissaBits: 1, specials: "finite" });

/** The number that a code stands for. The code is an integer of 1 + exponentBits + mantissaBits bits. */
export function decodeFloat(format: FloatFormat, code: number): number {
  const { exponentBits, mantissaBits, specials, units } = format;
  const fields = 1 << exponentBits;
  const field = (code >> mantissaBits) & (fields - 1);
  const mantissa = code & ((1 << mantissaBits) - 1);
  const negative = code >> (exponentBits + mantissaBits) !== 0;
  if (field === fields - 1) {
    if (specials === "ieee") {
      if (mantissa !== 0) return Number.NaN;
      return negative ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
    }
    if (specials === "fn" && mantissa === (1 << mantissaBits) - 1) return Number.NaN;
  }
  const magnitude = (field === 0 ? mantissa : mantissa + (1 << mantissaBits)) * (units[field] ?? Number.NaN);
  return negative ? -magnitude : magnitude;
}

/**
 * The value of the format that a cast of `x` gives; the sign of zero is kept. NaN stays NaN where the format has it; in
 * e2m1, which has none, it becomes 6, as CUDA's `cvt.rn.satfinite.e2m1x2.f32` has it.
 */
export function roundFloat(format: FloatFormat, x: number): number {
  if (Number.isNaN(x)) return format.specials === "finite" ? format.max : x;
  const magnitude = Math.abs(x);
  const rounded = magnitude < 2 * format.max ? roundBelow(format, magnitude) : magnitude;
  const kept = rounded === Number.POSITIVE_INFINITY && format.specials === "ieee";
  const clamped = kept ? rounded : Math.min(rounded, format.max);
  return x < 0 || Object.is(x, -0) ? -clamped : clamped;
}

/**
 * From 2^52·unit to twice that the doubles are spaced by exactly one unit of the format, and the start is an even multiple of
 * it: adding the start lets the processor round to nearest, ties to even; subtracting it again is exact.
 */
function roundBelow(format: FloatFormat, magnitude: number): number {
  const exponent = Math.max(exponentOf(magnitude), format.minExponent);
  const anchor = powerOfTwo(52 + exponent - format.mantissaBits);
  return magnitude + anchor - anchor;
}

/** The code of the value that a cast of `x` gives; NaN gives the quiet NaN with sign 0. */
export function encodeFloat(format: FloatFormat, x: number): number {
  const { exponentBits, mantissaBits, specials, minExponent } = format;
  const rounded = roundFloat(format, x);
  const infinity = ((1 << exponentBits) - 1) << mantissaBits;
  if (Number.isNaN(rounded))
    return specials === "fn" ? infinity | ((1 << mantissaBits) - 1) : infinity | (1 << (mantissaBits - 1));
  const sign = rounded < 0 || Object.is(rounded, -0) ? 1 << (exponentBits + mantissaBits) : 0;
  const magnitude = Math.abs(rounded);
  if (magnitude === Number.POSITIVE_INFINITY) return sign | infinity;
  const exponent = Math.max(exponentOf(magnitude), minExponent);
  // The leading one of a normal value adds 1 to its exponent field; a subnormal has neither.
  const mantissa = magnitude / powerOfTwo(exponent - mantissaBits);
  return sign | (((exponent - minExponent) << mantissaBits) + mantissa);
}
