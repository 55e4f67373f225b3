import type { Location } from "vscode-languageserver/node";
import { symbolAt, touches } from "./symbol-at.ts";
import type { Checked, Workspace } from "./workspace.ts";

/** Where the name at an offset is declared; for the path of an import, the top of that file. */
export function definitionAt(workspace: Workspace, checked: Checked, offset: number): Location | null {
  const use = symbolAt(checked.result, checked.entry, offset);
  if (use !== null) return workspace.locate(checked, use.symbol.span);
  const file = checked.result.files.get(checked.entry);
  const path = file?.imports.find((one) => touches(one.from.span, checked.entry, offset))?.from;
  if (path === undefined) return null;
  const target = workspace.resolveImport(checked, path.value);
  if (workspace.read(target) === null) return null;
  const start = { line: 0, character: 0 };
  return { uri: workspace.uriOf(target), range: { start, end: start } };
}
