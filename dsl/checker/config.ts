/** A model's config fields and options, given values: from config.json and from `--set`. */
import type { ConfigField, Expr, ParamDecl, TypeNode } from "../ast/nodes.ts";
import { makeSource, type Source, type Span, spanText } from "../diagnostics/source.ts";
import { closest } from "../diagnostics/suggest.ts";
import { noFacts } from "../types/facts.ts";
import { isIntegerWord } from "../types/value-type.ts";
import type { Entity, Static } from "./context.ts";
import { parseExactJson } from "./exact-json.ts";
import { configPath, type TaggedItem } from "./inherit.ts";
import { jsonSpan } from "./json-source.ts";
import type { CheckedModel, ModelPath } from "./model.ts";
import { type Recorder, report } from "./recorder.ts";
import { evaluateStatic, type Known, type StaticScope } from "./static.ts";
import { childrenOf } from "./sums.ts";
import { showKnown } from "./use.ts";

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

/** Deeper nesting than this is no config. */
const mostLevels = 64;

export function bindConfig(
  checked: CheckedModel,
  config: ConfigText | undefined,
  settings: ReadonlyMap<string, string>,
  recorder: Recorder,
): BoundConfig {
  const source = config === undefined ? null : makeSource(config.path, config.text);
  const root = source === null ? undefined : parseConfig(source, recorder);
  const given = root !== undefined;
  const fields = collect(checked);
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
      if (given && found.node.kind === "field")
        value = coerce(name, value, found, source, root, followsError, recorder);
      if (given) value = chosen(value, found, source, root, recorder);
      if (given) value = longEnough(value, found, scopeFor(found.tagged), source, root, recorder);
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
  const path = choosePath(checked, scope);
  if (given && path !== null) checkRequires(path, fields, scopeFor, source, recorder);
  return { scope, path, given };
}

interface Field {
  readonly name: string;
  readonly span: Span;
  readonly type: TypeNode;
  readonly node: ConfigField | ParamDecl;
  readonly tagged: TaggedItem;
}

function collect(checked: CheckedModel): ReadonlyMap<string, Field> {
  const fields = new Map<string, Field>();
  for (const path of checked.paths) {
    for (const tagged of path.items) {
      const { item } = tagged;
      const nodes =
        item.kind === "config"
          ? item.entries.flatMap((e) => (e.kind === "field" ? [e] : []))
          : item.kind === "param"
            ? [item]
            : [];
      for (const node of nodes) {
        for (const name of node.names)
          fields.set(name.text, { name: name.text, span: name.span, type: node.type, node, tagged });
      }
    }
  }
  return fields;
}

function collectDefinitions(checked: CheckedModel): ReadonlyMap<string, Entity> {
  const found = new Map<string, Entity>();
  for (const path of checked.paths) {
    for (const [name, entity] of path.body.scope.names)
      if (entity.source.kind === "definition" && !found.has(name)) found.set(name, entity);
  }
  return found;
}

function parseConfig(source: Source, recorder: Recorder): Known {
  const bad = (label: string, at: number): undefined => {
    report(recorder, "DS0128", {
      title: "config is not a JSON object",
      at: { source, start: at, end: Math.min(at + 1, source.text.length) },
      label,
    });
    return undefined;
  };
  let depth = 0;
  let inString = false;
  for (let i = 0; i < source.text.length; i += 1) {
    const c = source.text[i];
    if (inString) {
      if (c === "\\") i += 1;
      else if (c === '"') inString = false;
    } else if (c === '"') inString = true;
    else if (c === "{" || c === "[") {
      depth += 1;
      if (depth > mostLevels) return bad(`nested deeper than ${mostLevels} levels`, i);
    } else if (c === "}" || c === "]") depth -= 1;
  }
  try {
    const value = parseExactJson(source.text);
    if (typeof value !== "object" || value === null || Array.isArray(value))
      return bad("an object `{ … }` should stand here", 0);
    return fromJson(value);
  } catch (error) {
    const place = /position (\d+)/.exec(error instanceof Error ? error.message : "");
    return bad("this is not JSON", place?.[1] === undefined ? 0 : Number(place[1]));
  }
}

