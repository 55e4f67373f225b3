/** The loop of `dsc run`: tokens from whatever runs the model, shown as they come. */
import { setImmediate as afterEvents } from "node:timers/promises";
import { randomFromSeed } from "../../runtime/sampling/random.ts";
import { sample } from "../../runtime/sampling/sample.ts";
import { generate } from "../../runtime/session/generate.ts";
import { newStopper } from "../../runtime/text/stopping.ts";
import type { IncrementalDecoder } from "../../runtime/text/tokenizer.ts";
import type { TextFiles } from "./open-text.ts";
import type { RunOptions } from "./run-options.ts";
import { type RunStatistics, type RunStop, stopwatch } from "./run-statistics.ts";
import type { Terminal } from "./terminal.ts";

/** What runs a model: a session of a backend, or that of a package. */
export interface Runner {
  /** How many tokens fit. */
  readonly context: number;
  /** Ids are below it. */
  readonly vocabulary: number;
  /** Most tokens of one call where nothing else is asked for: between calls one can interrupt. */
  readonly chunk: number;
  /** Logits after these tokens, which are remembered. */
  readonly next: (ids: readonly number[], signal: AbortSignal) => Promise<ArrayLike<number>>;
}

/** What is read before any weight is. */
export interface Ready {
  readonly text: TextFiles;
  readonly ids: readonly number[];
}

export interface Running {
  readonly runner: Runner;
  readonly options: RunOptions;
  readonly ready: Ready;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

export interface RunResult {
  readonly prompt: readonly number[];
  readonly ids: readonly number[];
  /** Null without a tokenizer. */
  readonly text: string | null;
  readonly stop: RunStop;
  readonly statistics: RunStatistics;
}

export async function runLoop({ runner, options, ready, terminal, signal }: Running): Promise<RunResult> {
  const { tokenizer } = ready.text;
  const room = runner.context - ready.ids.length + 1;
  const stopper = newStopper(decoderAfter(ready.ids, ready.text), {
    endIds: options.endIds ?? ready.text.endIds,
    stopStrings: options.stopStrings,
    maxTokens: Math.min(options.maxTokens, room),
  });
  const random = randomFromSeed(options.seed);
  const watch = stopwatch(ready.ids.length);
  const next = async (given: readonly number[]): Promise<ArrayLike<number>> => {
    let last: ArrayLike<number> = [];
    const chunk = options.chunk ?? runner.chunk;
    for (let at = 0; at < given.length; at += chunk) {
      // Ctrl-C is heard between calls only.
      await afterEvents();
      signal.throwIfAborted();
      terminal.progress(`prompt: ${at} of ${given.length} tokens`);
      last = await runner.next(given.slice(at, at + chunk), signal);
    }
    return last;
  };
  const ids: number[] = [];
  let text = "";
  let stop: RunStop | null = null;
  const show = (piece: string): void => {
    text += piece;
    if (!options.json && piece !== "") terminal.out(piece);
  };
  try {
    const choose = (logits: ArrayLike<number>, previous: readonly number[]): number =>
      sample(logits, random, options.sampling, previous);
    for await (const { id, step } of generate({ prompt: ready.ids, next, choose, push: stopper.push, signal })) {
      watch.token();
      ids.push(id);
      show(step.text);
      stop = step.stop;
    }
  } catch (error) {
    if (error !== signal.reason || !signal.aborted) throw error;
    show(stopper.end());
    stop = { kind: "interrupted" };
  }
  if (stop === null) throw new Error("nothing has stopped the text");
  if (stop.kind === "max-tokens" && ids.length === room && room < options.maxTokens) stop = { kind: "context-full" };
  return { prompt: ready.ids, ids, text: tokenizer === null ? null : text, stop, statistics: watch.statistics() };
}

/** Text of what follows the prompt; where there is no tokenizer, the ids. */
function decoderAfter(prompt: readonly number[], { tokenizer }: TextFiles): IncrementalDecoder {
  if (tokenizer === null) {
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
  // Some decoders drop a space before the first token of a text, and the first of the answer is not that.
  const decoder = tokenizer.newDecoder({ skipSpecial: true });
  for (const id of prompt) decoder.push(id);
  return decoder;
}
