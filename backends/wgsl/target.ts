/** What schedules and lowering ask of WebGPU with the default limits, which every adapter has. */
import { transcendentals } from "../../compiler/kernel/ops.ts";
import type { KernelTarget } from "../../compiler/target/kernel-target.ts";
import type { CostTarget } from "../../compiler/target/target.ts";
import { mostBindings } from "./bindings.ts";

/** `maxStorageBufferBindingSize`: 128 MiB. */
const bindingBytes = 2 ** 27;

/** A GPU of a notebook: what is planned with these numbers is right on all. */
export const webgpuCost: CostTarget = {
  name: "webgpu",
  flopsPerSecond: 5e12,
  bytesPerSecond: 2e11,
  launchSeconds: 5e-6,
  windowElements: bindingBytes / 4,
  manyLanes: true,
  tile: 8,
  foldTile: 1024,
  maxNesting: 2,
};

export const webgpuTarget: KernelTarget = {
  name: "webgpu",
  lanes: 64,
  mostLanes: 256,
  subgroup: null,
  vector: 4,
  /** Of four f32: some GPUs give a lane 128 of one, and indices take theirs. */
  registers: 28,
  streams: 2,
  workers: 64,
  launchBytes: webgpuCost.launchSeconds * webgpuCost.bytesPerSecond,
  mostBuffers: mostBindings,
  mostElements: 2 ** 31,
  windowBytes: bindingBytes,
  sharedBytes: 16_384,
  keysAtOnce: 65_536,
  stageTiles: true,
  stagedFrom: (webgpuCost.flopsPerSecond * webgpuCost.launchSeconds) / 2,
  /** WGSL promises exp to 3 + 2|x| ulp, and of the others less: its texts have functions of their own, which expressions call. */
  native: transcendentals,
  dot: { group: 4, activation: "i8", panelRows: 1 },
  i64: true,
  matrixUnit: null,
  unroll: "expand",
};

/** With subgroups, whose size is known when a kernel runs only. */
export const webgpuSubgroupsTarget: KernelTarget = {
  ...webgpuTarget,
  name: "webgpu_subgroups",
  subgroup: { min: 4, max: 128 },
};