/** JSON as static values; whole numbers are integers, but those with an exponent that no double holds exactly. */
function fromJson(value: unknown): Known {
  if (value === null || typeof value === "boolean" || typeof value === "string" || typeof value === "bigint")
    return value;
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return { kind: "list", items: value.map((v) => fromJson(v) as Static) };
  return { kind: "object", members: value as Readonly<Record<string, unknown>> };
}

const membersOf = (value: Known): Readonly<Record<string, unknown>> | undefined =>
  typeof value === "object" && value !== null && "kind" in value && value.kind === "object" ? value.members : undefined;

function atPath(root: Known, path: readonly string[]): Known {
  let value: Known = root;
  for (const name of path) {
    const members = membersOf(value);
    if (members === undefined || !Object.hasOwn(members, name)) return null;
    value = fromJson(members[name]);
  }
  return value;
}

const hasPath = (root: Known, path: readonly string[]): boolean => {
  const members = membersOf(atPath(root, path.slice(0, -1)));
  return members !== undefined && Object.hasOwn(members, path.at(-1) ?? "");
};

/** All `$.a.b` below an expression. */
export function pathsIn(expr: Expr): readonly { readonly path: readonly string[]; readonly span: Span }[] {
  const path = configPath(expr);
  if (path !== null && path.length > 0) return [{ path, span: expr.span }];
  return childrenOf(expr).flatMap(pathsIn);
}

const namesIn = (expr: Expr): readonly string[] =>
  expr.kind === "name" ? [expr.text] : childrenOf(expr).flatMap(namesIn);

/** The value as its declared type asks; reports what is missing, null, or of another JSON type. */
function coerce(
  name: string,
  value: Known,
  field: Field,
  source: Source | null,
  root: Known,
  followsError: boolean,
  recorder: Recorder,
): Known {
  if (field.node.kind !== "field" || source === null) return value;
  const used = pathsIn(field.node.value).map((p) => ({ ...p, path: [...field.tagged.ancestor.root, ...p.path] }));
  const nullable = field.type.nullable !== null;
  const place = (path: readonly string[]): readonly { span: Span; text: string }[] => {
    const span = jsonSpan(source, path);
    return span === null ? [] : [{ span, text: "the value here" }];
  };
  if (value === null || value === undefined) {
    if (value === null && nullable) return null;
    if (value === undefined && followsError) return undefined;
    const missing = used.find((p) => !hasPath(root, p.path));
    const explicit = used.find((p) => hasPath(root, p.path) && atPath(root, p.path) === null);
    if (explicit !== undefined && (missing === undefined || value === null)) {
      report(recorder, "DS0122", {
        title: `\`${explicit.path.join(".")}\` may not be null`,
        at: explicit.span,
        label: `\`${name}\` needs a value`,
        secondary: place(explicit.path),
        help: `write \`?? default\` for a default, or the type \`${spanText(field.type.span)}?\``,
      });
    } else if (missing !== undefined) {
      const members = membersOf(atPath(root, missing.path.slice(0, -1))) ?? {};
      const near = closest(missing.path.at(-1) ?? "", Object.keys(members));
      report(recorder, "DS0120", {
        title: `${source.path} has no field \`${missing.path.join(".")}\``,
        at: missing.span,
        label: `\`${name}\` reads it`,
        help: near === null ? null : `${source.path} has \`${near}\``,
      });
    }
    return undefined;
  }
  const wrong = (expected: string): Known => {
    const shown = used.find((p) => hasPath(root, p.path));
    report(recorder, "DS0121", {
      title: `\`${shown?.path.join(".") ?? name}\` is of the wrong type`,
      at: shown?.span ?? field.span,
      label: `${expected} is expected, here is ${describe(value)}`,
      secondary: shown === undefined ? [] : place(shown.path),
    });
    return undefined;
  };
  return checkType(value, field.type, wrong);
}

