/** From a model's text, its config and a checkpoint to a session: what `run` and `logits` share. */
import { stat } from "node:fs/promises";
import { totalmem } from "node:os";
import { dirname, join } from "node:path";
import { backendNames, loadBackend } from "../../backends/registry.ts";
import { closest } from "../../dsl/diagnostics/suggest.ts";
import type { NoDraftReason } from "../../runtime/artifact/errors.ts";
import { openWeights } from "../../runtime/node/open-weights.ts";
import { extraFile } from "../../runtime/weights/extra-tensors.ts";
import type { Weights } from "../../runtime/weights/weights.ts";
import { narrowFormats } from "../directives/read-directives.ts";
import type { Backend, Session } from "../driver/backend.ts";
import { type Elaborated, elaborate } from "../elaborate/elaborate.ts";
import { evalDim, type Sizes } from "../graph/dim.ts";
import { nodesOf } from "../graph/walk.ts";
import { type CheckedFile, type CheckInputs, checkFile, readJson, readSettings } from "./check-file.ts";
import { configIn, downloadedConfig } from "./checkpoint-config.ts";
import { chooseEntry, type TokenEntry, tokenEntry } from "./choose-entry.ts";
import type { CommandLine } from "./command-line.ts";
import { type DraftEntry, draftEntry } from "./draft-entry.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { Failure } from "./failure.ts";
import { nameFrom, SourceReader } from "./project.ts";
import { showDiagnostics } from "./show-diagnostics.ts";
import type { Surroundings } from "./surroundings.ts";
import { resolveTaps, type TapNames } from "./tap-names.ts";
import { tellError } from "./tell-error.ts";
import { tensorListing } from "./tensor-listing.ts";
import { formatFinder, tensorReader } from "./tensor-reader.ts";
import { reportFailure } from "./terminal.ts";
import { weightsPath } from "./weights-option.ts";

export interface LoadedModel extends TokenEntry {
  readonly session: Session;
  readonly elaborated: Elaborated;
  /** What drafts; why nothing does. */
  readonly drafts: DraftEntry | NoDraftReason;
}

export interface ModelRequest<Ready> {
  /** Results of the entry, best first: the first that it has is computed. */
  readonly results: readonly string[];
  readonly taps: TapNames;
  /** Whether tokens are to be drafted: the session then gives all logits, and what the drafting entry is fed. */
  readonly drafts?: boolean;
  readonly signal?: AbortSignal;
  /** Called with the checkpoint's folder and the text of the config before weights are opened; a failure ends it there. */
  readonly prepare: (folder: string, config: string) => Ready | Failure;
}

/**
 * Loads what the command line names and lets `use` run it. Whatever fails is told and answered with its exit code; the
 * checkpoint is closed before `use` begins, as its numbers are bound by then.
 */
export async function withModel<Ready>(
  line: CommandLine,
  surroundings: Surroundings,
  request: ModelRequest<Ready>,
  use: (model: LoadedModel, ready: Ready) => Promise<ExitCode>,
): Promise<ExitCode> {
  const { terminal } = surroundings;
  const [name = ""] = line.operands;
  try {
    const loaded = await load(line, surroundings, request);
    if (loaded instanceof Failure) return reportFailure(terminal, loaded);
    const { model, ready } = loaded;
    if (!("session" in model)) {
      showDiagnostics(model.diagnostics, terminal);
      return exitCodes.errorsFound;
    }
    return await use(model, ready);
  } catch (error) {
    if (request.signal?.aborted === true && error === request.signal.reason) return exitCodes.interrupted;
    return tellError(error, name, terminal);
  }
}

interface Loaded<Ready> {
  /** A checked file where it has errors. */
  readonly model: LoadedModel | CheckedFile;
  readonly ready: Ready;
}

async function load<Ready>(
  line: CommandLine,
  surroundings: Surroundings,
  request: ModelRequest<Ready>,
): Promise<Loaded<Ready> | Failure> {
  const { cwd } = surroundings.terminal;
  const backend = await backendOf(line);
  if (backend instanceof Failure) return backend;
  const path = weightsPath(line, cwd);
  if (path instanceof Failure) return path;
  const folder = await folderOf(path);
  if (folder === null) {
    return new Failure(
      exitCodes.cannotReadOrWrite,
      `cannot read ${nameFrom(cwd, path)}: there is no such file or folder`,
    );
  }
  const config = readJson(line.value("config") ?? configIn(folder) ?? join(folder, downloadedConfig), cwd);
  if (config instanceof Failure) return config;
  const settings = readSettings(line.values("set"));
  if (settings instanceof Failure) return settings;
  const ready = request.prepare(folder, config?.text ?? "");
  if (ready instanceof Failure) return ready;
  const weights = await openWeights(path, request.signal === undefined ? {} : { signal: request.signal });
  try {
    const listing = { file: listedFile(weights, folder), text: tensorListing(weights.tensors) };
    const inputs: CheckInputs = { config, weights: listing, settings };
    const model = await open({ line, surroundings, request, backend, inputs, weights, folder });
    return model instanceof Failure ? model : { model, ready };
  } finally {
    await weights.close();
  }
}

