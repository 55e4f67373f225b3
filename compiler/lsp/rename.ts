/**
 * Renaming. Beside the uses themselves two things change meaning with a name: a `..` that took a value by that name (the
 * argument is written out), and anything the rules below cannot foresee, so the edited texts are checked before they are
 * offered.
 */
import type { Range, TextEdit, WorkspaceEdit } from "vscode-languageserver/node";
import { coreNames } from "../../dsl/checker/builtins.ts";
import type { Capture, SymbolInfo } from "../../dsl/checker/result.ts";
import { type Span, spanText } from "../../dsl/diagnostics/source.ts";
import { rangeOf } from "./documents.ts";
import { findUses, type Use } from "./references.ts";
import { isSameThing, type SymbolUse, symbolAt, touches, visibleSymbols } from "./symbol-at.ts";
import { isKeyword } from "./words.ts";
import { type Checked, isLibraryPath, type Workspace } from "./workspace.ts";

export type Renaming<T> = { readonly ok: T } | { readonly refused: string };

export function prepareRename(
  workspace: Workspace,
  checked: Checked,
  offset: number,
): Renaming<{ readonly range: Range; readonly placeholder: string }> {
  const found = renamable(workspace, checked, offset);
  if ("refused" in found) return found;
  return { ok: { range: rangeOf(found.ok.span), placeholder: found.ok.symbol.name } };
}

export async function rename(
  workspace: Workspace,
  checked: Checked,
  offset: number,
  request: { readonly newName: string; readonly pause: () => Promise<boolean> },
): Promise<Renaming<WorkspaceEdit>> {
  const found = renamable(workspace, checked, offset);
  if ("refused" in found) return found;
  const { symbol } = found.ok;
  const { newName } = request;
  if (newName === symbol.name) return { ok: { changes: {} } };
  const wrong = wrongName(symbol, newName);
  if (wrong !== null) return { refused: wrong };

  const { uses, checks } = await findUses(workspace, checked, symbol, { pause: request.pause, withCaptures: true });
  const taken = nameTaken(checks, symbol, uses, newName);
  if (taken !== null) return { refused: taken };

  const edits = editsFor(workspace, checks, symbol, uses, newName);
  const broken = whatBreaks(workspace, checks, edits, { from: symbol.name, to: newName });
  if (broken !== null) return { refused: broken };
  const changes: Record<string, TextEdit[]> = {};
  for (const [file, list] of edits) {
    changes[workspace.uriOf(file)] = list.map(({ span, text }) => ({ range: rangeOf(span), newText: text }));
  }
  return { ok: { changes } };
}

function renamable(workspace: Workspace, checked: Checked, offset: number): Renaming<SymbolUse> {
  const use = symbolAt(checked.result, checked.entry, offset);
  if (use === null) {
    const text = checked.result.files.get(checked.entry)?.source.text ?? "";
    const word = wordAt(text, offset);
    if (isKeyword(word)) return { refused: `\`${word}\` is a word of the language` };
    if (coreNames.has(word)) return { refused: `\`${word}\` is built in` };
    return { refused: "there is no name here that can be renamed" };
  }
  const { symbol, span } = use;
  const path = symbol.span.source.path;
  if (isLibraryPath(path) || workspace.isLibraryFile(workspace.fileOf(checked, path))) {
    return { refused: `\`${symbol.name}\` belongs to the library (${path})` };
  }
  if (spanText(span) !== symbol.name) return { refused: "there is no name here that can be renamed" };
  return { ok: use };
}

const wordAt = (text: string, offset: number): string =>
  (/\w*$/.exec(text.slice(0, offset))?.[0] ?? "") + (/^\w*/.exec(text.slice(offset))?.[0] ?? "");

function wrongName(symbol: SymbolInfo, name: string): string | null {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || name === "_")
    return `\`${name}\` is not a name: letters, digits and \`_\`, no digit first`;
  if (isKeyword(name)) return `\`${name}\` is a word of the language`;
  if (coreNames.has(name)) return `\`${name}\` is built in`;
  if (isSize(symbol) && !/^[A-Z]/.test(name))
    return `\`${symbol.name}\` is a dim: its name begins with an upper-case letter`;
  if (symbol.kind === "index" && !/^[a-z]/.test(name)) {
    return `\`${symbol.name}\` is an index: its name begins with a lower-case letter`;
  }
  return null;
}

/** Small names can be dims too (`steps : dim`); only those that are upper case stay so. */
const isSize = (symbol: SymbolInfo): boolean =>
  /^[A-Z]/.test(symbol.name) &&
  (symbol.kind === "dim" || symbol.kind === "runtime" || /^(dim|int)\b/.test(symbol.detail));

function nameTaken(checks: readonly Checked[], symbol: SymbolInfo, uses: readonly Use[], name: string): string | null {
  for (const { result } of checks) {
    for (const use of uses) {
      const { path } = use.span.source;
      const other = visibleSymbols(result, path, use.span.start).find((one) => one.name === name);
      if (other !== undefined) return `\`${name}\` is taken: ${other.kind} in ${place(other.span)}`;
    }
    // nothing may be shadowed, so a name declared further inside is in the way as well
    const inside = result.symbols.find(
      (one) => one.name === name && touches(symbol.scope, one.span.source.path, one.span.start),
    );
    if (inside !== undefined) return `\`${name}\` is taken: ${inside.kind} in ${place(inside.span)}`;
  }
  return null;
}

