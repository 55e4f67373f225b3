/** The backends there are, by name; what each is made of is loaded when it is asked for. */
import type { Machine } from "../compiler/conformance/machine.ts";
import type { Backend } from "../compiler/driver/backend.ts";
import type { PackageTarget, PlanTarget } from "../compiler/driver/package-target.ts";

const loaders: ReadonlyMap<string, () => Promise<Backend>> = new Map([
  ["reference", async () => (await import("./reference/reference-backend.ts")).referenceBackend],
]);

export const backendNames: readonly string[] = [...loaders.keys()];

/** Null where there is no such backend. */
export const loadBackend = async (name: string): Promise<Backend | null> => (await loaders.get(name)?.()) ?? null;

const targets: ReadonlyMap<string, () => Promise<PackageTarget>> = new Map([
  ["wasm", async () => (await import("./wasm/compile-target.ts")).wasmPackages],
  ["webgpu", async () => (await import("./wgsl/compile-target.ts")).webgpuPackages],
]);

/** What can be compiled for. */
export const targetNames: readonly string[] = [...targets.keys()];

/** Null where there is no such target. */
export const loadTarget = async (name: string): Promise<PackageTarget | null> => (await targets.get(name)?.()) ?? null;

const plans: ReadonlyMap<string, () => Promise<PlanTarget>> = new Map([
  ["wasm", async () => (await import("./wasm/compile-target.ts")).wasmPackages],
  ["webgpu", async () => (await import("./wgsl/compile-target.ts")).webgpuPackages],
  ["webgpu-subgroups", async () => (await import("./wgsl/compile-target.ts")).webgpuSubgroupsPlan],
]);

/** What plans can be made for, and looked at. */
export const planNames: readonly string[] = [...plans.keys()];

/** Null where there is no such target. */
export const loadPlan = async (name: string): Promise<PlanTarget | null> => (await plans.get(name)?.()) ?? null;

/** `gpu`: what opens the WebGPU of the host, for those that need it; it may throw. */
type MachineLoader = (gpu: () => Promise<GPU>) => Promise<Machine>;
const machines: ReadonlyMap<string, MachineLoader> = new Map<string, MachineLoader>([
  ["wasm", async () => (await import("./wasm/kernel-machine.ts")).wasmMachine],
  ["webgpu", async (gpu) => (await import("./wgsl/adapter-machine.ts")).adapterMachine(await gpu(), false)],
  ["webgpu-plain", async (gpu) => (await import("./wgsl/adapter-machine.ts")).adapterMachine(await gpu(), true)],
]);

/** What runs kernels one at a time, and so can be held to the reference kernel by kernel. */
export const machineNames: readonly string[] = [...machines.keys()];

/** Null where there is no such machine. Throws NoAdapterError, and what `gpu` throws. */
export const loadMachine = async (name: string, gpu: () => Promise<GPU>): Promise<Machine | null> =>
  (await machines.get(name)?.(gpu)) ?? null;
