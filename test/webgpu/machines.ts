/** What kernels are spelled for, and the machines that run them where there is a driver. */

import { wgslMachine } from "../../backends/wgsl/kernel-machine.ts";
import { webgpuCost, webgpuSubgroupsTarget, webgpuTarget } from "../../backends/wgsl/target.ts";
import { plainVariant, type WgslVariant } from "../../backends/wgsl/variant.ts";
import type { Machine } from "../../compiler/conformance/machine.ts";
import type { KernelTarget } from "../../compiler/target/kernel-target.ts";
import type { RunningGpu } from "./gpu.ts";

export const targets: readonly KernelTarget[] = [webgpuTarget, webgpuSubgroupsTarget];
/** By what is special of them. */
export const variants: Readonly<Record<string, WgslVariant>> = {
  plain: plainVariant,
  "with f16 and packed products": { f16: true, packedDot: true, wholeVectors: true, knownWork: 0 },
  "from any element": { f16: false, packedDot: false, wholeVectors: false, knownWork: 0 },
};

export const machineOn = (gpu: RunningGpu, kernel: KernelTarget, variant: WgslVariant): Machine =>
  wgslMachine({
    name: `${kernel.name} on ${gpu.adapter.description}`,
    cost: webgpuCost,
    kernel,
    variant,
    run: gpu.run,
  });
