/** Checks of a model: its config, slots, parts and entries, with everything its ancestors declare. */
import type { Entry, Model, ModelItem, Storage } from "../ast/nodes.ts";
import type { Span } from "../diagnostics/source.ts";
import { withBounds, withNonNegative } from "../types/facts.ts";
import { atomsOf, sub, symbol, symbolKey, zero } from "../types/poly.ts";
import { isInteger, printValueType } from "../types/value-type.ts";
import { checkChoices } from "./choices.ts";
import { assume, fail, isKnownTrue } from "./conditions.ts";
import type { BlockValue, Body, DeclInfo, PathCondition, PathInfo, Scope, Shared } from "./context.ts";
import {
  checkCondition,
  checkItems,
  countUses,
  memoryNames,
  newBody,
  pathResult,
  reportUnwritten,
  type Usage,
} from "./declarations.ts";
import { inDefinitionOrder } from "./definition-order.ts";
import { newEquation } from "./equation-context.ts";
import { checkExpression } from "./equations.ts";
import { type Ancestor, ancestryOf, applyOverrides, type Inherited, type TaggedItem } from "./inherit.ts";
import { ungroup } from "./keys.ts";
import { checkLoop, checkPhase } from "./loops.ts";
import type { Module } from "./modules.ts";
import { pathsOf } from "./paths.ts";
import { declareArguments, declareItems, declareSize, referToFirst } from "./scopes.ts";
import { alternatives, blockHeader, isSizeName, sizeNames } from "./signatures.ts";

/** A model on one path through its `if`s. */
export interface ModelPath {
  readonly items: readonly TaggedItem[];
  readonly conditions: readonly PathCondition[];
  readonly info: PathInfo;
  readonly body: Body;
  readonly entries: ReadonlyMap<string, { readonly decl: Entry; readonly info: PathInfo }>;
}

export interface CheckedModel {
  readonly model: Model;
  readonly ancestry: readonly Ancestor[];
  readonly paths: readonly ModelPath[];
}

export function checkModel(
  model: Model,
  module: Module,
  modules: ReadonlyMap<string, Module>,
  shared: Shared,
  usage: Usage,
): CheckedModel {
  const { recorder } = shared;
  const { chain: ancestry, complete } = ancestryOf(model, module, modules, recorder);
  if (!complete) return { model, ancestry, paths: [] };
  // A parent is checked by itself first, so that what is new here is the child's doing.
  const parent = ancestry.at(-2);
  if (parent !== undefined && parent.model !== model) {
    const known = new Map(usage);
    checkModel(parent.model, parent.module, modules, shared, new Map());
    for (const [key, value] of known) usage.set(key, value);
  }
  const owners = new Map<ModelItem, Ancestor>();
  const all: ModelItem[] = [];
  for (const ancestor of ancestry) {
    for (const item of ancestor.model.items) all.push(item);
    tagItems(ancestor.model.items, ancestor, owners);
  }
  const tag = (item: ModelItem): TaggedItem => ({ item, ancestor: owners.get(item) ?? (ancestry.at(-1) as Ancestor) });
  const every = [...owners.keys()].map(tag);
  const top = topScope(ancestry);
  const paths: ModelPath[] = [];
  const taken: Inherited[] = [];
  for (const path of pathsOf(all)) {
    const inherited = applyOverrides(path.items.map(tag), every, path.conditions, recorder);
    taken.push(inherited);
    const before = recorder.diagnostics.length;
    const checked = checkModelPath(model, inherited, path.conditions, top, shared, usage);
    blameOverrides(before, model, inherited, shared);
    if (checked !== null) paths.push(checked);
  }
  const before = recorder.diagnostics.length;
  const live = taken.flatMap(({ items }) => items.map(({ item }) => item));
  checkChoices([...live.filter(({ kind }) => kind === "config"), ...liveItems(all, new Set(live))], recorder);
  for (const inherited of taken.slice(0, 1)) blameOverrides(before, model, inherited, shared);
  for (const ancestor of ancestry) countImports(ancestor.module, top);
  return { model, ancestry, paths };
}

