/** The way from a strategy's kernel to one that a backend can spell: all backends share it, and it asks the description only. */
import { InternalError } from "../../graph/internal-error.ts";
import type { KernelTarget } from "../../target/kernel-target.ts";
import type { Kernel } from "../kernel.ts";
import type { Problem } from "../problem.ts";
import { sameButForNames, verify } from "../verify.ts";
import { hoistInvariants } from "./hoist.ts";
import { joinIfs } from "./join-ifs.ts";
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
  { name: "join", run: joinIfs }, // after unrolling, which puts turns beside each other
];

interface Lowering {
  readonly of: Kernel;
  readonly target: KernelTarget;
  readonly lowered: Kernel;
}
/** By body: who schedules a kernel asks for a proof of what it becomes, who emits it for that itself. */
const lowerings = new WeakMap<Kernel["body"], Lowering[]>();

function lowering(k: Kernel, target: KernelTarget): Lowering {
  const found = lowerings.get(k.body) ?? [];
  lowerings.set(k.body, found);
  const known = found.find((l) => l.target === target && sameButForNames(l.of, k));
  if (known !== undefined) return known;
  const made = { of: k, target, lowered: loweringSteps.reduce((to, { run }) => run(to, target), k) };
  found.push(made);
  return made;
}

/**
 * What keeps a strategy's kernel from being used, by a proof of what it is lowered to: nobody runs anything else. Throws InternalError
 * where a step has broken it.
 */
export function loweringProblems(k: Kernel, target: KernelTarget): readonly Problem[] {
  if (k.parts !== undefined)
    return [...k.parts.flatMap((p) => loweringProblems(p.kernel, target)), ...verify(loweredParts(k, target), target)];
  if (verify(lowering(k, target).lowered, target).length === 0) return [];
  const problems = verify(k, target);
  if (problems.length > 0) return problems;
  let to = k;
  for (const { name, run } of loweringSteps) {
    to = run(to, target);
    check(to, target, `after ${name}`);
  }
  throw new InternalError(`${k.name} for ${target.name}: what it is lowered to is not proved, and each step is`);
}

/** Proved; a kernel that a strategy or step breaks is a bug of dsc. */
export function lower(k: Kernel, target: KernelTarget): Kernel {
  if (loweringProblems(k, target).length > 0) check(k, target, "as scheduled");
  return lowerUnproved(k, target);
}

/** The same for who has `verify` prove it before anybody runs it. */
export function lowerUnproved(k: Kernel, target: KernelTarget): Kernel {
  if (k.parts !== undefined) return loweredParts(k, target);
  const { name, source } = k;
  return { ...lowering(k, target).lowered, name, source };
}

const loweredParts = (k: Kernel, target: KernelTarget): Kernel => ({
  ...k,
  parts: (k.parts ?? []).map((p) => ({ ...p, kernel: lowerUnproved(p.kernel, target) })),
});

function check(k: Kernel, target: KernelTarget, when: string): void {
  const problems = verify(k, target);
  if (problems.length === 0) return;
  const why = problems.map((p) => `${p.rule}: ${p.message}`).join("\n  ");
  throw new InternalError(`${k.name} for ${target.name} ${when}:\n  ${why}`);
}
