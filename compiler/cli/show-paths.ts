import type { Diagnostic, Label } from "../../dsl/diagnostics/diagnostic.ts";
import type { Source, Span } from "../../dsl/diagnostics/source.ts";

/** Diagnostics with other names for their files, such as those a user would type. */
export function renameSources(
  diagnostics: readonly Diagnostic[],
  nameOf: (path: string) => string,
): readonly Diagnostic[] {
  const renamed = new Map<Source, Source>();
  const source = (old: Source): Source => {
    const known = renamed.get(old);
    if (known !== undefined) return known;
    const made = { ...old, path: nameOf(old.path) };
    renamed.set(old, made);
    return made;
  };
  const span = (old: Span): Span => ({ ...old, source: source(old.source) });
  const label = (old: Label): Label => ({ ...old, span: span(old.span) });
  return diagnostics.map((one) => ({
    ...one,
    primary: label(one.primary),
    secondary: one.secondary.map(label),
    fix: one.fix === null ? null : { ...one.fix, span: span(one.fix.span) },
  }));
}
