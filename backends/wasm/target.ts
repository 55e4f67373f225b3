/** What schedules and lowering ask of WebAssembly with SIMD128 on one thread. */
import type { KernelTarget } from "../../compiler/target/kernel-target.ts";

export const wasmTarget: KernelTarget = {
  name: "wasm",
  lanes: 1,
  mostLanes: 1,
  subgroup: null,
  vector: 4,
  /** Of 16, engines keep one, and multiply and add apart need one or two for the product: more spill in Node 20. */
  registers: 12,
  streams: 4,
  workers: 2,
  launchBytes: 5_400,
  mostBuffers: null,
  mostElements: 2 ** 31,
  windowBytes: null,
  sharedBytes: 1 << 20,
  keysAtOnce: 65_536,
  stageTiles: false,
  stagedFrom: Number.POSITIVE_INFINITY,
  native: [],
  dot: { group: 2, activation: "i16", panelRows: 4 },
  i64: true,
  matrixUnit: null,
  unroll: "expand",
};

/** With relaxed SIMD: multiply and add are one instruction, which needs no register for the product. */
export const wasmRelaxedTarget: KernelTarget = { ...wasmTarget, name: "wasm_relaxed", registers: 13 };
