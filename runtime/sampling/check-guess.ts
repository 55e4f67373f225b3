/**
 * Tokens that were guessed, held against what the model says: speculative sampling (Leviathan et al., arXiv 2211.17192, section 2.3;
 * Chen et al., arXiv 2302.01318). A guess x that was drawn from q stays with probability min(1, p(x) / q(x)); in the place of one
 * that does not comes a token drawn from max(p - q, 0), normalised. What comes out is distributed as p, whatever q is.
 *
 * p and q are what the same options leave of the logits, so with temperature 0 a guess stays where it is the best token.
 */
import { type Scores, weighedScores } from "./best-logits.ts";
import type { Weighed } from "./candidates.ts";
import type { RandomSource } from "./random.ts";
import { drawn } from "./sample.ts";
import { SamplingError } from "./sampling-error.ts";
import { checkOptions, type SamplingOptions } from "./sampling-options.ts";

export interface Guess {
  readonly id: number;
  /** What it was drawn from; null where nothing was drawn: q is 1 there. */
  readonly from: Weighed | null;
}

export interface Checked {
  /** The guess, or what comes in its place. */
  readonly id: number;
  readonly accepted: boolean;
}

/** How a text goes on. `previous`: ids of the prompt and of all that came after it, for the repetition penalty. */
export interface Choices {
  /** Throws `SamplingError`. */
  readonly choose: (logits: Scores, previous: readonly number[]) => number;
  /** Null where the logits leave nothing to choose: a guess is no reason to fail. */
  readonly guess: (logits: Scores, previous: readonly number[]) => Guess | null;
  /** `logits` are the model's, at the place of the guess. Throws `SamplingError`. */
  readonly check: (logits: Scores, guess: Guess, previous: readonly number[]) => Checked;
}

export function newChoices(random: RandomSource, options: SamplingOptions): Choices {
  const checked = checkOptions(options);
  const choose = (logits: Scores, previous: readonly number[]): Guess => {
    const from = weighedScores(logits, checked, previous);
    return { id: drawn(from, random, checked), from };
  };
  return {
    choose: (logits, previous) => choose(logits, previous).id,
    guess: (logits, previous) => {
      try {
        return choose(logits, previous);
      } catch (error) {
        if (error instanceof SamplingError) return null;
        throw error;
      }
    },
    check: (logits, guess, previous) => checkGuess(weighedScores(logits, checked, previous), guess, random),
  };
}

/** The same behind ids that are not among the previous ones. */
export function choicesAfter(earlier: readonly number[], { choose, guess, check }: Choices): Choices {
  const all = (previous: readonly number[]): readonly number[] =>
    earlier.length === 0 ? previous : [...earlier, ...previous];
  return {
    choose: (logits, previous) => choose(logits, all(previous)),
    guess: (logits, previous) => guess(logits, all(previous)),
    check: (logits, one, previous) => check(logits, one, all(previous)),
  };
}

/** Draws up to two fractions from `random`; none where there is nothing to decide. */
export function checkGuess(model: Weighed, { id, from }: Guess, random: Pick<RandomSource, "nextFraction">): Checked {
  const [p, q] = [share(model, id), from === null ? 1 : share(from, id)];
  if (p >= q || (p > 0 && random.nextFraction() * q < p)) return { id, accepted: true };
  return { id: instead(model, { id, from }, random), accepted: false };
}

/** From max(p - q, 0). Its sum is above 0 where a guess was refused, but for rounding: then p and q are equal, and p will do. */
function instead(model: Weighed, guess: Guess, random: Pick<RandomSource, "nextFraction">): number {
  const weights = new Float64Array(model.ids.length);
  let total = 0;
  for (let i = 0; i < weights.length; i += 1) {
    const id = model.ids[i] ?? 0;
    const q = guess.from === null ? Number(id === guess.id) : share(guess.from, id);
    const left = Math.max(0, (model.weights[i] ?? 0) / model.total - q);
    weights[i] = left;
    total += left;
  }
  const rest: Weighed = total > 0 ? { ids: model.ids, weights, total } : model;
  return drawn(rest, random, { temperature: rest.ids.length === 1 ? 0 : 1 });
}

/** The probability of an id. Ids ascend. */
function share({ ids, weights, total }: Weighed, id: number): number {
  let [low, high] = [0, ids.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ids[middle] ?? 0) < id) low = middle + 1;
    else high = middle;
  }
  return ids[low] === id ? (weights[low] ?? 0) / total : 0;
}
