import type { Diagnostic } from "../../dsl/diagnostics/diagnostic.ts";
import { renderAll } from "../../dsl/diagnostics/render-text.ts";
import type { Terminal } from "./terminal.ts";

/** Reports go to standard error. */
export function showDiagnostics(diagnostics: readonly Diagnostic[], terminal: Terminal): void {
  if (diagnostics.length === 0) return;
  const text = renderAll(diagnostics, { colour: terminal.colour.error });
  terminal.error(text.endsWith("\n") ? text : `${text}\n`);
}
