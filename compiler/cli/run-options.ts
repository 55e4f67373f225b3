/** The options of `dsc run`, read and held against each other. */

import { SamplingError } from "../../runtime/sampling/sampling-error.ts";
import { checkOptions, type SamplingOptions } from "../../runtime/sampling/sampling-options.ts";
import type { CommandLine } from "./command-line.ts";
import { exitCodes } from "./exit-codes.ts";
import { Failure } from "./failure.ts";
import { readStandardInput, sizeLimits } from "./read-file.ts";
import { readCount, readNumber } from "./read-number.ts";
import { readIdList } from "./read-tokens.ts";
import { readTapNames, type TapNames } from "./tap-names.ts";

export type Prompt =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "ids"; readonly ids: readonly number[] };

export interface RunOptions {
  readonly prompt: Prompt;
  readonly chat: boolean;
  readonly json: boolean;
  readonly maxTokens: number;
  /** Most prompt tokens of one call of the model; null: as what runs it likes. */
  readonly chunk: number | null;
  readonly sampling: SamplingOptions;
  readonly seed: number;
  readonly stopStrings: readonly string[];
  /** Null: as the checkpoint says. */
  readonly endIds: readonly number[] | null;
  readonly taps: TapNames;
}

const usage = (message: string, hint = "see `dsc help run`"): Failure => new Failure(exitCodes.usage, message, hint);

export function readRunOptions(line: CommandLine): RunOptions | Failure {
  const taps = readTapNames(line.value("taps"));
  if (taps instanceof Failure) return taps;
  if (taps.names.length > 0 && !line.has("json")) return usage("--taps needs --json, which has room for the values");
  const maxTokens = readCount(line, "max-tokens", 1);
  if (maxTokens instanceof Failure) return maxTokens;
  const chunk = readCount(line, "chunk", 1);
  if (chunk instanceof Failure) return chunk;
  const seed = readCount(line, "seed", 0);
  if (seed instanceof Failure) return seed;
  const sampling = readSampling(line);
  if (sampling instanceof Failure) return sampling;
  const ends = line.value("end-ids");
  const endIds = ends === null ? null : readIdList("end-ids", ends);
  if (endIds instanceof Failure) return endIds;
  const stopStrings = line.values("stop");
  if (stopStrings.includes("")) return usage("--stop: an empty text stops nothing");
  const prompt = readPrompt(line);
  if (prompt instanceof Failure) return prompt;
  return {
    prompt,
    chat: line.has("chat"),
    json: line.has("json"),
    maxTokens: maxTokens ?? 256,
    chunk,
    sampling,
    seed: seed ?? 0,
    stopStrings,
    endIds,
    taps,
  };
}

/** Without a temperature the best token is taken, and options that choose among several mean nothing. */
function readSampling(line: CommandLine): SamplingOptions | Failure {
  const numbers: Record<string, number> = {};
  for (const option of ["temperature", "top-k", "top-p", "min-p", "repetition-penalty"]) {
    const value = readNumber(line, option);
    if (value instanceof Failure) return value;
    if (value !== null) numbers[option] = value;
  }
  const temperature = numbers["temperature"] ?? 0;
  const idle = ["top-k", "top-p", "min-p"].find((option) => numbers[option] !== undefined && temperature === 0);
  if (idle !== undefined) return usage(`--${idle} chooses nothing at temperature 0`, `for example --temperature 0.7`);
  const sampling: SamplingOptions = {
    temperature,
    topK: numbers["top-k"] ?? 0,
    topP: numbers["top-p"] ?? 1,
    minP: numbers["min-p"] ?? 0,
    repetitionPenalty: numbers["repetition-penalty"] ?? 1,
  };
  try {
    return checkOptions(sampling);
  } catch (error) {
    if (error instanceof SamplingError) return usage(error.message);
    throw error;
  }
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
