/** Types of expressions: names, literals and operators. Reads are in read.ts, calls in call.ts. */
import type { BinaryExpr, Expr, NameExpr, SetExpr } from "../ast/nodes.ts";
import { closest } from "../diagnostics/suggest.ts";
import {
  type Axis,
  indexAtom,
  joinedAxis,
  matchAxes,
  plainText,
  printAxes,
  restrictAxis,
  sizeOf,
} from "../types/axis.ts";
import {
  add,
  asConstant,
  atomsOf,
  constant,
  divideExact,
  floorDivide,
  modulo,
  mul,
  neg,
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
  printElement,
  printValueType,
  realElement,
} from "../types/value-type.ts";
import { coreNames, staticConstants } from "./builtins.ts";
import { fail, isKnownTrue } from "./conditions.ts";
import { type Entity, type EquationContext, lookup, type Scope, type Static, type Value } from "./context.ts";
import { indexRange, withIndices } from "./indices.ts";
import { proveIndex } from "./inside.ts";
import { expressionKey, ungroup } from "./keys.ts";
import { addHover, addReference, spanKey } from "./recorder.ts";
import { elementFrom } from "./sizes.ts";
import { childrenOf } from "./sums.ts";
import {
  constantValue,
  integerValue,
  isUnknown,
  makeValue,
  namedInteger,
  renameWithBounds,
  selfName,
  unknownValue,
} from "./values.ts";

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
      return constantValue(expr.value, { kind: "text" }, expr.span);
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

function castValue(expr: Expr & { kind: "cast" }, eq: EquationContext): Value {
  const value = infer(expr.value, eq);
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
  return a.kind === b.kind ? a : null;
}

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

const widest = (values: readonly Value[]): readonly Axis[] =>
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

function withInteger(value: Value, poly: Poly | null, number: number | undefined): Value {
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

function binary(expr: BinaryExpr, eq: EquationContext): Value {
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
      const [low, high] = [infer(expr.left, eq), infer(expr.right, eq)];
      expectNumber(low, expr.left, eq);
      expectNumber(high, expr.right, eq);
      return unknownValue(expr.span);
    }
    case "??": {
      const [value, fallback] = [infer(expr.left, eq), infer(expr.right, eq)];
      if (value.constant !== undefined && value.constant !== null) return value;
      return value.element.kind === "null"
        ? fallback
        : { ...(isUnknown(value) ? fallback : value), constant: undefined, poly: null };
    }
    default:
      return arithmeticValue(expr, eq);
  }
}

function arithmeticValue(expr: BinaryExpr, eq: EquationContext): Value {
  const [left, right] = [infer(expr.left, eq), infer(expr.right, eq)];
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

function foldNumbers(op: string, x: number, y: number): number | undefined {
  switch (op) {
    case "+":
      return x + y;
    case "-":
      return x - y;
    case "*":
      return x * y;
    case "/":
      return x / y;
    case "^":
      return x ** y;
    default:
      return undefined;
  }
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
  const [left, right] = [infer(expr.left, eq), infer(expr.right, eq)];
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
  const left = infer(expr.left, eq);
  const right = infer(expr.right, eq);
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

function conditional(expr: Expr & { kind: "conditional" }, eq: EquationContext): Value {
  const condition = infer(expr.condition, eq);
  if (!isUnknown(condition) && condition.element.kind !== "bool") {
    fail(eq.body, "DS0227", {
      title: "a condition is true or false",
      at: expr.condition.span,
      label: `this is ${printValueType(condition)}`,
    });
  }
  const truth = condition.isStatic ? isKnownTrue(expr.condition, eq) : null;
  const [yes, no] = [infer(expr.then, eq), infer(expr.else, eq)];
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

/** `{1, 14}`, `{ s in S where c }`, `{ f(j) for j in K }`. */
function setValue(expr: SetExpr, eq: EquationContext): Value {
  const only = expr.items[0];
  if (expr.binder === null && only?.kind === "binary" && only.op === "in" && expr.items.length === 1) {
    return withIndices([only], expr.where, expr, eq, (infos, facts) => {
      const info = infos[0];
      const axis = info === undefined ? null : indexRange(info);
      if (info === undefined || axis === null) return unknownValue(expr.span);
      const self = new Map([[info.token, indexAtom(selfName)]]);
      const element: Element = {
        kind: "set",
        of: axis.restriction === null ? axis : restrictAxis(axis, null),
        facts: facts.map((fact) => renameWithBounds(eq.body, fact, self)),
        atMost: null,
      };
      return makeValue({ axes: [], element }, expr.span);
    });
  }
  if (expr.binder !== null) {
    const { binder } = expr;
    return withIndices([binder], expr.where, expr, eq, (infos) => {
      const image = only === undefined ? unknownValue(expr.span) : infer(only, eq);
      const range = infos[0] === undefined ? null : indexRange(infos[0]);
      if (image.element.kind !== "index") {
        if (!isUnknown(image)) {
          fail(eq.body, "DS0221", {
            title: "a set holds indices of an axis",
            at: only?.span ?? expr.span,
            label: `this is ${printValueType(image)}`,
            help: "say whose index it is: `as in E`, or a weight of type `in E`",
          });
        }
        return unknownValue(expr.span);
      }
      const atMost = range === null ? null : sizeOf(range);
      return makeValue({ axes: [], element: { kind: "set", of: image.element.of, facts: [], atMost } }, expr.span, {
        tainted: image.tainted,
      });
    });
  }
  const items = expr.items.map((item) => infer(item, eq));
  const constants = items.map((item) => item.constant);
  const known = constants.every((c) => c !== undefined);
  return makeValue(
    {
      axes: [],
      element: { kind: "set", of: { kind: "unknown", restriction: null }, facts: [], atMost: constant(items.length) },
    },
    expr.span,
    {
      isStatic: items.every((i) => i.isStatic),
      constant: known ? { kind: "set", items: constants as Static[] } : undefined,
    },
  );
}
