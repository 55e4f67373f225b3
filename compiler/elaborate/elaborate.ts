/**
 * From a checked, bound model to tensor graphs: one graph an entry, with layers as repeats, and the tensors that hold
 * the numbers of its weights. Sizes of the config stay names (`D = 4096`) in the graph.
 */
import type { Block, Entry, Expr, Fn, Law, Param, ParamDecl, Runtime } from "../../dsl/ast/nodes.ts";
import type { BoundModel } from "../../dsl/checker/check-project.ts";
import type { DeclInfo, PathInfo, Static } from "../../dsl/checker/context.ts";
import { ungroup } from "../../dsl/checker/keys.ts";
import { evaluateStatic, isPoly, type StaticScope } from "../../dsl/checker/static.ts";
import type { Span } from "../../dsl/diagnostics/source.ts";
import type { Builder } from "../graph/builder.ts";
import { addDim, type Dim, dim } from "../graph/dim.ts";
import type { Graph, Node, SizeRange } from "../graph/node.ts";
import { add, dimValue, read } from "../graph/scalar.ts";
import { asSize } from "./arithmetic.ts";
import { type Axis, allLeaves, layoutDims, layoutSize, plain, whole } from "./axis.ts";
import {
  ElaborationError,
  type FamilyRun,
  type FormatRule,
  type Frame,
  type Memory,
  type Unit,
  type WeightSource,
} from "./context.ts";
import { define, withLayouts } from "./define.ts";
import { outside } from "./labels.ts";
import { nodeOf } from "./materialize.ts";
import { declaredLayouts, layoutFrom } from "./range.ts";
import { newUnit } from "./unit.ts";
import { asTensor, heldAs, staticValue, type Tensor, type Value } from "./value.ts";

export interface Elaborated {
  readonly graph: Graph;
  readonly builder: Builder;
  readonly weights: ReadonlyMap<string, WeightSource>;
  /** Names of the results, in the order of the graph's. */
  readonly results: readonly string[];
  /** Which members of families the labels of nodes stand for. */
  readonly runs: ReadonlyMap<string, FamilyRun>;
  /** Labels of definitions that are no nodes of their own, and those of the nodes that hold their values. */
  readonly aliases: ReadonlyMap<string, string>;
  /** Where the text defines what labels name. */
  readonly places: ReadonlyMap<string, Span>;
  /** What a call gives, by name, with what each of its integers must be below; null where the text says nothing of that. */
  readonly inputs: ReadonlyMap<string, Dim | null>;
}

export interface ElaborateOptions {
  readonly model: BoundModel;
  readonly declared: (decl: Fn | Block | Law) => DeclInfo;
  readonly entry: string;
  /** Results that are wanted; all without it. */
  readonly results?: readonly string[];
  /** Definitions to keep as nodes, by path (`layer.attn.q`), where they only rename something too. */
  readonly keep?: (label: string) => boolean;
  /** How values are kept, by path, where that is not f32. */
  readonly format?: (path: string) => FormatRule | null;
}

/** Throws ElaborationError for what the text says and elaboration cannot do yet. */
export function elaborate(options: ElaborateOptions): Elaborated {
  const entry = options.model.path.entries.get(options.entry);
  if (entry === undefined) throw new Error(`the model has no entry ${options.entry}`);
  const { unit, root, ranges } = startModel(options);
  const inputs = new Map<string, Dim | null>();
  const frame = entryFrame(entry.decl, entry.info, root, inputs);
  for (const { decl } of entry.info.states) define(decl.name.text, frame);
  const wanted = entry.decl.results.filter((r) => options.results?.includes(r.name.text) ?? true);
  const results: Node[] = wanted.map((result) => {
    const value = define(result.name.text, frame);
    if (value === null) throw new ElaborationError("this result has no value", result.span);
    const layouts = result.type.axes === null ? null : declaredLayouts(result.type.axes, outside(frame));
    return nodeOf(unit, result.name.text, asTensor(withLayouts(value, layouts)));
  });
  unit.settle();
  return {
    graph: { name: options.entry, sizes: ranges, results, effects: unit.effects[0] ?? [] },
    builder: unit.builder,
    weights: unit.weights,
    results: wanted.map((r) => r.name.text),
    runs: unit.runs,
    aliases: unit.aliases,
    places: unit.places,
    inputs,
  };
}

