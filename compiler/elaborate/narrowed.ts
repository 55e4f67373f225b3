/**
 * Values that `numerics` keeps in less than f32. They are rounded where they are defined, whether they reach memory or not: every
 * reader, every phase and every schedule sees the same number, and a buffer of the format holds it exactly.
 */
import type { DType, Node, Scalar } from "../graph/node.ts";
import { call } from "../graph/scalar.ts";
import { ElaborationError, type Unit } from "./context.ts";
import type { Tensor } from "./value.ts";

export type NarrowFormat = "bf16" | "f16";

/** The value of the definition with this label, rounded where a rule says so. */
export function narrowed(tensor: Tensor, label: string, unit: Unit): Tensor {
  const rule = unit.format(label);
  if (rule === null) return tensor;
  if (tensor.dtype !== "f32" && tensor.dtype !== "f64")
    throw new ElaborationError(`the value is ${tensor.dtype}, and ${rule.format} is for real numbers`, rule.at);
  return { ...tensor, at: (positions) => rounded(tensor.at(positions), rule.format) };
}

/** What a node of the definition holds. */
export const heldIn = (label: string, dtype: DType, unit: Unit): DType => unit.format(label)?.format ?? dtype;

/** Inside of choices, so that halves of a join stay what passes look for. */
function rounded(e: Scalar, to: NarrowFormat): Scalar {
  if (isOf(e, to)) return e;
  const [condition, a, b] = e.kind === "call" && e.fn === "select" ? e.args : [];
  if (condition !== undefined && a !== undefined && b !== undefined)
    return call("select", condition, rounded(a, to), rounded(b, to));
  return call(`to_${to}`, e);
}

/** Whether it is a value of the format without rounding. Weights are converted when they are loaded. */
function isOf(e: Scalar, to: NarrowFormat | "i8"): boolean {
  if (e.kind === "call") return e.fn === `to_${to}`;
  return e.kind === "read" && e.value.type.dtype === to && e.value.kind !== "weight" && e.value.kind !== "input";
}

/** The format in which a node's values are exact, where what it computes was rounded to it. */
export function narrowFormat(n: Node): NarrowFormat | "i8" | null {
  const { dtype } = n.type;
  // What else has that type may be a sum of such numbers, which does not fit.
  if (dtype === "i8") return n.kind === "map" && isRounded(n.body, dtype) ? dtype : null;
  if (dtype !== "bf16" && dtype !== "f16") return null;
  if (n.kind === "weight" || n.kind === "input") return null;
  return n.kind !== "map" || isRounded(n.body, dtype) ? dtype : null;
}
function isRounded(e: Scalar, to: NarrowFormat | "i8"): boolean {
  if (e.kind === "fold") return isRounded(e.result, to);
  if (e.kind === "call" && e.fn === "select") return e.args.slice(1).every((x) => isRounded(x, to));
  return isOf(e, to);
}
