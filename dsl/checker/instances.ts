/**
 * A checked model with its blocks in place: which block each part is, its sizes, its weights and their checkpoint names.
 * Equal members of a family are one instance, so the cost does not grow with the number of layers beyond evaluating what
 * they differ in.
 */
import type { Expr, StringLiteral } from "../ast/nodes.ts";
import { spanText } from "../diagnostics/source.ts";
import { type Axis, plainAxis, plainText, printAxes, printAxis, sizeOf } from "../types/axis.ts";
import { asConstant, asNumber, constant, type Poly } from "../types/poly.ts";
import { printElement, printValueType, type ValueType } from "../types/value-type.ts";
import { firstNotRefuted } from "./choose-path.ts";
import type { BoundConfig } from "./config.ts";
import type { BlockValue, Body, DeclInfo, PartInfo, PathInfo, Shared, Value } from "./context.ts";
import { newEquation } from "./equation-context.ts";
import { type Bindings, solveAxis, substitutePoly, substituteType } from "./headers.ts";
import { holesOf } from "./interpolation.ts";
import type { CheckedModel } from "./model.ts";
import { fillDefaults, mentions } from "./part-calls.ts";
import { report } from "./recorder.ts";
import type { BlockInstance, ModelInstance, Setting, WeightInstance } from "./result.ts";
import { evaluateStatic, isPoly, type Known, type StaticScope } from "./static.ts";
import { showKnown, valuesIn } from "./use.ts";

/** A weight where it stands, for the mapping to tensors. */
export interface PlacedWeight {
  readonly weight: WeightInstance;
  readonly decl: PathInfo["weights"][number]["decl"];
  readonly element: ValueType["element"];
  /** Indices in the names with the values they take; null: not known. */
  readonly indices: ReadonlyMap<string, readonly number[] | null>;
  /** The optional part it belongs to. */
  readonly optional: string | null;
  /** Alternatives that were not decided between read the same tensors rightly. */
  readonly undecided: boolean;
}

export interface Instances {
  readonly model: ModelInstance;
  readonly weights: readonly PlacedWeight[];
}

interface Env {
  readonly scope: StaticScope;
  readonly bindings: ReadonlyMap<string, Axis>;
  readonly block: (name: string) => { readonly value: BlockValue; readonly env: Env } | null;
  readonly body: Body;
}

interface Place {
  readonly prefix: string;
  readonly indices: ReadonlyMap<string, readonly number[] | null>;
  readonly optional: string | null;
  readonly undecided: boolean;
  readonly depth: number;
}

const mostDepth = 64;
const mostMembers = 100_000;

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
    settings: settingsOf(checked, config),
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

function settingsOf(checked: CheckedModel, config: BoundConfig): readonly Setting[] {
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
  void checked;
  return [...settings.values()];
}

interface Builder {
  readonly part: (part: PartInfo, env: Env, place: Place) => readonly BlockInstance[];
  readonly weight: (weight: PathInfo["weights"][number], env: Env, place: Place) => WeightInstance;
}

/** A family's members that are alike. */
interface Variant {
  readonly block: BlockValue;
  readonly env: Env;
  readonly members: readonly number[] | null;
  readonly condition: string;
  readonly undecided: boolean;
}

