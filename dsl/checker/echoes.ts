/** Where text could not be read, what the checker finds there follows from that, and is not said. */
import type { ModelItem } from "../ast/nodes.ts";
import type { Code } from "../diagnostics/codes.ts";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import type { Span } from "../diagnostics/source.ts";
import type { Project } from "./load.ts";

/** Something is missing that the broken text may hold. */
const absences: ReadonlySet<Code> = new Set<Code>([
  "DS0101",
  "DS0107",
  "DS0108",
  "DS0111",
  "DS0125",
  "DS0212",
  "DS0216",
  "DS0230",
  "DS0520",
  "DS0521",
  "DS0522",
]);

const touches = (a: Span, b: Span): boolean => a.source === b.source && a.start <= b.end && b.start <= a.end;

export function withoutEchoes(diagnostics: readonly Diagnostic[], project: Project): readonly Diagnostic[] {
  const broken = project.syntax;
  if (broken.length === 0) return diagnostics;
  const spans: Span[] = [];
  const declarations: Span[] = [];
  for (const { file } of project.files.values()) {
    for (const declaration of file.declarations) {
      const inside = broken.filter((d) => touches(d.primary.span, declaration.span));
      if (inside.length === 0) continue;
      declarations.push(declaration.span);
      const items = "items" in declaration ? leaves(declaration.items) : [];
      for (const d of inside) spans.push(items.find((item) => touches(item, d.primary.span)) ?? declaration.span);
    }
  }
  return diagnostics.filter((d) => {
    if (broken.includes(d)) return true;
    if (spans.some((s) => touches(s, d.primary.span) || d.secondary.some((label) => touches(s, label.span))))
      return false;
    return !(absences.has(d.code) && declarations.some((s) => touches(s, d.primary.span)));
  });
}

function leaves(items: readonly ModelItem[]): readonly Span[] {
  return items.flatMap((item) =>
    item.kind === "if"
      ? [...leaves(item.then), ...leaves(item.else ?? [])]
      : item.kind === "entry"
        ? [...leaves(item.items), item.span]
        : [item.span],
  );
}
