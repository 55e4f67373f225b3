/** `dsc import`: a downloaded folder, which text describes it, what it has, and what it lacks. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { countParameters } from "../../dsl/graph-view/count-parameters.ts";
import { type CheckedFile, readJson, type TextInput } from "./check-file.ts";
import { configIn, downloadedConfig } from "./checkpoint-config.ts";
import type { CommandLine } from "./command-line.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { Failure } from "./failure.ts";
import { dtypesOf, entriesOf, optionalParts } from "./import/checkpoint-facts.ts";
import {
  type FoundText,
  type FoundWeights,
  findText,
  findWeights,
  holdAgainstText,
  notRunOnTokens,
} from "./import/examine.ts";
import { type Json, memberAt, modelFileFor, readModelTable } from "./import/model-table.ts";
import { nextCommands } from "./import/next-commands.ts";
import { type PlacedFile, placeConstants, writeConstants } from "./import/place-constants.ts";
import { type PlannedConstants, planConstants } from "./import/plan-constants.ts";
import { errorsAsJson, type ImportReport, problemLine, reportText } from "./import/report.ts";
import { nameFrom } from "./project.ts";
import { reasonOf } from "./read-file.ts";
import { showDiagnostics } from "./show-diagnostics.ts";
import type { Surroundings } from "./surroundings.ts";
import { reportFailure } from "./terminal.ts";

export async function runImport(line: CommandLine, surroundings: Surroundings): Promise<ExitCode> {
  const { terminal } = surroundings;
  const findings = await examine(line, surroundings);
  if (findings instanceof Failure) return reportFailure(terminal, findings);
  const report = reportOf(findings, terminal.cwd);
  if (line.has("json")) terminal.out(`${JSON.stringify(report, null, 2)}\n`);
  else {
    showDiagnostics(findings.checked.diagnostics, terminal);
    terminal.out(reportText(report));
  }
  return report.ok ? exitCodes.fine : exitCodes.errorsFound;
}

interface Findings {
  readonly folder: string;
  /** The file that describes it. */
  readonly model: string;
  readonly config: Json;
  /** What is read as the config from now on. */
  readonly read: TextInput;
  readonly weights: FoundWeights;
  readonly text: FoundText;
  readonly constants: PlannedConstants;
  readonly files: readonly PlacedFile[];
  readonly force: boolean;
  readonly checked: CheckedFile;
}

async function examine(line: CommandLine, surroundings: Surroundings): Promise<Findings | Failure> {
  const { terminal, home } = surroundings;
  const folder = resolve(terminal.cwd, line.operands[0] ?? "");
  const config = readDownloaded(folder, terminal.cwd);
  if (config instanceof Failure) return config;
  const table = readModelTable(home.folder);
  const named = line.value("model");
  const model = named === null ? modelFileFor(config.value, table) : resolve(terminal.cwd, named);
  if (model instanceof Failure) return model;
  const weights = await findWeights(folder);
  const text = findText(folder, config.text, terminal.cwd);
  const names = new Set(weights.own.map((tensor) => tensor.name));
  const tokenizer = text.files?.tokenizer ?? null;
  const constants = planConstants(table, {
    config: config.value,
    spelling: tokenizer && {
      ids: tokenizer.vocabularySize,
      decode: (id) => tokenizer.decode([id]),
      token: tokenizer.tokenOf,
    },
    hasTensor: (name) => names.has(name),
  });
  const files = await placeConstants(folder, config.text, constants);
  const force = line.has("force");
  const failure = await write(folder, files, force, terminal.cwd);
  if (failure !== null) return failure;
  const read = readJson(configIn(folder), terminal.cwd);
  if (read === null || read instanceof Failure) return read ?? new Failure(exitCodes.bug, "the config is gone");
  const complete = files.length === 0 ? weights : await findWeights(folder);
  const checked = holdAgainstText({ model, config: read, weights: complete }, surroundings);
  if (checked instanceof Failure) return checked;
  return { folder, model, config: config.value, read, weights, text, constants, files, force, checked };
}

function readDownloaded(folder: string, cwd: string): { readonly text: string; readonly value: Json } | Failure {
  const file = join(folder, downloadedConfig);
  const shown = nameFrom(cwd, file);
  if (!existsSync(file))
    return new Failure(
      exitCodes.cannotReadOrWrite,
      `there is no ${shown}`,
      "import takes a folder as it is downloaded",
    );
  const read = readJson(file, cwd);
  if (read === null || read instanceof Failure) return read ?? new Failure(exitCodes.bug, "nothing was read");
  try {
    const value: Json = JSON.parse(read.text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { text: read.text, value };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return new Failure(exitCodes.errorsFound, `${shown} is not a JSON object`);
}

async function write(
  folder: string,
  files: readonly PlacedFile[],
  force: boolean,
  cwd: string,
): Promise<Failure | null> {
  const due = files.filter(({ state }) => state === "new" || (state === "other" && force));
  if (due.length === 0) return null;
  try {
    await writeConstants(folder, due);
    return null;
  } catch (error) {
    return new Failure(exitCodes.cannotReadOrWrite, `cannot write into ${nameFrom(cwd, folder)}: ${reasonOf(error)}`);
  }
}

function reportOf(findings: Findings, cwd: string): ImportReport {
  const { folder, model, config, read, weights, text, constants, files, force, checked } = findings;
  const { result, diagnostics } = checked;
  const type = memberAt(config, "model_type");
  const own = new Set(weights.own.map(({ name }) => name));
  const optional = weights.file === null ? [] : optionalParts(result, (name) => own.has(name));
  // What the text or the config has wrong already would only be told again, in other words.
  const notRun = checked.ok ? notRunOnTokens(result) : null;
  const tokenizer = text.files?.tokenizer ?? null;
  const tokenOf = (id: number | null): string | null => (id === null ? null : (tokenizer?.tokenOf(id) ?? null));
  const problems = [
    ...diagnostics.filter(({ severity }) => severity === "error").map(problemLine),
    ...[weights.problem, text.problem, notRun].filter((problem) => problem !== null),
    ...constants.problems,
  ];
  const facts = {
    folder: nameFrom(cwd, folder),
    model: {
      file: nameFrom(cwd, model),
      name: result.model?.name ?? null,
      type: typeof type === "string" ? type : null,
    },
    config: nameFrom(folder, read.file),
    weights:
      weights.file === null
        ? null
        : {
            files: weights.files,
            tensors: weights.own.length,
            bytes: weights.own.reduce((sum, { bytes }) => sum + bytes, 0),
            dtypes: dtypesOf(weights.own),
          },
    parameters: result.model === null ? null : countParameters(result.model).total,
    entries: entriesOf(result, optional),
    optional,
    tokenizer: tokenizer && {
      ids: tokenizer.vocabularySize,
      bos: tokenOf(tokenizer.special.bosId),
      eos: tokenOf(tokenizer.special.eosId),
    },
    templates: text.templates,
    reasoning: text.files?.tags ?? null,
    ends: (text.files?.endIds ?? []).map((id) => ({ id, token: tokenOf(id) })),
    constants: {
      notes: constants.notes,
      files: files.map(({ name, state, holds }) => ({ name, holds, state: wordOf(state, force) })),
    },
    problems,
    diagnostics: errorsAsJson(diagnostics),
  };
  return { ok: problems.length === 0, ...facts, next: nextCommands(facts, notRun === null && checked.ok) };
}

const wordOf = (state: PlacedFile["state"], force: boolean): ImportReport["constants"]["files"][number]["state"] =>
  state === "new" ? "written" : state === "same" ? "same" : force ? "replaced" : "kept";