function builder(shared: Shared, placed: PlacedWeight[]): Builder {
  const weight: Builder["weight"] = ({ decl, type }, env, place) => {
    const bound = substituteType(type, env.bindings);
    const sizes = bound.axes.map((axis) => {
      const size = sizeOf(axis);
      return size === null ? null : asNumber(size);
    });
    const name = (literal: StringLiteral): string => joinNames(place.prefix, fillName(literal, env, place));
    const instance: WeightInstance = {
      name: decl.name.text,
      tensors: decl.spellings.map(name),
      copies: decl.copies.map(name),
      shape: plainText(printAxes(bound.axes)),
      sizes: sizes.every((s): s is number => s !== null) ? sizes : null,
      type: printElement(bound.element),
    };
    placed.push({
      weight: instance,
      decl,
      element: bound.element,
      indices: place.indices,
      optional: place.optional,
      undecided: place.undecided,
    });
    return instance;
  };

  const part: Builder["part"] = (info, env, place) => {
    if (place.depth > mostDepth) return [];
    const variants = variantsOf(info, env);
    const count = info.family === null ? null : countOf(info.family.axis, env);
    return variants.flatMap((variant): readonly BlockInstance[] => {
      const resolved = resolve(variant.block, variant.env);
      return resolved.flatMap(({ block, env: home, condition }) => {
        const whole = variants.length === 1 && resolved.length === 1;
        const inner: Place = {
          prefix:
            info.decl.at === null
              ? place.prefix
              : joinNames(place.prefix, fillName(info.decl.at, env, place, info.family?.index)),
          indices:
            info.family === null ? place.indices : new Map([...place.indices, [info.family.index, variant.members]]),
          optional: place.optional ?? (info.decl.optional === null ? null : info.decl.name.text),
          undecided: place.undecided || resolved.length > 1 || variant.undecided,
          depth: place.depth + 1,
        };
        const built = instance(info, block, home, variant.env, inner);
        if (built === null) return [];
        const text = [variant.condition, condition].filter((c) => c !== "").join(" and ");
        return [
          {
            ...built,
            family:
              info.family === null ? null : { index: info.family.index, size: sizeText(info.family.axis, env), count },
            members: whole || text === "" ? null : { condition: text, count: variant.members?.length ?? null },
            optional: info.decl.optional !== null,
          },
        ];
      });
    });
  };

  /** One block with its parameters and the sizes its call fixes. */
  const instance = (
    info: PartInfo,
    block: BlockValue & { kind: "block" },
    home: Env,
    caller: Env,
    place: Place,
  ): BlockInstance | null => {
    const decl = shared.rules.declared(block.decl);
    const { header } = decl;
    if (header === null) return null;
    const inner = enter(decl, block, home, info, caller);
    const path = firstNotRefuted(decl.paths, inner.scope);
    for (const require of path?.requires ?? []) {
      if (evaluateStatic(require.condition, inner.scope) !== false) continue;
      const isWhere = require.kind === "where";
      report(shared.recorder, isWhere ? "DS0123" : "DS0124", {
        title: isWhere ? "a condition on parameters fails" : "this block does not have that feature",
        at: info.decl.block.span,
        label: `\`${block.decl.name.text}\` is used, ${valuesIn(require.condition, inner.scope)}`,
        secondary: [{ span: require.condition.span, text: "this must hold" }],
      });
    }
    const params = header.settings.map((setting) => {
      const known = inner.scope.value(setting.name);
      const axis = inner.bindings.get(setting.name);
      const passed = inner.block(setting.name);
      const value =
        passed !== null
          ? blockName(passed.value, passed.env)
          : axis !== undefined && axis.kind !== "plain"
            ? plainText(printAxis(axis))
            : known !== undefined
              ? showKnown(known)
              : axis === undefined
                ? writtenArgument(block, setting.name)
                : plainText(printAxis(axis));
      return { name: setting.name, value };
    });
    const show = (type: ValueType): string => printValueType(substituteType(type, inner.bindings));
    const inputs = header.params.map((p) => `${p.name}: ${show(p.type)}`).join(", ");
    const outputs = header.results.map((r) => `${r.name}: ${show(r.type)}`).join(", ");
    return {
      name: info.decl.name.text,
      block: block.decl.name.text,
      doc: block.decl.doc,
      family: null,
      members: null,
      optional: false,
      params,
      signature: `${inputs} -> ${header.results.length === 1 ? outputs : `(${outputs})`}`,
      weights: path === null ? [] : path.weights.map((w) => weight(w, inner, place)),
      states:
        path === null
          ? []
          : path.states.map((s) => ({
              name: s.decl.name.text,
              shape: printValueType(substituteType(s.type, inner.bindings)),
            })),
      parts: path === null ? [] : path.parts.flatMap((p) => part(p, inner, place)),
    };
  };
  return { part, weight };
}

function writtenArgument(block: BlockValue & { kind: "block" }, name: string): string {
  const expr = block.args.get(name)?.expr ?? null;
  if (expr === null) return "default";
  return expr.kind === "name" ? expr.text : spanText(expr.span); // what `..` took has the span of the `..`
}

const joinNames = (a: string, b: string): string => (a === "" ? b : b === "" ? a : `${a}.${b}`);
const sizeText = (axis: Axis, env: Env): string => plainText(printAxis(mapSizes(axis, env)));
const mapSizes = (axis: Axis, env: Env): Axis => {
  const [mapped] = substituteType({ axes: [axis], element: { kind: "bool" } }, env.bindings).axes;
  return mapped ?? axis;
};

