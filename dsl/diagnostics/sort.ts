import type { Diagnostic } from "./diagnostic.ts";
import type { Span } from "./source.ts";

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function bySpan(a: Span, b: Span): number {
  return byText(a.source.path, b.source.path) || a.start - b.start || a.end - b.end;
}

const sameReport = (a: Diagnostic, b: Diagnostic): boolean =>
  a.code === b.code && bySpan(a.primary.span, b.primary.span) === 0;

/**
 * By path (code units, no locale), then by position, then by code; otherwise in the order given. Of several reports with
 * one code and one primary span the first stays.
 */
export function sortDiagnostics(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const sorted = [...diagnostics].sort((a, b) => bySpan(a.primary.span, b.primary.span) || byText(a.code, b.code));
  return sorted.filter((diagnostic, i) => {
    const before = sorted[i - 1];
    return before === undefined || !sameReport(before, diagnostic);
  });
}
