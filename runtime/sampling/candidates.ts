/**
 * Which tokens may be chosen, and how likely each is, from the logits of one position.
 *
 * The filters and their order are those of `transformers` (`generation/logits_process.py`): repetition penalty,
 * temperature, top-k, top-p, min-p; each sees what the one before left, and probabilities are of what is left.
 * Arithmetic is f64 whatever the logits are.
 *
 *     penalty      l < 0 ? l * r : l / r   for every id that was there before (CTRL, arXiv 1909.05858, section 4.1, with
 *                                          negative logits multiplied, as `transformers` does)
 *     temperature  l / T
 *     top-k        keep l >= the k-th greatest l   (equals of the last are kept)
 *     top-p        keep the smallest set of greatest p whose sum >= P; of equals the lower id goes first
 *     min-p        keep p >= m * max p
 *
 * A logit of -inf is never kept. Where logits are +inf, these share everything evenly: the limit of ever greater ones.
 */
import { SamplingError } from "./sampling-error.ts";
import { type CheckedOptions, checkOptions, type SamplingOptions } from "./sampling-options.ts";

/** Logits of one position, index = token id. */
export type Logits = ArrayLike<number>;

/** Ids in ascending order, each with its probability; the sum is 1. */
export interface Candidates {
  readonly ids: readonly number[];
  readonly probabilities: readonly number[];
}

/**
 * `previous`: ids of the prompt and of what was generated, for the repetition penalty.
 * Throws {@link SamplingError}. Temperature 0 leaves the best token alone.
 */
export function candidates(logits: Logits, options: SamplingOptions = {}, previous: Iterable<number> = []): Candidates {
  const { ids, weights, total } = weighed(logits, checkOptions(options), previous);
  return { ids: Array.from(ids), probabilities: Array.from(weights, (weight) => weight / total) };
}

/** The id of the greatest logit, the lowest of equals. Throws {@link SamplingError} `bad-logits` or `no-candidate`. */
export function greedy(logits: Logits): number {
  let best = -1;
  let most = Number.NEGATIVE_INFINITY;
  for (let id = 0; id < logits.length; id += 1) {
    const logit = logits[id] ?? Number.NaN;
    if (Number.isNaN(logit)) throw notANumber(id);
    if (logit > most) {
      most = logit;
      best = id;
    }
  }
  if (best < 0) throw nothingLeft(logits.length);
  return best;
}

const notANumber = (id: number): SamplingError =>
  new SamplingError("bad-logits", `the logit of id ${id} is not a number`);
const nothingLeft = (length: number): SamplingError =>
  length === 0
    ? new SamplingError("bad-logits", "there are no logits")
    : new SamplingError("no-candidate", "every logit is -inf");

/** Ids in ascending order with weights that are probabilities but for the factor 1 / `total`. */
export interface Weighed {
  readonly ids: Int32Array;
  readonly weights: Float64Array;
  readonly total: number;
}

export function weighed(logits: Logits, options: CheckedOptions, previous: Iterable<number>): Weighed {
  const scores = penalized(logits, options.repetitionPenalty, previous);
  const best = greedy(scores);
  if (options.temperature === 0) return { ids: Int32Array.of(best), weights: Float64Array.of(1), total: 1 };
  const ids = afterTopK(scores, options.topK);
  const all = weights(ids, scores, scores[best] ?? 0, options.temperature);
  return afterMinP(afterTopP(all, options.topP), options.minP);
}

/** A copy, so that the caller's logits stay as they are. */
function penalized(logits: Logits, penalty: number, previous: Iterable<number>): Float64Array {
  const scores = new Float64Array(logits);
  for (const id of previous) {
    // Read from the given logits: an id is punished once, however often it was there.
    const logit = logits[id];
    if (logit === undefined) throw new SamplingError("bad-id", `there is no logit for the previous id ${id}`);
    scores[id] = logit < 0 ? logit * penalty : logit / penalty;
  }
  return scores;
}

/** exp((score - most) / temperature), so that the best has 1; infinite scores share everything. */
function weights(ids: Int32Array, scores: Float64Array, most: number, temperature: number): Weighed {
  const all = new Float64Array(ids.length);
  for (let i = 0; i < ids.length; i += 1) {
    const score = scores[ids[i] ?? 0] ?? 0;
    if (score === most) all[i] = 1;
    else all[i] = most === Number.POSITIVE_INFINITY ? 0 : Math.exp((score - most) / temperature);
  }
  return { ids, weights: all, total: sum(all) };
}

function sum(values: Float64Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

/** Ids, ascending, of scores that are at least the k-th greatest and not -inf. */
function afterTopK(scores: Float64Array, k: number): Int32Array {
  const least = k === 0 || k >= scores.length ? Number.NEGATIVE_INFINITY : kthGreatest(scores, k);
  const ids = new Int32Array(scores.length);
  let count = 0;
  for (let id = 0; id < scores.length; id += 1) {
    const score = scores[id] ?? Number.NEGATIVE_INFINITY;
    if (score < least || score === Number.NEGATIVE_INFINITY) continue;
    ids[count] = id;
    count += 1;
  }
  return ids.subarray(0, count);
}

/** A heap of the k greatest costs a comparison for nearly every score; a full sort pays off for great k only. */
function kthGreatest(scores: Float64Array, k: number): number {
  if (k > scores.length / 16) return scores.slice().sort()[scores.length - k] ?? Number.NEGATIVE_INFINITY;
  const heap = scores.slice(0, k).sort(); // ascending, so a heap with its least at 0
  for (let id = k; id < scores.length; id += 1) {
    const score = scores[id] ?? Number.NEGATIVE_INFINITY;
    if (score > (heap[0] ?? 0)) replaceLeast(heap, score);
  }
  return heap[0] ?? Number.NEGATIVE_INFINITY;
}

/** Puts `value` for the least of a binary heap and lets it sink to its place. */
function replaceLeast(heap: Float64Array, value: number): void {
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if ((heap[child + 1] ?? Number.POSITIVE_INFINITY) < (heap[child] ?? 0)) child += 1;
    const least = heap[child] ?? Number.POSITIVE_INFINITY;
    if (value <= least) break;
    heap[at] = least;
    at = child;
  }
  heap[at] = value;
}

function afterTopP(from: Weighed, topP: number): Weighed {
  if (topP === 1) return from;
  const enough = topP * from.total;
  // All weights below this share of the rest sum to less than the rest: they need no sorting to be left out.
  const cut = ((1 - topP) * from.total) / from.weights.length;
  const descending = from.weights
    .filter((weight) => weight >= cut)
    .sort()
    .reverse();
  let reached = 0;
  let count = 0;
  while (count < descending.length && reached < enough) {
    reached += descending[count] ?? 0;
    count += 1;
  }
  const last = descending[count - 1] ?? 0;
  // Of those equal to the last, as many as were counted, lower ids first.
  let equals = count - descending.indexOf(last);
  return chosen(from, (weight) => {
    if (weight > last) return true;
    equals -= weight === last ? 1 : 0;
    return weight === last && equals >= 0;
  });
}

/** The best token has weight 1. */
function afterMinP(from: Weighed, minP: number): Weighed {
  return minP === 0 ? from : chosen(from, (weight) => weight >= minP);
}

function chosen(from: Weighed, keep: (weight: number) => boolean): Weighed {
  const flags = from.weights.map((weight) => (keep(weight) ? 1 : 0));
  const ids = from.ids.filter((_, i) => flags[i] === 1);
  const kept = from.weights.filter((_, i) => flags[i] === 1);
  return { ids, weights: kept, total: sum(kept) };
}
