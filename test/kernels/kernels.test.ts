/** Every case on every description: verified, read back, run as written and after each lowering step. */
import { describe, expect, test } from "vitest";
import { loweringSteps } from "../../compiler/kernel/lower/lower.ts";
import { parseKernel } from "../../compiler/kernel/parse.ts";
import { printKernel } from "../../compiler/kernel/print.ts";
import { verify } from "../../compiler/kernel/verify.ts";
import { exampleKernelTargets } from "../../compiler/target/example-kernel-targets.ts";
import { kernelCases } from "./cases.ts";
import { runCase } from "./run-case.ts";

describe.each(exampleKernelTargets)("$name", (target) => {
  const { min, max } = target.subgroup ?? { min: 32, max: 32 };
  test.each(kernelCases(target))("$name", (c) => {
    let k = c.kernel;
    expect(verify(k, target)).toEqual([]);
    expect(parseKernel(printKernel(k))).toEqual({ ok: true, kernel: k });
    expect(runCase(c, k)).toBeNull();
    for (const step of loweringSteps) {
      const before = k;
      k = step.run(k, target);
      if (k === before) continue;
      expect(verify(k, target), step.name).toEqual([]);
      expect(parseKernel(printKernel(k))).toEqual({ ok: true, kernel: k });
      expect(runCase(c, k, { order: "reverse", subgroup: min, fma: "fused" }), step.name).toBeNull();
    }
    for (const subgroup of new Set([16, max].filter((s) => s > min && s <= max)))
      expect(runCase(c, k, { order: "shuffled", subgroup })).toBeNull();
  });
});
