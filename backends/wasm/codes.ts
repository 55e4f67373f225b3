/**
 * f16 and bf16 as 32-bit lanes that hold a code, from and to f32. Rounding is to nearest even and saturates what is finite;
 * infinities stay, and a nan becomes the quiet one without a sign.
 */
import type { Ref } from "./binaryen.ts";
import type { Frame } from "./frame.ts";
import { splatI32 } from "./simd.ts";

export type Coded = "f16" | "bf16";

export const decoded = (f: Frame, elem: Coded, code: Ref): Ref =>
  elem === "bf16" ? f.m.i32x4.shl(code, f.m.i32.const(16)) : decodedF16(f, code);

/**
 * Exponent and mantissa moved into place are the value · 2⁻¹¹²: exact, but for infinities and nans, whose exponent is set.
 * Zeros and subnormal halves are denormals on the way, which are slow.
 */
function decodedF16(f: Frame, code: Ref): Ref {
  const { v128, i32, i32x4, f32, f32x4 } = f.m;
  const bits = f.onceVector(code);
  const shifted = i32x4.shl(v128.and(bits(), splatI32(f, 0x7fff)), i32.const(13));
  const magnitude = f.onceVector(f32x4.mul(shifted, f32x4.splat(f32.const(2 ** 112))));
  const infinite = f32x4.ge(magnitude(), f32x4.splat(f32.const(65536)));
  const exponent = v128.and(infinite, splatI32(f, 0x7f800000));
  const sign = i32x4.shl(v128.and(bits(), splatI32(f, 0x8000)), i32.const(16));
  return v128.or(v128.or(magnitude(), exponent), sign);
}

interface Magnitude {
  readonly bits: () => Ref;
  /** Mask of what is not finite. */
  readonly special: () => Ref;
}

export function encoded(f: Frame, elem: Coded, value: Ref): Ref {
  const { v128, i32, i32x4 } = f.m;
  const given = f.onceVector(value);
  const bits = f.onceVector(v128.and(given(), splatI32(f, 0x7fffffff)));
  const special = f.onceVector(i32x4.ge_s(bits(), splatI32(f, 0x7f800000)));
  const sign = v128.and(i32x4.shr_u(given(), i32.const(16)), splatI32(f, 0x8000));
  const [infinity, nan] = elem === "bf16" ? [0x7f80, 0x7fc0] : [0x7c00, 0x7e00];
  const rounded = (elem === "bf16" ? roundedBf16 : roundedF16)(f, { bits, special });
  const finite = i32x4.min_s(rounded, splatI32(f, infinity - 1));
  const signed = v128.or(v128.bitselect(splatI32(f, infinity), finite, special()), sign);
  return v128.bitselect(splatI32(f, nan), signed, i32x4.gt_s(bits(), splatI32(f, 0x7f800000)));
}

/** Adds just less than half of the last kept bit, and that bit itself: a tie goes up where it is odd. */
function roundedAt(f: Frame, bits: () => Ref, dropped: number): Ref {
  const { v128, i32, i32x4 } = f.m;
  const last = v128.and(i32x4.shr_u(bits(), i32.const(dropped)), splatI32(f, 1));
  const raised = i32x4.add(i32x4.add(bits(), splatI32(f, 2 ** (dropped - 1) - 1)), last);
  return i32x4.shr_u(raised, i32.const(dropped));
}

const roundedBf16 = (f: Frame, { bits, special }: Magnitude): Ref =>
  roundedAt(f, f.onceVector(f.m.v128.andnot(bits(), special())), 16);

/** Below 2⁻¹⁴ a half counts in steps of 2⁻²⁴, as f32 does from 1/2 to 1: adding 1/2 rounds. */
function roundedF16(f: Frame, { bits, special }: Magnitude): Ref {
  const { v128, f32, i32x4, f32x4 } = f.m;
  // Saturated early, so that the exponent fits the field; 2¹⁷ is far enough.
  const bounded = f.onceVector(i32x4.min_s(v128.andnot(bits(), special()), splatI32(f, 0x48000000)));
  const normal = i32x4.sub(roundedAt(f, bounded, 13), splatI32(f, 112 << 10));
  const half = (): Ref => f32x4.splat(f32.const(0.5));
  const subnormal = i32x4.sub(f32x4.add(bounded(), half()), half());
  return v128.bitselect(subnormal, normal, i32x4.lt_s(bounded(), splatI32(f, 0x38800000)));
}
