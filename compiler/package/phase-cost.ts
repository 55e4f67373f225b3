/** What the calls of a phase compute and move, from how its kernels were planned. */
import type { PhaseReport } from "../driver/compile.ts";
import { bytes, flopsAt, timeOf } from "../target/cost.ts";
import type { CostTarget } from "../target/target.ts";
import type { PhaseCost } from "./package-facts.ts";

/** At the sizes that the phase was planned for. `names`: of the tokens of a call, and of the rows before it. */
export function phaseCost(
  { phase, sizes, kernels }: PhaseReport,
  names: { readonly tokens: string; readonly before: string },
  target: CostTarget,
): PhaseCost {
  const sum = (of: (kernel: PhaseReport["kernels"][number]) => number): number =>
    kernels.reduce((total, kernel) => total + kernel.times * of(kernel), 0);
  return {
    phase,
    tokens: sizes[names.tokens] ?? 1,
    before: sizes[names.before] ?? 0,
    kernels: sum(() => 1),
    flops: sum(({ node }) => flopsAt(node, sizes)),
    bytes: sum(({ node }) => bytes(node, sizes)),
    seconds: sum(({ node }) => timeOf(node, sizes, target)),
  };
}
