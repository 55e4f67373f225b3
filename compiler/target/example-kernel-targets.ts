/** Descriptions for tests and for planning without a backend: two CPUs, two GPUs without and with subgroups, one with a matrix unit. */
import type { KernelTarget } from "./kernel-target.ts";

const cpu = {
  lanes: 1,
  subgroup: null,
  vector: 4,
  registers: 12,
  streams: 8,
  workers: 1,
  launchBytes: 1_000_000,
  mostBuffers: null,
  mostElements: 2 ** 31,
  sharedBytes: 1 << 20,
  keysAtOnce: 65_536,
  stageTiles: false,
  stagedFrom: Number.POSITIVE_INFINITY,
  native: [],
  i64: true,
  matrixUnit: null,
  unroll: "expand",
} as const;
const gpu = {
  lanes: 64,
  subgroup: null,
  vector: 4,
  registers: 40,
  streams: 2,
  workers: 1,
  launchBytes: 1_000_000,
  mostBuffers: 8,
  mostElements: 2 ** 31,
  sharedBytes: 16384,
  keysAtOnce: 65_536,
  stageTiles: true,
  stagedFrom: 1e7,
  native: ["exp"],
  dot: { group: 4, activation: "i8", panelRows: 1 },
  i64: false,
  matrixUnit: null,
  unroll: "expand",
} as const;

export const exampleKernelTargets: readonly KernelTarget[] = [
  { ...cpu, name: "simd", dot: { group: 2, activation: "i16", panelRows: 4 } },
  { ...cpu, name: "simd_relaxed", registers: 13, dot: { group: 4, activation: "u7", panelRows: 4 } },
  { ...gpu, name: "gpu" },
  { ...gpu, name: "gpu_subgroups", subgroup: { min: 4, max: 128 } },
  {
    ...gpu,
    name: "gpu_unit",
    lanes: 128,
    subgroup: { min: 32, max: 32 },
    sharedBytes: 49152,
    i64: true,
    matrixUnit: { m: 16, n: 8, k: 16, elem: "bf16" },
    unroll: "keep",
  },
];
