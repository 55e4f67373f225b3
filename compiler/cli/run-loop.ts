/** The loop of `dsc run` and `dsc chat`: tokens from whatever runs the model, shown as they come. */
import { setImmediate as afterEvents } from "node:timers/promises";
import type { RandomSource } from "../../runtime/sampling/random.ts";
import { sample } from "../../runtime/sampling/sample.ts";
import type { SamplingOptions } from "../../runtime/sampling/sampling-options.ts";
import type { DraftStatistics } from "../../runtime/session/draft-counts.ts";
import { type Generated, generate, type StopStepLike } from "../../runtime/session/generate.ts";
import { decoderAfter, splitterAfter } from "../../runtime/text/after-prompt.ts";
import { newStopper, type StopOptions, type Stopper } from "../../runtime/text/stopping.ts";
import type { ReasoningTags, Stream, StreamPiece } from "../../runtime/text/streams.ts";
import type { IncrementalDecoder } from "../../runtime/text/tokenizer.ts";
import type { GenerationOptions } from "./generation-options.ts";
import type { TextFiles } from "./open-text.ts";
import { type RunStatistics, type RunStop, stopwatch } from "./run-statistics.ts";

/** What runs a model: a session of a backend, or that of a package. */
export interface Runner {
  /** How many tokens fit. */
  readonly context: number;
  /** Ids are below it. */
  readonly vocabulary: number;
  /** Most tokens of one call where nothing else is asked for: between calls one can interrupt. */
  readonly chunk: number;
  /** Logits after these tokens, which are remembered; where it throws they are not. */
  readonly next: (ids: readonly number[], signal: AbortSignal) => Promise<ArrayLike<number>>;
  /** Forgets the last tokens. */
  readonly rollback: (count: number) => void;
  /** In the place of `next`, of a runner that drafts. */
  readonly drafts?: Drafts;
}

export interface Drafts {
  /** Ids without end, chosen from the logits after the prompt and so on. Where it is left, all but the last are remembered. */
  readonly tokens: (order: DraftOrder) => AsyncIterable<number>;
  /** What is remembered now. */
  readonly remembered: () => ArrayLike<number>;
  /** Of the last text. */
  readonly statistics: () => DraftStatistics | null;
}

export interface DraftOrder {
  readonly prompt: readonly number[];
  /** Remembered before the prompt. */
  readonly earlier: readonly number[];
  readonly random: RandomSource;
  readonly sampling: SamplingOptions;
  readonly maxTokens: number;
  /** Null: as the runner likes. */
  readonly chunk: number | null;
  readonly signal: AbortSignal;
}

export interface Running {
  readonly runner: Runner;
  readonly options: GenerationOptions;
  readonly text: TextFiles;
  /** All tokens before the text. */
  readonly prompt: readonly number[];
  /** How many of them the runner remembers; fewer than all. */
  readonly known: number;
  readonly random: RandomSource;
  /** Shows text that is certain now. */
  readonly show: (piece: StreamPiece) => void;
  readonly progress: (doing: string) => void;
  readonly signal: AbortSignal;
}

export interface RunResult {
  readonly prompt: readonly number[];
  readonly ids: readonly number[];
  /** All of it, tags included. Null without a tokenizer. */
  readonly text: string | null;
  /** What it wrote to itself before it answered; null where it did not. */
  readonly reasoning: string | null;
  /** Null without a tokenizer. */
  readonly answer: string | null;
  readonly stop: RunStop;
  readonly statistics: RunStatistics;
}

