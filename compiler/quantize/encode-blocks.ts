/** Numbers to codes with one multiplier for a block, a band of rows at a time. */
import { pow2Ceil } from "../../runtime/formats/e8m0.ts";
import type { SharedAxis } from "./block-form.ts";
import type { ElementType, MultiplierType } from "./element-types.ts";

/** Of which multiplier each element's block has: offsets into the multipliers that add up. */
export interface BlockGrid {
  readonly count: number;
  /** By row; and by the place within a row. */
  readonly ofRow: (row: number) => number;
  readonly within: Int32Array;
}

/** `shape` of the codes, [rows, …]; that of the multipliers, one axis for each of `shared`. */
export function blockGrid(
  shape: readonly number[],
  multipliers: readonly number[],
  shared: readonly SharedAxis[],
): BlockGrid {
  const strides = multipliers.map((_, k) => multipliers.slice(k + 1).reduce((n, d) => n * d, 1));
  const offset = (axis: number, index: number): number =>
    shared.reduce((sum, s, k) => (s?.axis === axis ? sum + Math.floor(index / s.by) * (strides[k] ?? 0) : sum), 0);
  const inner = shape.slice(1);
  const within = new Int32Array(inner.reduce((n, d) => n * d, 1));
  for (let i = 0; i < within.length; i += 1) {
    let rest = i;
    for (let axis = inner.length; axis >= 1; axis -= 1) {
      const size = inner[axis - 1] ?? 1;
      within[i] = (within[i] ?? 0) + offset(axis, rest % size);
      rest = Math.floor(rest / size);
    }
  }
  return { count: multipliers.reduce((n, d) => n * d, 1), ofRow: (row) => offset(0, row), within };
}

/** Raises each block's largest magnitude by those of a band from `row` on; gives the place of the first number that f32 does not have, or -1. */
export function raiseLargest(largest: Float64Array, band: Float64Array, row: number, grid: BlockGrid): number {
  const { within, ofRow } = grid;
  for (let i = 0, r = row; i < band.length; r += 1) {
    const base = ofRow(r);
    for (let c = 0; c < within.length; c += 1, i += 1) {
      const magnitude = Math.abs(Math.fround(band[i] ?? Number.NaN));
      if (!(magnitude <= mostF32)) return i;
      const block = base + (within[c] ?? 0);
      if (magnitude > (largest[block] ?? 0)) largest[block] = magnitude;
    }
  }
  return -1;
}
const mostF32 = (2 - 2 ** -23) * 2 ** 127;

/** The smallest normal f32: machines may take smaller ones for 0. */
const leastMultiplier = 2 ** -126;

/**
 * The block's largest magnitude over that of the element type, in f32, as kernels that are published compute it; with `pow2` the next power of two. A block of
 * zeros has 1: any multiplier that is not 0 would do.
 */
export function multiplierFor(
  largest: number,
  element: ElementType,
  type: MultiplierType,
  { pow2 }: { readonly pow2: boolean },
): number {
  if (largest === 0) return 1;
  const exact = Math.max(Math.fround(largest / element.largest), leastMultiplier);
  return type.round(pow2 ? pow2Ceil(exact) : exact);
}

/** The codes of a band from `row` on, packed. The quotient is one of f32. */
export function encodeBand(
  band: Float64Array,
  row: number,
  grid: BlockGrid,
  multipliers: Float64Array,
  { encode, perByte }: ElementType,
): Uint8Array {
  const { within, ofRow } = grid;
  const codes = new Uint8Array(band.length / perByte);
  for (let i = 0, r = row; i < band.length; r += 1) {
    const base = ofRow(r);
    for (let c = 0; c < within.length; c += 1, i += 1) {
      const by = multipliers[base + (within[c] ?? 0)] ?? Number.NaN;
      const code = encode(Math.fround(Math.fround(band[i] ?? Number.NaN) / by));
      if (perByte === 1) codes[i] = code;
      else codes[i >> 1] = (codes[i >> 1] ?? 0) | (code << (4 * (i & 1)));
    }
  }
  return codes;
}
