/**
 * Speed of kernels as WebAssembly on one thread, beside the figures of the design note's section 9 (Node 20, SIMD128). Prints,
 * asserts nothing.
 *
 *     tsx test/bench/wasm-kernels.ts [seconds a kernel]
 */
import { wasmTarget } from "../../backends/wasm/target.ts";
import type { Elem } from "../../compiler/kernel/elem.ts";
import { name } from "../../compiler/kernel/expr.ts";
import { chooseSelection, selection } from "../../compiler/schedule/selection.ts";
import { sortPermutation } from "../../compiler/schedule/sort-permutation.ts";
import { attention } from "../kernels/by-hand/attention.ts";
import { chooseAttention } from "../kernels/by-hand/attention-schedule.ts";
import { chooseTile, contraction, type TileSchedule } from "../kernels/by-hand/contraction.ts";
import { chooseGemv, type GemvSchedule, gemv } from "../kernels/by-hand/gemv.ts";
import { chooseRowReduction, rmsNorm, rowReduction } from "../kernels/by-hand/row-reduction.ts";
import { floats, packPanels, stored } from "../kernels/data.ts";
import { printTime, type Work } from "./time-kernel.ts";

const seconds = Number(process.argv[2] ?? 0.5);
const t = wasmTarget;

const row = (what: string, work: Work, amount: number, unit: string, noted: string): Promise<void> =>
  printTime({ what, work, amount, unit, noted: `noted ${noted}` }, t, seconds);

function gemvWork(N: number, K: number, weights: Elem, change: Partial<GemvSchedule> = {}): Work {
  const g = { name: "gemv", weights, batch: 1, multiple: 8 } as const;
  const kernel = gemv(g, { ...chooseGemv(g, t), ...change });
  return { kernel, sizes: { N, K }, buffers: { w: stored(weights, floats(N * K, 1)), x: floats(K, 2), y: 4 * N } };
}
function matmulWork(M: number, N: number, K: number, change: Partial<TileSchedule>): Work {
  const c = { name: "matmul", multiples: { n: 4, k: 16 } };
  const s = { ...chooseTile(c, t), ...change };
  const w = packPanels(floats(N * K, 6), N, K, s.vectors * s.vector);
  return { kernel: contraction(c, s), sizes: { M, N, K }, buffers: { a: floats(M * K, 5), w, c: 4 * M * N } };
}

console.log(`Node ${process.versions.node}, WebAssembly SIMD128, one thread`);
{
  const [N, K] = [8192, 4096];
  const noted = { 1: "11-13", 4: "14-19", 8: "14-19" } as const;
  for (const rows of [1, 4, 8] as const)
    await row(
      `gemv f32 ${N} x ${K}, ${rows} rows at once`,
      gemvWork(N, K, "f32", { rows }),
      N * K * 4,
      "GB/s",
      noted[rows],
    );
  await row(`gemv bf16 ${N} x ${K}`, gemvWork(N, K, "bf16"), N * K, "Gweights/s", "4-6");
  await row(`gemv f16 ${N} x ${K}`, gemvWork(N, K, "f16"), N * K, "Gweights/s", "-");
  await row("gemv f32 768 x 768, in cache", gemvWork(768, 768, "f32"), 768 * 768, "Gweights/s", "6-7");
}
{
  const [M, N, K] = [96, 768, 512];
  const noted = {
    "4x2 1": "22-32",
    "5x2 1": "17-20",
    "3x3 1": "18-19",
    "4x2 4": "24",
    "5x2 4": "23",
    "3x3 4": "23-25",
  };
  for (const [shape, figure] of Object.entries(noted)) {
    const [rows = 1, vectors = 1, blockK = 1] = shape.split(/[x ]/).map(Number);
    const work = matmulWork(M, N, K, { rows, vectors, blockK });
    const what = `matmul ${M} x ${N} x ${K}, ${rows}x${vectors * 4}, ${blockK} k a turn`;
    await row(what, work, 2 * M * N * K, "GFLOP/s", figure);
  }
}
{
  const [H, T, first, D] = [8, 32, 480, 64];
  const S = first + T;
  const a = { name: "attention", headDim: D, scale: 0.125 };
  const buffers = { q: floats(H * T * D, 7), k: floats(H * S * D, 8), v: floats(H * S * D, 9), o: 4 * H * T * D };
  const work = { kernel: attention(a, chooseAttention(a, t)), sizes: { H, T, S, first }, buffers };
  await row(`attention H${H} T${T} S${S} D${D}`, work, 4 * H * T * (first + T / 2) * D, "GFLOP/s", "11-17");
}
{
  const [T, D] = [64, 2048];
  const norm = rmsNorm(16, 1e-6);
  const buffers = { x: floats(T * D, 10), g: floats(D, 11), y: 4 * T * D };
  const work = { kernel: rowReduction(norm, chooseRowReduction(norm, t)), sizes: { T, D }, buffers };
  await row(`rms_norm ${T} x ${D}`, work, T * D, "Gelements/s", "3.9");
}
/** Of normal scores. */
function keys(count: number): Int32Array {
  const [u, v] = [floats(count, 12), floats(count, 13)];
  const bits = new Int32Array(
    u.map((x, i) => Math.sqrt(-2 * Math.log(Math.abs(x) + 1e-9)) * Math.cos(Math.PI * (v[i] ?? 0))).buffer,
  );
  return bits.map((x) => (x < 0 ? -(x & 0x7fffffff) : x));
}
for (const [T, E, k, noted] of [
  [64, 256, 8, "1.4-1.7"], // Gcompares/s by passes: 1.2 to 1.5 us a row
  [64, 256, 32, "-"],
  [1, 163_840, 2048, "-"],
] as const) {
  const d = { name: "top_k", sizes: { T: {}, E: {} }, rows: name("T"), count: name("E"), k };
  const s = chooseSelection(d, E, t);
  const work = { kernel: selection(d, s), sizes: { T, E }, buffers: { keys: keys(T * E), index: 4 * T * k } };
  if (s.way === "passes") await row(`top_k ${k} of ${E} by passes`, work, T * E * k, "Gcompares/s", noted);
  else await row(`top_k ${k} of ${E} by threshold`, work, T * E, "Gkeys/s", noted);
}
{
  const N = 32_768;
  const kernel = sortPermutation({ name: "argsort", sizes: { N: {} }, count: name("N") }, { lanes: 1 });
  const spaces = { index: 4 * N, words_a: 4 * N, of_a: 4 * N, words_b: 4 * N, of_b: 4 * N };
  await row(`argsort of ${N}`, { kernel, sizes: { N }, buffers: { keys: keys(N), ...spaces } }, N, "Gkeys/s", "-");
}
