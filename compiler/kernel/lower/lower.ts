/** The way from a strategy's kernel to one that a backend can spell: all backends share it, and it asks the description only. */
import { InternalError } from "../../graph/internal-error.ts";
import type { KernelTarget } from "../../target/kernel-target.ts";
import type { Kernel } from "../kernel.ts";
import { printKernel } from "../print.ts";
import { verify } from "../verify.ts";
import { hoistInvariants } from "./hoist.ts";
import { lowerReduce } from "./reduce.ts";
import { expandTranscendentals } from "./transcendentals.ts";
import { expandUnrolled } from "./unroll.ts";

export interface LoweringStep {
  readonly name: string;
  readonly run: (k: Kernel, target: KernelTarget) => Kernel;
}
export const loweringSteps: readonly LoweringStep[] = [
  { name: "reduce", run: lowerReduce }, // leaves clusters and subgroups only; asks `subgroup`
  { name: "transcendentals", run: expandTranscendentals }, // before hoisting, which moves parts of them; asks `native`
  { name: "hoist", run: hoistInvariants }, // before unrolling, while the loops are short
  { name: "unroll", run: expandUnrolled }, // asks `unroll`
];

/** Verified before, and after each step that changes something; a kernel that a strategy or step breaks is a bug of dsc. */
export function lower(k: Kernel, target: KernelTarget): Kernel {
  return loweringSteps.reduce(
    (before, step) => {
      const after = step.run(before, target);
      return printKernel(after) === printKernel(before) ? before : verified(after, target, `after ${step.name}`);
    },
    verified(k, target, "as scheduled"),
  );
}

function verified(k: Kernel, target: KernelTarget, when: string): Kernel {
  const problems = verify(k, target);
  if (problems.length === 0) return k;
  const why = problems.map((p) => `${p.rule}: ${p.message}`).join("\n  ");
  throw new InternalError(`${k.name} for ${target.name} ${when}:\n  ${why}`);
}
