/** How long a kernel takes as WebAssembly on one thread. */
import { WasmInstance } from "../../backends/wasm/instance.ts";
import { wasmModule } from "../../backends/wasm/module.ts";
import type { Data } from "../../compiler/kernel/interpret.ts";
import type { Kernel } from "../../compiler/kernel/kernel.ts";
import { lower } from "../../compiler/kernel/lower/lower.ts";
import type { KernelTarget } from "../../compiler/target/kernel-target.ts";

export interface Work {
  readonly kernel: Kernel;
  readonly sizes: Readonly<Record<string, number>>;
  /** Data, or how many bytes. */
  readonly buffers: Readonly<Record<string, Data | number>>;
}
/** Median and best seconds of a full run. Short calls come first: an engine enters optimised code at the next call only. */
export async function time(
  { kernel, sizes, buffers }: Work,
  target: KernelTarget,
  seconds: number,
): Promise<{ readonly median: number; readonly best: number }> {
  const k = lower(kernel, target);
  const instance = await WasmInstance.open(await wasmModule([k]), 65_536);
  const placed = Object.entries(buffers).map(
    ([n, b]) => [n, typeof b === "number" ? instance.reserve(b) : instance.place(b)] as const,
  );
  const run = instance.bind(k, Object.fromEntries(placed), sizes);
  for (let i = 0; i < 60; i += 1) run(0, 1);
  const times: number[] = [];
  const until = performance.now() + seconds * 1000;
  do {
    const start = performance.now();
    run();
    times.push((performance.now() - start) / 1000);
  } while (performance.now() < until);
  times.sort((a, b) => a - b);
  return { median: times[times.length >> 1] ?? 0, best: times[0] ?? 0 };
}

export interface Timed {
  readonly what: string;
  readonly work: Work;
  /** Of the unit, in a run, in 1e-9 of it. */
  readonly amount: number;
  readonly unit: string;
  readonly noted: string;
}
export async function printTime(
  { what, work, amount, unit, noted }: Timed,
  target: KernelTarget,
  seconds: number,
): Promise<void> {
  const { median, best } = await time(work, target, seconds);
  const [m, b] = [amount / median / 1e9, amount / best / 1e9].map((x) => x.toFixed(1).padStart(6));
  console.log(`${what.padEnd(44)} ${m} median ${b} best ${unit.padEnd(12)} ${noted}`);
}
