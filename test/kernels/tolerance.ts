/**
 * How far a result may be from the exact one: |got - want| <= (length + 8) · u · magnitude + unit(output) · |want| + 2⁻¹²⁵, u = 2⁻²⁴.
 *
 * A sum of `length` products, in any order and with or without fused additions, is off by at most γ = length·u/(1 - length·u)
 * times Σ |aᵢ·bᵢ| (N. Higham, Accuracy and Stability of Numerical Algorithms, 3.1); `magnitude` is that sum. The 8 is for
 * scalar functions around the sum; exp may be 0 below 2⁻¹²⁵. Where values themselves pass through functions, a case says what `magnitude` is.
 */
export interface Expected {
  readonly values: readonly number[];
  /** Of each value: the sum of the magnitudes that it is summed from. */
  readonly magnitudes: readonly number[];
  /** Terms of the longest sum. */
  readonly length: number;
  /** Relative rounding of the output's storage; 0 for f32. */
  readonly outputUnit?: number;
}
const unit = 2 ** -24;

/** The first value that is too far from what is expected; null if none is. */
export function firstWrong(got: ArrayLike<number>, want: Expected): string | null {
  for (const [i, value] of want.values.entries()) {
    const bound =
      (want.length + 8) * unit * (want.magnitudes[i] ?? 0) + (want.outputUnit ?? 0) * Math.abs(value) + 2 ** -125;
    const x = got[i] ?? Number.NaN;
    const same = Object.is(x, value) || x === value || Math.abs(x - value) <= bound;
    if (!same) return `[${i}] is ${x}, not ${value} ± ${bound}`;
  }
  return null;
}
/** What must be met exactly. */
export const exactly = (values: readonly number[]): Expected => ({
  values,
  magnitudes: values.map(() => 0),
  length: 0,
});