function place(span: Span): string {
  return `${span.source.path}:${rangeOf(span).start.line + 1}`;
}

interface Edit {
  readonly span: Span;
  readonly text: string;
}

function editsFor(
  workspace: Workspace,
  checks: readonly Checked[],
  symbol: SymbolInfo,
  uses: readonly Use[],
  newName: string,
): ReadonlyMap<string, readonly Edit[]> {
  const byFile = new Map<string, Map<string, Edit>>();
  const add = (file: string, edit: Edit): void => {
    const edits = byFile.get(file) ?? new Map<string, Edit>();
    byFile.set(file, edits.set(`${edit.span.start}:${edit.span.end}`, edit));
  };
  for (const { file, span } of uses) {
    if (spanText(span) === symbol.name) add(file, { span, text: newName });
  }
  for (const checked of checks) {
    for (const capture of checked.result.captures) {
      if (isLibraryPath(capture.span.source.path)) continue;
      const written = argumentsToWrite(checked, symbol, capture, newName);
      if (written.length === 0) continue;
      const file = workspace.fileOf(checked, capture.span.source.path);
      const before = { ...capture.span, end: capture.span.start };
      add(file, { span: before, text: written.map((argument) => `${argument}, `).join("") });
    }
  }
  return new Map(
    [...byFile].map(([file, edits]) => [file, [...edits.values()].sort((a, b) => a.span.start - b.span.start)]),
  );
}

/** Arguments a `..` took because parameter and value had one name, where the renaming parts them. */
function argumentsToWrite(checked: Checked, symbol: SymbolInfo, capture: Capture, newName: string): readonly string[] {
  const { path } = capture.span.source;
  return capture.taken.flatMap(({ parameter }) => {
    if (parameter !== symbol.name) return [];
    const value = visibleSymbols(checked.result, path, capture.span.start).find((one) => one.name === parameter);
    const valueRenamed = value !== undefined && sameDeclaration(value, symbol);
    const parameterRenamed = ownsParameter(checked, capture.block, symbol);
    if (valueRenamed === parameterRenamed) return [];
    return [valueRenamed ? `${parameter}: ${newName}` : `${newName}: ${parameter}`];
  });
}

/** The symbols may come from two checks: then their sources are two objects. */
const sameDeclaration = (a: SymbolInfo, b: SymbolInfo): boolean =>
  a.span.source.text === b.span.source.text && isSameThing(a, b);

/** Is the symbol a `param` of the block of this name? */
function ownsParameter(checked: Checked, block: string, symbol: SymbolInfo): boolean {
  if (symbol.kind !== "param") return false;
  for (const file of checked.result.files.values()) {
    if (file.source.text !== symbol.span.source.text) continue;
    const owner = file.declarations.find(
      (one) => one.span.start <= symbol.span.start && symbol.span.end <= one.span.end,
    );
    if (owner?.kind === "block" && owner.name.text === block) return true;
  }
  return false;
}

/** Checks the texts as they would be. A new error, or a `..` that takes something else, means the renaming is not safe. */
function whatBreaks(
  workspace: Workspace,
  checks: readonly Checked[],
  edits: ReadonlyMap<string, readonly Edit[]>,
  names: { readonly from: string; readonly to: string },
): string | null {
  const texts = new Map<string, string>();
  for (const [file, list] of edits) texts.set(file, applyEdits(workspace.read(file) ?? "", list));
  for (const checked of checks) {
    const after = workspace.checkOver(`${checked.root}/${checked.entry}`, texts);
    const known = new Set(checked.result.diagnostics.map((one) => one.code));
    const fresh = after.result.diagnostics.find((one) => one.severity === "error" && !known.has(one.code));
    if (fresh !== undefined)
      return `renamed to \`${names.to}\`, ${place(fresh.primary.span)} would not check: ${fresh.title}`;
    const more = errors(after) - errors(checked);
    if (more > 0)
      return `renamed to \`${names.to}\`, ${checked.entry} would have ${more} more error${more === 1 ? "" : "s"}`;
    const captured = newlyCaptured(checked, after, names);
    if (captured !== null) return captured;
  }
  return null;
}

const errors = (checked: Checked): number =>
  checked.result.diagnostics.filter((one) => one.severity === "error").length;

function newlyCaptured(
  before: Checked,
  after: Checked,
  names: { readonly from: string; readonly to: string },
): string | null {
  const taking = (checked: Checked): readonly Capture[] =>
    checked.result.captures.filter((capture) => capture.taken.some(({ parameter }) => parameter === names.to));
  const fresh = taking(after);
  if (fresh.length <= taking(before).length) return null;
  // a parameter renamed together with the value it takes stays what it was
  if (
    fresh.every(
      (capture) => !capture.taken.some(({ parameter, value }) => parameter === names.to && value === names.to),
    )
  ) {
    return null;
  }
  const first = fresh[0];
  return first === undefined
    ? null
    : `the \`..\` in ${place(first.span)} would take \`${names.to}\` for \`${first.block}\``;
}

export function applyEdits(text: string, edits: readonly Edit[]): string {
  let result = text;
  for (const { span, text: inserted } of [...edits].sort((a, b) => b.span.start - a.span.start)) {
    result = result.slice(0, span.start) + inserted + result.slice(span.end);
  }
  return result;
}
