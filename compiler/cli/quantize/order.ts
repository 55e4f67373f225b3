/** What the command line of `quantize` asks for, and what there is where it is to go. */
import { existsSync, realpathSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { readJson, readSettings, type TextInput } from "../check-file.ts";
import { completedConfig, downloadedConfig } from "../checkpoint-config.ts";
import type { CommandLine } from "../command-line.ts";
import { exitCodes } from "../exit-codes.ts";
import { Failure } from "../failure.ts";
import { folderOf } from "../load-model.ts";
import { nameFrom } from "../project.ts";

export interface QuantizeOrder {
  readonly model: string;
  /** What the weights are read from, the folder that is, and the one to write. */
  readonly weights: string;
  readonly folder: string;
  readonly out: string;
  readonly settings: ReadonlyMap<string, string>;
  /** Null: the one format that the text has. */
  readonly format: string | null;
  /** Whether multipliers are powers of two; null: as the config says. */
  readonly pow2: boolean | null;
  readonly only: readonly string[];
  readonly keep: readonly string[];
  readonly force: boolean;
  /** Those that are written again, by the name they get; the last is what is read. */
  readonly configs: readonly { readonly name: string; readonly input: TextInput }[];
}

const usage = (message: string, hint: string | null = null): Failure => new Failure(exitCodes.usage, message, hint);

export async function readOrder(line: CommandLine, cwd: string): Promise<QuantizeOrder | Failure> {
  const [model = ""] = line.operands;
  const [given, out] = [line.value("weights"), line.value("out")];
  if (given === null) return usage("--weights is missing", "--weights DIR: the checkpoint's folder");
  if (out === null) return usage("--out is missing", "--out DIR: the folder to write");
  const scales = line.value("scales");
  if (scales !== null && scales !== "largest" && scales !== "pow2")
    return usage(`--scales ${scales}: there is no such choice`, "largest or pow2");
  const settings = readSettings(line.values("set"));
  if (settings instanceof Failure) return settings;
  const weights = resolve(cwd, given);
  const folder = await folderOf(weights);
  if (folder === null) {
    const message = `cannot read ${nameFrom(cwd, weights)}: there is no such file or folder`;
    return new Failure(exitCodes.cannotReadOrWrite, message);
  }
  const configs = readConfigs(line.value("config"), folder, cwd);
  if (configs instanceof Failure) return configs;
  return {
    ...{ model, weights, folder, out: resolve(cwd, out), settings, configs },
    format: line.value("format"),
    pow2: scales === null ? null : scales === "pow2",
    only: line.values("only"),
    keep: line.values("keep"),
    force: line.has("force"),
  };
}

function readConfigs(given: string | null, folder: string, cwd: string): QuantizeOrder["configs"] | Failure {
  const files =
    given === null
      ? [downloadedConfig, completedConfig].map((name) => ({ name, file: join(folder, name) }))
      : [{ name: downloadedConfig, file: resolve(cwd, given) }];
  const configs: QuantizeOrder["configs"][number][] = [];
  for (const { name, file } of files) {
    if (given === null && name === completedConfig && !existsSync(file)) continue;
    const input = readJson(file, cwd);
    if (input === null || input instanceof Failure) return input ?? usage("--config is empty");
    configs.push({ name, input });
  }
  return configs;
}

/** What would be taken for part of the checkpoint although it is not written with it. */
const belongsToCheckpoint = (name: string): boolean =>
  name === completedConfig || name.endsWith(".safetensors") || name.endsWith(".safetensors.index.json");

/** Why files of these names may not be written; null where they may. */
export async function refusal(
  { folder, out, force }: QuantizeOrder,
  names: readonly string[],
  cwd: string,
): Promise<Failure | null> {
  if (!existsSync(out)) return null;
  const shown = (name: string): string => nameFrom(cwd, join(out, name));
  if (realpathSync(out) === realpathSync(folder))
    return usage(`--out ${nameFrom(cwd, out)} is the folder of the checkpoint`, "what is read is not replaced");
  const present = await readdir(out).catch(() => null);
  if (present === null) return new Failure(exitCodes.cannotReadOrWrite, `${nameFrom(cwd, out)} is no folder`);
  const other = present.find((name) => belongsToCheckpoint(name) && !names.includes(name));
  if (other !== undefined) {
    const message = `${shown(other)} would stand beside what is written, as part of it`;
    return new Failure(exitCodes.cannotReadOrWrite, message, "another folder, or without that file");
  }
  const there = present.find((name) => names.includes(name));
  if (there === undefined || force) return null;
  return new Failure(exitCodes.cannotReadOrWrite, `${shown(there)} is there already`, "--force replaces it");
}
