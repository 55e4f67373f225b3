/** The machine's limits with the instructions and threads that a model runs with. */
import { wasmModule } from "../../../backends/wasm/module.ts";
import { probeKernels } from "../../../backends/wasm/probe-kernels.ts";
import { type MachineLimits, measureMachine } from "./measure-machine.ts";

/** Of each of the three measurements. */
const seconds = 0.4;

export async function measureLimits(threads: number, simd: "baseline" | "relaxed"): Promise<MachineLimits> {
  const module = await wasmModule(probeKernels(), { relaxed: simd === "relaxed", shared: true });
  return measureMachine({ module, threads, seconds });
}