function countOf(axis: Axis, env: Env): number | null {
  const size = sizeOf(mapSizes(axis, env));
  return size === null ? null : asNumber(size);
}

/** `{L}` filled in; indices of families stay in braces. */
function fillName(literal: StringLiteral, env: Env, place: Place, index?: string): string {
  let name = literal.value;
  for (const hole of holesOf(literal)) {
    if (hole.name === index) continue;
    const value = env.scope.value(hole.name);
    if (value === undefined && place.indices.has(hole.name)) continue;
    if (value !== undefined)
      name = name.replaceAll(`{${hole.name}}`, typeof value === "string" ? value : showKnown(value));
  }
  return name;
}

/** Members of a family in groups that are alike, found by evaluating what depends on the index. */
function variantsOf(info: PartInfo, env: Env): readonly Variant[] {
  const { family, block } = info;
  if (family === null) return [{ block, env, members: null, condition: "", undecided: false }];
  const count = countOf(family.axis, env);
  const all = count === null || count > mostMembers ? null : Array.from({ length: count }, (_, i) => i);
  const differing = dependents(info.decl.block, family.index, block);
  if (differing.length === 0) return [{ block, env, members: all, condition: "", undecided: false }];
  const withIndex = (i: number): Env => ({
    ...env,
    scope: { ...env.scope, value: (name) => (name === family.index ? BigInt(i) : env.scope.value(name)) },
  });
  if (all !== null) {
    const groups = new Map<string, number[]>();
    for (const i of all) {
      const { scope } = withIndex(i);
      const keys = differing.map((e) => differenceKey(e, family.index, scope));
      if (keys.includes(null)) return [{ block, env, members: all, condition: "", undecided: true }];
      const key = keys.join(";");
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [i]);
      else group.push(i);
    }
    return [...groups.values()].map((members) => ({
      block,
      env: withIndex(members[0] ?? 0),
      members,
      condition: `${family.index} in ${runs(members)}`,
      undecided: false,
    }));
  }
  return [{ block, env, members: all, condition: "", undecided: true }];
}

/** What an expression is for one member, as text: its value, or which of its branches stands for it. */
function differenceKey(expr: Expr, index: string, scope: StaticScope): string | null {
  const value = evaluateStatic(expr, scope);
  if (value !== undefined) return showKnown(value);
  if (expr.kind === "group") return differenceKey(expr.inner, index, scope);
  if (expr.kind === "conditional") {
    const truth = evaluateStatic(expr.condition, scope);
    return typeof truth === "boolean" ? differenceKey(truth ? expr.then : expr.else, index, scope) : null;
  }
  return mentions(expr, index) ? null : spanText(expr.span);
}

/** `0..2, 5, 7..9` */
function runs(members: readonly number[]): string {
  const parts: string[] = [];
  for (let i = 0; i < members.length; ) {
    let end = i;
    while (members[end + 1] === (members[end] ?? 0) + 1) end += 1;
    parts.push(end === i ? String(members[i]) : `${members[i]}..${members[end]}`);
    i = end + 1;
  }
  return parts.length > 8 ? `${parts.slice(0, 7).join(", ")}, …` : parts.join(", ");
}

/** Conditions and arguments below a block expression that mention the index. */
function dependents(expr: Expr, index: string, block: BlockValue): readonly Expr[] {
  const found: Expr[] = [];
  const visit = (value: BlockValue): void => {
    if (value.kind === "choice") {
      if (mentions(value.condition, index)) found.push(value.condition);
      visit(value.yes);
      visit(value.no);
    }
    if (value.kind === "block") {
      for (const arg of value.args.values()) {
        if (arg.value.block !== null) visit(arg.value.block);
        else if (arg.expr !== null && mentions(arg.expr, index)) found.push(arg.expr);
      }
    }
  };
  visit(block);
  void expr;
  return found;
}

interface Resolved {
  readonly block: BlockValue & { kind: "block" };
  readonly env: Env;
  readonly condition: string;
}

/** The blocks a value may be here: one when its conditions are decided. Parameters that only name each other are none. */
function resolve(value: BlockValue, env: Env, condition = "", depth = 0): readonly Resolved[] {
  if (depth > mostDepth) return [];
  switch (value.kind) {
    case "none":
      return [];
    case "block":
      return [{ block: value, env, condition }];
    case "opaque": {
      const passed = env.block(value.name);
      return passed === null ? [] : resolve(passed.value, passed.env, condition, depth + 1);
    }
    case "choice": {
      const truth = evaluateStatic(value.condition, env.scope);
      if (typeof truth === "boolean") return resolve(truth ? value.yes : value.no, env, condition, depth + 1);
      const text = spanText(value.condition.span).replace(/\s+/g, " ");
      return [...resolve(value.yes, env, text, depth + 1), ...resolve(value.no, env, `not (${text})`, depth + 1)];
    }
  }
}

