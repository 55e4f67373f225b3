/** Calls: scalar functions, `top`, reductions, library functions, and parts. */
import type { Arg, CallExpr, Expr } from "../ast/nodes.ts";
import type { Span } from "../diagnostics/source.ts";
import {
  type Axis,
  matchAxes,
  plainAxis,
  plainText,
  printAxis,
  restrictAxis,
  sizeOf,
  unknownAxis,
  wholeAxis,
} from "../types/axis.ts";
import {
  asConstant,
  asSymbol,
  atomsOf,
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
import { applyBlock } from "./block-values.ts";
import { isReduction, type Reduction, scalarFunctions } from "./builtins.ts";
import { causalFacts, checkOpenMemory } from "./causality.ts";
import { factsHere, fail } from "./conditions.ts";
import {
  type BlockValue,
  type Entity,
  type EquationContext,
  type Header,
  type IndexInfo,
  lookup,
  type PartInfo,
  type Value,
} from "./context.ts";
import { arithmetic, expectNumber } from "./elementwise.ts";
import { type Bindings, matchArgument, orderArguments, substitutePoly, substituteType } from "./headers.ts";
import { addRange, withIndices } from "./indices.ts";
import { entityValue, unknownName } from "./infer.ts";
import { proveIndex } from "./inside.ts";
import { expressionKey, ungroup } from "./keys.ts";
import { addReference } from "./recorder.ts";
import { alternatives, blockHeader } from "./signatures.ts";
import { useDeclaration } from "./use.ts";
import { isUnknown, makeValue, placeAtom, unknownValue } from "./values.ts";

export function call(expr: CallExpr, eq: EquationContext): Value {
  const callee = ungroup(expr.callee);
  if (callee.kind === "index") {
    const base = ungroup(callee.base);
    if (base.kind === "name") {
      const entity = lookup(eq.body.scope, base.text);
      if (entity === null && isReduction(base.text)) return reduce(base.text, callee, expr, eq);
      if (entity?.source.kind === "part") return callPart(entity, base, callee, expr, eq);
      if (entity === null) {
        unknownName(base, eq);
        return afterError(expr, eq);
      }
    }
    eq.body.shared.rules.infer(callee, eq);
    return notCallable(expr, eq);
  }
  if (callee.kind !== "name") {
    eq.body.shared.rules.infer(callee, eq);
    return notCallable(expr, eq);
  }
  const entity = lookup(eq.body.scope, callee.text);
  if (entity === null) {
    if (callee.text === "top") return top(expr, eq);
    if (scalarFunctions.has(callee.text)) return scalarCall(callee.text, expr, eq);
    if (isReduction(callee.text)) {
      fail(eq.body, "DS0212", {
        title: `\`${callee.text}\` does not say over which index`,
        at: callee.span,
        label: "a reduction names its indices in brackets",
        help: `\`${callee.text}[i](…)\``,
      });
      return afterError(expr, eq);
    }
    unknownName(callee, eq);
    return afterError(expr, eq);
  }
  switch (entity.source.kind) {
    case "fn": {
      entity.uses += 1;
      addReference(eq.body.shared.recorder, callee.span, entity.symbol);
      const { decl } = entity.source;
      const info = eq.body.shared.rules.declared(decl);
      if (info.header === null) return afterError(expr, eq);
      return applyHeader(info.header, new Map(), expr, eq, (bindings, args) =>
        useDeclaration(info, bindings, (name) => args.get(name) ?? null, expr.span, eq),
      );
    }
    case "block": {
      entity.uses += 1;
      addReference(eq.body.shared.recorder, callee.span, entity.symbol);
      if (eq.fillsBlocks) return applyBlock(entity.source.decl, expr, eq);
      for (const arg of expr.args) if (arg.kind === "argument") eq.body.shared.rules.infer(arg.value, eq);
      fail(eq.body, "DS0240", {
        title: `block \`${callee.text}\` is called without a part`,
        at: expr.span,
        label: "a block has weights or state of its own: it must be a part first",
        secondary: [{ span: entity.span, text: "declared as a block here" }],
        help: `\`part name : ${callee.text}(..) at "…"\`, then \`name(${argText(expr.args)})\``,
      });
      return unknownValue(expr.span);
    }
    case "part":
      return callPart(entity, callee, null, expr, eq);
    case "broken":
      entity.uses += 1;
      return afterError(expr, eq);
    default: {
      const value = entityValue(entity, callee, eq);
      if (value.block !== null) {
        for (const arg of expr.args) if (arg.kind === "argument") eq.body.shared.rules.infer(arg.value, eq);
        fail(eq.body, "DS0240", {
          title: `block \`${callee.text}\` is called without a part`,
          at: expr.span,
          label: "this names a block; its weights belong to a part",
          secondary: [{ span: entity.span, text: "declared here" }],
          help: `\`part name : ${callee.text} at "…"\`, then \`name(${argText(expr.args)})\``,
        });
        return unknownValue(expr.span);
      }
      return notCallable(expr, eq);
    }
  }
}

const argText = (args: readonly Arg[]): string =>
  args.map((a) => (a.kind === "spread" ? ".." : a.span.source.text.slice(a.span.start, a.span.end))).join(", ");

function afterError(expr: CallExpr, eq: EquationContext): Value {
  for (const arg of expr.args) if (arg.kind === "argument") eq.body.shared.rules.infer(arg.value, eq);
  return unknownValue(expr.span);
}

function notCallable(expr: CallExpr, eq: EquationContext): Value {
  fail(eq.body, "DS0227", {
    title: "this cannot be called",
    at: expr.callee.span,
    label: "only functions, parts and reductions take arguments",
    help: "to read an element write brackets: `x[t]`",
  });
  return afterError(expr, eq);
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

function scalarCall(name: string, expr: CallExpr, eq: EquationContext): Value {
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

function liftPair(name: string, a: Value, b: Value, expr: Expr, eq: EquationContext): Value {
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
function top(expr: CallExpr, eq: EquationContext): Value {
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
function reduce(name: Reduction, callee: Expr & { kind: "index" }, expr: CallExpr, eq: EquationContext): Value {
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

type Given = ReadonlyMap<string, Value>;

/**
 * Matches arguments with a header and gives its results. Scalar parameters lift over open axes when the result is a
 * scalar; `found` is told the solved sizes and may replace results that say `_`.
 */
function applyHeader(
  header: Header,
  start: Bindings,
  expr: CallExpr,
  eq: EquationContext,
  found: (bindings: Bindings, args: Given) => ReadonlyMap<string, Value> | null,
): Value {
  const spread = expr.args.find((a) => a.kind === "spread");
  if (spread !== undefined) {
    fail(eq.body, "DS0245", {
      title: "`..` fills parameters of blocks",
      at: spread.span,
      label: "a call names all its arguments",
    });
  }
  const args = expr.args.flatMap((a) => (a.kind === "argument" ? [a] : []));
  const missing: string[] = [];
  const given = orderArguments(header.params, args, header.name, header.span, expr.span, eq, (p) =>
    missing.push(p.name),
  );
  const values = new Map<string, Value>();
  const bindings: Bindings = new Map(start);
  let lift: Value | null = null;
  let failed = missing.length > 0;
  if (failed) {
    fail(eq.body, "DS0245", {
      title: `\`${header.name}\` lacks ${missing.map((m) => `\`${m}\``).join(", ")}`,
      at: expr.span,
      label: `it takes ${header.params.map((p) => p.name).join(", ")}`,
      secondary: [{ span: header.span, text: "declared here" }],
    });
  }
  const inferred = new Map([...given].map(([name, arg]) => [name, eq.body.shared.rules.infer(arg.value, eq)] as const));
  const sizesFirst = [...header.params].sort(
    (a, b) => Number(isSizeParam(b.type.element)) - Number(isSizeParam(a.type.element)),
  );
  for (const param of sizesFirst) {
    const arg = given.get(param.name);
    const value = inferred.get(param.name);
    if (arg === undefined || value === undefined) continue;
    values.set(param.name, value);
    if (isSizeParam(param.type.element) && value.poly !== null && param.type.axes.length === 0) {
      bindings.set(param.name, plainAxis(value.poly));
    }
    if (mustBeStatic(param.type.element) && !isUnknown(value) && !value.isStatic) {
      fail(eq.body, "DS0126", {
        title: `\`${param.name}\` of \`${header.name}\` must be known when compiling`,
        at: arg.span,
        label: "this is known only when the model runs",
        secondary: [{ span: param.span, text: "declared here" }],
      });
      failed = true;
      continue;
    }
    const axes = matchArgument(param, value, arg.span, header, bindings, eq);
    if (axes === null) {
      failed = true;
      continue;
    }
    eq.obligations.push(() => {
      for (const axis of value.axes) checkOpenMemory(axis, arg.span, eq);
    });
    if (axes.length > 0) lift = lift === null ? value : liftPair(header.name, lift, value, expr, eq);
  }
  if (failed) return errorResults(header, expr.span);
  const scalarResult = header.results.every((r) => r.type.axes.length === 0);
  if (lift !== null && !scalarResult) {
    fail(eq.body, "DS0209", {
      title: "one number is expected here",
      at: lift.span,
      label: `this is ${printValueType(lift)}`,
      secondary: [{ span: header.span, text: `\`${header.name}\` gives a tensor, so its numbers do not lift` }],
      help: "index it",
    });
    return errorResults(header, expr.span);
  }
  const better = found(bindings, values);
  const all = [...values.values()];
  const isStatic = all.every((v) => v.isStatic);
  const tainted = all.some((v) => v.tainted);
  const results = header.results.map((result): Value => {
    const inferredResult = better?.get(result.name);
    if (inferredResult !== undefined) return { ...inferredResult, span: expr.span, isStatic, tainted };
    const type = substituteType(result.type, bindings);
    const key = expressionKey(expr, eq);
    const axes = type.axes.map((axis, i) =>
      axis.restriction === null || header.results[0] === undefined || !isDeclaredSome(result.type.axes[i])
        ? unsolvedToUnknown(axis, header)
        : restrictAxis(axis, { ...axis.restriction, key: `${key}.${result.name}` }),
    );
    const element = withCausality(type.element, axes, header, values, eq);
    const value = makeValue({ axes: lift === null ? axes : [...lift.axes, ...axes], element }, expr.span, {
      isStatic,
      tainted,
    });
    return isInteger(element) && value.axes.length === 0 ? { ...value, poly: valueAtom(key) } : value;
  });
  const [first] = results;
  if (first === undefined) return unknownValue(expr.span);
  return results.length === 1 ? first : { ...first, tuple: results };
}

const isDeclaredSome = (axis: Axis | undefined): boolean => axis?.restriction?.key.startsWith("some of ") ?? false;
const isSizeParam = (e: Element): boolean => e.kind === "integer" && (e.word === "dim" || e.word === "int");
const mustBeStatic = (e: Element): boolean => isSizeParam(e) || e.kind === "text";

function unsolvedToUnknown(axis: Axis, header: Header): Axis {
  if (axis.kind !== "plain") return axis;
  const open = [...atomsOf(axis.size).values()].some(
    (a) => a.kind === "symbol" && a.name.startsWith("?") && header.sizes.has(a.name),
  );
  return open ? unknownAxis : axis;
}

/** A set of memory rows for each token holds rows no later than the token: proved where it is made, known where used. */
function withCausality(
  element: Element,
  axes: readonly Axis[],
  header: Header,
  values: Given,
  eq: EquationContext,
): Element {
  if (element.kind !== "set" || axes.length === 0) return element;
  const facts: Poly[] = [];
  for (const param of header.params) {
    if (param.type.element.kind !== "index" || param.type.axes.length !== 1) continue;
    const position = values.get(param.name);
    if (position === undefined) continue;
    for (const names of eq.body.tokens.values()) {
      for (const name of names)
        facts.push(...causalFacts(element.of, valueAtom(`${name}[${printPoly(placeAtom(0))}]`), eq.body));
    }
    break;
  }
  return { ...element, facts: [...element.facts, ...facts] };
}

function errorResults(header: Header, span: Span): Value {
  if (header.results.length <= 1) return unknownValue(span);
  return { ...unknownValue(span), tuple: header.results.map(() => unknownValue(span)) };
}

/** A part, or a member of a family: `norm(x[t])`, `expert[e](x)`, `layer[l](h[l], pos)`. */
function callPart(
  entity: Entity,
  name: Expr & { kind: "name" },
  subscripted: (Expr & { kind: "index" }) | null,
  expr: CallExpr,
  eq: EquationContext,
): Value {
  entity.uses += 1;
  addReference(eq.body.shared.recorder, name.span, entity.symbol);
  eq.body.shared.rules.define(entity, eq.body);
  const part = eq.body.parts.get(entity.name);
  if (part === undefined) return afterError(expr, eq);
  familySubscript(part, entity, subscripted, expr, eq);
  let result: Value | null = null;
  for (const block of alternatives(part.block)) {
    if (block.kind === "none") continue;
    const found = blockHeader(block, eq);
    if (found === null) continue;
    const value = applyHeader({ ...found.header, name: entity.name }, found.bindings, expr, eq, (bindings, args) => {
      fillDefaults(found.header, bindings);
      if (part.args.size === 0)
        for (const [name, arg] of args) part.args.set(name, { axes: arg.axes, element: arg.element });
      noteSizes(part, block, bindings, found.header, expr, eq);
      if (block.kind !== "block") return null;
      const info = eq.body.shared.rules.declared(block.decl);
      return useDeclaration(
        info,
        bindings,
        (p) => block.args.get(p)?.value ?? args.get(p) ?? null,
        expr.span,
        eq,
        block,
      );
    });
    result ??= value;
  }
  return result ?? afterError(expr, eq);
}

/** Sizes left to their defaults, which may depend on sizes just solved. */
export function fillDefaults(header: Header, bindings: Bindings): void {
  for (const setting of header.settings) {
    if (bindings.has(setting.name) || setting.defaultSize === null) continue;
    bindings.set(setting.name, plainAxis(substitutePoly(setting.defaultSize, bindings)));
  }
}

function familySubscript(
  part: PartInfo,
  entity: Entity,
  subscripted: (Expr & { kind: "index" }) | null,
  expr: CallExpr,
  eq: EquationContext,
): void {
  const items = subscripted?.subscript.items ?? [];
  if (part.family === null || items.length !== 1) {
    const wanted = part.family === null ? 0 : 1;
    if (items.length === wanted) return;
    for (const item of items) eq.body.shared.rules.infer(item, eq);
    fail(eq.body, "DS0203", {
      title: "wrong number of subscripts",
      at: subscripted?.span ?? expr.callee.span,
      label:
        part.family === null
          ? `\`${entity.name}\` is one part, not a family`
          : `\`${entity.name}\` is a family: say which member`,
      secondary: [{ span: entity.span, text: "declared here" }],
    });
    return;
  }
  const [item] = items;
  if (item === undefined) return;
  const value = eq.body.shared.rules.infer(item, eq);
  const inner = ungroup(item);
  const index = inner.kind === "name" ? eq.uses.get(inner) : undefined;
  const axis = part.family.axis;
  if (index !== undefined) {
    index.reads += 1;
    addRange(index, axis, item.span, false);
  } else if (!isUnknown(value)) {
    const size = sizeOf(axis);
    const inside =
      value.element.kind === "index" && matchAxes(wholeAxis(value.element.of), axis, eq.body.facts) === "equal";
    if (size !== null && !inside) proveIndex(value.poly, size, item, eq, "DS0213", expressionKey(item, eq));
  }
  const uniform = !mentions(part.decl.block, part.family.index);
  if (uniform || value.isStatic) return;
  eq.obligations.push(() => {
    if (index?.isStatic === true) return;
    fail(eq.body, "DS0242", {
      title: `family \`${entity.name}\` is not uniform`,
      at: item.span,
      label: "this index is known only when the model runs, so all members must be alike",
      secondary: [{ span: part.decl.block.span, text: `the block depends on \`${part.family?.index ?? ""}\` here` }],
    });
  });
}

export function mentions(expr: Expr, name: string): boolean {
  let found = false;
  const visit = (value: unknown): void => {
    if (found || typeof value !== "object" || value === null) return;
    if ("kind" in value && value.kind === "name" && "text" in value && value.text === name) {
      found = true;
      return;
    }
    for (const [key, inner] of Object.entries(value)) if (key !== "span") visit(inner);
  };
  visit(expr);
  return found;
}

/** The first call of a part fixes the sizes of its weights; later calls must agree. */
function noteSizes(
  part: PartInfo,
  block: BlockValue,
  bindings: Bindings,
  header: Header,
  expr: CallExpr,
  eq: EquationContext,
): void {
  const known = part.dims.get(block);
  if (known === undefined) {
    part.dims.set(block, new Map(bindings));
    return;
  }
  for (const name of header.sizes) {
    const [a, b] = [known.get(name), bindings.get(name)];
    if (a === undefined || b === undefined || !part.fixed.has(name)) continue;
    const match = matchAxes(wholeAxis(a), wholeAxis(b), eq.body.facts);
    if (match === "equal") continue;
    fail(eq.body, "DS0201", {
      title: `part \`${part.decl.name.text}\` is called with another size`,
      at: expr.span,
      label: `here ${name} = ${plainText(printAxis(b))}, in another call ${plainText(printAxis(a))}`,
      secondary: [{ span: part.decl.name.span, text: "its weights have one size" }],
    });
    return;
  }
}
