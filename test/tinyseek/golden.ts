/** What PyTorch computes with the weights of TinySeek, as models/tinyseek/train/golden.py has recorded it. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../conformance/bind-text.ts";

/** Of greedy steps, each the best id after `prompt` and those before it. Numbers are f64, with nine digits. */
export interface GoldenPrompt {
  readonly name: string;
  readonly text: string;
  readonly prompt: readonly number[];
  readonly ids: readonly number[];
  /** Whether rounding of f32 changes nothing that is chosen: not an id, not an expert, not a position that is seen. */
  readonly clear: boolean;
  /** The logit of each of `ids`. */
  readonly chosen: readonly number[];
  /** All logits of some steps: of step i those that `ids[i]` is the best of. */
  readonly logits: readonly { readonly step: number; readonly values: readonly number[] }[];
  /** Of `ids[i + 1]`, drafted when `ids[i]` was known. */
  readonly drafts: readonly number[];
  /** As `clear`, of the module that drafts. */
  readonly drafts_clear: boolean;
  /** All logits of one of the first drafts that are made where one is made a step. */
  readonly draft_logits: { readonly draft: number; readonly values: readonly number[] };
}

/** Nats a token of the stories that are held out, each behind BOS and cut to the model's context. */
export interface GoldenLosses {
  /** Over all tokens. */
  readonly mean: number;
  /** Predicted in each story. */
  readonly tokens: readonly number[];
  readonly losses: readonly number[];
  /** Of the last stories, with one thing of the model off or wrong, by the name of its text in models/tinyseek/ablations/. */
  readonly switched: Readonly<Record<string, readonly number[]>>;
}

export interface Golden {
  /** SHA-256 of model.safetensors. */
  readonly weights: string;
  readonly held_out: GoldenLosses;
  readonly prompts: readonly GoldenPrompt[];
}

export const tinyseek = join(root, "models/tinyseek");
export const weightsFile = join(tinyseek, "model.safetensors");
const missing = ["model.safetensors", "golden.json"].find((name) => !existsSync(join(tinyseek, name)));

/** For the name of a test; empty where the trained weights are there, and what was recorded of them. */
export const whyUntrained: string = missing === undefined ? "" : ` (skipped: models/tinyseek has no ${missing})`;

export const readGolden = (): Golden => JSON.parse(readFileSync(join(tinyseek, "golden.json"), "utf8"));

/** In `prompts`. */
export const promptNames = ["opening", "dialogue", "name", "empty", "odd"] as const;

export function goldenPrompt({ prompts }: Golden, name: string): GoldenPrompt {
  const found = prompts.find((prompt) => prompt.name === name);
  if (found === undefined) throw new Error(`nothing is recorded of ${name}`);
  return found;
}

/**
 * How many drafts there are where one is made a step, and how many are right. The one of the last id is not made: checking it takes
 * a step as computing it does.
 */
export function draftsOneByOne(drafts: readonly number[], ids: readonly number[]) {
  let [drafted, accepted] = [0, 0];
  for (let known = 1; known < ids.length - 1; known += 1) {
    drafted += 1;
    if (drafts[known - 1] !== ids[known]) continue;
    accepted += 1;
    known += 1;
  }
  return { drafted, accepted };
}