/** The same for some of its results. What a call remembers is the same, whichever of them it is asked for. */
export function withResults(whole: Elaborated, names: readonly string[]): Elaborated {
  const { graph, results } = whole;
  const isAsked = (_: unknown, i: number): boolean => names.includes(results[i] ?? "");
  return { ...whole, results: results.filter(isAsked), graph: { ...graph, results: graph.results.filter(isAsked) } };
}

export interface StartedModel {
  readonly unit: Unit;
  readonly root: Frame;
  readonly ranges: ReadonlyMap<string, SizeRange>;
}

function known(expr: Expr, scope: StaticScope): Static | undefined {
  const value = evaluateStatic(expr, scope);
  return isPoly(value) ? undefined : value;
}

/** The model's own frame: its fields as sizes and numbers, its run-time sizes with their ranges. */
export function startModel({ model, declared, keep, format }: Omit<ElaborateOptions, "entry">): StartedModel {
  const { sizes, given, numbers } = fieldsOf(model);
  const ranges = new Map<string, SizeRange>(
    Object.entries(numbers).map(([name, n]) => [name, { low: n, high: n }] as const),
  );
  const memories: Memory[] = [];
  const prefixes = new Map<object, string>(model.path.items.map(({ item, ancestor }) => [item, ancestor.prefix]));
  const unit = newUnit({
    declared,
    numbers,
    memories,
    config: (expr) => known(expr, model.config.scope),
    staticIn: (expr, members) => {
      const { scope } = model.config;
      return known(expr, { ...scope, value: (name) => members.get(name) ?? scope.value(name) });
    },
    prefixOf: (decl) => prefixes.get(decl) ?? "",
    ...(keep === undefined ? {} : { keep }),
    ...(format === undefined ? {} : { format }),
  });
  const root: Frame = {
    info: model.path.info,
    outer: null,
    sizes,
    given,
    blocks: new Map(),
    known: new Map(),
    label: "",
    prefix: "",
    stacks: [],
    around: [],
    memo: new Map(),
    unit,
  };
  const tokens = tokenSizes(model);
  for (const { item } of model.path.items) {
    if (item.kind !== "runtime") continue;
    const name = item.name.text;
    const range = rangeOfSize(item, root);
    if (item.scalar.text !== "memory") {
      ranges.set(name, range);
      sizes.set(name, whole(plain(dim(name))));
      continue;
    }
    // The memory of a call is what was there before and the call's own tokens: S >= T by construction.
    const token = dim(tokens.get(name) ?? "T");
    const before = dim(`${name}0`);
    ranges.set(`${name}0`, { low: 0, high: Math.max(0, range.high - 1) });
    memories.push({ size: addDim(before, token), before, token });
    sizes.set(name, whole(plain(addDim(before, token))));
  }
  return { unit, root, ranges };
}

interface Fields {
  readonly sizes: Map<string, Axis>;
  readonly given: Map<string, Value>;
  readonly numbers: Readonly<Record<string, number>>;
}

/** Whole numbers with a name in upper case are sizes of the graph; everything else is a number, a text or a list. */
function fieldsOf(model: BoundModel): Fields {
  const names = model.path.items.flatMap(({ item }) =>
    item.kind === "config"
      ? item.entries.flatMap((e) => (e.kind === "field" ? e.names : []))
      : item.kind === "param"
        ? item.names
        : [],
  );
  const numbers: Record<string, number> = {};
  const sizes = new Map<string, Axis>();
  const given = new Map<string, Value>();
  for (const param of model.path.items.flatMap(({ item }) => (item.kind === "param" ? [item] : [])))
    checkOption(param, model);
  for (const { text } of names) {
    const value = model.config.scope.value(text);
    if (value === undefined || isPoly(value)) continue;
    if (typeof value === "bigint" && value >= 1n && /^[A-Z]/.test(text)) {
      numbers[text] = Number(value);
      sizes.set(text, whole(plain(dim(text))));
    } else given.set(text, staticValue(value));
  }
  return { sizes, given, numbers };
}

