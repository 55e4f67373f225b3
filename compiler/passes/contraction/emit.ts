/** A contraction tree as expressions: each inner contraction is a node of its own, the last one an expression. */
import type { Builder } from "../../graph/builder.ts";
import type { Axis, Node, Scalar } from "../../graph/node.ts";
import { call, freeNames, mul, name, read, reduce } from "../../graph/scalar.ts";
import type { TermPlan } from "./plan.ts";
import { type Bits, bitsOf, type Tree } from "./tree.ts";

/** `owner` is the node that the term stands in: new nodes are labelled beside it. */
export function emitTree(plan: TermPlan, b: Builder, owner: Node): Scalar {
  const beside = owner.name.includes(".") ? owner.name.slice(0, owner.name.lastIndexOf(".") + 1) : "";
  const dtype = owner.type.dtype === "f64" ? "f64" : "f32";
  const axesOf = (bits: Bits): readonly Axis[] => bitsOf(bits).flatMap((i) => plan.axes[i] ?? []);
  const emit = (tree: Tree): Scalar => {
    if (tree.kind === "leaf" || tree.kind === "kept") return factorOf(tree, plan);
    if (tree.closes === 0) return mul(emit(tree.left), emit(tree.right));
    const domain = axesOf(tree.open);
    const made = b.map(beside + labelOf(tree, plan), domain, contraction(tree), dtype);
    return read(
      made,
      domain.map((a) => name(a.name)),
    );
  };
  const contraction = (tree: Tree): Scalar => {
    if (tree.kind !== "contract") return factorOf(tree, plan);
    const available = tree.left.open | tree.right.open;
    const guard = guardAt(plan, axesOf(tree.closes), axesOf(available));
    return reduce("sum", axesOf(tree.closes), mul(emit(tree.left), emit(tree.right)), guard);
  };
  return contraction(plan.tree);
}

function factorOf(tree: Exclude<Tree, { readonly kind: "contract" }>, plan: TermPlan): Scalar {
  const value = tree.kind === "leaf" ? plan.factors[tree.leaf] : plan.origins[tree.kept]?.read;
  if (value === undefined) throw new Error("a contraction tree names a factor that is not there");
  return value;
}

/** The guards due where `closing` is summed. Later one of their indices is gone, so a guard is applied once. */
function guardAt(plan: TermPlan, closing: readonly Axis[], available: readonly Axis[]): Scalar | null {
  const [now, open] = [new Set(closing.map((a) => a.name)), new Set(available.map((a) => a.name))];
  const due = plan.guards.filter((g) => {
    const names = [...freeNames(g)];
    return names.some((x) => now.has(x)) && names.every((x) => open.has(x));
  });
  const [first, ...rest] = due;
  return first === undefined ? null : rest.reduce((a, g) => call("and", a, g), first);
}

function labelOf(tree: Tree, plan: TermPlan): string {
  if (tree.kind === "contract") return `${labelOf(tree.left, plan)}_${labelOf(tree.right, plan)}`;
  const value = factorOf(tree, plan);
  return value.kind === "read" ? (value.value.name.split(".").at(-1) ?? "x") : "x";
}

/** `((w_uk . q) . latent)`: equal for equal plans. */
export function printTree(plan: TermPlan, tree: Tree = plan.tree): string {
  if (tree.kind !== "contract") return labelOf(tree, plan);
  return `(${printTree(plan, tree.left)} . ${printTree(plan, tree.right)})`;
}
