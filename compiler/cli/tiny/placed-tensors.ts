/** The tensors that a bound model's text maps, with what their numbers are there for. */
import type { Declaration, Equation, Expr, ModelItem, Weight } from "../../../dsl/ast/nodes.ts";
import type { CheckedProject } from "../../../dsl/checker/check-project.ts";
import type { PlacedWeight } from "../../../dsl/checker/instances/build.ts";
import { tensorNames } from "../../../dsl/checker/weights.ts";
import { equationsOf, expressionsOf, flatItems, ungrouped, withParts } from "../../../dsl/graph-view/walk-equations.ts";
import { sizeOf } from "../../../dsl/types/axis.ts";
import { asNumber } from "../../../dsl/types/poly.ts";

/**
 * `gain`: a vector that multiplies; `shift`: any other vector; `matrix`: two axes and more. `indices`: whole numbers below
 * a size, distinct in a row where that is possible; `integers`: others.
 */
export type TensorRole =
  | { readonly kind: "gain" | "shift" | "matrix" | "integers" }
  | { readonly kind: "indices"; readonly below: number };

export interface PlacedTensor {
  /** Best spelling. */
  readonly name: string;
  /** Names under which the same numbers stand again. */
  readonly copies: readonly string[];
  readonly shape: readonly number[];
  /** The element type as declared: `real`, `f32`, `i64`, … */
  readonly type: string;
  readonly role: TensorRole;
}

/** The name in the checkpoint of a weight whose tensors cannot be told, as a size hangs on a call; null where there is none. */
export function untoldTensor({ bound }: CheckedProject): string | null {
  const holes = (pattern: string): readonly string[] =>
    [...pattern.matchAll(/\{([^}]*)\}/g)].map(([, hole = ""]) => hole);
  const untold = bound?.weights.find(
    ({ weight, indices }) =>
      weight.sizes === null || weight.tensors.some((name) => holes(name).some((hole) => indices.get(hole) == null)),
  );
  return untold?.weight.tensors[0] ?? null;
}

/** One for each tensor, in the order of the text. */
export function placedTensors(checked: CheckedProject): readonly PlacedTensor[] {
  const seen = new Set<string>();
  return (checked.bound?.weights ?? []).flatMap((placed) => {
    const { weight, indices } = placed;
    const shape = weight.sizes;
    const [best] = weight.tensors;
    if (shape === null || best === undefined) return [];
    const role = roleOf(placed, shape, checked);
    const copies = weight.copies.map((pattern) => [...tensorNames(pattern, indices)]);
    return [...tensorNames(best, indices)].flatMap((name, i): readonly PlacedTensor[] => {
      if (seen.has(name)) return [];
      seen.add(name);
      return [{ name, copies: copies.flatMap((names) => names[i] ?? []), shape, type: weight.type, role }];
    });
  });
}

function roleOf({ element, decl }: PlacedWeight, shape: readonly number[], checked: CheckedProject): TensorRole {
  if (element.kind === "index" || element.kind === "set") {
    const size = sizeOf(element.of);
    return { kind: "indices", below: (size === null ? null : asNumber(size)) ?? 1 };
  }
  if (element.kind === "integer") return { kind: "integers" };
  if (shape.filter((n) => n > 1).length > 1) return { kind: "matrix" };
  return { kind: isFactor(decl, checked) ? "gain" : "shift" };
}

/** Whether an equation around the declaration multiplies by the weight itself. */
function isFactor(decl: Weight, checked: CheckedProject): boolean {
  const isWeight = (expr: Expr): boolean => {
    const inner = ungrouped(expr);
    return inner.kind === "index" ? isWeight(inner.base) : inner.kind === "name" && inner.text === decl.name.text;
  };
  return equationsAround(decl, checked)
    .flatMap(expressionsOf)
    .flatMap(withParts)
    .some((e) => e.kind === "binary" && e.op === "*" && (isWeight(e.left) || isWeight(e.right)));
}

function equationsAround(decl: Weight, { files }: CheckedProject): readonly Equation[] {
  const itemsOf = (one: Declaration): readonly ModelItem[] =>
    one.kind === "block" || one.kind === "model" ? one.items : [];
  for (const file of files.values()) {
    const items = file.declarations.map(itemsOf).find((list) => flatItems(list).includes(decl));
    if (items === undefined) continue;
    const entries = items.flatMap((item) => (item.kind === "entry" ? equationsOf(item.items) : []));
    return [...equationsOf(items), ...entries];
  }
  return [];
}
