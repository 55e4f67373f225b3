/** Options that several commands have, each told once. A command that means something narrower has its own words for it. */
import type { CommandSpec } from "../command-line.ts";
import { flag, takes, takesMany } from "./command.ts";

type Options = CommandSpec["options"];

/** What makes numbers of a model's sizes. */
export const sizes = {
  config: takes("config.json", "the model's config.json: sizes become numbers, and its conditions are checked"),
  set: takesMany("name=value", "an option of the model, a `param` of its own; may be given for each"),
} satisfies Options;

/** The same where a checkpoint is there, which brings its config along. */
export const checkpoint = {
  weights: takes("DIR", "the checkpoint: its folder, a .safetensors file or a .safetensors.index.json"),
  config: takes("config.json", "the model's config; without it, the one in the folder"),
  set: sizes.set,
} satisfies Options;

export const schedule = {
  schedule: takes(
    "FILE.ds",
    "a file of schedules for the model, beside those in its own: how definitions are computed",
  ),
} satisfies Options;

export const target = {
  target: takes("NAME", "what it is made for: wasm, or webgpu; wasm if not given"),
} satisfies Options;

export const weightsType = {
  "weights-type": takes(
    "f32|bf16|f16",
    "how real weights are kept in memory, whatever the checkpoint has; f32 if not given",
  ),
} satisfies Options;

export const backend = {
  backend: takes(
    "NAME",
    "what runs the model: reference (f64, slow, and what is right), wasm, which compiles it first, or webgpu, the same for a GPU (in Node with the package webgpu)",
  ),
} satisfies Options;

export const threads = {
  threads: takes("N", "threads of a package; without it half of the cores, at most 4"),
} satisfies Options;

/** What runs a model with its weights. */
export const running = {
  ...checkpoint,
  ...schedule,
  ...backend,
  ...threads,
  ...weightsType,
} satisfies Options;

export const entry = {
  entry: takes("NAME", "the entry to run; without it, the one that a loop of the model samples"),
} satisfies Options;

export const taps = {
  taps: takes(
    "NAME,…",
    "values of definitions as well, by path in the text, in each layer: layer.y, layer.attn.q, norm.*",
  ),
} satisfies Options;

export const draft = {
  draft: takes(
    "N|off",
    "tokens to guess at a time where the model drafts; 1 if not given; what is said stays the same",
  ),
} satisfies Options;

export const json = { json: flag("one JSON object on standard output instead of text") } satisfies Options;

export const verify = {
  verify: flag("checks every intermediate result; a mistake found is a bug in dsc"),
} satisfies Options;

export const replaceFiles = { force: flag("replaces files that are there") } satisfies Options;
