/** `dsc logits`: the logits of every position of given tokens, as a file. */
import { resolve } from "node:path";
import { realsOf } from "../graph/interpret/tensor.ts";
import type { CommandLine } from "./command-line.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { Failure } from "./failure.ts";
import { interruptible } from "./interrupt.ts";
import { withModel } from "./load-model.ts";
import { withPackage } from "./load-package.ts";
import { listText, tapsText } from "./number-text.ts";
import { nameFrom } from "./project.ts";
import { readCount } from "./read-number.ts";
import { readTokenFile, unfitTokens } from "./read-tokens.ts";
import { runsPackage } from "./runs-package.ts";
import type { Surroundings } from "./surroundings.ts";
import { readTapNames } from "./tap-names.ts";
import { newTapRecorder, type TapRecorder } from "./tap-recorder.ts";
import { reportFailure, type Terminal } from "./terminal.ts";
import { writeResult } from "./write-file.ts";

export async function runLogits(line: CommandLine, surroundings: Surroundings): Promise<ExitCode> {
  const { terminal } = surroundings;
  const fail = (failure: Failure): ExitCode => reportFailure(terminal, failure);
  const [file, out] = [line.value("tokens"), line.value("out")];
  if (file === null) return fail(new Failure(exitCodes.usage, "--tokens is missing", "--tokens FILE.json"));
  if (out === null) return fail(new Failure(exitCodes.usage, "--out is missing", "--out FILE.json, or `-`"));
  const chunk = readCount(line, "chunk", 1);
  if (chunk instanceof Failure) return fail(chunk);
  const taps = readTapNames(line.value("taps"));
  if (taps instanceof Failure) return fail(taps);
  const ids = readTokenFile(file, terminal.cwd);
  if (ids instanceof Failure) return fail(ids);
  const packaged = runsPackage(line, terminal.cwd, taps);
  if (packaged instanceof Failure) return fail(packaged);
  if (packaged) return fromPackage(line, surroundings, { ids, chunk, out });
  return withModel(line, surroundings, { results: ["logits"], taps, prepare: () => null }, async (model) => {
    const unfit = unfitTokens(ids, model);
    if (unfit !== null) return fail(unfit);
    const recorder = newTapRecorder(taps, model.elaborated, model.token, () => model.session.length);
    const observe = taps.names.length === 0 ? {} : { observe: recorder.observe };
    terminal.progress(`running ${ids.length} tokens`);
    const [logits] = model.session.forward(ids, { ...(chunk === null ? {} : { chunk }), ...observe });
    if (logits === undefined) throw new Error("the entry has given no result");
    return write(resultText(realsOf(logits), model.width, taps.names.length === 0 ? null : recorder), out, terminal);
  });
}

interface Asked {
  readonly ids: readonly number[];
  readonly chunk: number | null;
  readonly out: string;
}

function fromPackage(line: CommandLine, surroundings: Surroundings, { ids, chunk, out }: Asked): Promise<ExitCode> {
  const { terminal } = surroundings;
  return interruptible((signal) =>
    withPackage(line, surroundings, { signal }, async ({ load }) => {
      const { model } = await load();
      const { vocabulary } = model.info;
      const unfit = unfitTokens(ids, model.info);
      if (unfit !== null) return reportFailure(terminal, unfit);
      const session = model.session();
      const logits = new Float64Array(ids.length * vocabulary);
      const most = chunk ?? ids.length;
      for (let at = 0; at < ids.length; at += most) {
        terminal.progress(`running ${ids.length} tokens: ${at}`);
        logits.set(await session.forward(ids.slice(at, at + most), { all: true, signal }), at * vocabulary);
      }
      return write(resultText(logits, vocabulary, null), out, terminal);
    }),
  );
}

function* resultText(values: Float64Array, width: number, recorder: TapRecorder | null): Generator<string> {
  yield '{"logits": [';
  for (let at = 0; at < values.length; at += width) {
    yield at === 0 ? "\n" : ",\n";
    yield* listText(values.subarray(at, at + width));
  }
  yield "]";
  if (recorder !== null) {
    yield ',\n"taps": ';
    yield* tapsText(recorder.taps());
  }
  yield "}\n";
}

function write(text: Iterable<string>, out: string, terminal: Terminal): ExitCode {
  if (out === "-") {
    for (const piece of text) terminal.out(piece);
    return exitCodes.fine;
  }
  const path = resolve(terminal.cwd, out);
  const failure = writeResult(path, nameFrom(terminal.cwd, path), text);
  return failure === null ? exitCodes.fine : reportFailure(terminal, failure);
}
