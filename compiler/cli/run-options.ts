/** The options of `dsc run`, read and held against each other. */
import type { CommandLine } from "./command-line.ts";
import { exitCodes } from "./exit-codes.ts";
import { Failure } from "./failure.ts";
import { type GenerationOptions, readGenerationOptions } from "./generation-options.ts";
import { readStandardInput, sizeLimits } from "./read-file.ts";
import { readIdList } from "./read-tokens.ts";
import { readTapNames, type TapNames } from "./tap-names.ts";

export type Prompt =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "ids"; readonly ids: readonly number[] };

export interface RunOptions extends GenerationOptions {
  readonly prompt: Prompt;
  readonly chat: boolean;
  readonly json: boolean;
  readonly taps: TapNames;
}

const usage = (message: string, hint = "see `dsc help run`"): Failure => new Failure(exitCodes.usage, message, hint);

export function readRunOptions(line: CommandLine): RunOptions | Failure {
  const taps = readTapNames(line.value("taps"));
  if (taps instanceof Failure) return taps;
  if (taps.names.length > 0 && !line.has("json")) return usage("--taps needs --json, which has room for the values");
  const generation = readGenerationOptions(line, 256);
  if (generation instanceof Failure) return generation;
  if (line.values("template").length > 0 && !line.has("chat")) return usage("--template is for --chat");
  // Values of tokens that are not taken would stand among them.
  const taken = taps.names.length > 0;
  if (taken && (generation.draft ?? 0) > 0) return usage("--taps and --draft do not go together");
  const prompt = readPrompt(line);
  if (prompt instanceof Failure) return prompt;
  return {
    ...generation,
    draft: taken ? 0 : generation.draft,
    prompt,
    chat: line.has("chat"),
    json: line.has("json"),
    taps,
  };
}

function readPrompt(line: CommandLine): Prompt | Failure {
  const [text, list] = [line.value("prompt"), line.value("ids")];
  if (list !== null) {
    if (text !== null) return usage("--prompt and --ids do not go together");
    if (line.has("chat")) return usage("--ids and --chat do not go together");
    const ids = readIdList("ids", list);
    return ids instanceof Failure ? ids : { kind: "ids", ids };
  }
  if (text !== null) return { kind: "text", text };
  const read = readStandardInput(sizeLimits.source);
  // The line break that a terminal or `echo` ends with is no part of what is said.
  return read instanceof Failure ? read : { kind: "text", text: read.replace(/\r?\n$/, "") };
}
