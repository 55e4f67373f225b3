/** Commands of dsc on the weights of TinySeek, with a cache of packages of their own. */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { backendNames, machineNames, targetNames } from "../../backends/registry.ts";
import { runInside } from "../cli/run-inside.ts";
import { tinyseek } from "./golden.ts";

export interface Way {
  /** Of `--backend`. */
  readonly backend: string;
  /** What logits may be off, as a share of the largest. */
  readonly off: number;
  /** The same, where two scores are so close that either may be chosen. */
  readonly unclear: number;
  /** How many of the last stories it is fast enough for. */
  readonly stories: number;
  /** Drafts a step, with which whole texts are written; one is watched in any case. */
  readonly drafts: readonly number[];
  /** How many of the prompts are written on from; the logits behind all of them are looked at. */
  readonly prompts: number;
}

/** Targets of packages that run wherever the tests do; WebGPU takes a driver (test/webgpu/tinyseek.test.ts). */
export const targets: readonly string[] = targetNames.filter(
  (name) => machineNames.includes(name) && name !== "webgpu",
);

/**
 * Every way to run a model. Backends that run graphs compute in f64: what is recorded has nine digits. Packages compute in f32 with
 * sums in another order; the bound is that of the recorded models in test/conformance/. Another position in the place of the last
 * that is kept moves logits by 1e-5 to 6e-2.
 */
export const ways: readonly Way[] = [
  ...backendNames.map((backend) => ({ backend, off: 1e-8, unclear: 1e-8, stories: 5, drafts: [0], prompts: 2 })),
  ...targets.map((backend) => ({ backend, off: 1e-4, unclear: 0.1, stories: 50, drafts: [0, 2, 3], prompts: 5 })),
];

/** The text of the model. */
export const whole = join(tinyseek, "tinyseek.ds");
/** Texts that have one thing otherwise, by name. */
export const ablations: ReadonlyMap<string, string> = new Map(
  readdirSync(join(tinyseek, "ablations"))
    .filter((file) => file.endsWith(".ds"))
    .map((file) => [basename(file, ".ds"), join(tinyseek, "ablations", file)]),
);

export interface Written {
  readonly ids: readonly number[];
  readonly statistics: { readonly drafted?: number; readonly accepted?: number };
}

export interface Losses {
  /** Over all tokens. */
  readonly mean: number;
  /** Nats a token of each story. */
  readonly losses: readonly number[];
  readonly tokens: readonly number[];
}

export interface Commands {
  /** [position][vocabulary] */
  readonly logits: (text: string, backend: string, ids: readonly number[]) => Promise<readonly (readonly number[])[]>;
  /** Greedily, and beyond ends of stories. `draft`: tokens a step. */
  readonly write: (
    text: string,
    options: {
      readonly backend: string;
      readonly prompt: readonly number[];
      readonly count: number;
      readonly draft: number;
    },
  ) => Promise<Written>;
  /** Of the last stories of a file, cut to what the model can remember. */
  readonly losses: (
    text: string,
    options: { readonly backend: string; readonly corpus: string; readonly stories: number },
  ) => Promise<Losses>;
  /** Gives the folder of the package. */
  readonly compile: (text: string, target: string) => Promise<string>;
  readonly remove: () => void;
}

/** The end of a text that no story has. */
const noEnd = "2";

export function openCommands(): Commands {
  const folder = mkdtempSync(join(tmpdir(), "dsc-tinyseek-"));
  const before = process.env["DSC_CACHE"];
  process.env["DSC_CACHE"] = join(folder, "cache");
  const run = async (command: string, text: string, ...options: readonly string[]): Promise<string> => {
    const { code, out, error } = await runInside([command, text, "--weights", tinyseek, ...options], folder);
    if (code !== 0) throw new Error(`dsc ${command} ${text} has ended with ${code}: ${error}`);
    return out;
  };
  return {
    logits: async (text, backend, ids) => {
      writeFileSync(join(folder, "ids.json"), JSON.stringify(ids));
      return JSON.parse(await run("logits", text, "--backend", backend, "--tokens", "ids.json", "--out", "-")).logits;
    },
    write: async (text, { backend, prompt, count, draft }) => {
      const asked = ["--ids", prompt.join(","), "--max-tokens", String(count), "--end-ids", noEnd];
      const drafts = ["--draft", draft === 0 ? "off" : String(draft)];
      return JSON.parse(await run("run", text, "--backend", backend, ...asked, ...drafts, "--json"));
    },
    losses: async (text, { backend, corpus, stories }) => {
      const those = ["--text", corpus, "--separator", "<|endoftext|>", "--last", String(stories), "--cut"];
      const told = JSON.parse(await run("perplexity", text, "--backend", backend, ...those, "--json"));
      const documents: readonly { readonly natsPerToken: number; readonly predictions: number }[] = told.documents;
      return {
        mean: told.natsPerToken,
        losses: documents.map((d) => d.natsPerToken),
        tokens: documents.map((d) => d.predictions),
      };
    },
    compile: async (text, target) => {
      const place = join(folder, `${basename(text, ".ds")}-${target}`);
      if (existsSync(place)) return place;
      const asked = ["--config", join(tinyseek, "config.json"), "--target", target, "--out", place];
      const { code, error } = await runInside(["compile", text, ...asked], folder);
      if (code !== 0) throw new Error(`dsc compile has ended with ${code}: ${error}`);
      return place;
    },
    remove: () => {
      if (before === undefined) delete process.env["DSC_CACHE"];
      else process.env["DSC_CACHE"] = before;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
