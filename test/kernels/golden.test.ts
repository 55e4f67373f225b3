/** Kernels as people read them: a change of a strategy or of lowering shows here as text. */
import { expect, test } from "vitest";
import { lower } from "../../compiler/kernel/lower/lower.ts";
import { printKernel } from "../../compiler/kernel/print.ts";
import { exampleKernelTargets } from "../../compiler/target/example-kernel-targets.ts";
import { kernelCases } from "./cases.ts";

test.each([
  ["gemv.gpu_unit.txt", "gpu_unit", "gemv of f32 37", "scheduled"],
  ["gemv.gpu_subgroups.lowered.txt", "gpu_subgroups", "gemv of f32 37", "lowered"],
  ["rms_norm.simd.lowered.txt", "simd", "rms_norm of 3", "lowered"],
  ["attention.gpu.txt", "gpu", "attention of 2", "scheduled"],
])("%s", async (file, name, start, form) => {
  const target = exampleKernelTargets.find((t) => t.name === name);
  const c = target === undefined ? undefined : kernelCases(target).find((x) => x.name.startsWith(start));
  if (target === undefined || c === undefined) throw new Error(`${name}: ${start}`);
  const k = form === "lowered" ? lower(c.kernel, target) : c.kernel;
  await expect(printKernel(k)).toMatchFileSnapshot(`../golden/kernels/${file}`);
});
