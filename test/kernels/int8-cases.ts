import type { KernelTarget } from "../../compiler/target/kernel-target.ts";
import { chooseInt8Gemv, int8Block, int8Gemv, type PanelSchedule, type RowSchedule } from "./by-hand/gemv-int8.ts";
import { floats } from "./data.ts";
import type { KernelCase } from "./kernel-case.ts";

/** Blocks of 32 along k, each with the scale of its largest magnitude. */
function quantise(v: Float32Array, limit: number): { readonly q: Int8Array; readonly scales: Float32Array } {
  const [q, scales] = [new Int8Array(v.length), new Float32Array(v.length / int8Block)];
  for (let b = 0; b < scales.length; b += 1) {
    const part = v.subarray(b * int8Block, (b + 1) * int8Block);
    const scale = Math.fround(part.reduce((m, x) => Math.max(m, Math.abs(x)), 1e-20) / limit);
    scales[b] = scale;
    for (const [i, x] of part.entries())
      q[b * int8Block + i] = Math.max(-limit, Math.min(limit, Math.round(x / scale)));
  }
  return { q, scales };
}

/** Where weight k of row n stands: panels are [panel][block][group of k][row][k in group]. */
function placeOf(s: PanelSchedule | RowSchedule, n: number, k: number, K: number): number {
  if (s.kind === "rows") return n * K + k;
  const [block, inside] = [Math.floor(k / int8Block), k % int8Block];
  const start = (Math.floor(n / 4) * (K / int8Block) + block) * 4 * int8Block;
  return start + Math.floor(inside / s.group) * 4 * s.group + (n % 4) * s.group + (inside % s.group);
}
const scalePlace = (s: PanelSchedule | RowSchedule, n: number, block: number, blocks: number): number =>
  s.kind === "rows" ? n * blocks + block : (Math.floor(n / 4) * blocks + block) * 4 + (n % 4);

function int8Case(t: KernelTarget, N: number, K: number): KernelCase {
  const s = chooseInt8Gemv(t);
  const offset = s.kind === "panels" && s.activation === "u7";
  const W = quantise(floats(N * K, 6), 127);
  const X = quantise(floats(K, 7), offset ? 63 : 127);
  const blocks = K / int8Block;
  const [w, ws, start] = [new Int8Array(N * K), new Float32Array(N * blocks), new Int16Array(N * blocks)];
  const [values, magnitudes]: [number[], number[]] = [[], []];
  for (let n = 0; n < N; n += 1) {
    let [sum, magnitude] = [0, 0];
    for (let b = 0; b < blocks; b += 1) {
      let [dot, weights] = [0, 0];
      for (let k = b * int8Block; k < (b + 1) * int8Block; k += 1) {
        const q = W.q[n * K + k] ?? 0;
        w[placeOf(s, n, k, K)] = q;
        dot += q * (X.q[k] ?? 0);
        weights += q;
      }
      const term = dot * (W.scales[n * blocks + b] ?? 0) * (X.scales[b] ?? 0);
      sum += term;
      magnitude += Math.abs(term);
      ws[scalePlace(s, n, b, blocks)] = W.scales[n * blocks + b] ?? 0;
      start[scalePlace(s, n, b, blocks)] = -weights;
    }
    values.push(sum);
    magnitudes.push(magnitude * 4); // a row of lanes adds halves of blocks, which may cancel
  }
  const x = offset
    ? X.q.map((q) => q + 64)
    : s.kind === "panels" && s.activation === "i16"
      ? Int16Array.from(X.q)
      : X.q;
  return {
    name: `int8 gemv of ${N} x ${K}`,
    kernel: int8Gemv({ name: "gemv_int8" }, s),
    sizes: { N, K },
    inputs: { w, ws, x, xs: X.scales, ...(offset ? { start } : {}) },
    expected: { y: { values, magnitudes, length: 2 * blocks } },
  };
}
export const int8Cases = (t: KernelTarget): readonly KernelCase[] => [
  int8Case(t, 44, 288),
  int8Case(t, 4, 32),
  int8Case(t, 0, 32),
  int8Case(t, 4, 0),
];
