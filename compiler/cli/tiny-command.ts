/** `dsc tiny`: a toy twin of a model, its config with small sizes and weights from a seed. */
import { existsSync } from "node:fs";
import { relative, resolve, sep } from "node:path";
import { type BoundModel, type CheckedProject, checkProject } from "../../dsl/checker/check-project.ts";
import { newParseCache } from "../../dsl/checker/load.ts";
import { closest } from "../../dsl/diagnostics/suggest.ts";
import { shortCount } from "../../dsl/graph-view/format-count.ts";
import { encodeNumbers, type StoredDtype } from "../../runtime/formats/encode-numbers.ts";
import { type TensorData, writeSafetensors } from "../../runtime/formats/write-safetensors.ts";
import { type CheckInputs, checkFile, readInputs } from "./check-file.ts";
import type { CommandLine } from "./command-line.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { Failure } from "./failure.ts";
import { nameFrom, type Project, SourceReader, shownPath } from "./project.ts";
import { reasonOf } from "./read-file.ts";
import { showDiagnostics } from "./show-diagnostics.ts";
import { renameSources } from "./show-paths.ts";
import type { Surroundings } from "./surroundings.ts";
import { reportFailure, type Terminal } from "./terminal.ts";
import { type JsonPath, leafPaths, pathKey, valueText, withValue } from "./tiny/json-text.ts";
import { type PlacedTensor, placedTensors, untoldTensor } from "./tiny/placed-tensors.ts";
import { seededNumbers } from "./tiny/seeded-numbers.ts";
import { readPaths } from "./tiny/size-fields.ts";
import { type TinyConfig, tinyConfig } from "./tiny/tiny-config.ts";
import { writeFolder } from "./tiny/write-folder.ts";

interface Order {
  readonly folder: string;
  readonly seed: number;
  readonly dtype: "F32" | "BF16";
  readonly fixed: ReadonlyMap<string, { readonly path: JsonPath; readonly value: string }>;
}

const configName = "config.json";
const weightsName = "model.safetensors";

export async function runTiny(line: CommandLine, { terminal, home }: Surroundings): Promise<ExitCode> {
  const order = readOrder(line, terminal);
  if (order instanceof Failure) return reportFailure(terminal, order);
  const inputs = readInputs(line, terminal.cwd);
  if (inputs instanceof Failure) return reportFailure(terminal, inputs);
  if (inputs.config === null) {
    return reportFailure(terminal, new Failure(exitCodes.usage, "tiny needs a config", "--config config.json"));
  }
  const reader = new SourceReader(home.folder, terminal.cwd);
  const [name = ""] = line.operands;
  const checked = checkFile(name, inputs, reader, terminal);
  if (checked instanceof Failure) return reportFailure(terminal, checked);
  const { bound } = checked.result;
  if (!checked.ok || bound === null) {
    showDiagnostics(checked.diagnostics, terminal);
    if (!checked.ok) return exitCodes.errorsFound;
    return reportFailure(terminal, new Failure(exitCodes.errorsFound, `${checked.shown} has no model to shrink`));
  }
  const unknown = unknownPath(order, inputs.config.text, bound);
  if (unknown !== null) return reportFailure(terminal, unknown);
  const cache = newParseCache();
  const twin = tinyConfig({
    published: inputs.config.text,
    model: bound,
    fixed: order.fixed,
    check: (text) => {
      terminal.progress(`shrinking ${checked.shown}`);
      return checkWith(text, { inputs, reader, cache, project: checked.project });
    },
  });
  if ("diagnostics" in twin) {
    showDiagnostics(
      renameSources(twin.diagnostics, (path) => shownPath(checked.project, path, terminal.cwd)),
      terminal,
    );
    return reportFailure(
      terminal,
      new Failure(
        exitCodes.errorsFound,
        `${checked.shown}: no small sizes were found that it accepts`,
        "--dim path=value sets one",
      ),
    );
  }
  const untold = untoldTensor(twin.checked);
  if (untold !== null) {
    const message = `${checked.shown}: how many tensors \`${untold}\` are, or of which size, is not known before a call`;
    return reportFailure(terminal, new Failure(exitCodes.errorsFound, message));
  }
  return write(twin, order, terminal);
}

interface Checking {
  readonly inputs: CheckInputs;
  readonly reader: SourceReader;
  readonly project: Project;
  readonly cache: ReturnType<typeof newParseCache>;
}

function checkWith(text: string, { inputs, reader, project, cache }: Checking): CheckedProject {
  const path = relative(project.root, inputs.config?.file ?? "")
    .split(sep)
    .join("/");
  return checkProject({
    entry: project.entry,
    read: (source) => reader.textIn(project, source),
    settings: inputs.settings,
    config: { path, text },
    cache,
  });
}

