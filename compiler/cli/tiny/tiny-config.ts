/** The published config with small sizes that the model's text accepts. */
import type { Expr } from "../../../dsl/ast/nodes.ts";
import type { BoundModel, CheckedProject } from "../../../dsl/checker/check-project.ts";
import { jsonSpan } from "../../../dsl/checker/json-source.ts";
import { evaluateStatic } from "../../../dsl/checker/static.ts";
import type { Diagnostic } from "../../../dsl/diagnostics/diagnostic.ts";
import { makeSource, spanText } from "../../../dsl/diagnostics/source.ts";
import { type JsonPath, leafPaths, listItems, pathKey, valueText, withValue } from "./json-text.ts";
import { representatives, shrunk } from "./shrink.ts";
import { readPaths, type SizeField, sizeFields } from "./size-fields.ts";

export interface TinyRequest {
  readonly published: string;
  readonly model: BoundModel;
  /** Checks the model with another config. */
  readonly check: (config: string) => CheckedProject;
  /** Values that were asked for, as JSON, by path. They are taken as they are. */
  readonly fixed: ReadonlyMap<string, { readonly path: JsonPath; readonly value: string }>;
}

export interface ChangedSize {
  readonly path: JsonPath;
  readonly from: number;
  readonly to: number;
}

export interface TinyConfig {
  readonly config: string;
  readonly checked: CheckedProject;
  readonly changed: readonly ChangedSize[];
}

/** What is wrong with the best config that was found. */
export interface NoTinyConfig {
  readonly diagnostics: readonly Diagnostic[];
}

/** Checks while a failing condition is mended; one takes some tenths of a second. */
const mostChecks = 160;

type Sizes = ReadonlyMap<string, { readonly path: JsonPath; readonly from: number; readonly to: number }>;

export function tinyConfig(request: TinyRequest): TinyConfig | NoTinyConfig {
  const fields = sizeFields(request.model);
  const start = startingSizes(request, fields);
  const mended = mend(start, request);
  const { model } = mended;
  if (model === null) return { diagnostics: mended.diagnostics };
  const cutting: Cutting = { request, fields, sizes: mended.sizes, model };
  const config = alignUnread(cutLists(mended.config, cutting), cutting);
  const checked = request.check(config);
  if (checked.bound === null || errorsOf(checked).length > 0) return { diagnostics: errorsOf(checked) };
  const changed = [...mended.sizes.values()].filter(({ from, to }) => from !== to);
  return { config, checked, changed };
}

function startingSizes({ published, fixed }: TinyRequest, fields: readonly SizeField[]): Sizes {
  const sizes = new Map<string, { path: JsonPath; from: number; to: number }>();
  for (const { kind, path } of fields) {
    const from: unknown = kind === "size" ? JSON.parse(valueText(published, path) ?? "null") : null;
    if (typeof from !== "number" || !Number.isSafeInteger(from) || fixed.has(pathKey(path))) continue;
    sizes.set(pathKey(path), { path, from, to: shrunk(from) });
  }
  return sizes;
}

function textWith(sizes: Sizes, { published, fixed }: TinyRequest): string {
  const given = [...fixed.values(), ...[...sizes.values()].map(({ path, to }) => ({ path, value: String(to) }))];
  return given.reduce((text, { path, value }) => withValue(text, path, value) ?? text, published);
}

