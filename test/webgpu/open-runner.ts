/** A device with what it has beyond the first version of WebGPU, wherever kernels are tried. */
import { DeviceRunner } from "../../backends/wgsl/device-runner.ts";

export interface Adapter {
  readonly vendor: string;
  readonly architecture: string;
  readonly description: string;
  readonly features: readonly string[];
}
export interface OpenRunner {
  readonly adapter: Adapter;
  readonly device: GPUDevice;
  readonly runner: DeviceRunner;
}

/** Null where there is no adapter. */
export async function openRunner(gpu: Pick<GPU, "requestAdapter">): Promise<OpenRunner | null> {
  const found = await gpu.requestAdapter();
  if (found === null) return null;
  const features = (["shader-f16", "subgroups"] as const).filter((f) => found.features.has(f));
  const device = await found.requestDevice({ requiredFeatures: features });
  const { vendor, architecture, description } = found.info;
  return {
    adapter: { vendor, architecture, description, features },
    device,
    runner: new DeviceRunner(device),
  };
}

/** What the compiler and the limits of a pipeline say against a module; the entry points are found in it. */
export async function refusals(device: GPUDevice, text: string): Promise<readonly string[]> {
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ code: text });
  const { messages } = await module.getCompilationInfo();
  await device.popErrorScope();
  const errors = messages.filter((m) => m.type === "error").map((m) => `${m.lineNum}:${m.linePos}: ${m.message}`);
  if (errors.length > 0) return errors;
  device.pushErrorScope("validation");
  const pipeline = device.createComputePipelineAsync({ layout: "auto", compute: { module } });
  const refused = await pipeline.then(
    () => null,
    (error: unknown) => String(error),
  );
  const found = await device.popErrorScope();
  return [refused, found?.message ?? null].filter((m) => m !== null);
}
