/** WebGPU as something to plan and compile for; as text, kernels for any adapter, or for those with subgroups. */
import type { PackageTarget, PlanTarget } from "../../compiler/driver/package-target.ts";
import { lower } from "../../compiler/kernel/lower/lower.ts";
import type { KernelTarget } from "../../compiler/target/kernel-target.ts";
import { wgslModule } from "./module.ts";
import { wgslFiles } from "./module-files.ts";
import { webgpuCost, webgpuSubgroupsTarget, webgpuTarget } from "./target.ts";
import { plainVariant } from "./variant.ts";

/** More than anybody chooses from; who wants all logits can have them. */
const bestTokens = 64;

const planFor = (lowered: KernelTarget): PlanTarget => ({
  target: { name: "webgpu", cost: webgpuCost, kernel: webgpuTarget, bestTokens },
  textOf: async (k) => wgslModule(lower(k, lowered), lowered, plainVariant).text,
});
export const webgpuSubgroupsPlan = planFor(webgpuSubgroupsTarget);
export const webgpuPackages: PackageTarget = {
  ...planFor(webgpuTarget),
  engine: () => "any", // adapters are met when a package is loaded
  emit: wgslFiles,
};
