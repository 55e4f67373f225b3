/** What a program is without its optional weights: those of the entry that drafts. */
import { statesOf } from "../artifact/entry-states.ts";
import type { Program } from "../artifact/program.ts";
import { tensorNames } from "../artifact/tensor-names.ts";
import type { Weights } from "../weights/weights.ts";

/** Whether any of their tensors is there: then all have to be. True where drafts need none that are optional. */
export function hasOptional(program: Program, { tensors }: Pick<Weights, "tensors">): boolean {
  const optional = program.weights.filter((w) => w.optional !== undefined);
  return (
    optional.length === 0 ||
    optional.some((w) =>
      tensorNames(w)
        .flat()
        .some((name) => tensors.has(name)),
    )
  );
}

/** It drafts nothing. Weights and states keep their ordinals, and those that nothing uses take no memory. */
export function withoutDraft(program: Program): Program {
  const { draft, ...rest } = program;
  if (draft === undefined) return program;
  const own = statesOf(program, draft.entry);
  return {
    ...rest,
    phases: program.phases.filter((p) => p.entry !== draft.entry),
    weights: program.weights.map((w) => (w.optional === undefined ? w : { ...w, stacks: [0, ...w.stacks] })),
    states: program.states.map((s, i) => (own.has(i) ? { ...s, copies: 0 } : s)),
  };
}
