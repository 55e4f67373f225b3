/** A model's config fields and options, given values: from config.json and from `--set`. */
import { makeSource } from "../diagnostics/source.ts";
import { noFacts } from "../types/facts.ts";
import { firstNotRefuted } from "./choose-path.ts";
import { checkConstraints, checkRequires } from "./config/conditions.ts";
import { chosen, coerce, longEnough } from "./config/field-values.ts";
import { collectFields, namesIn } from "./config/fields.ts";
import { atPath, parseConfig } from "./config/json.ts";
import { readSettings } from "./config/settings.ts";
import type { Entity } from "./context.ts";
import type { TaggedItem } from "./inherit.ts";
import type { CheckedModel, ModelPath } from "./model.ts";
import type { Recorder } from "./recorder.ts";
import { evaluateStatic, type Known, type StaticScope } from "./static.ts";

export interface BoundConfig {
  /** Values of fields, options and static definitions by name; undefined where not known. */
  readonly scope: StaticScope;
  /** The path that the values choose; the first where they do not decide. */
  readonly path: ModelPath | null;
  readonly given: boolean;
}

export interface ConfigText {
  readonly path: string;
  readonly text: string;
}

export function bindConfig(
  checked: CheckedModel,
  config: ConfigText | undefined,
  settings: ReadonlyMap<string, string>,
  recorder: Recorder,
): BoundConfig {
  const source = config === undefined ? null : makeSource(config.path, config.text);
  const root = source === null ? undefined : parseConfig(source, recorder);
  const file = { source, root };
  const given = root !== undefined;
  const fields = collectFields(checked);
  const options = readSettings(settings, fields, recorder);
  const memo = new Map<string, Known>();
  const busy = new Set<string>();
  const scopeFor = (tagged: TaggedItem | null): StaticScope => ({
    value: (name) => fieldValue(name),
    fn: (name) => {
      for (const ancestor of [...checked.ancestry].reverse()) {
        const entity = ancestor.module.scope.names.get(name);
        if (entity?.source.kind === "fn") return entity.source.decl;
      }
      return null;
    },
    config: (path) => (given ? atPath(root, [...(tagged?.ancestor.root ?? []), ...path]) : undefined),
    definition: (name, at) => definitionAt(name, at),
    facts: noFacts,
  });
  const fieldValue = (name: string): Known => {
    if (memo.has(name)) return memo.get(name);
    if (busy.has(name)) return undefined;
    busy.add(name);
    const found = fields.get(name);
    let value: Known;
    if (found !== undefined) {
      const option = options.get(name);
      const expr = found.node.kind === "field" ? found.node.value : found.node.default;
      value = option !== undefined ? option : expr === null ? undefined : evaluateStatic(expr, scopeFor(found.tagged));
      const followsError =
        expr !== null && namesIn(expr).some((other) => memo.has(other) && memo.get(other) === undefined);
      if (given && found.node.kind === "field") value = coerce(name, value, found, file, followsError, recorder);
      if (given) value = chosen(value, found, file, recorder);
      if (given) value = longEnough(value, found, scopeFor(found.tagged), file, recorder);
    } else {
      value = definitionAt(name, []);
    }
    busy.delete(name);
    memo.set(name, value);
    return value;
  };
  const definitions = collectDefinitions(checked);
  const definitionAt = (name: string, at: readonly bigint[]): Known => {
    const entity = definitions.get(name);
    if (entity?.source.kind !== "definition" || entity.source.equations.length !== 1) return undefined;
    const [equation] = entity.source.equations;
    const target = equation?.targets[0];
    if (equation === undefined || target === undefined || equation.targets.length !== 1) return undefined;
    const items = target.subscript?.items ?? [];
    if (items.length !== at.length) return undefined;
    const bound = new Map<string, bigint>();
    for (const [i, item] of items.entries()) {
      const name1 =
        item.kind === "name"
          ? item.text
          : item.kind === "binary" && item.op === "in" && item.left.kind === "name"
            ? item.left.text
            : null;
      const value = at[i];
      if (name1 === null || value === undefined) return undefined;
      bound.set(name1, value);
    }
    const base = scopeFor(null);
    return evaluateStatic(equation.value, { ...base, value: (n) => bound.get(n) ?? base.value(n) });
  };
  const scope = scopeFor(null);
  for (const name of fields.keys()) fieldValue(name);
  if (given) checkConstraints(checked, fields, scopeFor, scope, source, recorder);
  const path = firstNotRefuted(checked.paths, scope) ?? checked.paths[0] ?? null;
  if (given && path !== null) checkRequires(path, fields, scopeFor, source, recorder);
  return { scope, path, given };
}

function collectDefinitions(checked: CheckedModel): ReadonlyMap<string, Entity> {
  const found = new Map<string, Entity>();
  for (const path of checked.paths) {
    for (const [name, entity] of path.body.scope.names)
      if (entity.source.kind === "definition" && !found.has(name)) found.set(name, entity);
  }
  return found;
}
