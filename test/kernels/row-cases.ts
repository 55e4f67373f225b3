import type { KernelTarget } from "../../compiler/target/kernel-target.ts";
import { chooseRowReduction, rmsNorm, rowReduction } from "./by-hand/row-reduction.ts";
import { floats } from "./data.ts";
import type { KernelCase } from "./kernel-case.ts";

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

export function rowCases(t: KernelTarget): readonly KernelCase[] {
  return [
    normCase(t, 3, 208, 16),
    normCase(t, 0, 16, 16),
    normCase(t, 2, 0, 16),
    normCase(t, 5, 1, 1),
    normCase(t, 2, 131, 1),
  ];
}
