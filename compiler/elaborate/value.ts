/** Values while a model is elaborated: what an expression of the text stands for. */
import type { ScalarNode } from "../../dsl/ast/nodes.ts";
import type { Static } from "../../dsl/checker/context.ts";
import type { Dim } from "../graph/dim.ts";
import type { DType, Scalar } from "../graph/node.ts";
import { dimValue, num } from "../graph/scalar.ts";
import {
  type Axis,
  convert,
  type Layout,
  layoutKey,
  layoutSize,
  type Members,
  type Position,
  partsOf,
} from "./axis.ts";

/** Numbers at positions. `at` takes one position an axis. */
export interface Tensor {
  readonly kind: "tensor";
  readonly axes: readonly Axis[];
  readonly dtype: DType;
  /** The axis that the numbers are indices of. */
  readonly of?: Layout;
  readonly at: (positions: readonly Position[]) => Scalar;
}
/** A set of indices of `of` at each position. */
export interface SetValue {
  readonly kind: "set";
  readonly axes: readonly Axis[];
  readonly of: Layout;
  /** `before` of the members are the positions on `axes`. */
  readonly members: Members;
}
/** A recurrence along a static axis: one value a row. */
export interface Rows {
  readonly kind: "rows";
  readonly row: (k: number) => Value;
  /** All of them side by side. */
  readonly whole: () => Tensor;
}
/** A whole number that may hang on run-time sizes. */
export interface Size {
  readonly kind: "size";
  readonly dim: Dim;
  /** The number in arithmetic, where it need not be whole: `T / 2` is a size as an axis only. */
  readonly real: (() => Scalar) | null;
}
export type Value =
  | Tensor
  | SetValue
  | Rows
  | { readonly kind: "static"; readonly value: Static }
  | Size
  | { readonly kind: "tuple"; readonly values: readonly Value[] };

/** How numbers of a declared type are held: those of storage formats as f32, indices and short integers as i32. */
export function heldAs(scalar: ScalarNode | null): DType {
  const word = scalar === null ? "real" : scalar.kind === "word" ? scalar.word.text : "i32";
  switch (word) {
    case "f64":
    case "i64":
    case "bool":
      return word;
    case "i32":
    case "i8":
    case "u8":
      return "i32";
    default:
      return "f32";
  }
}

export const staticValue = (value: Static): Value => ({ kind: "static", value });
export const sizeValue = (dim: Dim, real: Size["real"] = null): Value => ({ kind: "size", dim, real });
export const scalarTensor = (dtype: DType, at: () => Scalar): Tensor => ({ kind: "tensor", axes: [], dtype, at });

/** The value as numbers; throws for what the checker never lets stand for one. */
export function asTensor(value: Value): Tensor {
  switch (value.kind) {
    case "tensor":
      return value;
    case "rows":
      return value.whole();
    case "size":
      return value.real === null ? scalarTensor("i32", () => dimValue(value.dim)) : scalarTensor("f32", value.real);
    case "static": {
      const { value: v } = value;
      if (typeof v === "number") return scalarTensor("f32", () => num(v));
      if (typeof v === "bigint") return scalarTensor("i32", () => num(Number(v)));
      if (typeof v === "boolean") return scalarTensor("bool", () => num(v ? 1 : 0));
      if (typeof v === "object" && v !== null && v.kind === "list" && v.items.length === 0) break;
      break;
    }
    default:
      break;
  }
  throw new Error(`no number: ${value.kind}`);
}

/** The members with some of the positions before them filled in; `fill` makes all of them from those that are left. */
export function refill(
  members: Members | null,
  fill: (before: readonly Position[]) => readonly Position[],
): Members | null {
  if (members === null) return null;
  if (members.kind === "where") return { kind: "where", holds: (before, self) => members.holds(fill(before), self) };
  return {
    ...members,
    member: (before, slot) => members.member(fill(before), slot),
    filled: (before, slot) => members.filled(fill(before), slot),
  };
}

/** Members whose every question is asked inside `run`, which puts indices at their positions first. */
export function within(
  members: Members | null,
  run: <X>(before: readonly Position[], ask: (rest: readonly Position[]) => X) => X,
): Members | null {
  if (members === null) return null;
  if (members.kind === "where") {
    return { kind: "where", holds: (before, self) => run(before, (rest) => members.holds(rest, self)) };
  }
  return {
    ...members,
    member: (before, slot) => run(before, (rest) => members.member(rest, slot)),
    filled: (before, slot) => run(before, (rest) => members.filled(rest, slot)),
  };
}

/** The same elements in row-major order on axes of other layouts. */
export function regroup(value: Value, layouts: readonly Layout[]): Value {
  if (value.kind !== "tensor") return value;
  const same = (i: number): boolean => layoutKey(layouts[i] as Layout) === layoutKey((value.axes[i] as Axis).layout);
  if (layouts.length === value.axes.length && layouts.every((_, i) => same(i))) return value;
  const pairwise =
    layouts.length === value.axes.length &&
    layouts.every((l, i) => layoutSize(l).key === layoutSize((value.axes[i] as Axis).layout).key);
  if (pairwise) {
    const back = (p: readonly Position[]): readonly Position[] =>
      p.map((x, i) => convert(x, layouts[i] as Layout, (value.axes[i] as Axis).layout));
    return {
      ...value,
      axes: value.axes.map((axis, i) => ({ layout: layouts[i] as Layout, members: refill(axis.members, back) })),
      at: (positions) => value.at(back(positions)),
    };
  }
  const from = { kind: "merged" as const, parts: value.axes.map((a) => a.layout) };
  const to: Layout = { kind: "merged", parts: layouts };
  return {
    ...value,
    axes: layouts.map((layout) => ({ layout, members: null })),
    at: (positions) => value.at(partsOf(convert({ kind: "tuple", parts: positions }, to, from), from)),
  };
}