interface Attempt {
  readonly sizes: Sizes;
  readonly config: string;
  readonly model: BoundModel | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** One size after the other is doubled, halved, …, published again while that leaves fewer conditions that fail. */
function mend(start: Sizes, request: TinyRequest): Attempt {
  let checks = 0;
  const attempt = (sizes: Sizes): Attempt => {
    checks += 1;
    const config = textWith(sizes, request);
    const checked = request.check(config);
    const diagnostics = errorsOf(checked);
    return { sizes, config, diagnostics, model: diagnostics.length === 0 ? checked.bound : null };
  };
  let best = attempt(start);
  while (best.diagnostics.length > 0) {
    const better = neighbours(best, request).find((sizes): boolean => {
      if (checks >= mostChecks) return false;
      const next = attempt(sizes);
      if (next.diagnostics.length >= best.diagnostics.length) return false;
      best = next;
      return true;
    });
    if (better === undefined) return best;
  }
  return best;
}

/** Other values of one size, those of sizes that a report points to first. */
function neighbours({ sizes, config, diagnostics }: Attempt, { published }: TinyRequest): readonly Sizes[] {
  const source = makeSource("config.json", config);
  const starts = new Set(diagnostics.flatMap((d) => [d.primary, ...d.secondary].map(({ span }) => span.start)));
  const blamed = (path: JsonPath): boolean => starts.has(jsonSpan(source, path)?.start ?? -1);
  const order = [...sizes].sort(([, a], [, b]) => Number(blamed(b.path)) - Number(blamed(a.path)));
  return order.flatMap(([key, size]) =>
    [2 * size.to, size.to / 2, 4 * size.to, size.to / 4, size.to + 1, size.from]
      .filter((to) => Number.isInteger(to) && to >= 1 && to <= Math.max(size.from, published.length))
      .map((to) => new Map([...sizes, [key, { ...size, to }]])),
  );
}

const errorsOf = (checked: CheckedProject): readonly Diagnostic[] =>
  checked.diagnostics.filter(({ severity }) => severity === "error");

interface Cutting {
  readonly request: TinyRequest;
  readonly fields: readonly SizeField[];
  readonly sizes: Sizes;
  /** Bound to the small sizes. */
  readonly model: BoundModel;
}

/**
 * Lists have an item for each index of their axes again; sets hold indices that there are. All that runs along one axis
 * keeps the same places: a layer keeps its entry of each list, and its place in each set.
 */
function cutLists(config: string, { fields, request, model }: Cutting): string {
  const lengthOf = (expr: Expr, of: BoundModel): number | null => {
    const value = evaluateStatic(expr, of.config.scope);
    return typeof value === "bigint" ? Number(value) : null;
  };
  const along = fields.flatMap((field): readonly Along[] => {
    const axis = field.kind === "list" ? field.axes[0] : field.kind === "indices" ? field.of : undefined;
    const items = listItems(valueText(config, field.path) ?? "");
    if (axis === undefined || items === null || request.fixed.has(pathKey(field.path))) return [];
    const inner = field.kind === "list" ? field.axes.slice(1).map((a) => lengthOf(a, model)) : [];
    return [{ path: field.path, axis: spanText(axis.span), isSet: field.kind === "indices", items, inner, expr: axis }];
  });
  return along.reduce((text, one) => {
    const before = lengthOf(one.expr, request.model);
    const after = lengthOf(one.expr, model);
    if (before === null || after === null) return text;
    const beside = along.filter(({ axis }) => axis === one.axis);
    const kinds = Array.from({ length: before }, (_, i) =>
      JSON.stringify(beside.map(({ isSet, items }) => (isSet ? items.includes(String(i)) : items[i]))),
    );
    const places = representatives(kinds, after);
    const kept = one.isSet
      ? places.flatMap((place, i) => (one.items.includes(String(place)) ? [String(i)] : []))
      : places.map((place) => cut(one.items[place] ?? "null", one.inner));
    return withValue(text, one.path, `[${kept.join(", ")}]`) ?? text;
  }, config);
}

/** A list or a set of config.json that runs along an axis. */
interface Along {
  readonly path: JsonPath;
  /** As the text writes it. */
  readonly axis: string;
  readonly expr: Expr;
  readonly isSet: boolean;
  readonly items: readonly string[];
  /** Lengths of a list's inner axes now. */
  readonly inner: readonly (number | null)[];
}

/**
 * What the text does not read but other programs may: a number that was a size shrinks as that size did, and a list of
 * as many items as a size had is cut to as many as it has.
 */
function alignUnread(config: string, { request, sizes }: Cutting): string {
  const read = new Set([...readPaths(request.model).map(pathKey), ...request.fixed.keys()]);
  const became = new Map<number, Set<number>>();
  for (const { from, to } of sizes.values()) became.set(from, (became.get(from) ?? new Set()).add(to));
  const sizeThatWas = (from: number): number | null => {
    const [to, other] = became.get(from) ?? [];
    return from <= 2 || to === undefined || other !== undefined ? null : to;
  };
  return leafPaths(JSON.parse(config))
    .filter((path) => !read.has(pathKey(path)))
    .reduce((text, path) => {
      const value = valueText(text, path) ?? "";
      const items = listItems(value);
      const kept =
        items === null ? (/^\d+$/.test(value) ? sizeThatWas(Number(value)) : null) : sizeThatWas(items.length);
      if (kept === null) return text;
      return withValue(text, path, items === null ? String(kept) : cut(value, [kept])) ?? text;
    }, config);
}

function cut(value: string, [kept, ...inner]: readonly (number | null)[]): string {
  const items = listItems(value);
  if (items === null || kept === undefined) return value;
  const places = kept === null ? [...items.keys()] : representatives(items, kept);
  return `[${places.map((i) => cut(items[i] ?? "null", inner)).join(", ")}]`;
}
