/** Weights: nodes of the graph, and the tensors of a checkpoint that hold their numbers. */
import type { StringLiteral, Weight } from "../../dsl/ast/nodes.ts";
import { holesOf } from "../../dsl/checker/interpolation.ts";
import type { Dim } from "../graph/dim.ts";
import type { DType } from "../graph/node.ts";
import { read } from "../graph/scalar.ts";
import { allLeaves, layoutDims, layoutSize, whole } from "./axis.ts";
import { ElaborationError, type Frame, type WeightSource } from "./context.ts";
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
const overStacks = (spelling: string, members: WeightSource["members"]): readonly string[] =>
  members.reduce<readonly string[]>(
    (names, of, i) => names.flatMap((n) => of.map((m) => n.replaceAll(`{${i}}`, String(m)))),
    [spelling],
  );

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
  const members = stacks.map((s) => s.members);
  const spelled = (literals: readonly StringLiteral[]): readonly string[] =>
    literals.map((s) =>
      stacks.reduce((n, { hole }, i) => n.replaceAll(`{${hole}}`, `{${i}}`), joinLabels(prefix, fillName(s, frame))),
    );
  const names = (spellings: readonly string[]): readonly (readonly string[])[] => {
    const each = spellings.map((s) => overStacks(s, members));
    return (each[0] ?? []).map((_, i) => each.map((list) => list[i] as string));
  };
  const spellings = spelled(decl.spellings);
  let tensors: WeightSource["tensors"] | null = null;
  unit.weights.set(label, {
    label,
    // Made when they are asked for: programs have the spellings, and there are thousands of experts.
    get tensors() {
      tensors ??= names(spellings);
      return tensors;
    },
    spellings,
    members,
    copies: names(spelled(decl.copies)),
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
    at: (positions) => read(node, [...stacks.map((s) => s.at()), ...allLeaves(positions, axes)]),
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
