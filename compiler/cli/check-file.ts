/** One file, checked as an entry: what `check`, `graph` and `fmt` share. */
import { relative, resolve, sep } from "node:path";
import { type CheckedProject, checkProject } from "../../dsl/checker/check-project.ts";
import type { Diagnostic } from "../../dsl/diagnostics/diagnostic.ts";
import type { CommandLine } from "./command-line.ts";
import { exitCodes } from "./exit-codes.ts";
import { Failure } from "./failure.ts";
import { nameFrom, type Project, projectOf, type SourceReader, shownPath } from "./project.ts";
import { readText, sizeLimits } from "./read-file.ts";
import { renameSources } from "./show-paths.ts";
import type { Terminal } from "./terminal.ts";

/** What a model is checked with besides its text. */
export interface CheckInputs {
  readonly config: TextInput | null;
  readonly weights: TextInput | null;
  readonly settings: ReadonlyMap<string, string>;
  /** A file with schedules, beside those of the model's own. */
  readonly schedule?: TextInput | null;
}

export interface TextInput {
  /** Absolute. */
  readonly file: string;
  readonly text: string;
}

export interface CheckedFile {
  readonly project: Project;
  /** The file as it is named to the user. */
  readonly shown: string;
  readonly result: CheckedProject;
  /** Those of the result, with paths as the user would type them. */
  readonly diagnostics: readonly Diagnostic[];
  readonly ok: boolean;
}

export const noInputs: CheckInputs = { config: null, weights: null, settings: new Map() };

export function readInputs(line: CommandLine, cwd: string): CheckInputs | Failure {
  const config = readJson(line.value("config"), cwd);
  if (config instanceof Failure) return config;
  const weights = readJson(line.value("weights"), cwd);
  if (weights instanceof Failure) return weights;
  const schedule = readSchedule(line, cwd);
  if (schedule instanceof Failure) return schedule;
  const settings = readSettings(line.values("set"));
  return settings instanceof Failure ? settings : { config, weights, settings, schedule };
}

export function readSchedule(line: CommandLine, cwd: string): TextInput | Failure | null {
  const name = line.value("schedule");
  if (name === null) return null;
  const file = resolve(cwd, name);
  const text = readText(file, nameFrom(cwd, file), sizeLimits.source);
  return text instanceof Failure ? text : { file, text };
}

export function readJson(name: string | null, cwd: string): TextInput | Failure | null {
  if (name === null) return null;
  const file = resolve(cwd, name);
  const text = readText(file, nameFrom(cwd, file), sizeLimits.json);
  return text instanceof Failure ? text : { file, text };
}

export function readSettings(given: readonly string[]): ReadonlyMap<string, string> | Failure {
  const settings = new Map<string, string>();
  for (const setting of given) {
    const [, name, value] = /^([A-Za-z]\w*)=(.*)$/s.exec(setting) ?? [];
    if (name === undefined || value === undefined) {
      return new Failure(exitCodes.usage, `--set ${setting}: expected name=value`, "for example `--set exact=true`");
    }
    if (settings.has(name)) return new Failure(exitCodes.usage, `--set ${name} is given twice`);
    settings.set(name, value);
  }
  return settings;
}

export function checkFile(
  name: string,
  inputs: CheckInputs,
  reader: SourceReader,
  terminal: Terminal,
): CheckedFile | Failure {
  const file = resolve(terminal.cwd, name);
  const text = reader.text(file);
  if (text instanceof Failure) return text;
  const project = projectOf(file);
  const shown = nameFrom(terminal.cwd, file);
  const { schedule = null } = inputs;
  const input = (json: TextInput) => ({
    path: relative(project.root, json.file).split(sep).join("/"),
    text: json.text,
  });
  const result = checkProject({
    entry: project.entry,
    read: (path) => {
      terminal.progress(`checking ${shown}: ${path}`);
      return reader.textIn(project, path);
    },
    settings: inputs.settings,
    ...(inputs.config === null ? {} : { config: input(inputs.config) }),
    ...(inputs.weights === null ? {} : { weights: input(inputs.weights) }),
    ...(schedule === null ? {} : { schedule: input(schedule) }),
  });
  const diagnostics = renameSources(result.diagnostics, (path) => shownPath(project, path, terminal.cwd));
  return { project, shown, result, diagnostics, ok: !diagnostics.some((one) => one.severity === "error") };
}
