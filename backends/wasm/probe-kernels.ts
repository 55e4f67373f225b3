/**
 * Kernels that measure a machine as generated code meets it: how fast it reads memory, and how fast it multiplies and adds.
 * Written and spelled like all others, so what they reach others can.
 */
import type { Kernel } from "../../compiler/kernel/kernel.ts";
import { lower } from "../../compiler/kernel/lower/lower.ts";
import { parseKernel } from "../../compiler/kernel/parse.ts";
import { wasmTarget } from "./target.ts";

/** Rows that are read side by side, and what is done with each: sums alone, or with a factor as in a product. */
export const readShapes = [4, 8] as const;

const readText = (rows: number): string => `kernel @read_${rows} "reads ${rows} far-apart streams"
  size N multiple 8
  size K multiple 8
  read w: f32[N * K] rows
  write y: f32[N / ${rows}] rows
  grid block in N / ${rows}
  lanes 1
{
  reg acc: f32x4[8]
  unroll i in 0 .. 8 step 1 {
    acc[i] = f32x4(0)
  }
  loop k in 0 .. K step ${32 / rows} {
    unroll part in 0 .. ${8 / rows} step 1 {
      unroll r in 0 .. ${rows} step 1 {
        acc[part * ${rows} + r] = acc[part * ${rows} + r]:4 + w[(block + N / ${rows} * r) * K + k + part * 4]:4
      }
    }
  }
  reg total: f32x4[1]
  total[0] = acc[0]:4
  unroll j in 1 .. 8 step 1 {
    total[0] = total[0]:4 + acc[j]:4
  }
  y[block] = fold_sum(total[0]:4)
}
`;

/** Vectors that are multiplied and added independently of each other: what is best differs between engines. */
export const peakShapes = [8, 10, 12] as const;

/** Multiply-adds of one work item: 2 operations on each of 4 lanes. */
export const peakFlops = (chains: number, turns: number): number => turns * chains * 4 * 2;

const peakText = (
  chains: number,
): string => `kernel @peak_${chains} "multiplies and adds ${chains} vectors in registers"
  size N
  size G
  read x: f32[8] rows
  write y: f32[G * 4] rows
  grid g in G
  lanes 1
{
  reg acc: f32x4[${chains}]
  unroll i in 0 .. ${chains} step 1 {
    acc[i] = f32x4(0)
  }
  let a = x[0]:4
  let b = x[4]:4
  loop n in 0 .. N step 1 {
    unroll c in 0 .. ${chains} step 1 {
      acc[c] = fma(acc[c]:4, a, b)
    }
  }
  reg total: f32x4[1]
  total[0] = acc[0]:4
  unroll j in 1 .. ${chains} step 1 {
    total[0] = total[0]:4 + acc[j]:4
  }
  y[g * 4] = total[0]:4
}
`;

/** `read_4(w, y, N, K)`, `peak_8(x, y, N, G)` and their shapes: lowered. */
export const probeKernels = (): readonly Kernel[] =>
  [...readShapes.map(readText), ...peakShapes.map(peakText)].map((text) => {
    const parsed = parseKernel(text);
    if (!parsed.ok) throw new Error(`${parsed.line}:${parsed.column}: ${parsed.message}`);
    return lower(parsed.kernel, wasmTarget);
  });
