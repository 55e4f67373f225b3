/** All uses of a symbol: in the file's own check, and in every file of the project that mentions its name. */
import { type DocumentHighlight, DocumentHighlightKind, type Location } from "vscode-languageserver/node";
import type { CheckResult, SymbolInfo } from "../../dsl/checker/result.ts";
import type { Span } from "../../dsl/diagnostics/source.ts";
import { rangeOf } from "./documents.ts";
import { referencesTo, sameSpan, symbolAt } from "./symbol-at.ts";
import { type Checked, isLibraryPath, type Workspace } from "./workspace.ts";

export interface Use {
  readonly file: string;
  readonly span: Span;
}

/**
 * `pause` is awaited between files and says whether to go on; what was found so far is returned otherwise. A `..` can
 * take an inherited name that its file never spells: `withCaptures` looks into files with a `..` as well. Uses are sorted
 * by file and position.
 */
export async function findUses(
  workspace: Workspace,
  checked: Checked,
  symbol: SymbolInfo,
  options: { readonly pause: () => Promise<boolean>; readonly withCaptures: boolean },
): Promise<{ readonly uses: readonly Use[]; readonly checks: readonly Checked[] }> {
  const found = new Map<string, Use>();
  const checks: Checked[] = [];
  const collect = (one: Checked): void => {
    const declared = declaredIn(workspace, one, workspace.fileOf(checked, symbol.span.source.path), symbol.span);
    const references = declared === null ? [] : referencesTo(one.result, declared);
    if (references.length > 0) checks.push(one);
    for (const { span } of references) {
      const file = workspace.fileOf(one, span.source.path);
      found.set(`${file}:${span.start}:${span.end}`, { file, span });
    }
  };
  collect(checked);
  if (reachesOtherFiles(checked.result, symbol)) {
    const own = `${checked.root}/${checked.entry}`;
    for (const file of workspace.mentioning(own, options.withCaptures ? [symbol.name, ".."] : [symbol.name])) {
      if (file === own) continue;
      if (!(await options.pause())) break;
      collect(workspace.check(file));
    }
  }
  const uses = [...found.values()].sort((a, b) =>
    a.file < b.file ? -1 : a.file > b.file ? 1 : a.span.start - b.span.start,
  );
  return { uses, checks };
}

/** An index lives in one equation; anything else may be named from another file (parameters by label, members by `extends`). */
const reachesOtherFiles = (result: CheckResult, symbol: SymbolInfo): boolean =>
  symbol.kind !== "index" || !result.files.has(symbol.span.source.path);

/** The declaration's span as another check spells it: the same file may have another relative path there. */
function declaredIn(workspace: Workspace, checked: Checked, file: string, span: Span): Span | null {
  for (const [path, tree] of checked.result.files) {
    if (workspace.fileOf(checked, path) === file)
      return { source: { ...tree.source, path }, start: span.start, end: span.end };
  }
  return null;
}

export async function referencesAt(
  workspace: Workspace,
  checked: Checked,
  offset: number,
  options: { readonly withDeclaration: boolean; readonly pause: () => Promise<boolean> },
): Promise<readonly Location[]> {
  const use = symbolAt(checked.result, checked.entry, offset);
  if (use === null) return [];
  const declaredAt = workspace.fileOf(checked, use.symbol.span.source.path);
  const { uses } = await findUses(workspace, checked, use.symbol, { pause: options.pause, withCaptures: false });
  return (
    uses
      .filter(
        ({ file, span }) => options.withDeclaration || file !== declaredAt || span.start !== use.symbol.span.start,
      )
      // the library's own insides are no uses of a project
      .filter(({ span }) => !isLibraryPath(span.source.path) || sameSpan(span, use.symbol.span))
      .map(({ file, span }) => ({ uri: workspace.uriOf(file), range: rangeOf(span) }))
  );
}

/** Uses in the file itself: the same letter in another equation is another index and is not marked. */
export function highlightsAt(checked: Checked, offset: number): readonly DocumentHighlight[] {
  const use = symbolAt(checked.result, checked.entry, offset);
  if (use === null) return [];
  return referencesTo(checked.result, use.symbol.span)
    .filter((reference) => reference.span.source.path === checked.entry)
    .map(({ span }) => ({
      range: rangeOf(span),
      kind: sameSpan(span, use.symbol.span) ? DocumentHighlightKind.Write : DocumentHighlightKind.Read,
    }));
}
