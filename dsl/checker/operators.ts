/** Operators and conditions: arithmetic, comparison, membership, `? :`. */

import type { BinaryExpr, Expr } from "../ast/nodes.ts";
import {
  add,
  asConstant,
  atomsOf,
  constant,
  divideExact,
  floorDivide,
  modulo,
  mul,
  type Poly,
  sub,
  substitute,
  value as valueAtom,
} from "../types/poly.ts";
import { isIntegral } from "../types/prove.ts";
import {
  boolElement,
  type Element,
  intElement,
  isInteger,
  isNumber,
  printValueType,
  realElement,
} from "../types/value-type.ts";
import { fail, isKnownTrue } from "./conditions.ts";
import type { EquationContext, Value } from "./context.ts";
import { arithmetic, commonElement, elementwise, expectNumber, widest } from "./elementwise.ts";
import { expressionKey } from "./keys.ts";
import { foldNumbers } from "./static.ts";
import { isUnknown, makeValue, namedInteger, unknownValue } from "./values.ts";

export function withInteger(value: Value, poly: Poly | null, number: number | undefined): Value {
  if (value.axes.length > 0) return value;
  if (poly !== null && (isInteger(value.element) || isUnknown(value))) {
    return { ...value, poly, constant: asConstant(poly) ?? undefined };
  }
  return number === undefined ? value : { ...value, constant: number };
}

const numberOf = (value: Value): number | undefined =>
  typeof value.constant === "number"
    ? value.constant
    : typeof value.constant === "bigint"
      ? Number(value.constant)
      : undefined;

export function binary(expr: BinaryExpr, eq: EquationContext): Value {
  switch (expr.op) {
    case "and":
    case "or":
    case "==":
    case "!=":
    case "<":
    case "<=":
    case ">":
    case ">=":
    case "~":
      return comparison(expr, eq);
    case "in":
      return membership(expr, eq);
    case "..": {
      const [low, high] = [eq.body.shared.rules.infer(expr.left, eq), eq.body.shared.rules.infer(expr.right, eq)];
      expectNumber(low, expr.left, eq);
      expectNumber(high, expr.right, eq);
      return unknownValue(expr.span);
    }
    case "??": {
      const [value, fallback] = [eq.body.shared.rules.infer(expr.left, eq), eq.body.shared.rules.infer(expr.right, eq)];
      if (value.constant !== undefined && value.constant !== null) return value;
      if (value.element.kind === "text" && fallback.element.kind === "text") {
        const element = commonElement(value.element, fallback.element);
        return { ...value, element: element ?? value.element, constant: undefined };
      }
      return value.element.kind === "null"
        ? fallback
        : { ...(isUnknown(value) ? anyText(fallback) : value), constant: undefined, poly: null };
    }
    default:
      return arithmeticValue(expr, eq);
  }
}

/** Of `$.field ?? "a"` no more is known than that it is text. */
const anyText = (value: Value): Value =>
  value.element.kind === "text" ? { ...value, element: { kind: "text", choices: null } } : value;

function arithmeticValue(expr: BinaryExpr, eq: EquationContext): Value {
  const [left, right] = [eq.body.shared.rules.infer(expr.left, eq), eq.body.shared.rules.infer(expr.right, eq)];
  if (!expectNumber(left, expr.left, eq) || !expectNumber(right, expr.right, eq)) return unknownValue(expr.span);
  const whole = expr.op === "div" || expr.op === "mod" || expr.op === "xor";
  if (whole) {
    for (const [value, side] of [
      [left, expr.left],
      [right, expr.right],
    ] as const) {
      if (isUnknown(value) || isInteger(value.element)) continue;
      fail(eq.body, "DS0225", {
        title: `\`${expr.op}\` takes integers`,
        at: side.span,
        label: `this is ${printValueType(value)}`,
      });
      return unknownValue(expr.span);
    }
  }
  const result = elementwise(expr.op, [left, right], expr, eq, (a, b) => {
    const common = arithmetic(a, b);
    const real = expr.op === "/" || (expr.op === "^" && !(right.poly !== null && isInteger(b)));
    return real && isInteger(common) ? realElement : common;
  });
  const [a, b] = [left.poly, right.poly];
  if (expr.op === "mod" && result.axes.length === 0 && isInteger(result.element)) {
    return modulus(expr, left, right, result, eq);
  }
  const poly = a === null || b === null || result.axes.length > 0 ? null : polyOf(expr.op, a, b, eq);
  if (expr.op === "*") warnOverflow(expr, left, right, result, eq);
  const [x, y] = [numberOf(left), numberOf(right)];
  const folded = x === undefined || y === undefined ? undefined : foldNumbers(expr.op, x, y);
  if (expr.op === "/" && poly !== null) {
    // A quotient of sizes that is known to be whole is a size; any other is real.
    const whole = left.isStatic && right.isStatic && isIntegral(poly, eq.body.facts) === "yes";
    if (whole) return withInteger({ ...result, element: intElement }, poly, undefined);
    return { ...result, constant: folded };
  }
  return withInteger(result, poly, folded);
}

function polyOf(op: string, a: Poly, b: Poly, eq: EquationContext): Poly | null {
  switch (op) {
    case "+":
      return add(a, b);
    case "-":
      return sub(a, b);
    case "*":
      return mul(a, b);
    case "div":
      return floorDivide(a, b, eq.body.facts);
    case "/":
      return divideExact(a, b);
    case "^": {
      const exponent = asConstant(b);
      const base = asConstant(a);
      return base !== null && exponent !== null && exponent >= 0n && exponent <= 62n
        ? constant(base ** exponent)
        : null;
    }
    default:
      return null;
  }
}

