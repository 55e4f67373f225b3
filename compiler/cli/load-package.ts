/** A model that runs from its package: one that was compiled before, or that is compiled now into the cache. */
import { existsSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { targetNames } from "../../backends/registry.ts";
import { percent } from "../../dsl/graph-view/format-count.ts";
import type { LoadOptions } from "../../runtime/package/load-options.ts";
import type { Model } from "../../runtime/package/model.ts";
import type { PackageFile } from "../package/package-file.ts";
import { cacheFolder, cacheKey } from "./cache-place.ts";
import { type CheckInputs, readJson, readSchedule, readSettings } from "./check-file.ts";
import { configIn } from "./checkpoint-config.ts";
import type { CommandLine } from "./command-line.ts";
import { buildPackage, packagesFor } from "./compile/build-package.ts";
import { checkedModel, type ModelToCompile, readChoices } from "./compile/checked-model.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { Failure } from "./failure.ts";
import { openGpu } from "./gpu/open-gpu.ts";
import { runtimeFailure } from "./known-failures.ts";
import { folderOf } from "./load-model.ts";
import { keptPackage, type Stored, storePackage } from "./package-cache.ts";
import { nameFrom } from "./project.ts";
import { reasonOf } from "./read-file.ts";
import { readCount } from "./read-number.ts";
import type { Surroundings } from "./surroundings.ts";
import { tellError } from "./tell-error.ts";
import { reportFailure } from "./terminal.ts";
import { weightsPath } from "./weights-option.ts";

/** What the `index.js` of a package exports, as far as it is asked for here. */
interface PackageEntry {
  readonly load: (options: LoadOptions) => Promise<Model>;
  readonly facts: PackageNumbers;
}
interface PackageNumbers {
  readonly target: string;
  /** Bytes that a session keeps of a token. */
  readonly memory: { readonly token: number };
  /** By phase. */
  readonly cost: Readonly<Record<string, PhaseNumbers>>;
}
export interface PhaseNumbers {
  readonly tokens: number;
  readonly before: number;
  readonly flops: number;
  readonly bytes: number;
}

interface Caching {
  /** That it will run in; null where nobody says. */
  readonly threads: number | null;
  readonly fresh: boolean;
}

interface FoundPackage {
  readonly folder: string;
  /** Of compiling it now; null where it was there. */
  readonly seconds: number | null;
}

/** `config`: beside the weights, where the command line names none. Null where the model has errors, which have been told. */
async function findPackage(
  line: CommandLine,
  surroundings: Surroundings,
  { config, threads, fresh }: Caching & { readonly config: string | null },
): Promise<FoundPackage | Failure | null> {
  const { cwd } = surroundings.terminal;
  const [name = ""] = line.operands;
  const folder = resolve(cwd, name);
  if (existsSync(join(folder, "program.json"))) return unasked(line) ?? { folder, seconds: null };
  if (!name.endsWith(".ds"))
    return new Failure(exitCodes.usage, `${nameFrom(cwd, folder)} is neither a .ds file nor a package`);
  const choices = readChoices(line, targetNames, line.value("backend") ?? undefined);
  if (choices instanceof Failure) return choices;
  const read = readJson(line.value("config") ?? config, cwd);
  if (read instanceof Failure) return read;
  const settings = readSettings(line.values("set"));
  if (settings instanceof Failure) return settings;
  const schedule = readSchedule(line, cwd);
  if (schedule instanceof Failure) return schedule;
  const inputs: CheckInputs = { config: read, weights: null, settings, schedule };
  const model = checkedModel({ file: name, inputs, choices }, surroundings);
  return model === null || model instanceof Failure ? model : cached(model, surroundings, { threads, fresh });
}

/** A package is compiled already. */
function unasked(line: CommandLine): Failure | null {
  const given = ["config", "set", "schedule", "entry", "weights-type", "target"].find(
    (option) => line.values(option).length > 0,
  );
  return given === undefined
    ? null
    : new Failure(exitCodes.usage, `--${given} is for a .ds file: a package is compiled already`);
}

async function cached(
  model: ModelToCompile,
  surroundings: Surroundings,
  { threads, fresh }: Caching,
): Promise<FoundPackage | Failure> {
  const { terminal, home } = surroundings;
  const engine = (await packagesFor(model)).engine({ cores: availableParallelism(), threads });
  const cache = cacheFolder(process.env, process.platform);
  const key = cacheKey([...model.texts, ["engine", engine]], home);
  const found = fresh ? null : keptPackage(cache, key);
  if (found !== null) return { folder: found, seconds: null };
  const started = performance.now();
  const built = await buildPackage(model, surroundings, { engine });
  if (built instanceof Failure) return built;
  const stored = written(cache, key, built.files);
  if (stored instanceof Failure) return stored;
  const { folder, unkept } = stored;
  if (unkept !== null)
    terminal.error(
      `the compiled package is not kept for the next time: cannot write ${nameFrom(terminal.cwd, cache)}: ${unkept}\n`,
    );
  return { folder, seconds: (performance.now() - started) / 1000 };
}

function written(cache: string, key: string, files: readonly PackageFile[]): Stored | Failure {
  try {
    return storePackage(cache, key, files);
  } catch (error) {
    return new Failure(
      exitCodes.cannotReadOrWrite,
      `the compiled package cannot be written, to ${cache} or to ${tmpdir()}: ${reasonOf(error)}`,
      "DSC_CACHE names another folder",
    );
  }
}

/** Whether a command's model runs from a package: because it is one, or because the backend is one that packages are made for. */
export const asksForPackage = (line: CommandLine, cwd: string): boolean =>
  targetNames.includes(line.value("backend") ?? "") ||
  (line.value("backend") === null && existsSync(join(resolve(cwd, line.operands[0] ?? ""), "program.json")));

interface PackageToLoad {
  /** The checkpoint's. */
  readonly folder: string;
  /** Text of the model's config; an empty object where there is none. */
  readonly config: string;
  /** Reads the weights: what does not need them comes before. */
  readonly load: () => Promise<LoadedPackage>;
}
export interface LoadedPackage {
  readonly found: FoundPackage;
  readonly numbers: PackageNumbers;
  /** Of loading the weights. */
  readonly seconds: number;
  readonly model: Model;
}

export interface LoadingOptions {
  readonly signal: AbortSignal;
  /** Most tokens of a call; null or nothing as the package likes. */
  readonly chunk?: number | null;
  /** Without it what drafts is loaded. */
  readonly draft?: boolean;
  /** Compiles a .ds file in any case, and so knows how long that takes. */
  readonly fresh?: boolean;
}

/** Compiles where that is needed, loads, and lets `use` run it. Whatever fails is told and answered with its exit code. */
export async function withPackage(
  line: CommandLine,
  surroundings: Surroundings,
  options: LoadingOptions,
  use: (toLoad: PackageToLoad) => Promise<ExitCode>,
): Promise<ExitCode> {
  const { terminal } = surroundings;
  const { signal } = options;
  let model: Model | null = null;
  try {
    const prepared = await prepare(line, surroundings, options);
    if (prepared === null) return exitCodes.errorsFound;
    if (prepared instanceof Failure) return reportFailure(terminal, prepared);
    const load = async (): Promise<LoadedPackage> => {
      const loaded = await prepared.load();
      model = loaded.model;
      return loaded;
    };
    return await use({ ...prepared, load });
  } catch (error) {
    if (signal.aborted && error === signal.reason) return exitCodes.interrupted;
    return tellError(error, line.operands[0] ?? "", terminal, runtimeFailure);
  } finally {
    disposeOf(model);
  }
}

const disposeOf = (model: Model | null): void => model?.dispose();

export interface CheckpointPlace {
  /** As it was named. */
  readonly weights: string;
  readonly folder: string;
  /** The config in it; null where there is none. */
  readonly config: string | null;
}

export async function checkpointAt(line: CommandLine, cwd: string): Promise<CheckpointPlace | Failure> {
  const weights = weightsPath(line, cwd);
  if (weights instanceof Failure) return weights;
  const folder = await folderOf(weights);
  if (folder === null) {
    const shown = nameFrom(cwd, weights);
    return new Failure(exitCodes.cannotReadOrWrite, `cannot read ${shown}: there is no such file or folder`);
  }
  return { weights, folder, config: configIn(folder) };
}

async function prepare(
  line: CommandLine,
  surroundings: Surroundings,
  { signal, chunk = null, draft = true, fresh = false }: LoadingOptions,
): Promise<PackageToLoad | Failure | null> {
  const { terminal } = surroundings;
  const threads = readCount(line, "threads", 1);
  if (threads instanceof Failure) return threads;
  const checkpoint = await checkpointAt(line, terminal.cwd);
  if (checkpoint instanceof Failure) return checkpoint;
  const { weights, folder, config } = checkpoint;
  const found = await findPackage(line, surroundings, { config, threads, fresh });
  if (found === null || found instanceof Failure) return found;
  const read = readJson(line.value("config") ?? config, terminal.cwd);
  if (read instanceof Failure) return read;
  const imported = await importPackage(found.folder, nameFrom(terminal.cwd, found.folder));
  if (imported instanceof Failure) return imported;
  const { load, facts: numbers } = imported;
  const gpu = numbers.target === "webgpu" ? await openGpu() : null;
  if (gpu instanceof Failure) return gpu;
  if (gpu !== null && threads !== null) return new Failure(exitCodes.usage, "--threads is for packages of WebAssembly");
  return {
    folder,
    config: read?.text ?? "{}",
    load: async () => {
      const started = performance.now();
      const model = await load({
        weights,
        signal,
        narrow: true, // who compiles for narrower weights has asked for it
        ...(gpu === null ? {} : { gpu }),
        ...(threads === null ? {} : { threads }),
        ...(chunk === null ? {} : { chunk }),
        draft,
        onProgress: ({ loaded, total }) => terminal.progress(`reading weights: ${percent(loaded, total)}`),
      });
      return { found, numbers, model, seconds: (performance.now() - started) / 1000 };
    },
  };
}

async function importPackage(folder: string, shown: string): Promise<PackageEntry | Failure> {
  const entry: unknown = await import(pathToFileURL(join(folder, "index.js")).href).catch(() => null);
  if (isEntry(entry)) return entry;
  return new Failure(exitCodes.errorsFound, `${shown} is no package that this dsc runs`, "compile it again");
}

const isObject = (x: unknown): x is Readonly<Record<string, unknown>> => typeof x === "object" && x !== null;

const isEntry = (entry: unknown): entry is PackageEntry =>
  isObject(entry) &&
  typeof entry["load"] === "function" &&
  isObject(entry["facts"]) &&
  isObject(entry["facts"]["memory"]) &&
  isObject(entry["facts"]["cost"]);
