/**
 * Speed of streamed folds as WebAssembly on one thread: attention as graphs have it. Prints, asserts nothing.
 *
 *     tsx test/bench/streamed-kernels.ts [seconds a kernel]
 */
import { wasmTarget } from "../../backends/wasm/target.ts";
import type { Sizes } from "../../compiler/graph/dim.ts";
import { evaluateExtent } from "../../compiler/kernel/interpret.ts";
import { mapCase } from "../kernels/map-case.ts";
import { grouped, latent, multiHead } from "../kernels/streamed-graphs.ts";
import { printTime, type Work } from "./time-kernel.ts";

const seconds = Number(process.argv[2] ?? 0.5);

function workOf(text: string, sizes: Sizes, fixed: Sizes): Work {
  const c = mapCase(text, { sizes, fixed, target: wasmTarget, expected: false });
  const made = c.kernel.buffers.find((b) => b.name === "made");
  const elements = made === undefined ? 0 : evaluateExtent(made.extent, c.sizes);
  return { kernel: c.kernel, sizes: c.sizes, buffers: { ...c.inputs, made: 4 * elements } };
}
/** Multiplications and additions for each pair of a row and a place that it sees. */
interface Shape {
  readonly what: string;
  readonly text: string;
  readonly perPair: number;
}
async function prefill({ what, text, perPair }: Shape, T: number, S0: number): Promise<void> {
  const work = workOf(text, { T, S0 }, {});
  const amount = perPair * (T * S0 + (T * (T + 1)) / 2);
  await printTime(
    { what: `${what}, T ${T}, S ${S0 + T}`, work, amount, unit: "GFLOP/s", noted: "" },
    wasmTarget,
    seconds,
  );
}
async function decode(what: string, text: string, { places, bytes }: { places: number; bytes: number }): Promise<void> {
  const work = workOf(text, { T: 1, S0: places - 1, N: places }, { T: 1 });
  const amount = bytes * places;
  await printTime({ what: `${what}, ${places} places`, work, amount, unit: "GB/s", noted: "" }, wasmTarget, seconds);
}

console.log(`Node ${process.versions.node}, WebAssembly SIMD128, one thread`);
const places = 1000;
await decode("12 heads of 64", multiHead(12, 64), { places, bytes: 8 * 12 * 64 });
await decode("6 x 2 heads of 64", grouped(6, 2, 64), { places, bytes: 8 * 6 * 64 });
await decode("3 x 4 heads of 64", grouped(3, 4, 64), { places, bytes: 8 * 3 * 64 });
await decode("2 x 8 heads of 128", grouped(2, 8, 128), { places, bytes: 8 * 2 * 128 });
for (const R of [128, 512])
  for (const near of [false, true]) {
    const text = latent({ H: 8, R, P: 64, near });
    await decode(`8 heads, latent ${R}${near ? ", looked up" : ""}`, text, { places, bytes: 4 * (R + 64) });
  }
const heads: Shape = { what: "12 heads of 64", text: multiHead(12, 64), perPair: 4 * 12 * 64 };
for (const S0 of [0, 384, 896]) await prefill(heads, 128, S0);
await prefill(heads, 4, 508);
await prefill({ what: "2 x 8 heads of 64", text: grouped(2, 8, 64), perPair: 4 * 16 * 64 }, 128, 896);
const wide = latent({ H: 16, R: 512, P: 64, near: false });
await prefill({ what: "16 heads, latent 512", text: wide, perPair: 2 * 16 * (2 * 512 + 64) }, 32, 512);