/** Lists at least as long as the axes of the type, where these are known: what is behind belongs to nobody. */
function longEnough(
  value: Known,
  field: Field,
  scope: StaticScope,
  source: Source | null,
  root: Known,
  recorder: Recorder,
): Known {
  if (field.node.kind !== "field") return value;
  const sizes = (field.type.axes ?? []).map(({ size, of }) => (of === null ? evaluateStatic(size, scope) : undefined));
  const wrong = shortList(value, sizes);
  if (wrong === null) return value;
  const paths = pathsIn(field.node.value).map(({ path }) => [...field.tagged.ancestor.root, ...path]);
  const path = paths.find((p) => hasPath(root, p));
  const span = source === null || path === undefined ? null : jsonSpan(source, path);
  report(recorder, "DS0121", {
    title: `\`${path?.join(".") ?? field.name}\` is too short`,
    at: field.type.span,
    label: `a list of ${wrong.expected} is expected, here is one of ${wrong.found}`,
    secondary: span === null ? [] : [{ span, text: "the value here" }],
  });
  return undefined;
}

function shortList(
  value: Known,
  [size, ...rest]: readonly Known[],
): { readonly expected: bigint; readonly found: number } | null {
  if (typeof value !== "object" || value === null || !("kind" in value) || value.kind !== "list") return null;
  if (typeof size === "bigint" && BigInt(value.items.length) < size)
    return { expected: size, found: value.items.length };
  for (const item of value.items) {
    const inner = shortList(item, rest);
    if (inner !== null) return inner;
  }
  return null;
}

const choicesOf = ({ scalar }: TypeNode): readonly string[] | null =>
  scalar?.kind === "choice-type" ? scalar.choices.map(({ value }) => value) : null;

const orList = (texts: readonly string[]): string => texts.map((text) => JSON.stringify(text)).join(" or ");

/** A text that is none of the declared choices asks for a feature that the model does not have. */
function chosen(value: Known, field: Field, source: Source | null, root: Known, recorder: Recorder): Known {
  const choices = choicesOf(field.type);
  if (choices === null || typeof value !== "string" || choices.includes(value)) return value;
  const expr = field.node.kind === "field" ? field.node.value : field.node.default;
  const paths = expr === null ? [] : pathsIn(expr).map(({ path }) => [...field.tagged.ancestor.root, ...path]);
  const path = paths.find((p) => atPath(root, p) === value);
  const span = source === null || path === undefined ? null : jsonSpan(source, path);
  const near = closest(value, choices);
  report(recorder, "DS0124", {
    title: `this model does not have \`${path?.join(".") ?? field.name}\` ${describe(value)}`,
    at: field.type.span,
    label: `here ${field.name} = ${describe(value)}; it is ${orList(choices)}`,
    secondary: span === null ? [] : [{ span, text: `here ${describe(value)}` }],
    help: helpOf(near, field.node.doc),
  });
  return undefined;
}

/** What the text says of the field stands in the report: it may name the file that has the feature. */
const helpOf = (near: string | null, doc: string | null): string =>
  doc !== null
    ? doc.replace(/\s+/g, " ").trim()
    : near !== null
      ? `did you mean ${JSON.stringify(near)}?`
      : "another model file may describe this checkpoint";

const describe = (value: Known): string => {
  const text = showKnown(value);
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
};

function checkType(value: Known, type: TypeNode, wrong: (expected: string) => Known): Known {
  const rank = type.axes?.length ?? 0;
  if (rank > 0) {
    const check = (v: Known, depth: number): boolean => {
      if (depth === 0) return scalarFits(v, type) !== undefined;
      return (
        typeof v === "object" &&
        v !== null &&
        "kind" in v &&
        v.kind === "list" &&
        v.items.every((i) => check(i, depth - 1))
      );
    };
    return check(value, rank) ? deep(value, type) : wrong(rank === 1 ? "a list" : `a list of lists`);
  }
  if (type.scalar?.kind === "set-type") {
    if (typeof value === "object" && value !== null && "kind" in value) {
      if (value.kind === "set") return value;
      if (value.kind === "list" && value.items.every((i) => typeof i === "bigint"))
        return { kind: "set", items: value.items };
    }
    return wrong("a list of indices");
  }
  const fits = scalarFits(value, type);
  if (fits !== undefined) return fits;
  const word =
    type.scalar?.kind === "choice-type" ? "text" : type.scalar?.kind === "word" ? type.scalar.word.text : "real";
  const names: Readonly<Record<string, string>> = {
    bool: "true or false",
    text: "a string",
    dim: "a whole number of at least 1",
  };
  return wrong(names[word] ?? (isIntegerWord(word) ? "a whole number" : "a number"));
}

