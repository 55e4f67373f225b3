/** Calls of the core: scalar functions, `top`, reductions. */
import type { CallExpr, Expr } from "../ast/nodes.ts";
import { matchAxes, plainText, sizeOf, unknownAxis, wholeAxis } from "../types/axis.ts";
import {
  asConstant,
  asSymbol,
  ceilDivide,
  constant,
  maxOf,
  minOf,
  type Poly,
  printPoly,
  sub,
  value as valueAtom,
} from "../types/poly.ts";
import { isPositive } from "../types/prove.ts";
import { type Element, intElement, isInteger, isNumber, printValueType, realElement } from "../types/value-type.ts";
import { isReduction, type Reduction, scalarFunctions } from "./builtins.ts";
import { factsHere, fail } from "./conditions.ts";
import type { EquationContext, IndexInfo, Value } from "./context.ts";
import { arithmetic, expectNumber } from "./elementwise.ts";
import { withIndices } from "./indices.ts";
import { expressionKey } from "./keys.ts";
import { isUnknown, makeValue, unknownValue } from "./values.ts";

export function afterError(expr: CallExpr, eq: EquationContext): Value {
  for (const arg of expr.args) if (arg.kind === "argument") eq.body.shared.rules.infer(arg.value, eq);
  return unknownValue(expr.span);
}

function plainArguments(expr: CallExpr, eq: EquationContext): readonly Expr[] {
  const values: Expr[] = [];
  for (const arg of expr.args) {
    if (arg.kind === "argument" && arg.name === null) values.push(arg.value);
    else {
      fail(eq.body, "DS0245", {
        title: "arguments of core functions have no names",
        at: arg.span,
        label: arg.kind === "spread" ? "`..` fills parameters of blocks" : "write the value alone",
      });
    }
  }
  return values;
}

export function scalarCall(name: string, expr: CallExpr, eq: EquationContext): Value {
  const fn = scalarFunctions.get(name);
  const exprs = plainArguments(expr, eq);
  const values = exprs.map((e) => eq.body.shared.rules.infer(e, eq));
  if (fn === undefined) return unknownValue(expr.span);
  if (fn.variadic === true ? values.length < 2 : values.length !== fn.params.length) {
    fail(eq.body, "DS0245", {
      title: `\`${name}\` takes ${fn.variadic === true ? "two or more arguments" : fn.params.length === 1 ? "one argument" : `${fn.params.length} arguments`}`,
      at: expr.span,
      label: `here are ${values.length}`,
      help: isReduction(name) ? `over an index: \`${name}[i](…)\`` : null,
    });
    return unknownValue(expr.span);
  }
  for (const [i, value] of values.entries()) expectNumber(value, exprs[i] ?? expr, eq);
  const [first, ...rest] = values;
  if (first === undefined) return unknownValue(expr.span);
  let result = first;
  for (const other of rest) result = liftPair(name, result, other, expr, eq);
  if (isUnknown(result)) return unknownValue(expr.span);
  const elements = values.map((v) => v.element);
  const integers = elements.every(isInteger);
  const element: Element =
    fn.result === "integer"
      ? intElement
      : fn.result === "same"
        ? elements.reduce((a, b) => arithmetic(a, b))
        : realElement;
  const isStatic = values.every((v) => v.isStatic);
  const base = makeValue(
    { axes: result.axes, element: integers && fn.result === "same" ? toInt(element) : element },
    expr.span,
    {
      isStatic,
      tainted: values.some((v) => v.tainted),
    },
  );
  if (base.axes.length > 0) return base;
  const polys = values.map((v) => v.poly);
  if (polys.every((p): p is Poly => p !== null) && integers) {
    const [a, b] = polys;
    if (name === "min") return withPoly(base, minOf(polys));
    if (name === "max") return withPoly(base, maxOf(polys));
    if (name === "ceil_div" && a !== undefined && b !== undefined)
      return withPoly(base, ceilDivide(a, b, eq.body.facts));
  }
  const numbers = values.map((v) => (typeof v.constant === "bigint" ? Number(v.constant) : v.constant));
  if (numbers.every((n): n is number => typeof n === "number")) {
    const known = fn.evaluate(...numbers);
    if (!Number.isNaN(known)) {
      return isInteger(base.element) && Number.isSafeInteger(known)
        ? withPoly(base, constant(known))
        : { ...base, constant: known };
    }
  }
  return isInteger(base.element) && isStatic ? { ...base, poly: valueAtom(expressionKey(expr, eq)) } : base;
}

const toInt = (element: Element): Element => (element.kind === "index" ? intElement : element);
const withPoly = (value: Value, poly: Poly): Value => ({ ...value, poly, constant: asConstant(poly) ?? undefined });

