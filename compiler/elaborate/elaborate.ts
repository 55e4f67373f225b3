/**
 * From a checked, bound model to tensor graphs: one graph an entry, with layers as repeats, and the tensors that hold
 * the numbers of its weights. Sizes of the config stay names (`D = 4096`) in the graph.
 */
import type { Block, Entry, Fn, Law, Param } from "../../dsl/ast/nodes.ts";
import type { BoundModel } from "../../dsl/checker/check-project.ts";
import type { DeclInfo, PathInfo } from "../../dsl/checker/context.ts";
import { ungroup } from "../../dsl/checker/keys.ts";
import { isPoly } from "../../dsl/checker/static.ts";
import { Builder } from "../graph/builder.ts";
import { addDim, type Dim, dim } from "../graph/dim.ts";
import type { Append, DType, Graph, Node, SizeRange } from "../graph/node.ts";
import { add, dimValue, read } from "../graph/scalar.ts";
import { asSize, numberOfDim } from "./arithmetic.ts";
import { type Axis, axisLeaves, layoutSize, plain, whole } from "./axis.ts";
import { call } from "./call.ts";
import { ElaborationError, type Frame, type Memory, type Rules, type Unit, type WeightSource } from "./context.ts";
import { define, outside, withLayouts } from "./define.ts";
import { evaluate } from "./evaluate.ts";
import { Names } from "./index-variable.ts";
import { nodeOf } from "./materialize.ts";
import { declaredLayouts, layoutFrom } from "./range.ts";
import { asTensor, sizeValue, staticValue, type Tensor, type Value } from "./value.ts";

const rules: Rules = { evaluate, call, define };

export interface Elaborated {
  readonly graph: Graph;
  readonly builder: Builder;
  readonly weights: ReadonlyMap<string, WeightSource>;
  /** Names of the results, in the order of the graph's. */
  readonly results: readonly string[];
}

export interface ElaborateOptions {
  readonly model: BoundModel;
  readonly declared: (decl: Fn | Block | Law) => DeclInfo;
  readonly entry: string;
  /** Results that are wanted; all without it. */
  readonly results?: readonly string[];
  /** Definitions to keep as nodes, by path (`layer.attn.q`). */
  readonly keep?: (label: string) => boolean;
}

export function elaborate(options: ElaborateOptions): Elaborated {
  const { model } = options;
  const entry = model.path.entries.get(options.entry);
  if (entry === undefined) throw new Error(`the model has no entry ${options.entry}`);
  const started = startUnit(options);
  const { unit, root, ranges } = started;
  const frame = entryFrame(entry.decl, entry.info, root, unit);
  for (const { decl } of entry.info.states) define(decl.name.text, frame);
  const wanted = entry.decl.results.filter((r) => options.results?.includes(r.name.text) ?? true);
  const results: Node[] = wanted.map((result) => {
    const value = define(result.name.text, frame);
    if (value === null) throw new ElaborationError("this result has no value", result.span);
    const layouts = result.type.axes === null ? null : declaredLayouts(result.type.axes, outside(frame, ""));
    return nodeOf(unit, result.name.text, asTensor(withLayouts(value, layouts)));
  });
  unit.settle();
  const effects = unit.effects[0] ?? [];
  return {
    graph: { name: options.entry, sizes: ranges, results, effects },
    builder: unit.builder,
    weights: unit.weights,
    results: wanted.map((r) => r.name.text),
  };
}

interface Started {
  readonly unit: Unit;
  readonly root: Frame;
  readonly ranges: ReadonlyMap<string, SizeRange>;
}

