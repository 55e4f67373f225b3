/**
 * e8m0 (`F8_E8M0`, ue8m0): a power of two, 2^(code - 127), code 255 is nan. No sign, no zero. OCP microscaling, 5.4.1.
 */
import { exponentOf, powerOfTwo } from "./float-format.ts";

export const e8m0Max = powerOfTwo(127);
export const e8m0Min = powerOfTwo(-127);
const nanCode = 255;

/** 2^(code - 127); nan for 255. */
export function decodeE8m0(code: number): number {
  return code === nanCode ? Number.NaN : powerOfTwo(code - 127);
}

/**
 * The nearest power of two; a tie (1.5·2^k) goes up, to the one whose significand is even when it is written with the bit of
 * the lower one. Saturates: 0 gives 2^-127, anything larger than 2^127, infinity included, gives 2^127. A negative number
 * has no neighbour that means anything as a scale and gives nan.
 */
export function roundToE8m0(x: number): number {
  if (Number.isNaN(x) || x < 0) return Number.NaN;
  if (x >= e8m0Max) return e8m0Max;
  if (x <= e8m0Min) return e8m0Min;
  const below = powerOfTwo(exponentOf(x));
  return x >= 1.5 * below ? 2 * below : below;
}

/** The code of `roundToE8m0(x)`. */
export function encodeE8m0(x: number): number {
  const rounded = roundToE8m0(x);
  return Number.isNaN(rounded) ? nanCode : exponentOf(rounded) + 127;
}

/**
 * 2^ceil(log2 x), on bits: exact on powers of two and on their neighbours, where a rounded logarithm is not. `x` is a
 * positive normal double and the result is within the doubles; anything else gives nan.
 */
export function pow2Ceil(x: number): number {
  const exponent = exponentOf(x);
  if (!(x > 0) || exponent === -1023 || exponent === 1024) return Number.NaN;
  const below = powerOfTwo(exponent);
  if (below === x) return x;
  return exponent === 1023 ? Number.NaN : 2 * below;
}
