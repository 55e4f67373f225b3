/**
 * What a thread does while kernels are still to come: it makes the modules that are made without it, and nothing where it fails or a
 * kernel is not proved.
 */
import { Worker } from "node:worker_threads";
import { expect, onTestFinished, test } from "vitest";
import { wasmPackages } from "../../backends/wasm/compile-target.ts";
import { wasmTarget } from "../../backends/wasm/target.ts";
import { type ModuleThread, moduleThread, type ThreadOrder } from "../../compiler/cli/compile/module-thread.ts";
import { constant } from "../../compiler/kernel/expr.ts";
import type { Kernel } from "../../compiler/kernel/kernel.ts";
import { lower } from "../../compiler/kernel/lower/lower.ts";
import { kernelCases } from "../kernels/cases.ts";
import { exampleProgram } from "../package/example-program.ts";

const full = process.env["DSC_FULL"] === "1";
/** Starting a thread from its sources takes seconds: the quick suite tries one of each kind. */
const tried = <T>(all: readonly T[]): readonly T[] => (full ? all : all.slice(0, 1));

/** From its sources. */
function open(order: ThreadOrder): ModuleThread {
  const script = new URL("../../compiler/cli/compile/module-worker.ts", import.meta.url).href;
  const start = `import(${JSON.stringify(import.meta.resolve("tsx/esm/api"))}).then((tsx) => { tsx.register(); return import("${script}"); });`;
  const thread = moduleThread(new Worker(start, { eval: true, workerData: order }));
  onTestFinished(() => thread.close());
  return thread;
}
/** Each buffer has one element, whatever the sizes are: the proof that accesses are in range fails, and nothing else does. */
const outOfRange = (k: Kernel): Kernel => ({
  ...k,
  buffers: k.buffers.map((b) => ({ ...b, extent: constant(1) })),
});
const kernels = ["copies", "rms_norm", "gemv of i8", "attention", "selection"].flatMap((start): Kernel[] => {
  const found = kernelCases(wasmTarget).find(({ name }) => name.startsWith(start));
  return found === undefined ? [] : [lower(found.kernel, wasmTarget)];
});

test("they are those that are made in one go", async () => {
  const thread = open({ target: "wasm" });
  for (const k of kernels) thread.add(k);
  const { modules, texts } = await wasmPackages.emit({ program: exampleProgram, kernels, scheduled: [] });
  expect(kernels.length).toBeGreaterThan(2);
  expect(modules.length).toBe(4);
  expect(await thread.finish()).toEqual({ modules, texts });
});

const runs: readonly (readonly [threads: number, module: string])[] = [
  [2, "simd-threads.wasm"],
  [1, "simd.wasm"],
];
test.each(tried(runs))("for a run in %i threads they are the one module that it takes", async (threads, name) => {
  const engine = wasmPackages.engine({ cores: 16, threads }).replace("relaxed", "simd");
  const thread = open({ target: "wasm", engine });
  for (const k of kernels) thread.add(k);
  const { modules } = await wasmPackages.emit({ program: exampleProgram, kernels, scheduled: [] });
  const made = await thread.finish();
  expect(made?.modules.map((file) => file.name)).toEqual([name]);
  expect(made?.modules).toEqual(modules.filter((file) => file.name === name));
  expect(made?.texts).toEqual([]);
});

const faults: readonly (readonly [what: string, order: ThreadOrder, given: readonly Kernel[]])[] = [
  ["a kernel that is not proved", { target: "wasm" }, [...kernels.slice(0, 1), ...kernels.slice(1, 2).map(outOfRange)]],
  ["a target that there is not", { target: "fpga" }, []],
  ["two kernels of one name", { target: "wasm" }, [...kernels.slice(0, 1), ...kernels.slice(0, 1)]],
];
test.each(tried(faults))("%s: nothing, so that it is made where what is wrong is told", async (_, order, given) => {
  const thread = open(order);
  for (const k of given) thread.add(k);
  expect(await thread.finish()).toBeNull();
});
