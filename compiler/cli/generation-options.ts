/** How text is generated, as `run` and `chat` are told it. */

import { SamplingError } from "../../runtime/sampling/sampling-error.ts";
import { checkOptions, type SamplingOptions } from "../../runtime/sampling/sampling-options.ts";
import type { JsonValue } from "../../runtime/text/chat-template.ts";
import { areTags } from "../../runtime/text/reasoning.ts";
import type { ReasoningTags } from "../../runtime/text/streams.ts";
import type { CommandLine } from "./command-line.ts";
import { exitCodes } from "./exit-codes.ts";
import { Failure } from "./failure.ts";
import { readCount, readNumber } from "./read-number.ts";
import { readIdList } from "./read-tokens.ts";

export interface GenerationOptions {
  readonly maxTokens: number;
  /** Most prompt tokens of one call of the model; null: as what runs it likes. */
  readonly chunk: number | null;
  readonly sampling: SamplingOptions;
  readonly seed: number;
  readonly stopStrings: readonly string[];
  /** Null: as the checkpoint says. */
  readonly endIds: readonly number[] | null;
  /** Around what the model writes to itself; `none`: all text is the answer. */
  readonly tags: ReasoningTags | "none" | "as the files say";
  /** Tokens to guess at a time; 0 for none, null as the model likes. */
  readonly draft: number | null;
  readonly showReasoning: boolean;
  /** What the chat template reads besides the messages. */
  readonly variables: { readonly [name: string]: JsonValue };
}

const usage = (message: string, hint: string | null = null): Failure => new Failure(exitCodes.usage, message, hint);

/** `tokens`: most of a text, where the line does not say. */
export function readGenerationOptions(line: CommandLine, tokens: number): GenerationOptions | Failure {
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
  const tags = readTags(line.value("reasoning-tags"));
  if (tags instanceof Failure) return tags;
  const variables = readVariables(line.values("template"));
  if (variables instanceof Failure) return variables;
  const draft = readDraft(line);
  if (draft instanceof Failure) return draft;
  return {
    maxTokens: maxTokens ?? tokens,
    chunk,
    sampling,
    seed: seed ?? 0,
    stopStrings,
    endIds,
    tags,
    draft,
    showReasoning: !line.has("no-reasoning"),
    variables,
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

/** `off` is 0; null where nothing is said. */
export function readDraft(line: CommandLine): number | null | Failure {
  const given = line.value("draft");
  if (given === "off") return 0;
  const count = readCount(line, "draft", 0);
  return count instanceof Failure ? usage(`--draft ${given}: expected a number of tokens, or off`) : count;
}

function readTags(given: string | null): GenerationOptions["tags"] | Failure {
  if (given === null) return "as the files say";
  if (given === "none") return "none";
  const [open = "", close = "", ...more] = given.trim().split(/\s+/);
  if (more.length === 0 && areTags({ open, close })) return { open, close };
  return usage(
    `--reasoning-tags ${given}: expected two tags, or none`,
    'for example --reasoning-tags "<think> </think>"',
  );
}

/** Values are JSON where they can be, else texts. */
function readVariables(given: readonly string[]): GenerationOptions["variables"] | Failure {
  const variables: Record<string, JsonValue> = {};
  for (const one of given) {
    const [, name, text] = /^([A-Za-z_]\w*)=(.*)$/s.exec(one) ?? [];
    if (name === undefined || text === undefined)
      return usage(`--template ${one}: expected name=value`, "for example --template thinking=true");
    variables[name] = jsonOrText(text);
  }
  return variables;
}

function jsonOrText(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return text;
  }
}
