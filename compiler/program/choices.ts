/** Which calls of a phase are for one choice of a token alone (`runtime/artifact/best-tokens.ts`): who asks for another does without them. */
import { choiceOutputs, tokenChoices } from "../../runtime/artifact/best-tokens.ts";
import type { Binding, Output, TokenChoice } from "../../runtime/artifact/program.ts";
import type { LabelledCall, PlannedStep } from "./planned-steps.ts";

/** Who wants what stands in a buffer of the call. */
type Wish = TokenChoice | "all";

/** From the last step to the first: what a step reads is wanted by those who want what it writes. What is in repeats is for all. */
export function choicesOf(
  steps: readonly PlannedStep[],
  outputs: readonly Output[],
): ReadonlyMap<LabelledCall, TokenChoice> {
  const choices = new Map<LabelledCall, TokenChoice>();
  const wishes = new Map<number, ReadonlySet<Wish>>();
  const wishesOf = (at: Binding): readonly Wish[] =>
    at.kind === "arena" ? [...(wishes.get(at.buffer) ?? [])] : ["all"];
  const want = (at: Binding, by: Iterable<Wish>): void => {
    if (at.kind === "arena") wishes.set(at.buffer, new Set([...wishesOf(at), ...by]));
  };
  const wantAll = (step: PlannedStep): void => {
    if (step.kind === "repeat") step.body.forEach(wantAll);
    else for (const at of step.buffers) want(at, ["all"]);
  };
  for (const { name, at } of outputs) want(at, [tokenChoices.find((c) => choiceOutputs[c].includes(name)) ?? "all"]);
  for (const step of [...steps].reverse()) {
    if (step.kind === "repeat") {
      wantAll(step);
      continue;
    }
    const written = step.buffers.filter((_, i) => step.kernel.buffers[i]?.access !== "read");
    const by = new Set(written.flatMap(wishesOf));
    for (const at of step.buffers) want(at, by);
    const [choice, ...others] = by;
    if (choice !== undefined && choice !== "all" && others.length === 0) choices.set(step, choice);
  }
  return choices;
}
