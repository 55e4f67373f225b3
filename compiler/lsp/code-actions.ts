import { type CodeAction, CodeActionKind } from "vscode-languageserver/node";
import type { Diagnostic } from "../../dsl/diagnostics/diagnostic.ts";
import { toEditor } from "./diagnostics.ts";
import { rangeOf } from "./documents.ts";
import { type Checked, isLibraryPath, type Workspace } from "./workspace.ts";

/** The repairs of the diagnostics that meet the range [start, end] of the entry file. */
export function codeActions(workspace: Workspace, checked: Checked, start: number, end: number): readonly CodeAction[] {
  const meets = ({ primary }: Diagnostic): boolean =>
    primary.span.source.path === checked.entry && primary.span.start <= end && start <= primary.span.end;
  return checked.result.diagnostics.filter(meets).flatMap((diagnostic) => {
    const { fix } = diagnostic;
    if (fix === null || isLibraryPath(fix.span.source.path)) return [];
    const uri = workspace.uriOf(workspace.fileOf(checked, fix.span.source.path));
    return [
      {
        title: fix.title,
        kind: CodeActionKind.QuickFix,
        isPreferred: true,
        diagnostics: [toEditor(workspace, checked, diagnostic)],
        edit: { changes: { [uri]: [{ range: rangeOf(fix.span), newText: fix.replacement }] } },
      },
    ];
  });
}
