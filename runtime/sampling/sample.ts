import { type Scores, weighedScores } from "./best-logits.ts";
import type { Weighed } from "./candidates.ts";
import type { RandomSource } from "./random.ts";
import { checkOptions, type SamplingOptions } from "./sampling-options.ts";

/**
 * Chooses the next token from the logits of one position: the id at which the running sum of probabilities, in the order
 * of ids, passes one fraction drawn from `random`. With temperature 0 nothing is drawn.
 *
 * `previous`: ids of the prompt and of what was generated, for the repetition penalty. Throws `SamplingError`.
 */
export function sample(
  scores: Scores,
  random: RandomSource,
  options: SamplingOptions = {},
  previous: Iterable<number> = [],
): number {
  const checked = checkOptions(options);
  return drawn(weighedScores(scores, checked, previous), random, checked);
}

/** One of the ids, each as likely as its weight. */
export function drawn(
  { ids, weights, total }: Weighed,
  random: Pick<RandomSource, "nextFraction">,
  { temperature }: { readonly temperature: number },
): number {
  const fraction = temperature === 0 ? 0 : random.nextFraction() * total;
  let reached = 0;
  let last = ids[0] ?? 0;
  for (let i = 0; i < ids.length; i += 1) {
    const weight = weights[i] ?? 0;
    if (weight === 0) continue;
    last = ids[i] ?? 0;
    reached += weight;
    if (fraction < reached) return last;
  }
  // Rounding can leave the sum a little below what was drawn.
  return last;
}
