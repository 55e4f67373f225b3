/** Scopes: which names the items of a body declare. */
import type { Equation, ModelItem, Name, Param, Result } from "../ast/nodes.ts";
import type { Span } from "../diagnostics/source.ts";
import { fail } from "./conditions.ts";
import type { Body, Entity, EntitySource, Scope } from "./context.ts";
import { addReference, declareSymbol } from "./recorder.ts";
import type { SymbolKind } from "./result.ts";

export interface Declarer {
  readonly body: Body;
  readonly scope: Scope;
  /** Where names declared here can be seen. */
  readonly seen: Span;
}

export function declareName(
  to: Declarer,
  name: Name,
  kind: SymbolKind,
  source: EntitySource,
  doc: string | null,
  detail = "",
): Entity | null {
  if (name.text === "" || name.text === "_") return null;
  const { recorder } = to.body.shared;
  const symbol = declareSymbol(recorder, { name: name.text, kind, span: name.span, scope: to.seen, doc, detail });
  const known = to.scope.names.get(name.text);
  if (known !== undefined && known.kind !== "dim") {
    fail(to.body, "DS0102", {
      title: `\`${name.text}\` is defined twice`,
      at: name.span,
      label: "defined again here",
      secondary: [{ span: known.span, text: "first defined here" }],
      help: "nothing is redefined: give the second a name of its own",
    });
    return known;
  }
  const entity: Entity = {
    kind,
    name: name.text,
    span: name.span,
    symbol,
    source,
    state: "new",
    value: null,
    body: null,
    uses: 0,
  };
  to.scope.names.set(name.text, entity);
  return entity;
}

export function declareSize(to: Declarer, name: string, span: Span): void {
  if (to.scope.names.has(name)) return;
  const symbol = declareSymbol(to.body.shared.recorder, {
    name,
    kind: "dim",
    span,
    scope: to.seen,
    doc: null,
    detail: "dim",
  });
  to.scope.names.set(name, {
    kind: "dim",
    name,
    span,
    symbol,
    source: { kind: "dim" },
    state: "new",
    value: null,
    body: null,
    uses: 1,
  });
}

export function declareArguments(to: Declarer, params: readonly Param[]): void {
  let position = 0;
  for (const param of params) {
    for (const name of param.names) {
      declareName(to, name, "parameter", { kind: "argument", param, position }, param.doc);
      position += 1;
    }
  }
}

/** Items other than equations declare one name each; equations of one name go together. */
export function declareItems(to: Declarer, items: readonly ModelItem[], results: readonly Result[]): void {
  const definitions = new Map<
    string,
    { name: Name; equations: Equation[]; declared: Result | null; doc: string | null }
  >();
  for (const declared of results) {
    const twice = definitions.get(declared.name.text);
    if (twice !== undefined) {
      fail(to.body, "DS0102", {
        title: `result \`${declared.name.text}\` is declared twice`,
        at: declared.name.span,
        label: "declared again here",
        secondary: [{ span: twice.name.span, text: "first declared here" }],
      });
      continue;
    }
    definitions.set(declared.name.text, { name: declared.name, equations: [], declared, doc: null });
  }
  for (const item of items) {
    switch (item.kind) {
      case "param":
        for (const name of item.names) declareName(to, name, "param", { kind: "param", decl: item }, item.doc);
        break;
      case "weight":
        declareName(to, item.name, "weight", { kind: "weight", decl: item }, item.doc);
        break;
      case "state":
        declareName(to, item.name, "state", { kind: "state", decl: item }, item.doc);
        break;
      case "part":
        declareName(to, item.name, "part", { kind: "part", decl: item }, item.doc);
        break;
      case "slot":
        declareName(to, item.name, "slot", { kind: "slot", decl: item }, item.doc);
        break;
      case "runtime":
        declareName(to, item.name, "runtime", { kind: "runtime", decl: item }, item.doc);
        break;
      case "entry":
        declareName(to, item.name, "entry", { kind: "entry", decl: item }, item.doc);
        break;
      case "config":
        for (const entry of item.entries) {
          if (entry.kind !== "field") continue;
          for (const name of entry.names) declareName(to, name, "field", { kind: "field", decl: entry }, entry.doc);
        }
        break;
      case "equation":
        if (item.operator === "<-") break;
        for (const target of item.targets) {
          const { text } = target.name;
          if (text === "_" || text === "") continue;
          const known = definitions.get(text);
          if (known === undefined) {
            definitions.set(text, { name: target.name, equations: [item], declared: null, doc: item.doc });
          } else {
            if (!known.equations.includes(item)) known.equations.push(item);
            known.doc ??= item.doc;
          }
        }
        break;
      default:
        break;
    }
  }
  for (const [, { name, equations, declared, doc }] of definitions) {
    const kind: SymbolKind = declared === null ? "definition" : "result";
    const entity = declareName(to, name, kind, { kind: "definition", equations, declared }, doc);
    if (entity !== null && declared !== null) entity.uses += 1;
  }
}

/** Further equations of a definition refer to its first. */
export function referToFirst(body: Body, scope: Scope): void {
  for (const entity of scope.names.values()) {
    if (entity.source.kind !== "definition") continue;
    for (const equation of entity.source.equations) {
      for (const target of equation.targets) {
        const { span } = target.name;
        if (target.name.text !== entity.name) continue;
        addReference(body.shared.recorder, span, entity.symbol);
      }
    }
  }
}
