/** A model with its `extends` written out: `dsc fmt --flat`. Works on text, so that comments inside items stay. */
import type { Config, Expr, File, If, Model, ModelItem, StringLiteral } from "../ast/nodes.ts";
import { makeSource, type Span, spanText } from "../diagnostics/source.ts";
import { formatSource } from "../format/format.ts";
import { configPath } from "./inherit.ts";

interface Level {
  readonly model: Model;
  readonly file: File;
  /** `$` of this model in the config of the flat one: `.language_config`. */
  readonly root: string;
  readonly prefix: string;
  /** Config fields that a later model of the chain overrides. */
  readonly replaced: ReadonlySet<string>;
}

/** The text of the last model of `file` with everything it inherits; null when there is no model, or a parent is missing. */
export function flattenModel(file: File, files: ReadonlyMap<string, File>): string | null {
  const models = file.declarations.filter((d): d is Model => d.kind === "model");
  const model = models.at(-1);
  if (model === undefined) return null;
  const chain = chainOf(model, file, files);
  if (chain === null) return null;
  const items: { text: string; names: readonly string[] }[] = [];
  for (const level of chain) {
    for (const item of level.model.items) addItem(item, level, items);
  }
  const doc =
    model.doc === null
      ? ""
      : `${model.doc
          .split("\n")
          .map((line) => `/// ${line}`.trimEnd())
          .join("\n")}\n`;
  const helpers = chain.flatMap(({ file: f }) =>
    f.declarations.filter((d) => d.kind === "fn" || d.kind === "block").map((d) => `${spanText(d.span)}\n`),
  );
  const text = `${importsOf(chain)}\n${[...new Set(helpers)].join("\n")}\n${doc}model ${model.name.text} {\n${items.map((i) => i.text).join("\n")}\n}\n`;
  return formatSource(makeSource(file.source.path, text)).text;
}

function chainOf(model: Model, file: File, files: ReadonlyMap<string, File>): readonly Level[] | null {
  const chain: Level[] = [];
  let at: Model = model;
  let home = file;
  let root = "";
  let prefix = "";
  let replaced: ReadonlySet<string> = new Set();
  for (;;) {
    chain.unshift({ model: at, file: home, root, prefix, replaced });
    replaced = new Set([...replaced, ...at.items.flatMap(overriddenFields)]);
    const { parent }: Model = at;
    if (parent === null) return chain;
    const found = findModel(parent.name.text, home, files);
    if (found === null || chain.some((l) => l.model === found.model)) return null;
    const path: readonly string[] = parent.root === null ? [] : (configPath(parent.root) ?? []);
    root += path.map((name) => `.${name}`).join("");
    if (parent.prefix !== null) prefix = prefix === "" ? parent.prefix.value : `${prefix}.${parent.prefix.value}`;
    at = found.model;
    home = found.file;
  }
}

const overriddenFields = (item: ModelItem): readonly string[] =>
  item.kind !== "config" || item.override === null
    ? []
    : item.entries.flatMap((entry) => (entry.kind === "field" ? entry.names.map(({ text }) => text) : []));

function findModel(
  name: string,
  file: File,
  files: ReadonlyMap<string, File>,
): { readonly model: Model; readonly file: File } | null {
  const here = file.declarations.find((d): d is Model => d.kind === "model" && d.name.text === name);
  if (here !== undefined) return { model: here, file };
  const from = file.imports.find((i) => i.names.some((n) => n.text === name));
  if (from === undefined) return null;
  for (const [path, other] of files) {
    if (path !== resolvePath(file.source.path, from.from.value)) continue;
    const model = other.declarations.find((d): d is Model => d.kind === "model" && d.name.text === name);
    return model === undefined ? null : { model, file: other };
  }
  return null;
}

function resolvePath(from: string, to: string): string {
  const ending = to.endsWith(".ds") ? to : `${to}.ds`;
  if (to.startsWith("std/")) return ending;
  const parts = from.split("/").slice(0, -1);
  for (const part of ending.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "." && part !== "") parts.push(part);
  }
  return parts.join("/");
}

/** Every import of the chain once, relative to the flat file; imports of the models themselves are gone. */
function importsOf(chain: readonly Level[]): string {
  const models = new Set(chain.map((l) => l.model.name.text));
  const byPath = new Map<string, Set<string>>();
  const home = chain.at(-1)?.file.source.path ?? "";
  for (const { file } of chain) {
    for (const node of file.imports) {
      const names = node.names.map((n) => n.text).filter((n) => !models.has(n));
      if (names.length === 0) continue;
      const path = node.from.value.startsWith("std/")
        ? node.from.value
        : relativePath(home, resolvePath(file.source.path, node.from.value));
      const known = byPath.get(path) ?? new Set();
      for (const name of names) known.add(name);
      byPath.set(path, known);
    }
  }
  return [...byPath].map(([path, names]) => `import ${[...names].join(", ")} from ${JSON.stringify(path)}\n`).join("");
}

function relativePath(from: string, to: string): string {
  const a = from.split("/").slice(0, -1);
  const b = to.replace(/\.ds$/, "").split("/");
  let common = 0;
  while (common < a.length && common < b.length - 1 && a[common] === b[common]) common += 1;
  const up = a.slice(common).map(() => "..");
  return `${up.length === 0 ? "./" : ""}${[...up, ...b.slice(common)].join("/")}`;
}

const keysOf = (item: ModelItem): readonly string[] => {
  switch (item.kind) {
    case "weight":
    case "part":
    case "entry":
    case "phase":
    case "loop":
      return [`${item.kind} ${item.name.text}`];
    case "slot":
      return [`block ${item.name.text}`];
    case "equation":
      return item.targets.map((t) => `equation ${t.name.text}`);
    default:
      return [];
  }
};

function addItem(item: ModelItem, level: Level, items: { text: string; names: readonly string[] }[]): void {
  if (item.kind === "if") {
    items.push({ text: ifText(item, level, items), names: [] });
    return;
  }
  const names = keysOf(item);
  const text = itemText(item, level);
  if (item.override !== null) {
    const place = items.findIndex((i) => i.names.some((n) => names.includes(n)));
    if (place >= 0) {
      items[place] = { text, names };
      return;
    }
  }
  items.push({ text, names });
}

/** What an `if` overrides stays in its other branch as the parent had it. */
function ifText(item: If, level: Level, items: { text: string; names: readonly string[] }[]): string {
  const kept = (branch: readonly ModelItem[]): string[] =>
    branch.flatMap((inner) => {
      if (inner.override === null) return [];
      const names = keysOf(inner);
      const place = items.findIndex((i) => i.names.some((n) => names.includes(n)));
      const old = items[place];
      if (old === undefined) return [];
      items.splice(place, 1);
      return [old.text];
    });
  const body = (branch: readonly ModelItem[]): string =>
    branch.map((inner) => (inner.kind === "if" ? ifText(inner, level, items) : itemText(inner, level))).join("\n");
  const fromThen = kept(item.then);
  const fromElse = kept(item.else ?? []);
  const then = [body(item.then), ...fromElse].join("\n");
  const otherwise = [body(item.else ?? []), ...fromThen].filter((t) => t !== "").join("\n");
  const condition = rewritten(item.condition, level);
  return `if ${condition} {\n${then}\n}${otherwise === "" ? "" : ` else {\n${otherwise}\n}`}`;
}

/** The text of an item, `override` left out, `$` and tensor names moved to where they are in the flat model. */
function itemText(item: ModelItem, level: Level): string {
  const { source, start, end } = item.span;
  const edits = editsOf(item, level);
  if (item.override !== null) edits.push({ start: item.override.start, end: item.override.end, text: "" });
  return applyEdits(source.text, start, end, edits).trim();
}

const rewritten = (expr: Expr, level: Level): string =>
  applyEdits(expr.span.source.text, expr.span.start, expr.span.end, editsOf(expr, level));

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

function applyEdits(text: string, start: number, end: number, edits: readonly Edit[]): string {
  let result = "";
  let at = start;
  for (const edit of [...edits].sort((a, b) => a.start - b.start)) {
    if (edit.start < at) continue;
    result += text.slice(at, edit.start) + edit.text;
    at = edit.end;
  }
  return result + text.slice(at, end);
}

function editsOf(node: ModelItem | Expr, level: Level): Edit[] {
  const edits: Edit[] = node.kind === "config" ? fieldEdits(node, level.replaced) : [];
  if (level.root !== "") {
    visitNodes(node, (inner) => {
      if (inner.kind === "config-root")
        edits.push({ start: inner.span.start, end: inner.span.end, text: `$${level.root}` });
    });
  }
  if (level.prefix !== "") {
    for (const literal of tensorNames(node)) {
      edits.push({
        start: literal.span.start,
        end: literal.span.end,
        text: JSON.stringify(`${level.prefix}.${literal.value}`),
      });
    }
  }
  return edits;
}

/** Takes out the fields, or of fields of one type the names, that are overridden. */
function fieldEdits(config: Config, replaced: ReadonlySet<string>): Edit[] {
  return config.entries.flatMap((entry): Edit[] => {
    if (entry.kind !== "field") return [];
    const names = entry.names.map(({ text }) => text);
    const kept = names.filter((name) => !replaced.has(name));
    const [first, last] = [entry.names[0], entry.names.at(-1)];
    if (kept.length === names.length || first === undefined || last === undefined) return [];
    if (kept.length === 0) return [{ ...withComments(entry.span), text: "" }];
    return [{ start: first.span.start, end: last.span.end, text: kept.join(", ") }];
  });
}

/** With the documentation before, and what else stands on the last line. */
function withComments({ source, start, end }: Span): { readonly start: number; readonly end: number } {
  const before = /(?:(?<=\n)[ \t]*\/\/\/[^\n]*\n)*[ \t]*$/.exec(source.text.slice(0, start))?.[0] ?? "";
  const after = /^[ \t]*\/\/[^\n]*/.exec(source.text.slice(end))?.[0] ?? "";
  return { start: start - before.length, end: end + after.length };
}

function visitNodes(
  value: unknown,
  see: (node: { readonly kind: string; readonly span: { readonly start: number; readonly end: number } }) => void,
): void {
  if (typeof value !== "object" || value === null) return;
  if (Array.isArray(value)) {
    for (const inner of value) visitNodes(inner, see);
    return;
  }
  if ("kind" in value && "span" in value) see(value as Parameters<typeof see>[0]);
  for (const [key, inner] of Object.entries(value)) if (key !== "span") visitNodes(inner, see);
}

/** Names of tensors that an item of a model declares by itself; those inside blocks hang below a part. */
function tensorNames(node: ModelItem | Expr): readonly StringLiteral[] {
  switch (node.kind) {
    case "weight":
      return [...node.spellings, ...node.copies];
    case "part":
      return node.at === null ? [] : [node.at];
    case "ignore":
      return node.patterns;
    default:
      return [];
  }
}
