/** What a call binds of weights at one time, where that is limited: a part of a stack, as far as the repeats around a call say which. */
import type { Program, Step } from "../../runtime/artifact/program.ts";
import { elems } from "../kernel/elem.ts";

export interface WeightBinding {
  readonly weight: string;
  readonly bytes: number;
}

/** Of each weight the most that a kernel reads at one time, the largest first. */
export function weightBindings({ phases, kernels, weights }: Program): readonly WeightBinding[] {
  const most = new Map<string, number>();
  const visit = (steps: readonly Step[]): void => {
    for (const s of steps) {
      if (s.kind === "repeat") {
        visit(s.body);
        continue;
      }
      for (const [i, b] of s.buffers.entries()) {
        const buffer = kernels[s.kernel]?.buffers[i];
        const decl = b.kind === "weight" ? weights[b.weight] : undefined;
        if (decl === undefined || typeof buffer?.extent !== "number") continue;
        most.set(decl.name, Math.max(most.get(decl.name) ?? 0, buffer.extent * elems[buffer.elem].bytes));
      }
    }
  };
  for (const p of phases) visit(p.steps);
  return [...most].map(([weight, bytes]) => ({ weight, bytes })).sort((a, b) => b.bytes - a.bytes);
}
