/** `dsc logits`: the logits of every position of given tokens, as a file. */
import { resolve } from "node:path";
import { realsOf, type Tensor } from "../graph/interpret/tensor.ts";
import type { CommandLine } from "./command-line.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { Failure } from "./failure.ts";
import { type LoadedModel, withModel } from "./load-model.ts";
import { listText, tapsText } from "./number-text.ts";
import { nameFrom } from "./project.ts";
import { readCount } from "./read-number.ts";
import { readTokenFile, unfitTokens } from "./read-tokens.ts";
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
  return withModel(line, surroundings, { results: ["logits"], taps }, async (model) => {
    const unfit = unfitTokens(ids, model);
    if (unfit !== null) return fail(unfit);
    const recorder = newTapRecorder(taps, model.elaborated, model.token, () => model.session.length);
    const observe = taps.names.length === 0 ? {} : { observe: recorder.observe };
    terminal.progress(`running ${ids.length} tokens`);
    const [logits] = model.session.forward(ids, { ...(chunk === null ? {} : { chunk }), ...observe });
    if (logits === undefined) throw new Error("the entry has given no result");
    return write(resultText(logits, model, taps.names.length === 0 ? null : recorder), out, terminal);
  });
}

function* resultText(logits: Tensor, { width }: LoadedModel, recorder: TapRecorder | null): Generator<string> {
  const values = realsOf(logits);
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