function blockName(value: BlockValue, env: Env): string {
  const names = resolve(value, env).map((r) => r.block.decl.name.text);
  return names.length === 0 ? "null" : [...new Set(names)].join(" | ");
}

/** The block's own names at this place. */
function enter(decl: DeclInfo, block: BlockValue & { kind: "block" }, home: Env, info: PartInfo, caller: Env): Env {
  const header = decl.header;
  const bindings: Bindings = new Map();
  for (const [name, arg] of block.args) {
    if (arg.axis !== null) bindings.set(name, mapSizes(arg.axis, home));
    else if (arg.value.poly !== null) {
      const known = arg.expr === null ? undefined : evaluateStatic(arg.expr, home.scope);
      const size: Poly = typeof known === "bigint" ? constant(known) : substitutePoly(arg.value.poly, home.bindings);
      bindings.set(name, plainAxis(size));
    }
    // A size that depends on a family's index is evaluated where the index is known.
    if (arg.expr !== null && (arg.axis !== null || arg.value.poly !== null)) {
      const known = evaluateStatic(arg.expr, home.scope);
      if (typeof known === "bigint") bindings.set(name, plainAxis(constant(known)));
      else if (isPoly(known)) bindings.set(name, plainAxis(known));
    }
  }
  const eq = newEquation({ ...caller.body, quiet: true, deferred: [] }, block.span);
  if (header !== null) {
    for (const setting of header.settings) {
      const given = block.args.get(setting.name);
      if (given === undefined) continue;
      const type = substituteType({ axes: given.value.axes, element: given.value.element }, home.bindings);
      setting.type.axes.forEach((pattern, i) => {
        const actual = type.axes[i];
        if (actual !== undefined) solveAxis(pattern, actual, header.sizes, bindings, eq);
      });
    }
    for (const param of header.params) {
      const given = info.args.get(param.name);
      if (given === undefined) continue;
      const type = substituteType(given, caller.bindings);
      param.type.axes.forEach((pattern, i) => {
        const actual = type.axes[i];
        if (actual !== undefined) solveAxis(pattern, actual, header.sizes, bindings, eq);
      });
      if (param.type.element.kind === "index" && type.element.kind === "index") {
        solveAxis(param.type.element.of, type.element.of, header.sizes, bindings, eq);
      }
    }
    fillDefaults(header, bindings);
  }
  const memo = new Map<string, Known>();
  const scope: StaticScope = {
    value: (name) => {
      if (memo.has(name)) return memo.get(name);
      memo.set(name, undefined);
      const value = ownValue(name, decl, block, home, bindings, scope);
      memo.set(name, value);
      return value;
    },
    fn: home.scope.fn,
    config: () => undefined,
    facts: home.scope.facts,
  };
  return {
    scope,
    bindings,
    body: caller.body,
    block: (name) => {
      const value = block.args.get(name)?.value.block ?? null;
      return value === null ? null : { value, env: home };
    },
  };
}

const aBlock: Known = { kind: "list", items: [] };

function ownValue(
  name: string,
  decl: DeclInfo,
  block: BlockValue & { kind: "block" },
  home: Env,
  bindings: Bindings,
  scope: StaticScope,
): Known {
  const arg = block.args.get(name);
  if (arg?.value.block != null) {
    const found = resolve(arg.value.block, home);
    return found.length === 0 ? null : aBlock;
  }
  const evaluated = arg?.expr == null ? undefined : evaluateStatic(arg.expr, home.scope);
  if (evaluated === null) return null; // a size that config.json says there is none of
  const axis = bindings.get(name);
  const size = axis === undefined ? null : sizeOf(axis);
  if (size !== null) return asConstant(size) ?? size;
  if (arg !== undefined) return evaluated === undefined ? constantOf(arg.value) : evaluated;
  const setting = decl.header?.settings.find((s) => s.name === name);
  return setting?.node.default == null ? undefined : evaluateStatic(setting.node.default, scope);
}

const constantOf = (value: Value): Known => (value.element.kind === "null" ? null : value.constant);
