/** A conversation with a model: what callers of a package hold. */

import { BusyError, NoDraftError, NoTokenizerError } from "../artifact/errors.ts";
import type { DraftDecl } from "../artifact/program.ts";
import { randomFromSeed } from "../sampling/random.ts";
import { sample } from "../sampling/sample.ts";
import { checkOptions, type SamplingOptions } from "../sampling/sampling-options.ts";
import type { DraftCounts, DraftStatistics } from "../session/draft-counts.ts";
import type { DraftMemory } from "../session/draft-memory.ts";
import type { DraftTokensOptions } from "../session/draft-tokens.ts";
import { partOf } from "../session/features.ts";
import { type Generated, generate, type StopStepLike } from "../session/generate.ts";
import type { TokenSession } from "../session/token-session.ts";
import type { StopReason } from "../text/stopping.ts";
import type { ReasoningTags, Stream, StreamPiece } from "../text/streams.ts";
import type { TextOfModel } from "../text/text-files.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { checkGenerate, checkObject, checkSignal } from "./check-options.ts";
import { type DraftInfo, draftOf } from "./draft-option.ts";
import * as parts from "./parts.ts";

export interface ForwardOptions {
  /** Logits of all the tokens instead of the last one's. */
  readonly all?: boolean;
  /** When it aborts, the call throws `signal.reason` between two calls of the model. */
  readonly signal?: AbortSignal | undefined;
}

export interface GenerateTextOptions extends SamplingOptions {
  /** Tokens to generate at most; without it until the context is full. From 1. */
  readonly maxTokens?: number;
  /** Texts that end the answer; they are not part of it. Reasoning may hold them. */
  readonly stop?: string | readonly string[];
  /** Ids that end the answer; without it those that the files beside the weights name. */
  readonly endIds?: readonly number[];
  /** An integer from 0; the same seed gives the same answer. Without it answers differ. */
  readonly seed?: number;
  /**
   * Tags around what the model writes to itself before it answers; false: all text is the answer. Without it those that the files beside
   * the weights name: `<think>` and `</think>` where the vocabulary or the chat template has them.
   */
  readonly reasoning?: ReasoningTags | false;
  /**
   * Tokens to guess at a time, for speed: what is said stays the same at temperature 0 and as likely otherwise, but one seed
   * gives other answers with than without. Without it 1 where the model drafts; 0 or false for none.
   */
  readonly draft?: number | boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface GeneratedToken {
  readonly token: number;
  /** Text that is certain now, tags included: parts of characters, of tags and of stop texts are held back. Empty without a tokenizer. */
  readonly text: string;
  /** The same text, cut where its stream changes; a tag is of none. */
  readonly pieces: readonly StreamPiece[];
  /** Of the last piece: where generation stands. Null in a tag, and where the token has made no text certain. */
  readonly stream: Stream | null;
  /** Why this was the last one; null where it was not. */
  readonly stop: StopReason | { readonly kind: "context-full" } | null;
}

/** What a session knows of its model. */
export interface SessionFacts {
  readonly context: number;
  readonly chunk: number;
  readonly draft: DraftInfo;
  /** Where `draft` is available. */
  readonly drafting: DraftDecl | undefined;
}

/**
 * One at a time: while a call or an iterator of `generate` is at work, others throw BusyError. Sessions of one model know nothing of
 * each other.
 */
export class Session {
  readonly #tokens: TokenSession;
  readonly #text: () => Promise<TextOfModel>;
  readonly #facts: SessionFacts;
  #generating = false;
  /** While tokens are drafted it holds more than was said. */
  #said = Number.POSITIVE_INFINITY;
  #drafts: DraftMemory | null = null;
  #counts: DraftCounts | null = null;

  constructor(tokens: TokenSession, text: () => Promise<TextOfModel>, facts: SessionFacts) {
    this.#tokens = tokens;
    this.#text = text;
    this.#facts = facts;
  }