function tagItems(items: readonly ModelItem[], ancestor: Ancestor, owners: Map<ModelItem, Ancestor>): void {
  for (const item of items) {
    owners.set(item, ancestor);
    if (item.kind === "if") {
      tagItems(item.then, ancestor, owners);
      tagItems(item.else ?? [], ancestor, owners);
    }
  }
}

/** Without what is overridden everywhere, and without configs: what an heir overrides is taken out of theirs. */
function liveItems(items: readonly ModelItem[], live: ReadonlySet<ModelItem>): readonly ModelItem[] {
  return items.flatMap((item): readonly ModelItem[] => {
    if (item.kind !== "if") return item.kind !== "config" && live.has(item) ? [item] : [];
    const otherwise = item.else === null ? null : liveItems(item.else, live);
    return [{ ...item, then: liveItems(item.then, live), else: otherwise }];
  });
}

/** Names of the files of all ancestors; a child's file comes last. */
function topScope(ancestry: readonly Ancestor[]): Scope {
  const names: Scope["names"] = new Map();
  for (const { module } of ancestry) for (const [name, entity] of module.scope.names) names.set(name, entity);
  return { names, parent: null };
}

/** Uses through an heir count for the file that imported the name. */
function countImports(module: Module, top: Scope): void {
  for (const [name, entity] of module.scope.names) {
    const used = top.names.get(name);
    if (used !== undefined && used !== entity) entity.uses += used.uses;
  }
}

/** An error that arises in a parent's text only because of this model is the override's. */
function blameOverrides(before: number, model: Model, inherited: Inherited, shared: Shared): void {
  const { diagnostics } = shared.recorder;
  const [any] = inherited.overrides;
  if (any === undefined) return;
  for (let i = before; i < diagnostics.length; i += 1) {
    const found = diagnostics[i];
    if (
      found === undefined ||
      found.severity !== "error" ||
      !inherited.items.some((t) => t.ancestor.model !== model && isWithin(found.primary.span, t.item.span))
    )
      continue;
    const line = found.primary.span.source.text.slice(
      Math.max(0, found.primary.span.start - 200),
      found.primary.span.end + 20,
    );
    const culprit = inherited.overrides.find((o) => line.includes(o.name)) ?? any;
    if (diagnostics.some((d) => d.code === "DS0135" && isWithin(d.primary.span, culprit.item.span))) {
      diagnostics.splice(i, 1); // the signature says it already
      i -= 1;
      continue;
    }
    diagnostics[i] = {
      code: "DS0132",
      severity: "error",
      title: `a use of \`${culprit.name}\` does not fit the override`,
      primary: { span: culprit.span, text: found.title },
      secondary: [{ span: found.primary.span, text: found.primary.text }, ...found.secondary.slice(0, 2)],
      help: found.help,
      fix: null,
    };
  }
}

const isWithin = (inner: Span, outer: Span): boolean =>
  inner.source === outer.source && inner.start >= outer.start && inner.end <= outer.end;

function checkModelPath(
  model: Model,
  inherited: Inherited,
  conditions: readonly PathCondition[],
  top: Scope,
  shared: Shared,
  usage: Usage,
): ModelPath | null {
  const items = inherited.items.map((t) => t.item);
  const scope: Scope = { names: new Map(), parent: top };
  const info: DeclInfo = { decl: model, header: null, paths: [], mixes: new Set(), remembers: new Set(), done: false };
  const memories = new Set(
    items.flatMap((i) => (i.kind === "runtime" && i.scalar.text === "memory" ? [i.name.text] : [])),
  );
  const body = newBody(shared, model, scope, info, { memories });
  const seen = model.span;
  declareItems({ body, scope, seen }, items, []);
  referToFirst(body, scope);
  settleConfig(items, body);
  for (const { expr, holds } of conditions) {
    checkCondition(expr, body);
    const known = isKnownTrue(expr, newEquation(body, expr.span));
    if (known !== null && known !== holds) return null;
    assume(expr, holds, newEquation(body, expr.span));
    body.pathFacts = body.facts;
  }
  const requires: PathInfo["requires"][number][] = [];
  for (const item of items) {
    if (item.kind === "param" && item.where !== null)
      requires.push({ kind: "where", condition: item.where, span: item.where.span });
    if (item.kind !== "require") continue;
    checkCondition(item.condition, body);
    requires.push(item);
  }
  for (const item of items)
    if (item.kind === "param" && item.default !== null) checkExpression(item.default, body, true);
  for (const item of items) if (item.kind === "storage") checkStorage(item, body);
  for (const entity of inDefinitionOrder(body)) shared.rules.define(entity, body);
  checkItems(items, body);
  for (const override of inherited.overrides) checkSlotOverride(override, body);
  reportUnwritten(body);
  const entries = new Map<string, { decl: Entry; info: PathInfo }>();
  for (const item of items) {
    if (item.kind !== "entry") continue;
    const checked = checkEntry(item, body, usage);
    entries.set(item.name.text, { decl: item, info: checked });
  }
  for (const item of items) {
    if (item.kind === "phase") checkPhase(item, items, body);
    if (item.kind === "loop") checkLoop(item, items, body);
  }
  countUses(scope, usage);
  const path = pathResult(items, conditions, requires, new Map(), body);
  info.done = true;
  return { items: inherited.items, conditions, info: path, body, entries };
}

