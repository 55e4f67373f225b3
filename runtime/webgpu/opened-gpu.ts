/** A device with everything that calls of a program need on it. */
import { isChoice } from "../artifact/best-tokens.ts";
import { Layouts } from "./bind-groups.ts";
import { usage } from "./flags.ts";
import { GpuKernels, type KernelSource } from "./gpu-kernels.ts";
import { GpuMemory } from "./gpu-memory.ts";
import { Watch } from "./lost.ts";
import type { GpuPlan } from "./plan-gpu.ts";
import { ReadBack } from "./read-back.ts";
import { inScopes } from "./scopes.ts";
import { Upload } from "./upload.ts";
import { writeConstants } from "./write-constants.ts";

export interface GpuDeviceOrder {
  readonly plan: GpuPlan;
  /** This takes it over: it is destroyed with the model. */
  readonly device: GPUDevice;
  readonly kernels: KernelSource;
  /** Elements that a submit may touch; without it as many as it takes little time for. */
  readonly submitWork?: number | undefined;
  /** Compilers of kernels take what time they take: an abort takes the device from them. */
  readonly signal?: AbortSignal | undefined;
}

export interface OpenedGpu {
  readonly plan: GpuPlan;
  readonly device: GPUDevice;
  readonly memory: GpuMemory;
  readonly watch: Watch;
  readonly layouts: Layouts;
  readonly kernels: GpuKernels;
  /** Those of all sessions, as the plan has them. */
  readonly buffers: readonly GPUBuffer[];
  readonly uniforms: GPUBuffer;
  readonly readBack: ReadBack;
  readonly upload: Upload;
}

/** Pipelines, memory and constants. Throws DscError and `signal.reason`, and has then destroyed the device. */
export async function openGpu({ plan, device, kernels: source, signal }: GpuDeviceOrder): Promise<OpenedGpu> {
  const memory = new GpuMemory(device);
  const watch = new Watch(device);
  const stop = (): void => device.destroy();
  signal?.addEventListener("abort", stop);
  try {
    const layouts = new Layouts(device);
    const kernels = new GpuKernels({ device, layouts, watch, decls: plan.program.kernels, source });
    await kernels.make(firstKernels(plan));
    const storage = memory.allocate(plan.buffers, usage.storage | usage.copyTarget | usage.copySource);
    const sizes = [{ what: "sizes of calls", bytes: plan.uniformBytes }];
    const small = memory.allocate(sizes, usage.uniform | usage.copyTarget);
    await watch.until(Promise.all([storage.ready, small.ready]));
    const [uniforms] = small.buffers;
    if (uniforms === undefined) throw new RangeError("no buffer was made");
    const { checked } = inScopes(device, "loading", () => {
      writeConstants(device.queue, plan, storage.buffers);
      for (const [i, { uniforms: all }] of plan.phases.entries())
        device.queue.writeBuffer(uniforms, plan.uniforms[i] ?? 0, all.numbers);
    });
    await watch.until(checked);
    const readBack = new ReadBack(memory, watch);
    const upload = new Upload(device.queue, watch);
    return { plan, device, memory, watch, layouts, kernels, buffers: storage.buffers, uniforms, readBack, upload };
  } catch (error) {
    memory.dispose();
    device.destroy();
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

/** Those of phases with which a text may begin: they choose a token, behind few rows or none. */
function firstKernels({ phases, program }: GpuPlan): readonly number[] {
  const first = phases.filter(
    ({ phase: { rows, outputs, entry } }) =>
      (rows?.from ?? 1) === 1 &&
      (entry === program.draft?.entry || outputs.some(({ name }) => name === "next" || isChoice({ name }))),
  );
  return [...new Set(first.flatMap(({ steps }) => steps.map((s) => s.kernel)))];
}
