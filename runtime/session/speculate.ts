/**
 * Tokens one after the other, as `generate.ts` gives them, from fewer calls of the model: an entry that drafts guesses the next ones,
 * the model checks them all in one call, and what it would not have said is rolled back. A guess is taken as `Choices` says,
 * so the text is what it would be without: token for token at temperature 0, and as likely otherwise. The calls that
 * check are other kernels than those of single tokens, and sum in another order: where the best two logits are closer than that rounding,
 * either may be said, as with prompts that are cut otherwise.
 *
 * Of a text that ends inside of accepted guesses, or is left, the session holds what it would without: all but the last token that
 * was given out.
 */
import type { Scores } from "../sampling/best-logits.ts";
import type { Choices, Guess } from "../sampling/check-guess.ts";
import type { DraftCounts } from "./draft-counts.ts";
import type { DraftMemory } from "./draft-memory.ts";
import type { DraftingModel, Numbers, Told } from "./drafting-model.ts";
import type { Generated, StopStepLike } from "./generate.ts";

export interface SpeculateOptions<Step extends StopStepLike> {
  readonly prompt: readonly number[];
  readonly model: DraftingModel;
  readonly memory: DraftMemory;
  readonly choices: Choices;
  /** Takes each chosen id; the one for which it gives a stop is the last. */
  readonly push: (id: number) => Step;
  /** Tokens to guess at a time, from 1: the drafting entry goes on from its own guesses. */
  readonly draft: number;
  /** No more tokens than these will be given out: what is beyond is not guessed. */
  readonly maxTokens: number;
  readonly counts: DraftCounts;
  readonly signal?: AbortSignal | undefined;
}

/** Ends after a stop. Throws `signal.reason` after an abort, and what the model throws: before the first token it is then as before. */
export async function* speculate<Step extends StopStepLike>(
  options: SpeculateOptions<Step>,
): AsyncGenerator<Generated<Step>, void, undefined> {
  const { prompt, model, memory, choices, push, maxTokens, counts, signal } = options;
  signal?.throwIfAborted();
  await memory.join(model);
  const previous = [...prompt];
  // What it holds where nothing is drafted.
  let held = model.length;
  let said = 0;
  const say = (id: number): Generated<Step> => {
    previous.push(id);
    said += 1;
    return { id, step: push(id) };
  };
  try {
    const logits = await through(options);
    held += prompt.length;
    signal?.throwIfAborted();
    const first = say(choices.choose(logits, previous));
    yield first;
    for (let last = first; last.step.stop === null; ) {
      signal?.throwIfAborted();
      const most = Math.min(options.draft, model.checks - 1, model.context - held - 1, maxTokens - said - 1);
      const guesses = most < 1 ? [] : await guessed(last.id, most, previous, options);
      signal?.throwIfAborted();
      const ids = [last.id, ...guesses.map(({ id }) => id)];
      const told = await model.advance(ids, "logits");
      memory.follow(ids, told.rows);
      let [looked, right] = [0, 0];
      try {
        for (const [place, row] of scoresOf(told, ids.length).entries()) {
          signal?.throwIfAborted();
          held += 1;
          const guess = guesses[place];
          const { id, accepted } =
            guess === undefined
              ? { id: choices.choose(row, previous), accepted: false }
              : choices.check(row, guess, previous);
          if (guess !== undefined) looked += 1;
          if (accepted) right += 1;
          last = say(id);
          yield last;
          if (!accepted || last.step.stop !== null) break;
        }
        // What comes after a wrong guess is wrong.
        if (last.step.stop === null) looked = guesses.length;
      } finally {
        counts.add(looked, right);
      }
      model.rollback(model.length - held);
      memory.cut(model, held);
    }
  } finally {
    model.rollback(model.length - held);
    memory.cut(model, Math.min(held, model.length));
  }
}

/** The prompt, piece by piece. What is known of its last token's logits. */
async function through({ prompt, model, memory, signal }: SpeculateOptions<StopStepLike>): Promise<Scores> {
  let last: Scores = new Float32Array(0);
  for (let at = 0; at < prompt.length; at += model.chunk) {
    const ids = prompt.slice(at, at + model.chunk);
    // So that no more waits than a piece: the rows of a long prompt are large.
    if (memory.waiting + ids.length > model.chunk && memory.waiting > 0) await memory.feed(model, ids[0] ?? 0);
    signal?.throwIfAborted();
    const told = await model.advance(ids, "next");
    memory.follow(ids, told.rows);
    last = scoresOf(told, 1)[0] ?? last;
  }
  return last;
}

/** What may come behind `last`, which was chosen: at least one and at most `most`, fewer where a guess is not to be had. */
async function guessed(
  last: number,
  most: number,
  previous: readonly number[],
  { model, memory, choices, signal }: SpeculateOptions<StopStepLike>,
): Promise<readonly Guess[]> {
  const found: Guess[] = [];
  const before = [...previous];
  let rows = memory.waiting;
  const kept = model.drafted + rows;
  let told = await memory.feed(model, last);
  for (;;) {
    const guess = choices.guess(scoresOf(told, 1)[0] ?? [], before);
    if (guess !== null) found.push(guess);
    if (guess === null || found.length === most) break;
    before.push(guess.id);
    signal?.throwIfAborted();
    // Its own word for the token, in the place of the model's: not to be remembered.
    told = await model.draft([guess.id], lastRows(told.rows, rows));
    rows = 1;
  }
  model.undraft(model.drafted - kept);
  return found;
}

const lastRows = (feeds: readonly Numbers[], rows: number): readonly Numbers[] =>
  feeds.map((values) => values.subarray(values.length - values.length / rows));

const scoresOf = ({ logits, best }: Told, rows: number): readonly Scores[] =>
  best ??
  Array.from({ length: rows }, (_, i) => logits.subarray((i * logits.length) / rows, ((i + 1) * logits.length) / rows));