/** Types of config fields, what is required of them, and the ranges of run-time sizes. */
function settleConfig(items: readonly ModelItem[], body: Body): void {
  for (const item of items) {
    if (item.kind !== "config") continue;
    for (const entry of item.entries) {
      if (entry.kind === "require") {
        checkCondition(entry.condition, body);
        continue;
      }
      const value = checkExpression(entry.value, body);
      // A field that is arithmetic of other fields is known as that.
      const { poly } = value;
      const arithmetic = poly !== null && [...atomsOf(poly).values()].every((a) => a.kind === "symbol");
      if (arithmetic && isInteger(value.element)) for (const name of entry.names) body.known.set(name.text, poly);
      if (value.element.kind !== "unknown" && !value.isStatic) {
        fail(body, "DS0126", {
          title: "a config field is known when compiling",
          at: entry.value.span,
          label: "this is not",
        });
      }
    }
  }
  for (const item of items) {
    if (item.kind === "config") {
      for (const entry of item.entries) {
        if (entry.kind !== "field") continue;
        // A size is at least 1, a count may be none.
        if (entry.type.scalar?.kind === "word" && entry.type.scalar.word.text === "int")
          for (const name of entry.names)
            body.facts = withBounds(body.facts, symbolKey(name.text), { lower: zero, upper: null });
        if (entry.where === null) continue;
        checkCondition(entry.where, body);
        assume(entry.where, true, newEquation(body, entry.span));
        body.pathFacts = body.facts;
      }
    }
    if (item.kind === "param" && item.where !== null) {
      checkCondition(item.where, body);
      assume(item.where, true, newEquation(body, item.span));
    }
  }
  for (const item of items) {
    if (item.kind !== "runtime") continue;
    const range = ungroup(item.range);
    if (range.kind !== "binary" || range.op !== "..") {
      fail(body, "DS0523", {
        title: `run-time size \`${item.name.text}\` has no range`,
        at: item.range.span,
        label: "a range should stand here",
        help: `\`runtime ${item.name.text} : ${item.scalar.text} in 1..4096\``,
      });
      continue;
    }
    const [low, high] = [checkExpression(range.left, body).poly, checkExpression(range.right, body).poly];
    body.facts = withBounds(body.facts, symbolKey(item.name.text), { lower: low, upper: high });
    body.pathFacts = body.facts;
  }
  body.pathFacts = body.facts;
}

function checkStorage(item: Storage, body: Body): void {
  const value = checkExpression(item.block, body, true);
  if (value.block !== null || value.element.kind === "unknown") return;
  fail(body, "DS0227", { title: "a storage format is a block", at: item.block.span, label: "this is none" });
}

