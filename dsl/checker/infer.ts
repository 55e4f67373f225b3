/** Types of expressions: names, literals and operators. Reads are in read.ts, calls in call.ts. */

import type { Expr, NameExpr } from "../ast/nodes.ts";
import { closest } from "../diagnostics/suggest.ts";
import { type Axis, indexAtom, joinedAxis, matchAxes } from "../types/axis.ts";
import { asConstant, constant, neg, value as valueAtom } from "../types/poly.ts";
import { boolElement, type Element, intElement, printValueType, realElement } from "../types/value-type.ts";
import { coreNames, staticConstants } from "./builtins.ts";
import { castValue } from "./casts.ts";
import { fail } from "./conditions.ts";
import { type Entity, type EquationContext, lookup, type Scope, type Static, type Value } from "./context.ts";
import { arithmetic, commonElement, elementwise, expectNumber } from "./elementwise.ts";
import { expressionKey, ungroup } from "./keys.ts";
import { binary, conditional, withInteger } from "./operators.ts";
import { addHover, addReference } from "./recorder.ts";
import { setValue } from "./set-values.ts";
import { constantValue, integerValue, isUnknown, makeValue, unknownValue } from "./values.ts";

export function infer(expr: Expr, eq: EquationContext): Value {
  const value = inferKind(expr, eq);
  if (!eq.body.quiet && value.element.kind !== "unknown" && (expr.kind === "index" || expr.kind === "call")) {
    addHover(eq.body.shared.recorder, expr.span, printValueType(value));
  }
  return value;
}

function inferKind(expr: Expr, eq: EquationContext): Value {
  switch (expr.kind) {
    case "number":
      return /^\d+$/.test(expr.text)
        ? integerValue(constant(BigInt(expr.text)), expr.span, true)
        : constantValue(expr.value, realElement, expr.span);
    case "string":
      return constantValue(expr.value, { kind: "text", choices: [expr.value] }, expr.span);
    case "boolean":
      return constantValue(expr.value, boolElement, expr.span);
    case "null":
      return {
        ...constantValue(null, { kind: "null" }, expr.span),
        block: { kind: "none", span: expr.span },
      };
    case "hole":
      fail(eq.body, "DS0001", {
        title: "`_` stands where a value is expected",
        at: expr.span,
        label: "`_` leaves an axis open, inside brackets only",
      });
      return unknownValue(expr.span);
    case "config-root":
    case "error":
      return unknownValue(expr.span);
    case "name":
      return nameValue(expr, eq);
    case "group":
      return infer(expr.inner, eq);
    case "tuple":
      for (const item of expr.items) infer(item, eq);
      fail(eq.body, "DS0227", {
        title: "a tuple is not a value",
        at: expr.span,
        label: "`(a, b)` groups the parts of an axis, inside brackets",
        help: "to lay values side by side write `(a | b)`",
      });
      return unknownValue(expr.span);
    case "join":
      return joinValue(expr.items, expr, eq);
    case "set":
      return setValue(expr, eq);
    case "index":
      return indexed(expr, eq, false);
    case "call":
      return eq.body.shared.rules.call(expr, eq);
    case "member":
      return member(expr, eq);
    case "else": {
      const target = ungroup(expr.value);
      const value = target.kind === "index" ? indexed(target, eq, true) : infer(expr.value, eq);
      return elementwise("else", [value, infer(expr.fallback, eq)], expr, eq, (a, b) => commonElement(a, b));
    }
    case "cast":
      return castValue(expr, eq);
    case "unary": {
      const operand = infer(expr.operand, eq);
      if (expr.op === "not") return elementwise("not", [operand], expr, eq, () => boolElement);
      expectNumber(operand, expr.operand, eq);
      const result = elementwise("-", [operand], expr, eq, (a) => arithmetic(a, a));
      const number = typeof operand.constant === "number" ? -operand.constant : undefined;
      return withInteger(result, operand.poly === null ? null : neg(operand.poly), number);
    }
    case "binary":
      return binary(expr, eq);
    case "conditional":
      return conditional(expr, eq);
  }
}

function nameValue(expr: NameExpr, eq: EquationContext): Value {
  const bound = eq.indices.get(expr.text)?.at(-1);
  if (bound !== undefined) {
    eq.uses.set(expr, bound);
    const element: Element = intElement;
    return makeValue({ axes: [], element }, expr.span, { poly: indexAtom(bound.token), isStatic: bound.isStatic });
  }
  const entity = lookup(eq.body.scope, expr.text);
  if (entity === null) {
    const number = staticConstants.get(expr.text);
    if (number !== undefined) return constantValue(number, realElement, expr.span);
    unknownName(expr, eq);
    return unknownValue(expr.span);
  }
  return entityValue(entity, expr, eq);
}

