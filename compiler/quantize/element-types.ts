/** Element types in which weights are packed, and types of the multipliers beside them, as data. */
import type { DtypeName } from "../../runtime/formats/dtypes.ts";
import { pow2Ceil, roundToE8m0 } from "../../runtime/formats/e8m0.ts";
import type { StoredDtype } from "../../runtime/formats/encode-numbers.ts";
import {
  bf16,
  e2m1,
  e4m3,
  e5m2,
  encodeFloat,
  type FloatFormat,
  roundFloat,
} from "../../runtime/formats/float-format.ts";

/** What a block's numbers become once they are divided by its multiplier. */
export interface ElementType {
  /** As published files name it. */
  readonly dtype: DtypeName;
  /** Codes in a byte, the first in its low bits. */
  readonly perByte: 1 | 2;
  /** The largest finite number: a multiplier is chosen so that the block's largest becomes it. */
  readonly largest: number;
  /** The code of the nearest number, ties to even; beyond the largest it saturates. */
  readonly encode: (x: number) => number;
  /** By how much the nearest number may differ from x: at most the larger of a share of x and a constant. */
  readonly error: { readonly share: number; readonly least: number };
}

const ofFloat = (format: FloatFormat, dtype: DtypeName, perByte: 1 | 2 = 1): ElementType => ({
  dtype,
  perByte,
  largest: format.max,
  encode: (x) => encodeFloat(format, x),
  error: { share: 2 ** -(format.mantissaBits + 1), least: 2 ** (format.minExponent - format.mantissaBits - 1) },
});

/** To the nearest whole number, ties to even: the doubles from 2^52 on are the whole numbers. */
const wholeNumber = (x: number): number => x + 1.5 * 2 ** 52 - 1.5 * 2 ** 52;

/** Whole numbers that are symmetric about 0: -2^(bits - 1) is not used. */
const ofInteger = (bits: 8, dtype: DtypeName): ElementType => {
  const largest = 2 ** (bits - 1) - 1;
  return {
    dtype,
    perByte: 1,
    largest,
    encode: (x) => Math.max(-largest, Math.min(largest, wholeNumber(x))) & (2 ** bits - 1),
    error: { share: 0, least: 0.5 },
  };
};

/** By their names in the language. A code of e2m1 for minus zero is read as 0. */
export const elementTypes: ReadonlyMap<string, ElementType> = new Map([
  ["e4m3", ofFloat(e4m3, "F8_E4M3")],
  ["e5m2", ofFloat(e5m2, "F8_E5M2")],
  ["e2m1", { ...ofFloat(e2m1, "I8", 2), encode: (x: number) => encodeFloat(e2m1, roundFloat(e2m1, x) + 0) }],
  ["i8", ofInteger(8, "I8")],
]);

export interface MultiplierType {
  readonly dtype: StoredDtype;
  /** The number of the type that stands for a multiplier. */
  readonly round: (x: number) => number;
  /** Whether it has powers of two only. */
  readonly powersOnly: boolean;
}

/** By their names in the language; of `real` files have f32. Of e8m0 the next power of two, so that nothing saturates. */
export const multiplierTypes: ReadonlyMap<string, MultiplierType> = new Map<string, MultiplierType>([
  ["f32", { dtype: "F32", round: Math.fround, powersOnly: false }],
  ["real", { dtype: "F32", round: Math.fround, powersOnly: false }],
  ["bf16", { dtype: "BF16", round: (x) => roundFloat(bf16, x), powersOnly: false }],
  ["e8m0", { dtype: "F8_E8M0", round: (x) => roundToE8m0(pow2Ceil(x)), powersOnly: true }],
]);
