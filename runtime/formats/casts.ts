/**
 * What `x as bf16` and its sisters do to one number: round to nearest even, once, and saturate. The result is a value of
 * the format, as a double. `roundToE8m0` stands in e8m0.ts.
 */
import { bf16, e2m1, e4m3, e5m2, f16, roundFloat } from "./float-format.ts";

/** Finite beyond ±65504 gives ±65504; infinities and nan stay. */
export const roundToF16 = (x: number): number => roundFloat(f16, x);

/** Finite beyond ±(2 - 2^-7)·2^127 gives that; infinities and nan stay. */
export const roundToBf16 = (x: number): number => roundFloat(bf16, x);

/** Beyond ±448, infinities included, gives ±448; nan stays. */
export const roundToE4m3 = (x: number): number => roundFloat(e4m3, x);

/** Finite beyond ±57344 gives ±57344; infinities and nan stay. */
export const roundToE5m2 = (x: number): number => roundFloat(e5m2, x);

/** A whole number of -128..127; nan gives 0. Never -0. */
export function roundToI8(x: number): number {
  // The doubles from 2^52 on are the whole numbers.
  const whole = Math.max(-128, Math.min(127, x)) + 1.5 * 2 ** 52 - 1.5 * 2 ** 52;
  return Number.isNaN(x) ? 0 : whole;
}

/** Beyond ±6, infinities included, gives ±6; nan gives 6. A negative number that rounds to zero gives +0: `e2m1` reads code 8 as 0. */
export const roundToE2m1 = (x: number): number => roundFloat(e2m1, x) + 0;