  /** Tokens that it remembers. */
  get length(): number {
    return Math.min(this.#tokens.length, this.#said);
  }

  /** The ids that it remembers, as a copy. */
  get tokens(): Int32Array {
    return this.#tokens.tokens().subarray(0, this.length);
  }

  /** Of the last `generate`, or the one that runs; null where it has drafted nothing. */
  get statistics(): DraftStatistics | null {
    return this.#counts?.statistics() ?? null;
  }

  /**
   * Adds tokens and gives logits: Float32Array [vocabulary] of the last one, with `all` [tokens, vocabulary] row-major. After an
   * abort or an error the session is what it was before. Throws TokenError, ContextLengthError, OptionError, BusyError,
   * DisposedError, `signal.reason`.
   */
  async forward(tokens: ArrayLike<number>, options: ForwardOptions = {}): Promise<Float32Array> {
    this.#check();
    checkObject("options", options);
    const { all = false, signal } = options;
    checkSignal(signal);
    return this.#tokens.forward(tokens, all ? "logits" : "next", { signal });
  }

  /**
   * Adds a prompt and then tokens chosen one by one. A text at the start of a session gets what the tokenizer's files put around
   * texts (BOS); later ones are added as they are. The last token is given to the caller only: the session does not hold it. After an
   * abort the session holds the prompt and the tokens that were given out before it, but the last; or neither, where the
   * prompt was not through.
   */
  async *generate(
    prompt: string | ArrayLike<number>,
    options: GenerateTextOptions = {},
  ): AsyncGenerator<GeneratedToken, void, undefined> {
    this.#check();
    this.#generating = true;
    try {
      yield* this.#generate(prompt, options);
    } finally {
      this.#generating = false;
      this.#said = Number.POSITIVE_INFINITY;
    }
  }

  async *#generate(
    given: string | ArrayLike<number>,
    options: GenerateTextOptions,
  ): AsyncGenerator<GeneratedToken, void, undefined> {
    checkGenerate(options);
    const { signal, stop = [], maxTokens = Number.POSITIVE_INFINITY, seed = freshSeed() } = options;
    const sampling = checkOptions(options);
    const draft = draftOf(options.draft, this.#facts.draft);
    this.#counts = null;
    signal?.throwIfAborted();
    const { tokenizer, endIds, tags, stopper: stopperAfter } = await this.#text();
    const prompt = typeof given === "string" ? this.#encode(given, tokenizer) : Array.from(this.#tokens.checked(given));
    const stopStrings = typeof stop === "string" ? [stop] : stop;
    if (tokenizer === null && stopStrings.length > 0) throw new NoTokenizerError();
    const earlier = this.#tokens.tokens();
    const room = this.#facts.context - earlier.length - prompt.length + 1;
    const { reasoning = tags } = options;
    const stopper = stopperAfter([...earlier, ...prompt], reasoning === false ? null : reasoning, {
      endIds: options.endIds ?? endIds,
      stopStrings,
      // Without room the prompt itself does not fit, which `forward` says.
      maxTokens: Math.min(maxTokens, Math.max(1, room)),
    });
    const random = randomFromSeed(seed);
    const common = { prompt, push: stopper.push, ...(signal === undefined ? {} : { signal }) };
    const steps =
      draft === 0
        ? generate({
            ...common,
            next: async (ids) => {
              const { logits, best } = await this.#tokens.advance(ids, "next", [], { signal, sampling });
              return best?.[0] ?? logits;
            },
            choose: (logits, previous) =>
              sample(logits, random, options, earlier.length === 0 ? previous : [...earlier, ...previous]),
          })
        : await this.#drafted({ ...common, draft, random, sampling: options, earlier: Array.from(earlier), maxTokens });
    // The limit that ended it may be the context's and not the caller's.
    const full = room < maxTokens ? ({ kind: "context-full" } as const) : null;
    let held = earlier.length + prompt.length;
    if (draft > 0) this.#said = earlier.length;
    for await (const { id, step } of steps) {
      if (draft > 0) this.#said = held;
      held += 1;
      const stop = step.stop?.kind === "max-tokens" ? (full ?? step.stop) : step.stop;
      const { text, pieces } = step;
      yield { token: id, text, pieces, stream: pieces.at(-1)?.stream ?? null, stop };
    }
  }

  async #drafted<Step extends StopStepLike>(
    options: Pick<
      DraftTokensOptions<Step>,
      "prompt" | "push" | "draft" | "random" | "sampling" | "earlier" | "maxTokens" | "signal"
    >,
  ): Promise<AsyncGenerator<Generated<Step>, void, undefined>> {
    const { context, chunk, draft, drafting } = this.#facts;
    if (drafting === undefined || !draft.available) throw new NoDraftError("no-entry");
    this.#tokens.checked(options.prompt);
    const { DraftCounts, DraftMemory, draftTokens } = await partOf(parts.drafting);
    this.#drafts ??= new DraftMemory();
    this.#counts = new DraftCounts();
    return draftTokens({
      ...options,
      ...{ session: this.#tokens, decl: drafting, memory: this.#drafts, counts: this.#counts },
      ...{ context, chunk, checks: draft.most + 1 },
    });
  }

  #encode(text: string, tokenizer: Tokenizer | null): readonly number[] {
    if (tokenizer === null) throw new NoTokenizerError();
    return tokenizer.encode(text, this.length === 0 ? "as-configured" : "nothing");
  }

  /** Forgets the last `count` tokens: what comes then is as if they had never been. */
  rollback(count: number): void {
    this.#check();
    this.#tokens.rollback(count);
  }

  /** Forgets all tokens. */
  reset(): void {
    this.#check();
    this.#tokens.reset();
  }

  /** All that it remembers, for `model.restore` or `restore`: of the same package with the same weights. */
  async save(): Promise<Uint8Array<ArrayBuffer>> {
    this.#check();
    return this.#tokens.save();
  }

  /** Remembers what was saved instead of what it remembers now. Throws RestoreError and is then as before. */
  async restore(bytes: Uint8Array): Promise<void> {
    this.#check();
    return this.#tokens.restore(bytes);
  }

  /** Gives its memory back, after the call that runs. A second call does nothing. */
  dispose(): void {
    this.#tokens.dispose();
  }

  #check(): void {
    if (this.#generating) throw new BusyError();
  }
}

const freshSeed = (): number => Math.floor(Math.random() * 2 ** 32);