export function unknownName(expr: NameExpr, eq: EquationContext): void {
  if (expr.text === "") return;
  const names: string[] = [...coreNames];
  for (let at: Scope | null = eq.body.scope; at !== null; at = at.parent) names.push(...at.names.keys());
  const near = closest(expr.text, names);
  fail(eq.body, "DS0101", {
    title: `unknown name \`${expr.text}\``,
    at: expr.span,
    label: "nothing of this name can be seen here",
    help: near === null ? null : `did you mean \`${near}\`?`,
    fix: near === null ? null : { title: `Change to ${near}`, span: expr.span, replacement: near },
  });
}

/** The value of a name, counted as a use. */
export function entityValue(entity: Entity, expr: NameExpr, eq: EquationContext): Value {
  entity.uses += 1;
  addReference(eq.body.shared.recorder, expr.span, entity.symbol);
  const value = eq.body.shared.rules.define(entity, eq.body);
  if (value.tainted) eq.taints.push(expr.span);
  const known = eq.body.known.get(entity.name);
  if (known !== undefined && value.axes.length === 0) {
    if (known === null || typeof known !== "object" || "kind" in known) {
      return {
        ...value,
        constant: known as Static,
        element: known === null ? { kind: "null" } : value.element,
        span: expr.span,
      };
    }
    const number = asConstant(known);
    return { ...value, poly: known, constant: number ?? undefined, span: expr.span };
  }
  return { ...value, span: expr.span };
}

function indexed(expr: Expr & { kind: "index" }, eq: EquationContext, fallback: boolean): Value {
  const base = ungroup(expr.base);
  const entity =
    base.kind === "name" && eq.indices.get(base.text) === undefined ? lookup(eq.body.scope, base.text) : null;
  const value = infer(expr.base, eq);
  return eq.body.shared.rules.read(value, expr.subscript, expr.span, eq, {
    fallback,
    text: expressionKey(base, eq),
    entity,
  });
}

function member(expr: Expr & { kind: "member" }, eq: EquationContext): Value {
  let base: Expr = expr;
  while (base.kind === "member") base = ungroup(base.base);
  if (base.kind !== "config-root") {
    infer(base, eq);
    fail(eq.body, "DS0227", {
      title: "values have no members",
      at: expr.word.span,
      label: "`.` reads a field of config.json, after `$`",
    });
    return unknownValue(expr.span);
  }
  if (eq.body.owner.kind !== "model") {
    fail(eq.body, "DS0120", {
      title: "config.json can be read in a model only",
      at: expr.span,
      label: "a block takes what it needs as a parameter",
    });
  }
  return makeValue({ axes: [], element: { kind: "unknown" } }, expr.span, {
    isStatic: true,
    poly: valueAtom(expressionKey(expr, eq)),
  });
}

function joinValue(items: readonly Expr[], expr: Expr, eq: EquationContext): Value {
  const values = items.map((item) => infer(item, eq));
  if (values.some(isUnknown)) return unknownValue(expr.span);
  const first = values[0];
  if (first === undefined) return unknownValue(expr.span);
  const pieces: Axis[] = [];
  for (const [i, value] of values.entries()) {
    const [head, ...rest] = value.axes;
    if (head === undefined) {
      fail(eq.body, "DS0209", {
        title: "a single number cannot be joined",
        at: items[i]?.span ?? expr.span,
        label: "this has no axis to lay beside the others",
        help: "leave the axis open: `x[t,_]` or `x[t]`",
      });
      return unknownValue(expr.span);
    }
    pieces.push(head);
    const others = first.axes.slice(1);
    const bad =
      rest.length !== others.length ||
      rest.some((axis, k) => matchAxes(axis, others[k] ?? axis, eq.body.facts) !== "equal");
    if (bad) {
      fail(eq.body, "DS0207", {
        title: "joined pieces differ in another axis",
        at: items[i]?.span ?? expr.span,
        label: `this is ${printValueType(value)}`,
        secondary: [{ span: items[0]?.span ?? expr.span, text: `this is ${printValueType(first)}` }],
        help: "pieces are laid side by side along their first axis; all other axes must be equal",
      });
      return unknownValue(expr.span);
    }
  }
  const element = values.map((v) => v.element).reduce((a, b) => commonElement(a, b) ?? a);
  return makeValue({ axes: [joinedAxis(pieces), ...first.axes.slice(1)], element }, expr.span, {
    isStatic: values.every((v) => v.isStatic),
    tainted: values.some((v) => v.tainted),
  });
}
