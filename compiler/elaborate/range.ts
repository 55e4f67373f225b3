/** What stands after `in`, and axes of declared types. */
import type { AxisNode, Expr } from "../../dsl/ast/nodes.ts";
import { ungroup } from "../../dsl/checker/keys.ts";
import { dim } from "../graph/dim.ts";
import { asSize } from "./arithmetic.ts";
import { type Axis, type Layout, plain, whole } from "./axis.ts";
import { ElaborationError, type Equation, type Frame } from "./context.ts";
import { listedMembers } from "./members.ts";

/** An axis by its name, layout or size; or some of its indices, by a set. */
export function rangeOf(expr: Expr, eq: Equation): Axis {
  const inner = ungroup(expr);
  if (inner.kind === "name") {
    const known = axisNamed(inner.text, eq.frame);
    if (known !== null) return known;
  }
  if (inner.kind === "tuple" || inner.kind === "join") return whole(layoutFrom(inner, eq));
  const value = eq.frame.unit.rules.evaluate(inner, eq);
  if (value.kind === "set") {
    if (value.axes.length > 0) throw new ElaborationError("one set is expected, here are several", expr.span);
    return { layout: value.of, members: value.members };
  }
  if (value.kind === "static" && typeof value.value === "object" && value.value?.kind === "set") {
    const items = [...new Set(value.value.items.map(Number))].sort((a, b) => a - b);
    return { layout: plain(dim(Math.max(0, ...items) + 1)), members: listedMembers(items) };
  }
  const size = asSize(value);
  if (size === null) throw new ElaborationError("a range of indices is expected", expr.span);
  return whole(plain(size));
}

export function axisNamed(name: string, frame: Frame): Axis | null {
  for (let at: Frame | null = frame; at !== null; at = at.outer) {
    const axis = at.sizes.get(name);
    if (axis !== undefined) return axis;
  }
  return null;
}

export function layoutFrom(expr: Expr, eq: Equation): Layout {
  const inner = ungroup(expr);
  if (inner.kind === "tuple") return { kind: "merged", parts: inner.items.map((item) => layoutFrom(item, eq)) };
  if (inner.kind === "join") return { kind: "joined", parts: inner.items.map((item) => layoutFrom(item, eq)) };
  return rangeOf(inner, eq).layout;
}

/** Layouts of a declared type; null where it says `_`. */
export const declaredLayouts = (axes: readonly AxisNode[], eq: Equation): readonly (Layout | null)[] =>
  axes.map((axis) => {
    const size = axis.of ?? axis.size;
    return size.kind === "hole" ? null : layoutFrom(size, eq);
  });
