/** The states that the calls of an entry append to and read: nobody else's. */
import type { Phase, Program, Step } from "./program.ts";

export function statesOf({ phases }: Pick<Program, "phases">, entry: string): ReadonlySet<number> {
  const found = new Set<number>();
  const visit = (steps: readonly Step[]): void => {
    for (const step of steps) {
      if (step.kind === "repeat") visit(step.body);
      else for (const b of step.buffers) if (b.kind === "state") found.add(b.state);
    }
  };
  for (const phase of phases.filter((p: Phase) => p.entry === entry)) visit(phase.steps);
  return found;
}
