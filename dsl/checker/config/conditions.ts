/** What a model asks of a config: constraints of fields, and `require`. */
import type { Expr } from "../../ast/nodes.ts";
import type { Source, Span } from "../../diagnostics/source.ts";
import { configPath, type TaggedItem } from "../inherit.ts";
import { jsonSpan } from "../json-source.ts";
import type { CheckedModel, ModelPath } from "../model.ts";
import { type Recorder, report } from "../recorder.ts";
import { evaluateStatic, type StaticScope } from "../static.ts";
import { childrenOf } from "../sums.ts";
import { showKnown } from "../use.ts";
import { type Field, pathsOf } from "./fields.ts";

/** Names of a condition with their values, and where they stand in config.json. */
function valuesIn(
  condition: Expr,
  scope: StaticScope,
  fields: ReadonlyMap<string, Field>,
  source: Source | null,
  root: readonly string[],
): { readonly text: string; readonly secondary: readonly { readonly span: Span; readonly text: string }[] } {
  const shown: string[] = [];
  const secondary: { span: Span; text: string }[] = [];
  const visit = (expr: Expr): void => {
    if (expr.kind === "name") {
      const value = scope.value(expr.text);
      const text = `${expr.text} = ${showKnown(value)}`;
      if (value === undefined || shown.includes(text)) return;
      shown.push(text);
      const field = fields.get(expr.text);
      const paths = field?.node.kind === "field" ? pathsOf(field) : [];
      const [span] = paths.flatMap(({ path }) => (source === null ? [] : (jsonSpan(source, path) ?? [])));
      if (span !== undefined) secondary.push({ span, text: `\`${expr.text}\` is read here` });
      return;
    }
    const path = configPath(expr);
    if (path !== null && path.length > 0) {
      shown.push(`${[...root, ...path].join(".")} = ${showKnown(scope.config(path))}`);
      const span = source === null ? null : jsonSpan(source, [...root, ...path]);
      if (span !== null) secondary.push({ span, text: "the value here" });
      return;
    }
    for (const child of childrenOf(expr)) visit(child);
  };
  visit(condition);
  return { text: shown.length === 0 ? "it does not hold" : `here ${shown.join(", ")}`, secondary };
}

export function checkConstraints(
  checked: CheckedModel,
  fields: ReadonlyMap<string, Field>,
  scopeFor: (tagged: TaggedItem | null) => StaticScope,
  scope: StaticScope,
  source: Source | null,
  recorder: Recorder,
): void {
  const seen = new Set<Expr>();
  for (const { node, tagged, name } of fields.values()) {
    if (node.where === null || seen.has(node.where)) continue;
    seen.add(node.where);
    if (evaluateStatic(node.where, scopeFor(tagged)) !== false) continue;
    const { text, secondary } = valuesIn(
      node.where,
      { ...scopeFor(tagged), value: scope.value },
      fields,
      source,
      tagged.ancestor.root,
    );
    report(recorder, "DS0123", {
      title: `constraint on \`${name}\` fails for ${source?.path ?? "this config"}`,
      at: node.where.span,
      label: text,
      secondary: secondary.slice(0, 3),
    });
  }
  for (const path of checked.paths) {
    for (const tagged of path.items) {
      if (tagged.item.kind !== "config") continue;
      for (const entry of tagged.item.entries) {
        if (entry.kind !== "require" || seen.has(entry.condition)) continue;
        seen.add(entry.condition);
        const here = scopeFor(tagged);
        if (evaluateStatic(entry.condition, here) !== false) continue;
        const { text, secondary } = valuesIn(entry.condition, here, fields, source, tagged.ancestor.root);
        report(recorder, "DS0124", {
          title: "this model does not have that feature",
          at: entry.condition.span,
          label: text,
          secondary: secondary.slice(0, 3),
          help: "another model file may describe this checkpoint",
        });
      }
    }
  }
}

/** `require` outside `config` counts on the path that is taken. */
export function checkRequires(
  path: ModelPath,
  fields: ReadonlyMap<string, Field>,
  scopeFor: (tagged: TaggedItem | null) => StaticScope,
  source: Source | null,
  recorder: Recorder,
): void {
  for (const tagged of path.items) {
    if (tagged.item.kind !== "require") continue;
    const here = scopeFor(tagged);
    if (evaluateStatic(tagged.item.condition, here) !== false) continue;
    const { text, secondary } = valuesIn(tagged.item.condition, here, fields, source, tagged.ancestor.root);
    report(recorder, "DS0124", {
      title: "this model does not have that feature",
      at: tagged.item.condition.span,
      label: text,
      secondary,
    });
  }
}
