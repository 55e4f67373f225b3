/**
 * Tokens one after the other: a model that remembers, a choice among its logits, and something that says when to stop.
 * Nothing here knows what a token is a piece of.
 */
/** `Known`: what the model says of the next token. */
export interface GenerateOptions<Step extends StopStepLike, Known = ArrayLike<number>> {
  readonly prompt: readonly number[];
  /** After these tokens, which the model remembers from now on. */
  readonly next: (ids: readonly number[]) => Known | Promise<Known>;
  /** `previous`: the prompt and what was chosen so far. */
  readonly choose: (known: Known, previous: readonly number[]) => number;
  /** Takes each chosen id; the one for which it gives a stop is the last. */
  readonly push: (id: number) => Step;
  readonly signal?: AbortSignal;
}

export interface StopStepLike {
  readonly stop: object | null;
}

export interface Generated<Step> {
  readonly id: number;
  readonly step: Step;
}

/** Ends after a stop. The last id is never given to the model. Throws `signal.reason` after an abort. */
export async function* generate<Step extends StopStepLike, Known = ArrayLike<number>>(
  options: GenerateOptions<Step, Known>,
): AsyncGenerator<Generated<Step>, void, undefined> {
  const { prompt, next, choose, push, signal } = options;
  const previous = [...prompt];
  let given = prompt;
  for (;;) {
    signal?.throwIfAborted();
    const known = await next(given);
    signal?.throwIfAborted();
    const id = choose(known, previous);
    previous.push(id);
    const step = push(id);
    yield { id, step };
    if (step.stop !== null) return;
    given = [id];
  }
}
