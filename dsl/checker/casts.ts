/** Casts: `as i64`, `as e4m3`, and the claim `as in A`. */
import type { Expr } from "../ast/nodes.ts";
import { sizeOf } from "../types/axis.ts";
import { asConstant } from "../types/poly.ts";
import { isInteger, isNumber, printElement } from "../types/value-type.ts";
import { fail } from "./conditions.ts";
import { type EquationContext, lookup, type Value } from "./context.ts";
import { proveIndex } from "./inside.ts";
import { expressionKey, ungroup } from "./keys.ts";
import { spanKey } from "./recorder.ts";
import { elementFrom } from "./sizes.ts";
import { childrenOf } from "./sums.ts";
import { isUnknown, makeValue, namedInteger, unknownValue } from "./values.ts";

export function castValue(expr: Expr & { kind: "cast" }, eq: EquationContext): Value {
  const value = eq.body.shared.rules.infer(expr.value, eq);
  const element = elementFrom(expr.type, eq);
  if (isUnknown(value) || element.kind === "unknown") return { ...value, element };
  if (!isNumber(value.element) && value.element.kind !== "bool") {
    fail(eq.body, "DS0227", {
      title: `${printElement(value.element)} cannot be cast`,
      at: expr.span,
      label: "a cast takes numbers",
    });
    return unknownValue(expr.span);
  }
  if (element.kind === "index") {
    const { poly } = value;
    const size = sizeOf(element.of);
    if (size !== null && readsConstants(expr.value, eq)) {
      // Decided when the constants are known, which is before anything runs.
      const text = "this claim follows from constants, if it does";
      eq.body.shared.recorder.unproved.set(spanKey(expr.span), { span: expr.span, text });
    } else if (size !== null) proveIndex(poly, size, expr, eq, "DS0222", expressionKey(expr.value, eq));
    const cast = makeValue({ axes: value.axes, element }, expr.span, {
      isStatic: value.isStatic,
      tainted: value.tainted,
    });
    if (value.axes.length > 0) return cast;
    return { ...cast, poly: poly ?? namedInteger(eq.body, expressionKey(expr, eq), element) };
  }
  if (element.kind === "integer") warnNarrowing(expr, value, element.word, eq);
  return {
    ...value,
    element,
    poly: element.kind === "integer" && isInteger(value.element) ? value.poly : null,
    constant: element.kind === "integer" || element.kind === "float" ? value.constant : undefined,
    span: expr.span,
  };
}

/** Whether a tensor that is known when compiling has a part in the value. */
function readsConstants(expr: Expr, eq: EquationContext): boolean {
  const inner = ungroup(expr);
  if (inner.kind === "index") {
    const base = ungroup(inner.base);
    const entity = base.kind === "name" ? lookup(eq.body.scope, base.text) : null;
    if (entity?.value?.isStatic === true && entity.value.axes.length > 0) return true;
  }
  return childrenOf(inner).some((child) => readsConstants(child, eq));
}

const integerBits: Readonly<Record<string, readonly [bigint, bigint]>> = {
  i8: [-128n, 127n],
  u8: [0n, 255n],
  i32: [-(2n ** 31n), 2n ** 31n - 1n],
  i64: [-(2n ** 63n), 2n ** 63n - 1n],
};

function warnNarrowing(expr: Expr & { kind: "cast" }, value: Value, word: string, eq: EquationContext): void {
  const range = integerBits[word];
  if (range === undefined) return;
  const known = value.poly === null ? null : asConstant(value.poly);
  const from = value.element.kind === "integer" ? integerBits[value.element.word] : undefined;
  const loses =
    known !== null
      ? known < range[0] || known > range[1]
      : from !== undefined && (from[0] < range[0] || from[1] > range[1]);
  if (!loses) return;
  fail(eq.body, "DS0226", {
    title: "cast loses range",
    severity: "warning",
    at: expr.span,
    label:
      known !== null
        ? `${known} does not fit ${word} (${range[0]} to ${range[1]})`
        : `${printElement(value.element)} holds more than ${word} (${range[0]} to ${range[1]})`,
  });
}
