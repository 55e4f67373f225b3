/**
 * What calls of a program for WebGPU say of the tokens that come next, so that nobody has to read all logits back: for each row of
 * logits [V] the best K ids i32, best first and of equal ones the lower first, their logits f32, and in parts f32 [B] the sum over all
 * V ids of exp((logit - best logit) * inverse_temperature), by which a logit becomes a probability. `inverse_temperature` is f32 [1].
 */
import type { Output, Phase } from "./program.ts";
import { corrupt } from "./read-value.ts";

export const bestTokens = {
  ids: "best_ids",
  logits: "best_logits",
  weights: "weight_sum",
  inverseTemperature: "inverse_temperature",
} as const;
const outputNames: readonly string[] = [bestTokens.ids, bestTokens.logits, bestTokens.weights];

export const isBestTokens = ({ name }: Pick<Output, "name">): boolean => outputNames.includes(name);
export const isTemperature = ({ name }: { readonly name: string }): boolean => name === bestTokens.inverseTemperature;

/** A phase has all of them, of one row or of each row of its logits, or none. Throws CorruptPackageError. */
export function checkBestTokens({ inputs, outputs }: Phase, path: string): void {
  const [ids, logits, weights] = outputNames.map((name) => outputs.find((o) => o.name === name));
  const temperature = inputs.find(isTemperature);
  if ([ids, logits, weights, temperature].every((x) => x === undefined)) return;
  if (ids === undefined || logits === undefined || weights === undefined || temperature === undefined)
    throw corrupt(path, `${outputNames.join(", ")} and ${bestTokens.inverseTemperature} belong together`);
  const of = outputs.find(({ name }) => name === "next" || name === "logits");
  if (of === undefined) throw corrupt(path, "the best of no logits");
  const rows = of.dims.slice(0, -1);
  const fits =
    ids.elem === "i32" &&
    same(ids.dims.slice(0, -1), rows) &&
    typeof ids.dims.at(-1) === "number" &&
    logits.elem === "f32" &&
    same(logits.dims, ids.dims) &&
    weights.elem === "f32" &&
    same(weights.dims.slice(0, -1), rows) &&
    typeof weights.dims.at(-1) === "number" &&
    temperature.elem === "f32" &&
    same(temperature.dims, [1]);
  if (!fits) throw corrupt(path, `${outputNames.join(", ")} do not fit ${of.name}`);
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