function readOrder(line: CommandLine, { cwd }: Terminal): Order | Failure {
  const usage = (message: string, hint: string | null = null): Failure => new Failure(exitCodes.usage, message, hint);
  const out = line.value("out");
  if (out === null) return usage("tiny needs a folder to write", "--out DIR");
  const seed = line.value("seed") ?? "0";
  if (!/^\d{1,15}$/.test(seed)) return usage(`--seed ${seed}: a whole number is expected`);
  const dtype = line.value("dtype") ?? "f32";
  if (dtype !== "f32" && dtype !== "bf16") return usage(`--dtype ${dtype}: there is no such type here`, "f32 or bf16");
  const fixed = new Map<string, { path: JsonPath; value: string }>();
  for (const given of line.values("dim")) {
    const [, path, value] = /^([^=]+)=(.*)$/s.exec(given) ?? [];
    if (path === undefined || value === undefined || !isJson(value))
      return usage(`--dim ${given}: expected path=value, the value as JSON`, "for example `--dim hidden_size=64`");
    if (fixed.has(path)) return usage(`--dim ${path} is given twice`);
    fixed.set(path, { path: path.split("."), value });
  }
  const folder = resolve(cwd, out);
  const there = [configName, weightsName].find((name) => existsSync(resolve(folder, name)));
  if (there !== undefined && !line.has("force")) {
    const shown = nameFrom(cwd, resolve(folder, there));
    return new Failure(exitCodes.cannotReadOrWrite, `${shown} is there already`, "--force replaces it");
  }
  return { folder, seed: Number(seed), dtype: dtype === "f32" ? "F32" : "BF16", fixed };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** A path that the config does not have and the text does not read, or one into an object that is not there. */
function unknownPath({ fixed }: Order, config: string, model: BoundModel): Failure | null {
  const known = [...leafPaths(JSON.parse(config)), ...readPaths(model)].map(pathKey);
  for (const { path, value } of fixed.values()) {
    const key = pathKey(path);
    const near = closest(key, known);
    if (valueText(config, path) === null && !known.includes(key)) {
      const hint = near === null ? null : `did you mean \`--dim ${near}=${value}\`?`;
      return new Failure(exitCodes.usage, `--dim ${key}: the config has no such value, and the model reads none`, hint);
    }
    if (withValue(config, path, value) === null)
      return new Failure(exitCodes.usage, `--dim ${key}: the config has no object to hold it`);
  }
  return null;
}

async function write(twin: TinyConfig, order: Order, terminal: Terminal): Promise<ExitCode> {
  const tensors = placedTensors(twin.checked);
  const shown = nameFrom(terminal.cwd, order.folder);
  try {
    await writeFolder(order.folder, [
      { name: configName, chunks: () => textChunks(twin.config) },
      { name: weightsName, chunks: () => writeSafetensors(tensors.flatMap((t) => tensorData(t, order))) },
    ]);
  } catch (error) {
    return reportFailure(
      terminal,
      new Failure(exitCodes.cannotReadOrWrite, `cannot write ${shown}: ${reasonOf(error)}`),
    );
  }
  for (const { path, from, to } of twin.changed) terminal.out(`${pathKey(path)}: ${from} -> ${to}\n`);
  const count = tensors.reduce((sum, { shape }) => sum + shape.reduce((product, n) => product * n, 1), 0);
  const { name } = twin.checked.bound ?? { name: "" };
  terminal.out(`${shown}: ${name}, ${tensors.length} tensors, ${shortCount(count)} parameters, seed ${order.seed}\n`);
  return exitCodes.fine;
}

async function* textChunks(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text.endsWith("\n") ? text : `${text}\n`);
}

/** The tensor and its copies. */
function tensorData(tensor: PlacedTensor, { seed, dtype }: Order): readonly TensorData[] {
  const stored = storedType(tensor, dtype);
  return [tensor.name, ...tensor.copies].map((name) => ({
    name,
    dtype: stored,
    shape: tensor.shape,
    data: () => [encodeNumbers(seededNumbers(seed, tensor), stored)],
  }));
}

const declaredTypes: ReadonlyMap<string, StoredDtype> = new Map([
  ["f64", "F64"],
  ["f32", "F32"],
  ["e4m3", "F8_E4M3"],
  ["e8m0", "F8_E8M0"],
  ["i64", "I64"],
  ["i32", "I32"],
  ["i8", "I8"],
  ["u8", "U8"],
]);

/** What the text asks for at least; indices as published checkpoints have them. */
function storedType({ type, role }: PlacedTensor, dtype: Order["dtype"]): StoredDtype {
  return role.kind === "indices" ? "I64" : (declaredTypes.get(type) ?? dtype);
}
