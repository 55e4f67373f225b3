/** Warnings for what is declared and never used, on any path. */
import type { Entity } from "./context.ts";
import type { Usage } from "./declarations.ts";
import type { CheckedModel } from "./model.ts";
import type { Module } from "./modules.ts";
import { type Recorder, report } from "./recorder.ts";

const nouns: Readonly<Record<string, string>> = {
  parameter: "parameter",
  param: "parameter",
  part: "part",
  weight: "weight",
  state: "state",
  definition: "definition",
  slot: "block",
};

/** A field of one choice is there to refuse any other. */
const asksOfConfig = ({ source }: Entity): boolean =>
  source.kind === "field" &&
  source.decl.type.scalar?.kind === "choice-type" &&
  source.decl.type.scalar.choices.length === 1;

export function reportUnused(home: Module, models: readonly CheckedModel[], usage: Usage, recorder: Recorder): void {
  if (recorder.diagnostics.some((d) => d.code.startsWith("DS00"))) return; // broken text leaves much unused
  const { source } = home.loaded.file;
  // Where something is wrong, what should have been used may be what is wrong.
  const errors = recorder.diagnostics.filter((d) => d.severity === "error" && d.primary.span.source === source);
  const faulty = home.loaded.file.declarations.filter((d) =>
    errors.some((e) => e.primary.span.start >= d.span.start && e.primary.span.end <= d.span.end),
  );
  const inFaulty = (offset: number): boolean => faulty.some((d) => d.span.start <= offset && offset < d.span.end);
  void models;
  for (const { entity, uses } of usage.values()) {
    if (uses > 0 || entity.span.source !== source || inFaulty(entity.span.start)) continue;
    if (entity.kind === "field" && !asksOfConfig(entity)) {
      report(recorder, "DS0125", {
        title: `config field \`${entity.name}\` is never read`,
        severity: "warning",
        at: entity.span,
        label: "nothing in this model uses it",
        help: "leave it out, or use it",
      });
      continue;
    }
    const noun = nouns[entity.kind];
    if (noun === undefined) continue;
    report(recorder, "DS0107", {
      title: `${noun} \`${entity.name}\` is never used`,
      severity: "warning",
      at: entity.span,
      label: "nothing uses it",
      help: entity.kind === "weight" ? "a tensor that is not needed is named by `ignore`" : null,
    });
  }
  if (errors.length > 0) return;
  for (const { entity, name } of home.imports) {
    if (entity.uses > 0 || entity.source.kind === "broken") continue;
    report(recorder, "DS0107", {
      title: `import \`${name.text}\` is never used`,
      severity: "warning",
      at: name.span,
      label: "nothing in this file uses it",
    });
  }
}
