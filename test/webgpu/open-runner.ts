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
