/** Every case on every description: verified, read back, run as written and after each lowering step. */
import { describe, expect, test } from "vitest";
import type { Kernel } from "../../compiler/kernel/kernel.ts";
import { loweringSteps } from "../../compiler/kernel/lower/lower.ts";
import { parseKernel } from "../../compiler/kernel/parse.ts";
import { printKernel } from "../../compiler/kernel/print.ts";
import { verify } from "../../compiler/kernel/verify.ts";
import { exampleKernelTargets } from "../../compiler/target/example-kernel-targets.ts";
import type { KernelTarget } from "../../compiler/target/kernel-target.ts";
import { kernelCases } from "./cases.ts";
import { runCase } from "./run-case.ts";

interface Form {
  readonly after: string;
  readonly kernel: Kernel;
}
/** As scheduled and after each step that changes something, all verified and read back from their text. */
function formsOf(k: Kernel, target: KernelTarget): readonly Form[] {
  const forms: Form[] = [];
  let text = "";
  const keep = (after: string, kernel: Kernel): Kernel => {
    const printed = printKernel(kernel);
    if (printed === text) return kernel;
    text = printed;
    expect(verify(kernel, target), after).toEqual([]);
    expect(parseKernel(printed), after).toEqual({ ok: true, kernel });
    forms.push({ after, kernel });
    return kernel;
  };
  loweringSteps.reduce((before, step) => keep(step.name, step.run(before, target)), keep("schedule", k));
  return forms;
}

describe.each(exampleKernelTargets)("$name", (target) => {
  const { min, max } = target.subgroup ?? { min: 32, max: 32 };
  const known = new Map<string, readonly Form[]>(); // cases differ in sizes more than in kernels
  test.each(kernelCases(target))("$name", (c) => {
    const text = printKernel(c.kernel);
    const forms = known.get(text) ?? formsOf(c.kernel, target);
    known.set(text, forms);
    for (const [i, { after, kernel }] of forms.entries()) {
      const options = i === 0 ? {} : ({ order: "reverse", subgroup: min, fma: "fused" } as const);
      expect(runCase(c, kernel, options), after).toBeNull();
    }
    for (const subgroup of new Set([16, max].filter((s) => s > min && s <= max)))
      expect(runCase(c, forms.at(-1)?.kernel, { order: "shuffled", subgroup })).toBeNull();
  });
});