function deep(value: Known, type: TypeNode): Known {
  if (typeof value === "object" && value !== null && "kind" in value && value.kind === "list") {
    return { kind: "list", items: value.items.map((i) => deep(i, type) as Static) };
  }
  return scalarFits(value, type);
}

/** The value where its type fits; big integers may be decimal strings. */
function scalarFits(value: Known, type: TypeNode): Known {
  const { scalar } = type;
  if (scalar?.kind === "choice-type") return typeof value === "string" ? value : undefined;
  if (scalar !== null && scalar.kind !== "word") return typeof value === "bigint" ? value : undefined;
  const word = scalar === null ? "real" : scalar.word.text;
  if (word === "bool") return typeof value === "boolean" ? value : undefined;
  if (word === "text") return typeof value === "string" ? value : undefined;
  if (isIntegerWord(word)) {
    const whole =
      typeof value === "string" && /^-?\d{1,40}$/.test(value)
        ? BigInt(value)
        : typeof value === "number" && Number.isInteger(value)
          ? BigInt(value)
          : value;
    if (typeof whole !== "bigint") return undefined;
    return word === "dim" && whole < 1n ? undefined : whole;
  }
  return typeof value === "bigint" || typeof value === "number" ? value : undefined;
}

function readSettings(
  settings: ReadonlyMap<string, string>,
  fields: ReadonlyMap<string, Field>,
  recorder: Recorder,
): ReadonlyMap<string, Known> {
  const values = new Map<string, Known>();
  for (const [name, text] of settings) {
    const source = makeSource("--set", `${name}=${text}`);
    const field = fields.get(name);
    const whole: Span = { source, start: 0, end: name.length };
    if (field === undefined || field.node.kind !== "param") {
      const options = [...fields.values()].filter((f) => f.node.kind === "param").map((f) => f.name);
      const near = closest(name, options);
      report(recorder, "DS0241", {
        title: `the model has no option \`${name}\``,
        at: whole,
        label: field === undefined ? "no `param` of this name" : "this is a config field: change it in config.json",
        help:
          near !== null
            ? `did you mean \`${near}\`?`
            : options.length === 0
              ? "it has no options"
              : `its options: ${options.join(", ")}`,
      });
      continue;
    }
    const literal: Known =
      text === "true"
        ? true
        : text === "false"
          ? false
          : /^-?\d{1,40}$/.test(text)
            ? BigInt(text)
            : text !== "" && Number.isFinite(Number(text))
              ? Number(text)
              : text;
    const at: Span = { source, start: name.length + 1, end: source.text.length };
    const secondary = [{ span: field.span, text: "declared here" }];
    const fits = checkType(literal, field.type, (expected) => {
      report(recorder, "DS0227", {
        title: `option \`${name}\` is of the wrong type`,
        at,
        label: `${expected} is expected`,
        secondary,
      });
      return undefined;
    });
    const choices = choicesOf(field.type);
    if (choices !== null && typeof fits === "string" && !choices.includes(fits)) {
      const near = closest(fits, choices);
      report(recorder, "DS0219", {
        title: `${describe(fits)} is no choice of option \`${name}\``,
        at,
        label: `it is ${orList(choices)}`,
        secondary,
        help: near === null ? null : `did you mean ${JSON.stringify(near)}?`,
      });
    } else values.set(name, fits);
  }
  return values;
}

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
      const paths = field?.node.kind === "field" ? pathsIn(field.node.value) : [];
      const [span] = paths.flatMap(({ path }) =>
        source === null ? [] : (jsonSpan(source, [...(field?.tagged.ancestor.root ?? []), ...path]) ?? []),
      );
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

function checkConstraints(
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
function checkRequires(
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

function choosePath(checked: CheckedModel, scope: StaticScope): ModelPath | null {
  for (const path of checked.paths) {
    const refuted = path.conditions.some(({ expr, holds }) => {
      const value = evaluateStatic(expr, scope);
      return typeof value === "boolean" && value !== holds;
    });
    if (!refuted) return path;
  }
  return checked.paths[0] ?? null;
}
