/** Elementwise operations: what they give of two types, and how open axes meet. */

import type { Expr } from "../ast/nodes.ts";
import { type Axis, matchAxes, plainText, printAxes, restrictAxis, sizeOf } from "../types/axis.ts";
import { type Element, intElement, isNumber, printValueType, realElement } from "../types/value-type.ts";
import { fail } from "./conditions.ts";
import type { EquationContext, Value } from "./context.ts";
import { isUnknown, makeValue, unknownValue } from "./values.ts";

/** Element type of arithmetic: integers stay integers, mixed with reals they become real. */
export function arithmetic(a: Element, b: Element): Element {
  if (a.kind === "unknown" || b.kind === "unknown") return { kind: "unknown" };
  if (a.kind === "float" && b.kind === "float") return a.word === b.word ? a : realElement;
  if (a.kind === "float") return a.word === "real" ? a : realElement;
  if (b.kind === "float") return b.word === "real" ? b : realElement;
  const words = [a, b].map((e) => (e.kind === "integer" ? e.word : "int"));
  const word = words.includes("i64") ? "i64" : (words.find((w) => w !== "int" && w !== "dim") ?? "int");
  return { kind: "integer", word };
}

/** The type both sides of `? :` and `else` have; null when they have none. */
export function commonElement(a: Element, b: Element): Element | null {
  if (a.kind === "unknown") return b;
  if (b.kind === "unknown") return a;
  if (a.kind === "null") return b;
  if (b.kind === "null") return a;
  if (isNumber(a) && isNumber(b)) {
    if (a.kind === "index" && b.kind === "index") {
      const [x, y] = [sizeOf(a.of), sizeOf(b.of)];
      return x !== null && y !== null && x.key === y.key ? a : intElement;
    }
    return arithmetic(a, b);
  }
  if (a.kind === "set" && b.kind === "set") return { ...a, facts: [], atMost: null };
  if (a.kind === "text" && b.kind === "text") return { kind: "text", choices: unitedChoices(a.choices, b.choices) };
  return a.kind === b.kind ? a : null;
}

const unitedChoices = (a: readonly string[] | null, b: readonly string[] | null): readonly string[] | null =>
  a === null || b === null ? null : [...new Set([...a, ...b])];

/** Open axes of operands must be equal; a single number meets anything. Restrictions travel along. */
export function elementwise(
  what: string,
  operands: readonly Value[],
  expr: Expr,
  eq: EquationContext,
  element: (a: Element, b: Element) => Element | null,
): Value {
  const [first, second] = operands;
  if (first === undefined) return unknownValue(expr.span);
  const combined = element(first.element, second?.element ?? first.element);
  if (combined === null) {
    fail(eq.body, "DS0227", {
      title: `\`${what}\` of ${printValueType(first)} and ${second === undefined ? "nothing" : printValueType(second)}`,
      at: expr.span,
      label: "these types do not go together",
    });
    return unknownValue(expr.span);
  }
  if (operands.some((v) => isUnknown(v) && v.poly === null))
    return { ...unknownValue(expr.span), axes: widest(operands) };
  let axes: readonly Axis[] = first.axes;
  if (second !== undefined) {
    const met = meetAxes(what, first, second, expr, eq);
    if (met === null) return unknownValue(expr.span);
    axes = met;
  }
  return makeValue({ axes, element: combined }, expr.span, {
    isStatic: operands.every((v) => v.isStatic),
    tainted: operands.some((v) => v.tainted),
  });
}

export const widest = (values: readonly Value[]): readonly Axis[] =>
  values.reduce<readonly Axis[]>((axes, v) => (v.axes.length > axes.length ? v.axes : axes), []);

function meetAxes(what: string, a: Value, b: Value, expr: Expr, eq: EquationContext): readonly Axis[] | null {
  if (a.axes.length === 0) return b.axes;
  if (b.axes.length === 0) return a.axes;
  const label = (v: Value): { span: Value["span"]; text: string } => ({
    span: v.span,
    text: `this is ${plainText(printAxes(v.axes))}`,
  });
  const bad = (code: "DS0208" | "DS0202" | "DS0214", title: string, help: string | null): null => {
    fail(eq.body, code, { title, at: b.span, label: label(b).text, secondary: [label(a)], help });
    return null;
  };
  if (a.axes.length !== b.axes.length) {
    return bad("DS0208", `open axes of \`${what}\` differ`, "index what differs: there is no broadcasting, `x[t] + b`");
  }
  const axes: Axis[] = [];
  for (const [i, axis] of a.axes.entries()) {
    const other = b.axes[i] ?? axis;
    switch (matchAxes(axis, other, eq.body.facts)) {
      case "size":
        return bad("DS0208", `open axes of \`${what}\` differ`, null);
      case "layout":
        return bad("DS0202", `layouts of \`${what}\` differ`, "regroup one side by a declared type first");
      case "restriction":
        return bad(
          "DS0214",
          "two different restrictions meet on one axis",
          "restrict one of them, or fill with `else`",
        );
      case "equal":
        axes.push(axis.kind === "unknown" ? other : restrictAxis(axis, axis.restriction ?? other.restriction));
    }
  }
  void expr;
  return axes;
}

export function expectNumber(value: Value, expr: Expr, eq: EquationContext): boolean {
  if (isUnknown(value) || isNumber(value.element)) return true;
  fail(eq.body, "DS0227", {
    title: "a number is expected",
    at: expr.span,
    label: `this is ${printValueType(value)}`,
  });
  return false;
}
