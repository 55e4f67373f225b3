/** Weights where no step reads across: what may be kept apart. */
import type { Program } from "../artifact/program.ts";
import { weightElements } from "../artifact/weight-sizes.ts";
import type { StepUses, WeightUse } from "./step-uses.ts";

/** Elements `from` … `to` - 1. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** Of each weight, in order and without gaps. */
export function cutWeights({ weights }: Program, steps: readonly StepUses[]): readonly (readonly Stretch[])[] {
  const uses = weights.map(() => new Map<string, WeightUse>());
  for (const step of steps) for (const use of step.weights) uses[use.weight]?.set(`${use.from} ${use.to}`, use);
  return weights.map((decl, weight) => {
    const starts = [0];
    let end = 0;
    for (const use of [...(uses[weight]?.values() ?? [])].sort((a, b) => a.from - b.from || a.to - b.to)) {
      if (use.from > 0 && use.from >= end) starts.push(use.from);
      end = Math.max(end, use.to);
    }
    return starts.map((from, i) => ({ from, to: starts[i + 1] ?? weightElements(decl) }));
  });
}
