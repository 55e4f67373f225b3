/** WebGPU as something to plan for, without subgroups and with them. */
import type { PlanTarget } from "../../compiler/driver/package-target.ts";
import type { KernelTarget } from "../../compiler/target/kernel-target.ts";
import { wgslModule } from "./module.ts";
import { webgpuCost, webgpuSubgroupsTarget, webgpuTarget } from "./target.ts";
import { plainVariant } from "./variant.ts";

const planFor = (kernel: KernelTarget): PlanTarget => ({
  target: { name: kernel.name, cost: webgpuCost, kernel },
  textOf: async (k) => wgslModule(k, kernel, plainVariant).text,
});
export const webgpuPlan = planFor(webgpuTarget);
export const webgpuSubgroupsPlan = planFor(webgpuSubgroupsTarget);