async function backendOf(line: CommandLine): Promise<Backend | Failure> {
  const name = line.value("backend") ?? "reference";
  const backend = await loadBackend(name);
  if (backend !== null) return backend;
  const near = closest(name, backendNames);
  const hint = `${near === null ? "" : `did you mean \`${near}\`? `}there is ${backendNames.join(", ")}`;
  return new Failure(exitCodes.usage, `--backend ${name}: there is no such backend`, hint);
}

/** Null where there is nothing. */
export async function folderOf(path: string): Promise<string | null> {
  const found = await stat(path).catch(() => null);
  return found === null ? null : found.isDirectory() ? path : dirname(path);
}

/** What the listing is called in diagnostics: the one file, or the index of several. */
export function listedFile(weights: Weights, folder: string): string {
  const files = [...weights.metadata.keys()].filter((name) => name !== extraFile);
  return join(folder, files.length === 1 ? (files[0] ?? "") : "model.safetensors.index.json");
}

interface Opening {
  readonly line: CommandLine;
  readonly surroundings: Surroundings;
  readonly request: Omit<ModelRequest<unknown>, "prepare">;
  readonly backend: Backend;
  readonly inputs: CheckInputs;
  readonly weights: Weights;
  readonly folder: string;
}

async function open(opening: Opening): Promise<LoadedModel | CheckedFile | Failure> {
  const { line, request, backend, weights, folder } = opening;
  const { terminal, home } = opening.surroundings;
  const [name = ""] = line.operands;
  const checked = checkFile(name, opening.inputs, new SourceReader(home.folder, terminal.cwd), terminal);
  if (checked instanceof Failure) return checked;
  if (!checked.ok) return checked;
  showDiagnostics(checked.diagnostics, terminal);
  const { bound: model, declared } = checked.result;
  if (model === null) return new Failure(exitCodes.errorsFound, `${checked.shown} has no model to run`);
  const named = chooseEntry(model, line.value("entry"), request.results);
  if (named instanceof Failure) return named;
  const { entry } = named;
  const drafts = request.drafts === true ? draftEntry({ model, declared, entry }, weights) : "not-loaded";
  const draft = typeof drafts === "string" ? null : drafts;
  const choice = draft === null ? named : { entry, result: "logits" };
  const results = [choice.result, ...(draft?.decl.feeds.map((f) => f.first) ?? [])];
  const keeping = (keep: (path: string) => boolean): Elaborated =>
    elaborate({ model, declared, entry, results, keep, format: narrowFormats(model, entry) });
  const elaborated = keeping(request.taps.wants);
  const missing = resolveTaps(request.taps, elaborated, () => keeping(() => true));
  if (missing !== null) return missing;
  const tokens = tokenEntry(elaborated, choice);
  if (tokens instanceof Failure) return tokens;
  const tooLarge = beyondMemory([elaborated, ...(draft === null ? [] : [draft.elaborated])], tokens.sizes);
  if (tooLarge !== null) return tooLarge;
  const session = await backend.openSession({
    elaborated,
    ...(draft === null ? {} : { draft: draft.elaborated }),
    sizes: tokens.sizes,
    token: tokens.token,
    before: tokens.before,
    reader: tensorReader(weights, model, request.signal),
    format: formatFinder({ model, declared }),
    onProgress: (done, of) => terminal.progress(`reading ${nameFrom(terminal.cwd, folder)}: ${done} of ${of}`),
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  });
  return { ...tokens, session, elaborated, drafts };
}

/** Numbers are kept as f64. Said before anything is read: a machine that swaps does not answer. */
function beyondMemory(entries: readonly Elaborated[], sizes: Sizes): Failure | null {
  const counts = entries.flatMap(({ graph }) =>
    nodesOf(graph).flatMap(({ kind, name, type }) =>
      kind === "weight" ? [[name, type.dims.reduce((product, d) => product * evalDim(d, sizes), 1)] as const] : [],
    ),
  );
  const bytes = 8 * [...new Map(counts).values()].reduce((sum, count) => sum + count, 0);
  if (bytes <= totalmem()) return null;
  const gibibytes = (n: number): string => `${(n / 2 ** 30).toFixed(1)} GiB`;
  return new Failure(
    exitCodes.errorsFound,
    `the model's numbers take ${gibibytes(bytes)} here, this machine has ${gibibytes(totalmem())}`,
  );
}
