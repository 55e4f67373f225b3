/**
 * What may be chosen where not all logits are known, but the best of them and a sum over all, as a GPU tells them (`artifact/best-tokens.ts`).
 * Where that says what all logits would, the ids and weights are theirs, up to the rounding of the sum that top-p is a share of.
 */
import { type Logits, type Weighed, weighed } from "./candidates.ts";
import type { CheckedOptions } from "./sampling-options.ts";

/** Of one position. */
export interface BestLogits {
  /** Of equal logits the lower id first; the best one where no more is wanted. */
  readonly ids: Int32Array;
  /** Of these, the greatest first. */
  readonly logits: Float32Array;
  /** Sum over all ids of exp((logit - greatest) * inverseTemperature); where one is wanted, any number where all logits are numbers. */
  readonly total: number;
  readonly vocabulary: number;
}
/** All that is known of a position. */
export type Scores = Logits | BestLogits;

const isBest = (scores: Scores): scores is BestLogits => "vocabulary" in scores;

/** By which logits are multiplied for the sum; where the best one is taken always, there is none. */
export const inverseTemperature = ({ temperature }: CheckedOptions): number =>
  temperature === 0 ? 1 : 1 / temperature;

/** Whether the best may be all that is wanted: what decides otherwise is asked for at once. */
export const bestMayDo = ({ temperature, topK, topP, minP, repetitionPenalty }: CheckedOptions): boolean =>
  repetitionPenalty === 1 && (temperature === 0 || topK > 0 || topP < 1 || minP > 0);

/** As `weighed` of all logits; null where they would have to be known. */
export function weighedBest(best: BestLogits, options: CheckedOptions): Weighed | null {
  const { ids, logits, total, vocabulary } = best;
  const { temperature, topK, topP, minP, repetitionPenalty } = options;
  const [most] = logits;
  // A logit that is no number makes the sum one; what is to be said of it, all logits say.
  if (most === undefined || !Number.isFinite(most) || !Number.isFinite(total) || repetitionPenalty !== 1) return null;
  if (temperature === 0) return { ids: ids.slice(0, 1), weights: Float64Array.of(1), total: 1 };
  if (ids.length >= vocabulary) return weighed(inOrder(best), options, []);
  const weights = Float64Array.from(logits, (l) => (l === most ? 1 : Math.exp((l - most) / temperature)));
  const sumOf = (count: number): number => weights.subarray(0, count).reduce((n, w) => n + w, 0);
  /** The best `count` are all that there is to choose from; the sum that top-p is a share of. */
  let [count, all] = [ids.length, total];
  let whole = false;
  if (topK > 0 && topK < vocabulary) {
    const least = logits[topK - 1];
    const equals = least === undefined ? -1 : logits.findIndex((l) => l < least);
    // Equals of the k-th are kept, and there may be more of them.
    if (equals >= 0) [count, all, whole] = [equals, sumOf(equals), true];
    else if (topP < 1) return null;
  }
  if (topP < 1) {
    const enough = topP * all;
    let [reached, taken] = [0, 0];
    for (; taken < count && reached < enough; taken += 1) reached += weights[taken] ?? 0;
    if (reached < enough && !whole) return null;
    [count, whole] = [taken, true];
  }
  if (minP > 0) {
    const below = weights.subarray(0, count).findIndex((w) => w < minP);
    if (below >= 0) [count, whole] = [below, true];
  }
  return whole ? ascending(ids.subarray(0, count), weights.subarray(0, count)) : null;
}

/** `weighed` of what is known, which has to be enough. */
export function weighedScores(scores: Scores, options: CheckedOptions, previous: Iterable<number>): Weighed {
  if (!isBest(scores)) return weighed(scores, options, previous);
  const found = weighedBest(scores, options);
  if (found === null) throw new RangeError("the best logits do not say what to choose");
  return found;
}

/** All logits, where the best are all. */
function inOrder({ ids, logits, vocabulary }: BestLogits): Float32Array {
  const all = new Float32Array(vocabulary).fill(Number.NEGATIVE_INFINITY);
  for (const [i, id] of ids.entries()) all[id] = logits[i] ?? Number.NEGATIVE_INFINITY;
  return all;
}

function ascending(ids: Int32Array, weights: Float64Array): Weighed {
  const order = Array.from(ids, (_, i) => i).sort((a, b) => (ids[a] ?? 0) - (ids[b] ?? 0));
  const sorted = Float64Array.from(order, (i) => weights[i] ?? 0);
  return { ids: Int32Array.from(order, (i) => ids[i] ?? 0), weights: sorted, total: sorted.reduce((n, w) => n + w, 0) };
}
