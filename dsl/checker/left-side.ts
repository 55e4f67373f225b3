/** The left of an equation: indices, open axes, cases and steps of a recurrence. */
import type { Expr, Subscript, Target } from "../ast/nodes.ts";
import type { Span } from "../diagnostics/source.ts";
import {
  type Axis,
  indexAtom,
  mergedAxis,
  plainAxis,
  type Restriction,
  restrictAxis,
  sizeOf,
  unknownAxis,
} from "../types/axis.ts";
import { add, constant, one, type Poly, printPoly } from "../types/poly.ts";
import { factsOf, fail } from "./conditions.ts";
import type { EquationContext, IndexInfo } from "./context.ts";
import { isIndexName } from "./equation-context.ts";
import { addRange, bindIndex, rangeFrom } from "./indices.ts";
import { expressionKey, ungroup } from "./keys.ts";
import { renameWithBounds, selfName } from "./values.ts";

export type LeftItem =
  | { readonly kind: "index"; readonly info: IndexInfo; readonly span: Span }
  | { readonly kind: "open"; readonly span: Span }
  | { readonly kind: "case"; readonly value: bigint; readonly span: Span }
  /** `h[l + 1]`: defined from the row before. */
  | { readonly kind: "step"; readonly info: IndexInfo; readonly whole: Axis | null; readonly span: Span }
  | { readonly kind: "tuple"; readonly items: readonly LeftItem[]; readonly span: Span }
  | { readonly kind: "broken"; readonly span: Span };

export interface Left {
  readonly target: Target;
  readonly items: readonly LeftItem[];
  /** What `where` says of the last item. */
  readonly where: Expr | null;
}

export function leftOf(target: Target, eq: EquationContext): Left {
  const { subscript } = target;
  const items = subscript === null ? [] : subscript.items.map((item) => leftItem(item, eq));
  return { target, items, where: subscript?.where ?? null };
}

/** Facts of the condition on the left hold for the whole equation. */
export function assumeLeft(subscript: Subscript | null, eq: EquationContext): void {
  if (subscript?.where == null) return;
  eq.body.shared.rules.infer(subscript.where, eq);
  eq.facts.push(...factsOf(subscript.where, eq));
}

function leftItem(item: Expr, eq: EquationContext): LeftItem {
  const expr = ungroup(item);
  const { span } = item;
  if (expr.kind === "hole") return { kind: "open", span };
  if (expr.kind === "number" && /^\d+$/.test(expr.text)) return { kind: "case", value: BigInt(expr.text), span };
  if (expr.kind === "tuple") return { kind: "tuple", items: expr.items.map((i) => leftItem(i, eq)), span };
  const ranged = expr.kind === "binary" && expr.op === "in";
  const subject = ranged ? ungroup(expr.left) : expr;
  const range = ranged ? rangeFrom(expr.right, eq) : null;
  if (subject.kind === "name" && isIndexName(subject.text)) {
    const info = leftIndex(subject, eq);
    if (range !== null && ranged) addRange(info, range, expr.right.span, true);
    return { kind: "index", info, span };
  }
  if (subject.kind === "binary" && subject.op === "+") {
    const [name, step] = [ungroup(subject.left), ungroup(subject.right)];
    if (name.kind === "name" && isIndexName(name.text) && step.kind === "number" && step.text === "1") {
      const info = leftIndex(name, eq);
      info.isStatic = true;
      return { kind: "step", info, whole: range, span };
    }
  }
  fail(eq.body, "DS0001", {
    title: "this cannot stand on the left",
    at: span,
    label: "an index, `_`, a number, or `l + 1` should stand here",
    help: "an equation says what the value is for every index: `y[t,d] := …`",
  });
  return { kind: "broken", span };
}

function leftIndex(name: Expr & { kind: "name" }, eq: EquationContext): IndexInfo {
  const known = eq.indices.get(name.text)?.[0];
  if (known !== undefined) {
    eq.uses.set(name, known);
    return known;
  }
  return bindIndex(name, "left", eq);
}

/** `l` ranges over the rows that have a next one. */
export const stepAxis = (info: IndexInfo, whole: Axis | null): Axis => {
  if (whole !== null) return whole;
  const size = info.axis === null ? null : sizeOf(info.axis);
  return size === null ? unknownAxis : plainAxis(add(size, one));
};

/** The axis an item of the left stands for, in terms of the equation's indices. */
export function axisOfItem(item: LeftItem, declared: Axis | null, cases: number, open: () => Axis | null): Axis | null {
  switch (item.kind) {
    case "index":
      return item.info.axis ?? declared ?? unknownAxis;
    case "open":
      return open();
    case "case":
      return declared !== null && declared.kind !== "unknown" ? declared : plainAxis(constant(cases));
    case "step":
      return stepAxis(item.info, item.whole);
    case "broken":
      return declared ?? unknownAxis;
    case "tuple": {
      const parts: Axis[] = [];
      for (const [i, part] of item.items.entries()) {
        const own = declared?.kind === "merged" ? (declared.parts[i] ?? null) : null;
        const axis = axisOfItem(part, own, cases, open);
        if (axis === null) return null;
        parts.push(axis);
      }
      return mergedAxis(parts);
    }
  }
}

/** The restriction that `where` puts on the last axis, with its own index as `‹*›`. */
export function leftRestriction(left: Left, eq: EquationContext): Restriction | null {
  const last = left.items.at(-1);
  if (left.where === null || last === undefined) return null;
  const by = new Map<string, Poly>();
  if (last.kind === "index") by.set(last.info.token, indexAtom(selfName));
  if (last.kind === "tuple") {
    for (const [i, part] of last.items.entries()) {
      if (part.kind === "index") by.set(part.info.token, indexAtom(`${selfName}.${i}`));
    }
  }
  if (by.size === 0) {
    fail(eq.body, "DS0212", {
      title: "`where` restricts no index",
      at: left.where.span,
      label: "the last subscript before `where` is the index it restricts",
    });
    return null;
  }
  const own = expressionKey(left.where, eq);
  let key = own;
  for (const [token, self] of by) key = key.replaceAll(`‹${token}›`, printPoly(self));
  return {
    key: `where ${key}`,
    facts: factsOf(left.where, eq).map((f) => renameWithBounds(eq.body, f, by)),
    atMost: null,
  };
}

/** Indices on the left by place, for carrying conditions over to the type: `t` at place 0 is `#0`. */
export function placesOf(items: readonly LeftItem[], skipped: number): ReadonlyMap<string, string> {
  const places = new Map<string, string>();
  for (const [i, item] of items.entries()) {
    if (item.kind === "index" || item.kind === "step") places.set(item.info.token, `#${i + skipped}`);
    if (item.kind === "tuple") {
      for (const [k, part] of item.items.entries())
        if (part.kind === "index") places.set(part.info.token, `#${i + skipped}.${k}`);
    }
  }
  return places;
}

export const restrictLast = (axes: readonly Axis[], count: number, restriction: Restriction | null): readonly Axis[] =>
  restriction === null ? axes : axes.map((axis, i) => (i === count - 1 ? restrictAxis(axis, restriction) : axis));
