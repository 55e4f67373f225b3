import { chooseRowReduction, rmsNorm, rowReduction } from "../../compiler/schedule/row-reduction.ts";
import { chooseSelection, noIndex, selection } from "../../compiler/schedule/selection.ts";
import type { KernelTarget } from "../../compiler/target/kernel-target.ts";
import { floats } from "./data.ts";
import type { KernelCase } from "./kernel-case.ts";
import { exactly } from "./tolerance.ts";

const epsilon = 1e-6;

function normCase(t: KernelTarget, T: number, D: number, multiple: number): KernelCase {
  const norm = rmsNorm(multiple, epsilon);
  const [x, g] = [floats(T * D, 1), floats(D, 2)];
  const values = Array.from(x, (v, i) => {
    const row = x.subarray(Math.floor(i / D) * D, Math.floor(i / D) * D + D);
    const mean = row.reduce((s, y) => s + y * y, 0) / D;
    return (v * (g[i % D] ?? 0)) / Math.sqrt(mean + epsilon);
  });
  return {
    name: `rms_norm of ${T} x ${D}`,
    kernel: rowReduction(norm, chooseRowReduction(norm, t)),
    sizes: { T, D },
    inputs: { x, g },
    expected: { y: { values, magnitudes: values.map(Math.abs), length: D } }, // all squares are >= 0: the error is relative
  };
}

function selectionCase(t: KernelTarget, x: Float32Array, T: number, k: number, multiple: number): KernelCase {
  const E = x.length / T;
  const [value, index]: [number[], number[]] = [[], []];
  for (let t0 = 0; t0 < T; t0 += 1) {
    const row = [...x.subarray(t0 * E, t0 * E + E)].map((v, i) => ({ v, i })).filter(({ v }) => !Number.isNaN(v));
    row.sort((a, b) => (a.v === b.v ? a.i - b.i : b.v - a.v));
    for (let j = 0; j < k; j += 1) {
      value.push(row[j]?.v ?? Number.NEGATIVE_INFINITY);
      index.push(row[j]?.i ?? noIndex);
    }
  }
  return {
    name: `${k} of ${T} x ${E}`,
    kernel: selection(chooseSelection(multiple, t)),
    sizes: { T, E, k },
    inputs: { x },
    expected: { value: exactly(value), index: exactly(index) },
  };
}

export function rowCases(t: KernelTarget): readonly KernelCase[] {
  const ties = floats(3 * 260, 13).map((v) => Math.round(v * 50) / 50);
  const infinite = Float32Array.of(1, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, Number.NaN, -0, 0, 5);
  return [
    normCase(t, 3, 208, 16),
    normCase(t, 0, 16, 16),
    normCase(t, 2, 0, 16),
    normCase(t, 5, 1, 1),
    normCase(t, 2, 131, 1),
    selectionCase(t, ties, 3, 6, 4),
    selectionCase(t, infinite, 1, 8, 1),
    selectionCase(t, floats(9, 3), 1, 0, 1),
  ];
}