function checkSlotOverride(override: Inherited["overrides"][number], body: Body): void {
  if (override.item.kind !== "slot" || override.replaced.kind !== "slot") return;
  const eq = newEquation({ ...body, quiet: true }, override.span, true);
  const header = (value: BlockValue | null): string | null => {
    for (const block of alternatives(value)) {
      const found = blockHeader(block, eq);
      if (found === null) continue;
      const params = found.header.params.map((p) => `${p.name}: ${printValueType(p.type).replaceAll("?", "")}`);
      return `(${params.join(", ")}) -> ${found.header.results.map((r) => `${r.name}: ${printValueType(r.type).replaceAll("?", "")}`).join(", ")}`;
    }
    return null;
  };
  const mine = header(body.shared.rules.infer(override.item.value, eq).block);
  const theirs = header(body.shared.rules.infer(override.replaced.value, eq).block);
  if (mine === null || theirs === null || sameShape(mine, theirs)) return;
  fail(body, "DS0135", {
    title: `block \`${override.name}\` has another signature than the parent's`,
    at: override.item.value.span,
    label: `this is ${mine}`,
    secondary: [{ span: override.replaced.value.span, text: `the parent's is ${theirs}` }],
  });
}

/** Signatures agree when names and ranks do: sizes are settled where the block is used. */
const sameShape = (a: string, b: string): boolean => {
  const shape = (text: string): string =>
    text.replace(/[A-Za-z_0-9]+(?= of )/g, "_").replace(/[A-Z][A-Za-z_0-9]*/g, "_");
  return shape(a) === shape(b);
};

function checkEntry(entry: Entry, outer: Body, usage: Usage): PathInfo {
  const scope: Scope = { names: new Map(), parent: outer.scope };
  const found = memoryNames(entry.params, entry.items, []);
  const tokens = new Map([...found.tokens].filter(([token]) => isRuntime(token, outer)));
  const positions = [...found.tokens].some(([, names]) => names.length > 0);
  for (const [token, names] of tokens) {
    const kept = names.filter((name) => indexesMemory(entry, name, outer));
    if (kept.length === 0) tokens.delete(token);
    else tokens.set(token, kept);
  }
  const info: DeclInfo = { decl: entry, header: null, paths: [], mixes: new Set(), remembers: new Set(), done: false };
  let facts = outer.pathFacts;
  for (const token of tokens.keys()) {
    for (const memory of outer.memories) facts = withNonNegative(facts, sub(symbol(memory), symbol(token)));
  }
  const body = newBody(outer.shared, entry, scope, info, {
    memories: outer.memories,
    tokens,
    facts,
    pathFacts: facts,
    known: outer.known,
    truths: outer.truths,
    notNull: outer.notNull,
    parts: outer.parts,
    deferred: outer.deferred,
    checksCausality: positions,
  });
  const to = { body, scope, seen: entry.span };
  declareArguments(to, entry.params);
  const types = entry.params.map((p) => p.type);
  for (const [name, span] of sizeNames(types)) {
    if (
      !isSizeName(name) ||
      scope.names.has(name) ||
      outer.scope.names.has(name) ||
      outer.scope.parent?.names.has(name)
    )
      continue;
    declareSize(to, name, span);
    fail(body, "DS0523", {
      title: `run-time size \`${name}\` has no range`,
      at: span,
      label: "neither a config field nor a run-time size of this name is declared",
      help: `\`runtime ${name} : dim in 1..4096\``,
    });
  }
  declareItems(to, entry.items, entry.results);
  referToFirst(body, scope);
  for (const entity of inDefinitionOrder(body)) body.shared.rules.define(entity, body);
  checkItems(entry.items, body);
  reportUnwritten(body);
  countUses(scope, usage);
  const results = new Map(
    entry.results.flatMap((r) => {
      const value = scope.names.get(r.name.text)?.value;
      return value == null ? [] : [[r.name.text, value] as const];
    }),
  );
  return pathResult(entry.items, [], [], results, body);
}

const isRuntime = (name: string, body: Body): boolean => body.scope.names.get(name)?.source.kind === "runtime";

function indexesMemory(entry: Entry, name: string, outer: Body): boolean {
  const param = entry.params.find((p) => p.names.some((n) => n.text === name));
  const scalar = param?.type.scalar;
  return scalar?.kind === "index-type" && scalar.axis.kind === "name" && outer.memories.has(scalar.axis.text);
}
