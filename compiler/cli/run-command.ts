/** `dsc run`: text from a model, as it comes. */
import { setImmediate as afterEvents } from "node:timers/promises";
import { randomFromSeed } from "../../runtime/sampling/random.ts";
import { sample } from "../../runtime/sampling/sample.ts";
import { generate } from "../../runtime/session/generate.ts";
import { newStopper } from "../../runtime/text/stopping.ts";
import type { IncrementalDecoder } from "../../runtime/text/tokenizer.ts";
import { realsOf } from "../graph/interpret/tensor.ts";
import type { CommandLine } from "./command-line.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { Failure } from "./failure.ts";
import { interruptible } from "./interrupt.ts";
import { type LoadedModel, withModel } from "./load-model.ts";
import { tapsText } from "./number-text.ts";
import { openText, type TextFiles } from "./open-text.ts";
import { unfitTokens } from "./read-tokens.ts";
import { type Prompt, type RunOptions, readRunOptions } from "./run-options.ts";
import { type RunStatistics, type RunStop, statisticsLine, stopwatch } from "./run-statistics.ts";
import type { Surroundings } from "./surroundings.ts";
import { newTapRecorder, type TapRecorder } from "./tap-recorder.ts";
import { reportFailure, type Terminal } from "./terminal.ts";

export async function runRun(line: CommandLine, surroundings: Surroundings): Promise<ExitCode> {
  const { terminal } = surroundings;
  const options = readRunOptions(line);
  if (options instanceof Failure) return reportFailure(terminal, options);
  let ready: Ready | null = null;
  return interruptible((signal) =>
    withModel(
      line,
      surroundings,
      {
        results: ["next", "logits"],
        taps: options.taps,
        signal,
        prepare: (folder, config) => {
          const made = makeReady(options, folder, config, terminal.cwd);
          if (made instanceof Failure) return made;
          ready = made;
          return null;
        },
      },
      async (model) => {
        if (ready === null) throw new Error("the prompt was not read");
        const unfit = unfitTokens(ready.ids, model);
        if (unfit !== null) return reportFailure(terminal, unfit);
        return say(await run({ model, options, ready, terminal, signal }), options, terminal);
      },
    ),
  );
}

interface Ready {
  readonly text: TextFiles;
  readonly ids: readonly number[];
}

/** Done before any weight is read: what is wrong here should not wait for that. */
function makeReady(options: RunOptions, folder: string, config: string, cwd: string): Ready | Failure {
  const text = openText(folder, config, cwd);
  if (text instanceof Failure) return text;
  if (text.tokenizer === null && options.stopStrings.length > 0)
    return new Failure(
      exitCodes.usage,
      "--stop needs a tokenizer.json beside the weights",
      "--end-ids 1,2 stops at ids",
    );
  const ids = promptIds(options.prompt, options.chat, text);
  return ids instanceof Failure ? ids : { text, ids };
}

function promptIds(prompt: Prompt, chat: boolean, { tokenizer, chat: render }: TextFiles): readonly number[] | Failure {
  if (prompt.kind === "ids") return prompt.ids;
  if (tokenizer === null)
    return new Failure(
      exitCodes.errorsFound,
      "there is no tokenizer.json beside the weights",
      "--ids 1,2,3 needs none",
    );
  // A chat template writes the first token itself.
  return chat ? tokenizer.encode(render(prompt.text)) : tokenizer.encode(prompt.text, "as-configured");
}

interface Running {
  readonly model: LoadedModel;
  readonly options: RunOptions;
  readonly ready: Ready;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

interface RunResult {
  readonly prompt: readonly number[];
  readonly ids: readonly number[];
  /** Null without a tokenizer. */
  readonly text: string | null;
  readonly stop: RunStop;
  readonly statistics: RunStatistics;
  readonly taps: TapRecorder;
}

async function run({ model, options, ready, terminal, signal }: Running): Promise<RunResult> {
  const { session } = model;
  const { tokenizer } = ready.text;
  const room = model.context - ready.ids.length + 1;
  const stopper = newStopper(decoderAfter(ready.ids, ready.text), {
    endIds: options.endIds ?? ready.text.endIds,
    stopStrings: options.stopStrings,
    maxTokens: Math.min(options.maxTokens, room),
  });
  const taps = newTapRecorder(options.taps, model.elaborated, model.token, () => session.length);
  const observe = options.taps.names.length === 0 ? {} : { observe: taps.observe };
  const random = randomFromSeed(options.seed);
  const watch = stopwatch(ready.ids.length);
  const next = async (given: readonly number[]): Promise<ArrayLike<number>> => {
    let last: ArrayLike<number> = [];
    for (let at = 0; at < given.length; at += options.chunk) {
      // Ctrl-C is heard between calls only.
      await afterEvents();
      signal.throwIfAborted();
      terminal.progress(`prompt: ${at} of ${given.length} tokens`);
      const [result] = session.forward(given.slice(at, at + options.chunk), { ...observe, signal });
      if (result === undefined) throw new Error("the entry has given no result");
      last = realsOf(result).subarray(-model.width);
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
  return { prompt: ready.ids, ids, text: tokenizer === null ? null : text, stop, statistics: watch.statistics(), taps };
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

function say(result: RunResult, options: RunOptions, terminal: Terminal): ExitCode {
  const { prompt, ids, text, stop, statistics, taps } = result;
  if (options.json) {
    const fields = JSON.stringify({ prompt, ids, text, stop, statistics });
    if (options.taps.names.length === 0) terminal.out(`${fields}\n`);
    else {
      terminal.out(`${fields.slice(0, -1)},"taps":`);
      for (const piece of tapsText(taps.taps())) terminal.out(piece);
      terminal.out("}\n");
    }
  } else {
    terminal.out("\n");
    terminal.error(`${statisticsLine(statistics, stop)}\n`);
  }
  return stop.kind === "interrupted" ? exitCodes.interrupted : exitCodes.fine;
}
