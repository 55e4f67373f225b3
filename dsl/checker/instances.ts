/**
 * A checked model with its blocks in place: which block each part is, its sizes, its weights and their checkpoint names.
 * Equal members of a family are one instance, so the cost does not grow with the number of layers beyond evaluating what
 * they differ in.
 */
import { spanText } from "../diagnostics/source.ts";
import { type Axis, plainAxis } from "../types/axis.ts";
import { constant } from "../types/poly.ts";
import type { BoundConfig } from "./config.ts";
import type { Shared } from "./context.ts";
import { builder, type PlacedWeight } from "./instances/build.ts";
import type { Env } from "./instances/env.ts";
import type { Place } from "./instances/names.ts";
import type { CheckedModel } from "./model.ts";
import type { ModelInstance, Setting } from "./result.ts";
import { showKnown } from "./use.ts";

export interface Instances {
  readonly model: ModelInstance;
  readonly weights: readonly PlacedWeight[];
}

export function instantiate(checked: CheckedModel, config: BoundConfig, shared: Shared): Instances | null {
  const { path } = config;
  if (path === null) return null;
  const { body } = path;
  const bindings = new Map<string, Axis>();
  for (const entity of body.scope.names.values()) {
    const value = config.scope.value(entity.name);
    if (typeof value === "bigint") bindings.set(entity.name, plainAxis(constant(value)));
  }
  const env: Env = {
    scope: config.scope,
    bindings,
    body,
    block: (name) => {
      const value = body.scope.names.get(name)?.value?.block ?? null;
      return value === null ? null : { value, env };
    },
  };
  const placed: PlacedWeight[] = [];
  const prefixOf = (decl: object): string => path.items.find((t) => t.item === decl)?.ancestor.prefix ?? "";
  const place = (decl: object): Place => ({
    prefix: prefixOf(decl),
    indices: new Map(),
    optional: null,
    undecided: false,
    depth: 0,
  });
  const build = builder(shared, placed);
  const weights = path.info.weights.map((w) => build.weight(w, env, place(w.decl)));
  const blocks = path.info.parts.flatMap((part) => build.part(part, env, place(part.decl)));
  const model: ModelInstance = {
    name: checked.model.name.text,
    doc: checked.model.doc,
    settings: settingsOf(config),
    blocks,
    weights,
    entries: [...path.entries.values()].map(({ decl }) => ({
      name: decl.name.text,
      signature: entrySignature(spanText(decl.span)),
    })),
    bound: config.given && placed.every((w) => w.weight.sizes !== null),
  };
  return { model, weights: placed };
}

const entrySignature = (text: string): string => {
  const from = text.indexOf("(");
  const to = text.indexOf("{");
  return text
    .slice(Math.max(0, from), to < 0 ? undefined : to)
    .replace(/\s+/g, " ")
    .trim();
};

function settingsOf(config: BoundConfig): readonly Setting[] {
  const settings = new Map<string, Setting>();
  for (const { item } of config.path?.items ?? []) {
    const add = (names: readonly { readonly text: string }[], kind: Setting["kind"], type: string): void => {
      for (const name of names) {
        const value = config.scope.value(name.text);
        settings.set(name.text, { name: name.text, kind, type, value: value === undefined ? null : showKnown(value) });
      }
    };
    if (item.kind === "config")
      for (const e of item.entries) if (e.kind === "field") add(e.names, "field", spanText(e.type.span));
    if (item.kind === "param") add(item.names, "option", spanText(item.type.span));
    if (item.kind === "runtime") {
      settings.set(item.name.text, {
        name: item.name.text,
        kind: "runtime",
        type: item.scalar.text,
        value: spanText(item.range.span),
      });
    }
  }
  return [...settings.values()];
}
