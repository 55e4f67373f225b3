import type { BlockInstance, CheckResult, ModelInstance, WeightInstance } from "../../dsl/checker/result.ts";
import type { Diagnostic } from "../../dsl/diagnostics/diagnostic.ts";
import { printable } from "../../dsl/diagnostics/display.ts";
import { toJson } from "../../dsl/diagnostics/render-json.ts";
import { sortDiagnostics } from "../../dsl/diagnostics/sort.ts";
import { positionAt, type Span } from "../../dsl/diagnostics/source.ts";
import { countParameters } from "../../dsl/graph-view/count-parameters.ts";
import { shortCount } from "../../dsl/graph-view/format-count.ts";
import { type CheckedFile, checkFile, readInputs } from "./check-file.ts";
import type { CommandLine } from "./command-line.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { Failure } from "./failure.ts";
import { SourceReader, shownPath } from "./project.ts";
import { showDiagnostics } from "./show-diagnostics.ts";
import type { Surroundings } from "./surroundings.ts";
import { reportFailure, type Terminal } from "./terminal.ts";

export function runCheck(line: CommandLine, { terminal, home }: Surroundings): ExitCode {
  const inputs = readInputs(line, terminal.cwd);
  if (inputs instanceof Failure) return reportFailure(terminal, inputs);
  const reader = new SourceReader(home.folder, terminal.cwd);
  const checked: CheckedFile[] = [];
  const failures: Failure[] = [];
  for (const name of new Set(line.operands)) {
    const file = checkFile(name, inputs, reader, terminal);
    if (file instanceof Failure) failures.push(file);
    else checked.push(file);
  }
  const diagnostics = sortDiagnostics(checked.flatMap((file) => file.diagnostics));
  if (line.has("json")) terminal.out(`${JSON.stringify(asJson(checked, diagnostics, terminal), null, 2)}\n`);
  else printText(line, checked, diagnostics, terminal);
  for (const failure of failures) reportFailure(terminal, failure);
  if (failures.length > 0) return exitCodes.cannotReadOrWrite;
  return checked.every((file) => file.ok) ? exitCodes.fine : exitCodes.errorsFound;
}

function printText(
  line: CommandLine,
  checked: readonly CheckedFile[],
  diagnostics: readonly Diagnostic[],
  terminal: Terminal,
): void {
  showDiagnostics(diagnostics, terminal);
  for (const file of checked) {
    if (file.ok) terminal.out(`${printable(file.shown)}: ${summaryOf(file.result)}\n`);
    if (line.has("captures")) for (const capture of capturesOf(file, terminal)) terminal.out(captureLine(capture));
    if (line.has("unproved"))
      for (const one of unprovedOf(file, terminal)) terminal.out(`${one.at}: ${printable(one.text)}\n`);
  }
}

const count = (n: number, word: string): string => `${n} ${word}${n === 1 ? "" : "s"}`;

/** `ok, model deepseek_v3_2: 14 blocks, 30 weights (683.5 B parameters), 2 entries, 3 conditions not proved` */
function summaryOf(result: CheckResult): string {
  const open = result.unproved.length === 0 ? [] : [`${count(result.unproved.length, "condition")} not proved`];
  const { model } = result;
  if (model === null) return ["ok, no model", ...open].join(", ");
  const { blocks, weights } = sizeOf(model);
  const { total } = countParameters(model);
  const parts = [
    count(blocks, "block"),
    count(weights, "weight") + (total === null ? "" : ` (${shortCount(total)} parameters)`),
    model.entries.length === 1 ? "1 entry" : `${model.entries.length} entries`,
    ...open,
  ];
  return `ok, model ${model.name}: ${parts.join(", ")}`;
}

/** How many different blocks and weights a model is made of; the equal members of a family are one. */
function sizeOf(model: ModelInstance): { readonly blocks: number; readonly weights: number } {
  let blocks = 0;
  let weights = 0;
  const visit = (parts: readonly BlockInstance[], own: readonly WeightInstance[]): void => {
    weights += own.length;
    for (const part of parts) {
      blocks += 1;
      visit(part.parts, part.weights);
    }
  };
  visit(model.blocks, model.weights);
  return { blocks, weights };
}

/** `models/a.ds:12:34`, as editors and terminals open it. */
function placeOf(file: CheckedFile, span: Span, terminal: Terminal): string {
  const { line, column } = positionAt(span.source, span.start);
  return `${shownPath(file.project, span.source.path, terminal.cwd)}:${line}:${column}`;
}

interface ShownCapture {
  readonly at: string;
  readonly block: string;
  readonly taken: readonly { readonly parameter: string; readonly value: string }[];
}

const capturesOf = (file: CheckedFile, terminal: Terminal): readonly ShownCapture[] =>
  file.result.captures.map(({ span, block, taken }) => ({ at: placeOf(file, span, terminal), block, taken }));

function captureLine({ at, block, taken }: ShownCapture): string {
  const list = taken.map(({ parameter, value }) => (parameter === value ? parameter : `${parameter} = ${value}`));
  return `${printable(`${at}: \`..\` of ${block} takes ${list.length === 0 ? "nothing" : list.join(", ")}`)}\n`;
}

const unprovedOf = (file: CheckedFile, terminal: Terminal): readonly { readonly at: string; readonly text: string }[] =>
  file.result.unproved.map(({ span, text }) => ({ at: placeOf(file, span, terminal), text }));

function asJson(checked: readonly CheckedFile[], diagnostics: readonly Diagnostic[], terminal: Terminal): unknown {
  return {
    ok: checked.every((file) => file.ok),
    diagnostics: diagnostics.map(toJson),
    captures: checked.flatMap((file) => capturesOf(file, terminal)),
    unproved: checked.flatMap((file) => unprovedOf(file, terminal)),
    files: checked.map((file) => {
      const { model } = file.result;
      if (model === null) return { path: file.shown, ok: file.ok, model: null };
      const entries = model.entries.map((entry) => entry.name);
      const parameters = countParameters(model).total;
      return { path: file.shown, ok: file.ok, model: model.name, ...sizeOf(model), entries, parameters };
    }),
  };
}
