/** WebAssembly as something to compile for: what planning assumes of a machine, and what becomes of kernels. */
import type { PackageTarget } from "../../compiler/driver/package-target.ts";
import { lower } from "../../compiler/kernel/lower/lower.ts";
import type { CostTarget } from "../../compiler/target/target.ts";
import { hasRelaxedSimd, usualThreads } from "../../runtime/device/features.ts";
import { wasmText } from "./module.ts";
import { moduleName, wasmFiles, wasmWriter } from "./module-files.ts";
import { wasmTarget } from "./target.ts";

/** One core with memory far beyond its caches; `dsc bench` measures both limits. */
const wasmCost: CostTarget = {
  name: "wasm",
  flopsPerSecond: 35e9,
  bytesPerSecond: 18e9,
  launchSeconds: 3e-7,
  windowElements: null,
  manyLanes: false,
  tile: 8,
  foldTile: 512,
  maxNesting: 2,
};

export const wasmPackages: PackageTarget = {
  target: { name: "wasm", cost: wasmCost, kernel: wasmTarget },
  textOf: (k) => wasmText([lower(k, wasmTarget)]),
  engine: ({ cores, threads }) =>
    moduleName({ relaxed: hasRelaxedSimd(), shared: (threads ?? usualThreads(cores)) > 1 }),
  emit: wasmFiles,
  writer: wasmWriter,
};
