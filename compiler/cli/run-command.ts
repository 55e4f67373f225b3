/** `dsc run`: text from a model, as it comes. */
import type { Model } from "../../runtime/package/model.ts";
import { realsOf } from "../graph/interpret/tensor.ts";
import type { CommandLine } from "./command-line.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { Failure } from "./failure.ts";
import { interruptible } from "./interrupt.ts";
import { type LoadedModel, withModel } from "./load-model.ts";
import { asksForPackage, withPackage } from "./load-package.ts";
import { tapsText } from "./number-text.ts";
import { openText, type TextFiles } from "./open-text.ts";
import { unfitTokens } from "./read-tokens.ts";
import { type Ready, type Runner, type RunResult, runLoop } from "./run-loop.ts";
import { type Prompt, type RunOptions, readRunOptions } from "./run-options.ts";
import { statisticsLine } from "./run-statistics.ts";
import type { Surroundings } from "./surroundings.ts";
import { newTapRecorder, type TapRecorder } from "./tap-recorder.ts";
import { reportFailure, type Terminal } from "./terminal.ts";

export async function runRun(line: CommandLine, surroundings: Surroundings): Promise<ExitCode> {
  const { terminal } = surroundings;
  const options = readRunOptions(line);
  if (options instanceof Failure) return reportFailure(terminal, options);
  const fromPackage = asksForPackage(line, terminal.cwd);
  if (fromPackage && options.taps.names.length > 0)
    return reportFailure(terminal, new Failure(exitCodes.usage, "--taps needs --backend reference"));
  return fromPackage ? runPackage(line, options, surroundings) : runSession(line, options, surroundings);
}

/** A model that was compiled, now or before. */
function runPackage(line: CommandLine, options: RunOptions, surroundings: Surroundings): Promise<ExitCode> {
  const { terminal } = surroundings;
  return interruptible((signal) =>
    withPackage(line, surroundings, { signal }, async ({ folder, config, load }) => {
      const ready = makeReady(options, folder, config, terminal.cwd);
      if (ready instanceof Failure) return reportFailure(terminal, ready);
      const { model } = await load();
      const runner = packageRunner(model);
      const unfit = unfitTokens(ready.ids, runner);
      if (unfit !== null) return reportFailure(terminal, unfit);
      return say(await runLoop({ runner, options, ready, terminal, signal }), null, options, terminal);
    }),
  );
}

function packageRunner(model: Model): Runner {
  const session = model.session();
  const { context, vocabulary, chunk } = model.info;
  return { context, vocabulary, chunk, next: (ids, signal) => session.forward(ids, { signal }) };
}

/** A session of a backend that runs graphs. */
async function runSession(line: CommandLine, options: RunOptions, surroundings: Surroundings): Promise<ExitCode> {
  const { terminal } = surroundings;
  const idle = ["threads", "weights-type"].find((option) => line.value(option) !== null);
  if (idle !== undefined)
    return reportFailure(terminal, new Failure(exitCodes.usage, `--${idle} is for packages`, "--backend wasm"));
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
        const taps = newTapRecorder(options.taps, model.elaborated, model.token, () => model.session.length);
        const runner = sessionRunner(model, options.taps.names.length === 0 ? null : taps);
        return say(await runLoop({ runner, options, ready, terminal, signal }), taps, options, terminal);
      },
    ),
  );
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
  return chat
    ? tokenizer.encode(render([{ role: "user", content: prompt.text }]))
    : tokenizer.encode(prompt.text, "as-configured");
}

function sessionRunner({ session, context, vocabulary, width }: LoadedModel, taps: TapRecorder | null): Runner {
  const observe = taps === null ? {} : { observe: taps.observe };
  return {
    context,
    vocabulary,
    chunk: 32,
    next: async (ids, signal) => {
      const [result] = session.forward(ids, { ...observe, signal });
      if (result === undefined) throw new Error("the entry has given no result");
      return realsOf(result).subarray(-width);
    },
  };
}

function say(result: RunResult, taps: TapRecorder | null, options: RunOptions, terminal: Terminal): ExitCode {
  const { prompt, ids, text, stop, statistics } = result;
  if (options.json) {
    const fields = JSON.stringify({ prompt, ids, text, stop, statistics });
    if (taps === null || options.taps.names.length === 0) terminal.out(`${fields}\n`);
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
