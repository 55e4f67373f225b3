/** `dsc run`: text from a model, as it comes. */
import { randomFromSeed } from "../../runtime/sampling/random.ts";
import type { StreamPiece } from "../../runtime/text/streams.ts";
import type { CommandLine } from "./command-line.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { Failure } from "./failure.ts";
import { interruptible } from "./interrupt.ts";
import { tapsText } from "./number-text.ts";
import { openText, type TextFiles } from "./open-text.ts";
import { unfitTokens } from "./read-tokens.ts";
import { type RunResult, runLoop } from "./run-loop.ts";
import { type RunOptions, readRunOptions } from "./run-options.ts";
import { statisticsLine } from "./run-statistics.ts";
import { streamWriter } from "./stream-writer.ts";
import type { Surroundings } from "./surroundings.ts";
import type { TapRecorder } from "./tap-recorder.ts";
import { reportFailure, type Terminal } from "./terminal.ts";
import { withRunner } from "./with-runner.ts";

/** `lead` stands before the text, in one line with it: what is said until then has lines of its own. */
export async function runRun(line: CommandLine, surroundings: Surroundings, lead = ""): Promise<ExitCode> {
  const { terminal } = surroundings;
  const options = readRunOptions(line);
  if (options instanceof Failure) return reportFailure(terminal, options);
  return interruptible((signal) =>
    withRunner(
      line,
      surroundings,
      {
        taps: options.taps,
        draft: options.draft,
        chunk: options.chunk,
        signal,
        prepare: (folder, config) =>
          makeReady(options, openText(folder, config, terminal.cwd, line.value("chat-template"))),
      },
      async ({ runner, ready, taps }) => {
        const { text, ids: prompt } = ready;
        const unfit = unfitTokens(prompt, runner);
        if (unfit !== null) return reportFailure(terminal, unfit);
        let begun = options.json || lead === "";
        const begin = (): void => {
          if (!begun) terminal.out(lead);
          begun = true;
        };
        const write = options.json ? () => undefined : streamWriter(terminal, options.showReasoning);
        const show = (piece: StreamPiece): void => {
          begin();
          write(piece);
        };
        const random = randomFromSeed(options.seed);
        const { progress } = terminal;
        const result = await runLoop({ runner, options, text, prompt, known: 0, random, show, progress, signal });
        begin();
        return say(result, taps, options, terminal);
      },
    ),
  );
}

/** What is read before any weight is. */
interface Ready {
  readonly text: TextFiles;
  readonly ids: readonly number[];
}

function makeReady(options: RunOptions, text: TextFiles | Failure): Ready | Failure {
  if (text instanceof Failure) return text;
  if (text.tokenizer === null && options.stopStrings.length > 0)
    return new Failure(
      exitCodes.usage,
      "--stop needs a tokenizer.json beside the weights",
      "--end-ids 1,2 stops at ids",
    );
  const ids = promptIds(options, text);
  return ids instanceof Failure ? ids : { text, ids };
}

function promptIds({ prompt, chat, variables }: RunOptions, text: TextFiles): readonly number[] | Failure {
  if (prompt.kind === "ids") return prompt.ids;
  const { tokenizer } = text;
  if (tokenizer === null)
    return new Failure(
      exitCodes.errorsFound,
      "there is no tokenizer.json beside the weights",
      "--ids 1,2,3 needs none",
    );
  if (!chat) return tokenizer.encode(prompt.text, "as-configured");
  // A chat template writes the first token itself.
  return tokenizer.encode(text.chat([{ role: "user", content: prompt.text }], variables));
}

function say(result: RunResult, taps: TapRecorder | null, options: RunOptions, terminal: Terminal): ExitCode {
  const { prompt, ids, text, reasoning, answer, stop, statistics } = result;
  if (options.json) {
    const fields = JSON.stringify({ prompt, ids, text, reasoning, answer, stop, statistics });
    if (taps === null) terminal.out(`${fields}\n`);
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
