import { resolve } from "node:path";
import type { Diagnostic } from "../../dsl/diagnostics/diagnostic.ts";
import { printable } from "../../dsl/diagnostics/display.ts";
import { toJson } from "../../dsl/diagnostics/render-json.ts";
import { makeSource } from "../../dsl/diagnostics/source.ts";
import { formatSource, formatWithInsertions } from "../../dsl/format/format.ts";
import type { CommandLine } from "./command-line.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { insertionsOf } from "./explicit-insertions.ts";
import { Failure } from "./failure.ts";
import { findSources } from "./find-sources.ts";
import { nameFrom, SourceReader } from "./project.ts";
import { readStandardInput, readText, sizeLimits } from "./read-file.ts";
import { showDiagnostics } from "./show-diagnostics.ts";
import type { Surroundings } from "./surroundings.ts";
import { reportFailure, type Terminal } from "./terminal.ts";
import { replaceFile } from "./write-file.ts";

export async function runFmt(line: CommandLine, surroundings: Surroundings): Promise<ExitCode> {
  const { terminal } = surroundings;
  const wrong = conflictOf(line);
  if (wrong !== null) return reportFailure(terminal, new Failure(exitCodes.usage, wrong, "see `dsc help fmt`"));
  if (line.has("stdin")) return formatStandardInput(line, terminal);
  if (line.has("explicit") || line.has("flat")) return printRewritten(line, surroundings);
  return formatFiles(line, terminal);
}

function conflictOf(line: CommandLine): string | null {
  const modes = ["check", "explicit", "flat"].filter((mode) => line.has(mode));
  if (modes.length > 1) return `--${modes[0]} and --${modes[1]} do not go together`;
  const mode = modes[0];
  if (line.has("stdin") && line.operands.length > 0) return "--stdin takes no files";
  if (line.has("stdin") && (mode === "explicit" || mode === "flat")) return `--${mode} needs a file, not --stdin`;
  if ((mode === "explicit" || mode === "flat") && line.operands.length !== 1) return `--${mode} takes one file`;
  return null;
}

const hasErrors = (diagnostics: readonly Diagnostic[]): boolean => diagnostics.some((one) => one.severity === "error");

const showJson = (value: unknown, terminal: Terminal): void => terminal.out(`${JSON.stringify(value, null, 2)}\n`);

function formatStandardInput(line: CommandLine, terminal: Terminal): ExitCode {
  const text = readStandardInput(sizeLimits.source);
  if (text instanceof Failure) return reportFailure(terminal, text);
  const formatted = formatSource(makeSource("<stdin>", text));
  const broken = hasErrors(formatted.diagnostics);
  const changed = !broken && formatted.text !== text;
  if (line.has("json")) {
    const diagnostics = formatted.diagnostics.map(toJson);
    showJson(
      { files: [{ path: "<stdin>", changed, diagnostics, ...(broken ? {} : { text: formatted.text }) }] },
      terminal,
    );
  } else {
    showDiagnostics(formatted.diagnostics, terminal);
    if (line.has("check") && changed) terminal.out("<stdin>\n");
    if (!line.has("check") && !broken) terminal.out(formatted.text);
  }
  return broken || (line.has("check") && changed) ? exitCodes.errorsFound : exitCodes.fine;
}

interface FormattedFile {
  readonly path: string;
  readonly changed: boolean;
  readonly diagnostics: readonly Diagnostic[];
}

function formatFiles(line: CommandLine, terminal: Terminal): ExitCode {
  const done: FormattedFile[] = [];
  const failures: Failure[] = [];
  for (const file of findSources(line.operands.length === 0 ? ["."] : line.operands, terminal.cwd)) {
    const formatted = file instanceof Failure ? file : formatFile(file, line.has("check"), terminal);
    if (formatted instanceof Failure) failures.push(formatted);
    else done.push(formatted);
  }
  const diagnostics = done.flatMap((file) => file.diagnostics);
  const changed = done.filter((file) => file.changed);
  if (line.has("json")) {
    showJson({ files: done.map((file) => ({ ...file, diagnostics: file.diagnostics.map(toJson) })) }, terminal);
  } else {
    showDiagnostics(diagnostics, terminal);
    for (const { path } of changed) terminal.out(`${printable(path)}\n`);
  }
  for (const failure of failures) reportFailure(terminal, failure);
  if (failures.length > 0) return exitCodes.cannotReadOrWrite;
  return hasErrors(diagnostics) || (line.has("check") && changed.length > 0) ? exitCodes.errorsFound : exitCodes.fine;
}

function formatFile(file: string, onlyCheck: boolean, terminal: Terminal): FormattedFile | Failure {
  const path = nameFrom(terminal.cwd, file);
  terminal.progress(`formatting ${path}`);
  const text = readText(file, path, sizeLimits.source);
  if (text instanceof Failure) return text;
  const formatted = formatSource(makeSource(path, text));
  const changed = !hasErrors(formatted.diagnostics) && formatted.text !== text;
  const failure = changed && !onlyCheck ? replaceFile(file, path, formatted.text) : null;
  return failure ?? { path, changed, diagnostics: formatted.diagnostics };
}

/** `--explicit` and `--flat`: a text that is not the file's own, so it is printed and never written back. */
async function printRewritten(line: CommandLine, { terminal, home }: Surroundings): Promise<ExitCode> {
  const { checkFile, noInputs } = await import("./check-file.ts");
  const [name = ""] = line.operands;
  const checked = checkFile(name, noInputs, new SourceReader(home.folder, terminal.cwd), terminal);
  if (checked instanceof Failure) return reportFailure(terminal, checked);
  const file = checked.result.files.get(checked.project.entry);
  if (!checked.ok || file === undefined) {
    if (line.has("json")) showJson({ path: checked.shown, diagnostics: checked.diagnostics.map(toJson) }, terminal);
    else showDiagnostics(checked.diagnostics, terminal);
    return exitCodes.errorsFound;
  }
  let text: string;
  if (line.has("flat")) {
    const { flattenModel } = await import("../../dsl/checker/flatten.ts");
    if (!file.declarations.some((declaration) => declaration.kind === "model")) {
      const path = nameFrom(terminal.cwd, resolve(terminal.cwd, name));
      return reportFailure(terminal, new Failure(exitCodes.errorsFound, `${path} has no model`));
    }
    text = flattenModel(file, checked.result.files) ?? file.source.text;
  } else {
    const own = checked.result.annotations.filter(({ span }) => span.source.path === file.source.path);
    text = formatWithInsertions(file.source, insertionsOf(own)).text;
  }
  if (line.has("json")) showJson({ path: checked.shown, text }, terminal);
  else terminal.out(text.endsWith("\n") ? text : `${text}\n`);
  return exitCodes.fine;
}
