/** Weights: nodes of the graph, and the tensors of a checkpoint that hold their numbers. */
import type { StringLiteral, Weight } from "../../dsl/ast/nodes.ts";
import { holesOf } from "../../dsl/checker/interpolation.ts";
import type { Dim } from "../graph/dim.ts";
import type { DType } from "../graph/node.ts";
import { read } from "../graph/scalar.ts";
import { type Axis, axisLeaves, layoutDims, layoutSize, whole } from "./axis.ts";
import { ElaborationError, type Frame, type Stack, type WeightSource } from "./context.ts";
import { joinLabels, outside } from "./labels.ts";
import { limits } from "./limits.ts";
import { declaredLayouts, layoutFrom } from "./range.ts";
import type { SetValue, Tensor, Value } from "./value.ts";

/** A name of the text with what is known filled in; holes of stacks stay. */
export function fillName(literal: StringLiteral, frame: Frame): string {
  let text = literal.value;
  for (const hole of holesOf(literal)) {
    const value = staticIn(hole.name, frame);
    if (value !== null) text = text.replaceAll(`{${hole.name}}`, value);
  }
  return text;
}

function staticIn(name: string, frame: Frame): string | null {
  for (let at: Frame | null = frame; at !== null; at = at.outer) {
    const known = at.known.get(name);
    if (known !== undefined) return String(known);
    const given = at.given.get(name);
    if (given?.kind === "static") return String(given.value);
    const axis = at.sizes.get(name);
    if (axis !== undefined) {
      const size = frame.unit.number(layoutSize(axis.layout));
      return size === null ? null : String(size);
    }
  }
  return null;
}

export function placedPrefix(frame: Frame, at: StringLiteral | null): string {
  return at === null ? frame.prefix : joinLabels(frame.prefix, fillName(at, frame));
}

/** Names for every combination of stack members, the last stack running fastest. */
function overStacks(name: string, stacks: readonly Stack[]): readonly string[] {
  return stacks.reduce<readonly string[]>(
    (names, stack) => names.flatMap((n) => stack.members.map((m) => n.replaceAll(`{${stack.hole}}`, String(m)))),
    [name],
  );
}

const elementTypes: ReadonlyMap<string, DType> = new Map<string, DType>([
  ["real", "f32"],
  ["int", "i32"],
  ["dim", "i32"],
]);

export function weightValue(decl: Weight, frame: Frame): Value {
  const { unit } = frame;
  const eq = outside(frame, decl.name.text);
  const layouts = declaredLayouts(decl.type.axes ?? [], eq).map((layout) => {
    if (layout === null) throw new ElaborationError("a weight has sizes", decl.span);
    return layout;
  });
  const { scalar } = decl.type;
  const below = scalar?.kind === "index-type" || scalar?.kind === "set-type" ? layoutFrom(scalar.axis, eq) : null;
  const element = scalar === null ? "real" : scalar.kind === "word" ? scalar.word.text : "i32";
  const label = joinLabels(frame.label, decl.name.text);
  const prefix = joinLabels(unit.prefixOf(decl), frame.prefix);
  const { stacks } = frame;
  const count = stacks.reduce((product, stack) => product * stack.members.length, 1);
  if (count > limits.tensors)
    throw new ElaborationError(`a weight of ${count} tensors; at most ${limits.tensors} can be elaborated`, decl.span);
  const dims: readonly Dim[] = [...stacks.map((s) => s.size), ...layouts.flatMap(layoutDims)];
  const dtype = elementTypes.get(element) ?? (element as DType);
  const node = unit.builder.weight(label, dims, dtype);
  const names = (literals: readonly StringLiteral[]): readonly (readonly string[])[] => {
    const each = literals.map((s) => overStacks(joinLabels(prefix, fillName(s, frame)), stacks));
    return (each[0] ?? []).map((_, i) => each.map((list) => list[i] as string));
  };
  let tensors: WeightSource["tensors"] | null = null;
  unit.weights.set(label, {
    label,
    // Made when they are asked for: a second entry of a model seldom does, and there are thousands of experts.
    get tensors() {
      tensors ??= names(decl.spellings);
      return tensors;
    },
    copies: names(decl.copies),
    stored: layouts.map(layoutSize),
    stacks: stacks.map((s) => s.members.length),
    element,
    below: below === null ? null : layoutSize(below),
    constant: null,
    optional: false,
  });
  const axes = layouts.map(whole);
  const tensor: Tensor = {
    kind: "tensor",
    axes,
    dtype,
    ...(below === null ? {} : { of: below }),
    at: (positions) =>
      read(node, [...stacks.map((s) => s.at()), ...positions.flatMap((p, i) => axisLeaves(p, axes[i] as Axis))]),
  };
  return scalar?.kind === "set-type" ? listedSets(tensor, below, decl) : tensor;
}

/** `[…, K] set of A`: the last axis lists the members. */
function listedSets(tensor: Tensor, of: ReturnType<typeof layoutFrom> | null, decl: Weight): SetValue {
  const list = tensor.axes.at(-1);
  if (list === undefined || of === null) throw new ElaborationError("sets are listed along an axis", decl.span);
  return {
    kind: "set",
    axes: tensor.axes.slice(0, -1),
    of,
    members: {
      kind: "slots",
      count: layoutSize(list.layout),
      member: (before, slot) => ({ kind: "flat", at: tensor.at([...before, { kind: "flat", at: slot }]) }),
      filled: () => null,
    },
  };
}
