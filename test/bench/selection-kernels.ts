/**
 * Selections as WebAssembly on one thread: all keys of a row at once, and in blocks of which the best are kept. Prints, asserts
 * nothing.
 *
 *     tsx test/bench/selection-kernels.ts [seconds a kernel]
 */
import { WasmInstance } from "../../backends/wasm/instance.ts";
import { wasmModule } from "../../backends/wasm/module.ts";
import { wasmTarget } from "../../backends/wasm/target.ts";
import { constant, name } from "../../compiler/kernel/expr.ts";
import { lower } from "../../compiler/kernel/lower/lower.ts";
import { chooseSelection, selection, vectorFor } from "../../compiler/schedule/selection.ts";
import { keepBest, sortKept } from "../../compiler/schedule/sort-keep.ts";
import type { ThresholdSchedule } from "../../compiler/schedule/sort-threshold.ts";
import { floats } from "../kernels/data.ts";

const seconds = Number(process.argv[2] ?? 0.3);
const k = 2048;

/** Milliseconds, the median of runs. */
function median(run: () => void): number {
  for (let i = 0; i < 40; i += 1) run();
  const times: number[] = [];
  const until = performance.now() + seconds * 1000;
  do {
    const start = performance.now();
    run();
    times.push(performance.now() - start);
  } while (performance.now() < until);
  return times.sort((a, b) => a - b)[times.length >> 1] ?? 0;
}

const kinds: Readonly<Record<string, (count: number) => Int32Array>> = {
  "scores of any order": (count) => {
    const bits = new Int32Array(floats(count, 12).buffer);
    return bits.map((x) => (x < 0 ? -(x & 0x7fffffff) : x));
  },
  "rising scores": (count) => new Int32Array(Float32Array.from({ length: count }, (_, i) => i / count).buffer),
};

async function atOnce(keys: Int32Array): Promise<number> {
  const d = { name: "top_k", sizes: { N: {} }, rows: constant(1), count: name("N"), k };
  const low = lower(selection(d, chooseSelection(d, keys.length, wasmTarget)), wasmTarget);
  const instance = await WasmInstance.open(await wasmModule([low]), 4096);
  const run = instance.bind(low, { keys: instance.place(keys), index: instance.reserve(4 * k) }, { N: keys.length });
  return median(() => run());
}

async function inBlocks(keys: Int32Array, block: number): Promise<number> {
  const d = {
    name: "keep",
    sizes: { N: {}, first: { multiple: block } },
    rows: constant(1),
    count: name("N"),
    k,
    from: name("first"),
  };
  const s: ThresholdSchedule = { lanes: 1, vector: vectorFor(d, wasmTarget), room: "shared" };
  const [keep, sort] = [keepBest(d, s), sortKept({ ...d, name: "sort", sizes: {} }, s)].map((x) =>
    lower(x, wasmTarget),
  );
  if (keep === undefined || sort === undefined) throw new Error("no kernels");
  const instance = await WasmInstance.open(await wasmModule([keep, sort]), 4096);
  const [kept, of, index] = [0, 1, 2].map(() => instance.reserve(4 * k)) as [number, number, number];
  const runs: (() => void)[] = [];
  for (let from = 0; from < keys.length; from += block) {
    const part = keys.subarray(from, from + block);
    const places = { keys: instance.place(part), kept_key: kept, kept_of: of };
    const run = instance.bind(keep, places, { N: part.length, first: from });
    runs.push(() => run());
  }
  const run = instance.bind(sort, { kept_key: kept, kept_of: of, index }, {});
  runs.push(() => run());
  return median(() => {
    for (const one of runs) one();
  });
}

console.log(`Node ${process.versions.node}, ${k} best of a row, milliseconds: at once, and by the keys of a block`);
const blocks = [4096, 8192, 16_384, 32_768, 65_536];
for (const [what, make] of Object.entries(kinds)) {
  console.log(`${what.padEnd(24)}${["keys", "at once", ...blocks.map(String)].map((x) => x.padStart(9)).join("")}`);
  for (const count of [2049, 4096, 8192, 16_384, 32_768, 65_536, 131_072]) {
    const keys = make(count);
    const figures = [await atOnce(keys)];
    for (const b of blocks) figures.push(await inBlocks(keys, b));
    console.log(
      `${" ".repeat(24)}${String(count).padStart(9)}${figures.map((x) => x.toFixed(3).padStart(9)).join("")}`,
    );
  }
}