/** The default of an option may come from the config as anything at all: the checker looks at the types of fields alone. */
function checkOption({ type, names, span }: ParamDecl, model: BoundModel): void {
  const word = type.scalar?.kind === "word" ? type.scalar.word.text : type.scalar === null ? "real" : "";
  for (const { text } of names) {
    const value = model.config.scope.value(text);
    if (value === undefined || value === null || isPoly(value) || type.axes !== null) continue;
    const whole = typeof value === "bigint";
    const fits =
      word === "real" ? whole || typeof value === "number" : word === "bool" ? typeof value === "boolean" : true;
    if (!fits) throw new ElaborationError(`\`${text}\` is of the wrong type: ${word} is expected`, span);
  }
}

function rangeOfSize(item: Runtime, root: Frame): SizeRange {
  const range = ungroup(item.range);
  const bound = (side: "left" | "right"): number => {
    const value = range.kind === "binary" ? root.unit.rules.evaluate(range[side], outside(root)) : staticValue(0n);
    const size = asSize(value);
    return (size === null ? null : root.unit.number(size)) ?? 0;
  };
  return { low: bound("left"), high: bound("right") };
}

/** The token size that goes with each memory: that of the arguments `pos: [T] in S`. */
function tokenSizes(model: BoundModel): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const { decl } of model.path.entries.values()) {
    for (const param of decl.params) {
      const { scalar, axes } = param.type;
      const token = axes?.[0]?.size;
      if (scalar?.kind === "index-type" && scalar.axis.kind === "name" && token?.kind === "name" && axes?.length === 1)
        found.set(scalar.axis.text, token.text);
    }
  }
  return found;
}

function entryFrame(decl: Entry, info: PathInfo, root: Frame, inputs: Map<string, Dim | null>): Frame {
  const given = new Map<string, Value>();
  const frame: Frame = { ...root, info, outer: root, given, sizes: new Map(), memo: new Map() };
  for (const param of decl.params) {
    for (const name of param.names) given.set(name.text, argument(name.text, param, frame, inputs));
  }
  return frame;
}

/** An argument: positions are the rows after those remembered; anything else is given at each call. */
function argument(name: string, param: Param, frame: Frame, inputs: Map<string, Dim | null>): Tensor {
  const { unit } = frame;
  const eq = outside(frame, name);
  const layouts = declaredLayouts(param.type.axes ?? [], eq).map((layout) => {
    if (layout === null) throw new ElaborationError("an argument has sizes", param.span);
    return layout;
  });
  const axes = layouts.map(whole);
  const { scalar } = param.type;
  const of = scalar?.kind === "index-type" ? layoutFrom(scalar.axis, eq) : null;
  const memory = of === null ? undefined : unit.memories.find((m) => m.size.key === layoutSize(of).key);
  const leaf = (positions: Parameters<Tensor["at"]>[0]) => allLeaves(positions, axes);
  if (of !== null && memory !== undefined && axes.length === 1) {
    const at: Tensor["at"] = (positions) => {
      const [token] = leaf(positions);
      return token === undefined ? dimValue(memory.before) : add(token, dimValue(memory.before));
    };
    return { kind: "tensor", axes, dtype: "i32", of, at };
  }
  const dtype = heldAs(scalar);
  inputs.set(name, of === null ? null : layoutSize(of));
  const node = unit.builder.input(name, layouts.flatMap(layoutDims), dtype);
  const at: Tensor["at"] = (positions) => read(node, leaf(positions));
  return { kind: "tensor", axes, dtype, ...(of === null ? {} : { of }), at };
}
