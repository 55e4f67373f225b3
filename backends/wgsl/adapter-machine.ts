/** An adapter as a machine that runs kernels one at a time: with all that it has, or as the plainest there is. */
import type { Machine } from "../../compiler/conformance/machine.ts";
import { NoAdapterError } from "../../runtime/artifact/errors.ts";
import { DeviceRunner } from "./device-runner.ts";
import { wgslMachine } from "./kernel-machine.ts";
import { webgpuCost, webgpuSubgroupsTarget, webgpuTarget } from "./target.ts";
import { plainVariant } from "./variant.ts";

/** Throws NoAdapterError. */
export async function adapterMachine(gpu: GPU, plain: boolean): Promise<Machine> {
  const adapter = await gpu.requestAdapter();
  if (adapter === null) throw new NoAdapterError("WebGPU gives no adapter: there is no graphics driver that it takes");
  const has = (feature: "shader-f16" | "subgroups"): boolean => !plain && adapter.features.has(feature);
  const features = (["shader-f16", "subgroups"] as const).filter(has);
  const device = await adapter.requestDevice({ requiredFeatures: features });
  const subgroups = has("subgroups") && gpu.wgslLanguageFeatures.has("subgroup_id");
  const { vendor, architecture, description } = adapter.info;
  return wgslMachine({
    name: ["webgpu on", vendor, architecture, description].filter((word) => word !== "").join(" "),
    cost: webgpuCost,
    kernel: subgroups ? webgpuSubgroupsTarget : webgpuTarget,
    variant: { ...plainVariant, f16: has("shader-f16") },
    run: new DeviceRunner(device).run,
  });
}
