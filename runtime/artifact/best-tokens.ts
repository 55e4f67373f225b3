/**
 * What calls of a program for WebGPU say of the tokens that come next, so that nobody has to read all logits back, for each row of
 * logits [V]. There are two ways to choose, and a call plays the steps of the one that it asks for (`Call.choice`).
 *
 * `best`: the best K ids i32, best first and of equal ones the lower first, their logits f32, and in parts f32 [B] the sum over all V ids
 * of exp((logit - best logit) * inverse_temperature), by which a logit becomes a probability. `inverse_temperature` is f32 [1].
 *
 * `greedy`: of each part of V the best id i32 [B], of equal ones the lowest, its logit f32 [B], and f32 [B] the sum of exp(-|logit|): no
 * number where a logit is none.
 */
import type { Output, Phase, TokenChoice } from "./program.ts";
import { corrupt } from "./read-value.ts";

export const bestTokens = {
  ids: "best_ids",
  logits: "best_logits",
  weights: "weight_sum",
  inverseTemperature: "inverse_temperature",
} as const;
export const greedyTokens = { ids: "greedy_ids", logits: "greedy_logits", numbers: "greedy_numbers" } as const;

export const tokenChoices: readonly TokenChoice[] = ["best", "greedy"];
/** Outputs of each. */
export const choiceOutputs: Readonly<Record<TokenChoice, readonly string[]>> = {
  best: [bestTokens.ids, bestTokens.logits, bestTokens.weights],
  greedy: Object.values(greedyTokens),
};

export const isChoice = ({ name }: Pick<Output, "name">): boolean =>
  tokenChoices.some((choice) => choiceOutputs[choice].includes(name));
/** Whether one of the outputs that are asked for is of the choice. */
export const asksFor = (names: readonly string[], choice: TokenChoice): boolean =>
  choiceOutputs[choice].some((name) => names.includes(name));
export const isTemperature = ({ name }: { readonly name: string }): boolean => name === bestTokens.inverseTemperature;

/** A phase has all of them, of one row or of each row of its logits, or none. Throws CorruptPackageError. */
export function checkBestTokens({ inputs, outputs }: Phase, path: string): void {
  const named = (choice: TokenChoice) => choiceOutputs[choice].map((name) => outputs.find((o) => o.name === name));
  const [ids, logits, weights] = named("best");
  const [greedy, most, numbers] = named("greedy");
  const temperature = inputs.find(isTemperature);
  if ([ids, logits, weights, greedy, most, numbers, temperature].every((x) => x === undefined)) return;
  const all = [ids, logits, weights, greedy, most, numbers].filter((x) => x !== undefined);
  const names = tokenChoices.flatMap((choice) => choiceOutputs[choice]).join(", ");
  if (all.length < 6 || temperature === undefined)
    throw corrupt(path, `${names} and ${bestTokens.inverseTemperature} belong together`);
  const of = outputs.find(({ name }) => name === "next" || name === "logits");
  if (of === undefined) throw corrupt(path, "the best of no logits");
  const rows = of.dims.slice(0, -1);
  const isOf = (o: Output | undefined, elem: Output["elem"], like: Output | undefined = o): boolean =>
    o?.elem === elem &&
    same(o.dims.slice(0, -1), rows) &&
    typeof o.dims.at(-1) === "number" &&
    same(o.dims, like?.dims);
  const fits =
    isOf(ids, "i32") &&
    isOf(logits, "f32", ids) &&
    isOf(weights, "f32") &&
    isOf(greedy, "i32") &&
    isOf(most, "f32", greedy) &&
    isOf(numbers, "f32", greedy) &&
    temperature.elem === "f32" &&
    same(temperature.dims, [1]);
  if (!fits) throw corrupt(path, `${names} do not fit ${of.name}`);
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