/** `n mod M` is an index of `M`, even where `n` is no polynomial. */
function modulus(expr: BinaryExpr, left: Value, right: Value, result: Value, eq: EquationContext): Value {
  const size = right.poly;
  if (size === null) return result;
  const element: Element = { kind: "index", of: { kind: "plain", size, restriction: null } };
  if (left.poly !== null) {
    const poly = modulo(left.poly, size, eq.body.facts);
    return { ...result, element, poly, constant: asConstant(poly) ?? undefined };
  }
  return { ...result, element, poly: namedInteger(eq.body, expressionKey(expr, eq), element) };
}

function warnOverflow(expr: BinaryExpr, left: Value, right: Value, result: Value, eq: EquationContext): void {
  if (result.element.kind !== "integer" || result.element.word !== "i64") return;
  const reach = (v: Value): bigint | null => {
    const known = v.poly === null ? null : asConstant(v.poly);
    if (known !== null) return known < 0n ? -known : known;
    const [atom, ...others] = v.poly === null ? [] : [...atomsOf(v.poly).values()];
    const upper = atom === undefined || others.length > 0 ? null : (eq.body.facts.bounds.get(atom.key)?.upper ?? null);
    if (v.poly === null || upper === null || v.poly.terms.length !== 1) return null;
    return asConstant(substitute(v.poly, new Map([[atom?.key ?? "", upper]])));
  };
  const [a, b] = [reach(left), reach(right)];
  if (a === null || b === null || a * b < 2n ** 63n) return;
  fail(eq.body, "DS0224", {
    title: "product may overflow i64",
    at: expr.span,
    label: `${a} * ${b} is beyond 2^63 - 1`,
  });
}

function comparison(expr: BinaryExpr, eq: EquationContext): Value {
  const [left, right] = [eq.body.shared.rules.infer(expr.left, eq), eq.body.shared.rules.infer(expr.right, eq)];
  const logical = expr.op === "and" || expr.op === "or";
  const nullable = expr.op === "==" || expr.op === "!=";
  for (const [value, side] of [
    [left, expr.left],
    [right, expr.right],
  ] as const) {
    if (isUnknown(value)) continue;
    const fits = logical ? value.element.kind === "bool" : nullable || expr.op === "~" ? true : isNumber(value.element);
    if (fits) continue;
    fail(eq.body, "DS0227", {
      title: logical ? `\`${expr.op}\` takes true or false` : `\`${expr.op}\` compares numbers`,
      at: side.span,
      label: `this is ${printValueType(value)}`,
    });
    return unknownValue(expr.span);
  }
  if (nullable && !isUnknown(left) && !isUnknown(right)) {
    const kinds = [left, right].map((v) => (isNumber(v.element) ? "number" : v.element.kind));
    if (kinds[0] !== kinds[1] && !kinds.includes("null")) {
      fail(eq.body, "DS0227", {
        title: "these can never be equal",
        at: expr.span,
        label: `${printValueType(left)} against ${printValueType(right)}`,
      });
      return unknownValue(expr.span);
    }
  }
  const lifted = [left, right].filter((v) => v.axes.length > 0);
  const value = elementwise(expr.op, lifted.length === 0 ? [left, right] : [left, right], expr, eq, () => boolElement);
  return { ...value, axes: widest([left, right]), element: boolElement, isStatic: left.isStatic && right.isStatic };
}

function membership(expr: BinaryExpr, eq: EquationContext): Value {
  const left = eq.body.shared.rules.infer(expr.left, eq);
  const right = eq.body.shared.rules.infer(expr.right, eq);
  if (!isUnknown(right) && right.element.kind !== "set") {
    fail(eq.body, "DS0227", {
      title: "`in` asks for a set",
      at: expr.right.span,
      label: `this is ${printValueType(right)}`,
      help: "a range of indices is written in brackets: `x[i in N]`",
    });
  }
  return makeValue({ axes: [], element: boolElement }, expr.span, {
    isStatic: left.isStatic && right.isStatic,
    tainted: left.tainted || right.tainted,
  });
}

export function conditional(expr: Expr & { kind: "conditional" }, eq: EquationContext): Value {
  const condition = eq.body.shared.rules.infer(expr.condition, eq);
  if (!isUnknown(condition) && condition.element.kind !== "bool") {
    fail(eq.body, "DS0227", {
      title: "a condition is true or false",
      at: expr.condition.span,
      label: `this is ${printValueType(condition)}`,
    });
  }
  const truth = condition.isStatic ? isKnownTrue(expr.condition, eq) : null;
  const [yes, no] = [eq.body.shared.rules.infer(expr.then, eq), eq.body.shared.rules.infer(expr.else, eq)];
  if (truth !== null) return { ...(truth ? yes : no), span: expr.span };
  if (yes.element.kind === "block" || no.element.kind === "block" || yes.block !== null || no.block !== null) {
    return {
      ...(yes.element.kind === "null" ? no : yes),
      block:
        yes.block !== null && no.block !== null
          ? { kind: "choice", condition: expr.condition, yes: yes.block, no: no.block, span: expr.span }
          : null,
      span: expr.span,
    };
  }
  const lifted = condition.axes.length > 0 ? [condition, yes, no] : [yes, no];
  const value = elementwise("? :", [yes, no], expr, eq, (a, b) => commonElement(a, b));
  const isStatic = condition.isStatic && yes.isStatic && no.isStatic;
  const text = value.axes.length === 0 && isInteger(value.element) ? valueAtom(expressionKey(expr, eq)) : null;
  return {
    ...value,
    axes: widest([value, ...lifted]),
    poly: text,
    isStatic,
    tainted: value.tainted || condition.tainted,
  };
}