export function liftPair(name: string, a: Value, b: Value, expr: Expr, eq: EquationContext): Value {
  if (isUnknown(a) || isUnknown(b)) return a.axes.length >= b.axes.length ? a : b;
  if (a.axes.length === 0) return b;
  if (b.axes.length === 0) return a;
  const same =
    a.axes.length === b.axes.length &&
    a.axes.every((axis, i) => matchAxes(axis, b.axes[i] ?? axis, eq.body.facts) === "equal");
  if (same) return a;
  fail(eq.body, "DS0208", {
    title: `open axes of \`${name}\` differ`,
    at: b.span,
    label: `this is ${printValueType(b)}`,
    secondary: [{ span: a.span, text: `this is ${printValueType(a)}` }],
  });
  return unknownValue(expr.span);
}

/** `top(row, k)`: the set of the at most k greatest members of a row. */
export function top(expr: CallExpr, eq: EquationContext): Value {
  const [rowExpr, countExpr, ...more] = plainArguments(expr, eq);
  if (rowExpr === undefined || countExpr === undefined || more.length > 0) {
    fail(eq.body, "DS0245", {
      title: "`top` takes a row and a number",
      at: expr.span,
      label: "write `top(row, k)`",
    });
    return afterError(expr, eq);
  }
  const row = eq.body.shared.rules.infer(rowExpr, eq);
  const count = eq.body.shared.rules.infer(countExpr, eq);
  if (isUnknown(row)) return unknownValue(expr.span);
  const [axis, ...others] = row.axes;
  if (axis === undefined || others.length > 0 || !isNumber(row.element)) {
    fail(eq.body, "DS0209", {
      title: "`top` chooses from one row of numbers",
      at: rowExpr.span,
      label: `this is ${printValueType(row)}`,
      help: row.axes.length > 1 ? "index it: `top(score[t], k)`" : null,
    });
    return unknownValue(expr.span);
  }
  if (!isUnknown(count) && !isInteger(count.element)) {
    fail(eq.body, "DS0225", {
      title: "`top` counts members",
      at: countExpr.span,
      label: `this is ${printValueType(count)}`,
    });
  } else if (!isUnknown(count) && !count.isStatic) {
    fail(eq.body, "DS0126", {
      title: "the number of members must be known when compiling",
      at: countExpr.span,
      label: "this is known only when the model runs",
    });
  }
  const most = axis.restriction?.atMost ?? sizeOf(axis);
  if (count.poly !== null && most !== null && isPositive(sub(count.poly, most), factsHere(eq)) === "yes") {
    fail(eq.body, "DS0223", {
      title: "`top` of more than can exist",
      severity: "warning",
      at: countExpr.span,
      label: `${plainText(printPoly(count.poly))} of an axis of ${plainText(printPoly(most))}: all are taken`,
    });
  }
  const name = axis.kind === "plain" ? asSymbol(axis.size) : null;
  const element: Element = {
    kind: "set",
    of: wholeAxis(axis),
    facts: axis.restriction?.facts ?? [],
    atMost: count.poly,
  };
  if (name !== null && !eq.body.memories.has(name)) eq.mixing.push({ size: name, span: rowExpr.span });
  return makeValue({ axes: [], element }, expr.span, { tainted: row.tainted });
}

/** `sum[i, j in K where c](body)` */
export function reduce(name: Reduction, callee: Expr & { kind: "index" }, expr: CallExpr, eq: EquationContext): Value {
  const args = plainArguments(expr, eq);
  const [body] = args;
  if (body === undefined || args.length > 1) {
    fail(eq.body, "DS0245", {
      title: `\`${name}[…]\` takes one expression`,
      at: expr.span,
      label: `here are ${args.length}`,
    });
    return afterError(expr, eq);
  }
  let infos: readonly IndexInfo[] = [];
  const value = withIndices(callee.subscript.items, callee.subscript.where, expr, eq, (bound) => {
    infos = bound;
    return eq.body.shared.rules.infer(body, eq);
  });
  if (isUnknown(value)) return unknownValue(expr.span);
  const logical = name === "any" || name === "all";
  if (logical ? value.element.kind !== "bool" : !isNumber(value.element)) {
    fail(eq.body, "DS0227", {
      title: logical ? `\`${name}\` takes true or false` : `\`${name}\` takes numbers`,
      at: body.span,
      label: `this is ${printValueType(value)}`,
    });
    return unknownValue(expr.span);
  }
  if (name === "argmax" || name === "argmin") {
    const [info] = infos;
    const axis = info?.axis ?? null;
    if (axis?.restriction != null) {
      fail(eq.body, "DS0217", {
        title: `\`${name}\` of an axis that may be empty`,
        at: expr.span,
        label: `\`${info?.name ?? "i"}\` runs over a restricted axis, of which nothing may be left`,
        secondary: info === undefined ? [] : [{ span: info.span, text: "this index" }],
      });
    }
    const element: Element = { kind: "index", of: axis === null ? unknownAxis : wholeAxis(axis) };
    return makeValue({ axes: value.axes, element }, expr.span, { tainted: value.tainted });
  }
  const element: Element = isInteger(value.element) ? toInt(value.element) : value.element;
  const result = makeValue({ axes: value.axes, element }, expr.span, {
    isStatic: value.isStatic,
    tainted: value.tainted,
  });
  return isInteger(element) && value.axes.length === 0
    ? { ...result, poly: valueAtom(expressionKey(expr, eq)) }
    : result;
}