/** The model's own frame: its fields as sizes and numbers, its run-time sizes with their ranges. */
function startUnit({ model, declared, keep }: ElaborateOptions): Started {
  const numbers: Record<string, number> = {};
  const ranges = new Map<string, SizeRange>();
  const sizes = new Map<string, Axis>();
  const given = new Map<string, Value>();
  const memories: Memory[] = [];
  const { items } = model.path;
  for (const { item } of items) {
    const fields =
      item.kind === "config"
        ? item.entries.flatMap((e) => (e.kind === "field" ? e.names : []))
        : item.kind === "param"
          ? item.names
          : [];
    for (const { text } of fields) {
      const value = model.config.scope.value(text);
      if (value === undefined || isPoly(value)) continue;
      if (typeof value === "bigint" && value >= 1n && /^[A-Z]/.test(text)) {
        numbers[text] = Number(value);
        ranges.set(text, { low: Number(value), high: Number(value) });
        sizes.set(text, whole(plain(dim(text))));
      } else given.set(text, staticValue(value));
    }
  }
  const unit = newUnit(
    declared,
    numbers,
    memories,
    keep ?? (() => false),
    (decl) => items.find((t) => t.item === decl)?.ancestor.prefix ?? "",
  );
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
  const runtime = items.flatMap(({ item }) => (item.kind === "runtime" ? [item] : []));
  const tokens = tokenSizes(model);
  for (const item of runtime) {
    const range = ungroup(item.range);
    const bound = (side: "left" | "right"): number => {
      const value = range.kind === "binary" ? evaluate(range[side], outside(root, "")) : staticValue(0n);
      const size = asSize(value);
      return (size === null ? null : numberOfDim(size, numbers)) ?? 0;
    };
    const name = item.name.text;
    if (item.scalar.text !== "memory") {
      ranges.set(name, { low: bound("left"), high: bound("right") });
      sizes.set(name, whole(plain(dim(name))));
      continue;
    }
    // The memory of a call is what was there before and the call's own tokens: S >= T by construction.
    const token = dim(tokens.get(name) ?? "T");
    const before = dim(`${name}0`);
    ranges.set(`${name}0`, { low: 0, high: Math.max(0, bound("right") - 1) });
    memories.push({ size: addDim(before, token), before, token });
    sizes.set(name, whole(plain(addDim(before, token))));
  }
  return { unit, root, ranges };
}

function newUnit(
  declared: Unit["declared"],
  numbers: Record<string, number>,
  memories: readonly Memory[],
  keep: (label: string) => boolean,
  prefixOf: (decl: object) => string,
): Unit {
  const pending: ((() => void) | null)[] = [];
  const effects: Append[][] = [[]];
  return {
    builder: new Builder(),
    names: new Names(),
    rules,
    declared,
    numbers,
    number: (size: Dim) => numberOfDim(size, numbers),
    weights: new Map(),
    effects,
    memories,
    prefixOf,
    keep,
    pending,
    settle: () => {
      for (let next = pending.pop(); next != null; next = pending.pop()) next();
      // Writes go into the graph in the order in which the text places them.
      effects.at(-1)?.sort((a, b) => a.state.id - b.state.id);
    },
  };
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

function entryFrame(decl: Entry, info: PathInfo, root: Frame, unit: Unit): Frame {
  const given = new Map<string, Value>();
  const frame: Frame = { ...root, info, outer: root, given, sizes: new Map(), memo: new Map() };
  for (const param of decl.params) {
    for (const name of param.names) given.set(name.text, argument(name.text, param, frame, unit));
  }
  return frame;
}

/** An argument: positions are the rows after those remembered; anything else is given at each call. */
function argument(name: string, param: Param, frame: Frame, unit: Unit): Tensor {
  const eq = outside(frame, name);
  const layouts = declaredLayouts(param.type.axes ?? [], eq).map((layout) => {
    if (layout === null) throw new ElaborationError("an argument has sizes", param.span);
    return layout;
  });
  const axes = layouts.map(whole);
  const { scalar } = param.type;
  const of = scalar?.kind === "index-type" ? layoutFrom(scalar.axis, eq) : null;
  const memory = of === null ? undefined : unit.memories.find((m) => m.size.key === layoutSize(of).key);
  if (of !== null && memory !== undefined && axes.length === 1) {
    return {
      kind: "tensor",
      axes,
      dtype: "i32",
      of,
      at: ([t]) => add(axisLeaves(t as never, axes[0] as Axis)[0] as never, dimValue(memory.before)),
    };
  }
  const word = scalar?.kind === "word" ? scalar.word.text : scalar === null ? "real" : "i32";
  const dtype: DType =
    word === "real" || word === "f32" ? "f32" : word === "i64" ? "i64" : word === "bool" ? "bool" : "i32";
  const node = unit.builder.input(
    name,
    layouts.flatMap((layout) => (layout.kind === "merged" ? layout.parts.map(layoutSize) : [layoutSize(layout)])),
    dtype,
  );
  return {
    kind: "tensor",
    axes,
    dtype,
    ...(of === null ? {} : { of }),
    at: (positions) =>
      read(
        node,
        positions.flatMap((p, i) => axisLeaves(p, axes[i] as Axis)),
      ),
  };
}
void sizeValue;