export async function runLoop(running: Running): Promise<RunResult> {
  const { runner, options, text, prompt, known, random, show, progress, signal } = running;
  const room = runner.context - prompt.length + 1;
  const stopper = stopperAfter(prompt, text, tagsOf(options, text), {
    endIds: options.endIds ?? text.endIds,
    stopStrings: options.stopStrings,
    maxTokens: Math.min(options.maxTokens, room),
  });
  const watch = stopwatch(prompt.length - known, runner.drafts?.statistics);
  const ids: number[] = [];
  const next = async (given: readonly number[]): Promise<ArrayLike<number>> => {
    let last: ArrayLike<number> = [];
    const chunk = options.chunk ?? runner.chunk;
    for (let at = 0; at < given.length; at += chunk) {
      // Ctrl-C is heard between calls only.
      await afterEvents();
      signal.throwIfAborted();
      // Not behind an answer's first words: what is being done stands in the line that is written.
      if (ids.length === 0) progress(`prompt: ${at} of ${given.length} tokens`);
      last = await runner.next(given.slice(at, at + chunk), signal);
    }
    return last;
  };
  const pieces: StreamPiece[] = [];
  let stop: RunStop | null = null;
  const take = (certain: readonly StreamPiece[]): void => {
    pieces.push(...certain);
    for (const piece of certain) show(piece);
  };
  try {
    const earlier = prompt.slice(0, known);
    const choose = (logits: ArrayLike<number>, previous: readonly number[]): number =>
      sample(logits, random, options.sampling, known === 0 ? previous : [...earlier, ...previous]);
    const { push } = stopper;
    const { sampling, maxTokens, chunk } = options;
    const given = prompt.slice(known);
    const steps =
      runner.drafts === undefined
        ? generate({ prompt: given, next, choose, push, signal })
        : pushed(runner.drafts.tokens({ prompt: given, earlier, random, sampling, maxTokens, chunk, signal }), push);
    for await (const { id, step } of steps) {
      watch.token();
      ids.push(id);
      take(step.pieces);
      stop = step.stop;
    }
  } catch (error) {
    if (error !== signal.reason || !signal.aborted) throw error;
    take(stopper.end());
    stop = { kind: "interrupted" };
  }
  if (stop === null) throw new Error("nothing has stopped the text");
  if (stop.kind === "max-tokens" && ids.length === room && room < options.maxTokens) stop = { kind: "context-full" };
  const textIn = (wanted: (stream: Stream | null) => boolean): string =>
    pieces.flatMap((piece) => (wanted(piece.stream) ? [piece.text] : [])).join("");
  const written = text.tokenizer !== null;
  const reasons = written && pieces.some(({ stream }) => stream === "reasoning");
  return {
    prompt,
    ids,
    text: written ? textIn(() => true) : null,
    reasoning: reasons ? textIn((stream) => stream === "reasoning") : null,
    answer: written ? textIn((stream) => stream === "answer") : null,
    stop,
    statistics: { ...watch.statistics(), ...(known === 0 ? {} : { rememberedTokens: known }) },
  };
}

/** Ends after a stop. */
async function* pushed<Step extends StopStepLike>(
  ids: AsyncIterable<number>,
  push: (id: number) => Step,
): AsyncGenerator<Generated<Step>, void, undefined> {
  for await (const id of ids) {
    const step = push(id);
    yield { id, step };
    if (step.stop !== null) return;
  }
}

export const tagsOf = ({ tags }: GenerationOptions, text: TextFiles): ReasoningTags | null =>
  tags === "none" ? null : tags === "as the files say" ? text.tags : tags;

/** What follows the prompt; where there is no tokenizer, the ids. */
function stopperAfter(
  prompt: readonly number[],
  { tokenizer }: TextFiles,
  tags: ReasoningTags | null,
  options: StopOptions,
): Stopper {
  if (tokenizer === null) return newStopper(idWriter(), options);
  const streams = splitterAfter(tokenizer, prompt, tags);
  return newStopper(decoderAfter(tokenizer, prompt, tags), { ...options, streams });
}

function idWriter(): IncrementalDecoder {
  let between = "";
  return {
    push: (id) => {
      const text = `${between}${id}`;
      between = " ";
      return text;
    },
    end: () => "",
  };
}
