/** Calls of what has a header: arguments matched, results in the terms of the caller. */

import type { CallExpr } from "../ast/nodes.ts";
import type { Span } from "../diagnostics/source.ts";
import { type Axis, plainAxis, restrictAxis } from "../types/axis.ts";
import { type Poly, printPoly, value as valueAtom } from "../types/poly.ts";
import { type Element, isInteger, printValueType } from "../types/value-type.ts";
import { causalFacts, checkOpenMemory } from "./causality.ts";
import { fail } from "./conditions.ts";
import type { EquationContext, Header, Value } from "./context.ts";
import { liftPair } from "./core-calls.ts";
import { type Bindings, matchArgument, orderArguments, solvedPart, substituteType } from "./headers.ts";
import { expressionKey } from "./keys.ts";
import { isUnknown, makeValue, placeAtom, unknownValue } from "./values.ts";

type Given = ReadonlyMap<string, Value>;

/**
 * Matches arguments with a header and gives its results. Scalar parameters lift over open axes when the result is a
 * scalar; `found` is told the solved sizes and may replace results that say `_`.
 */
export function applyHeader(
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
    const type = substituteType(solvedPart(result.type, header.sizes, bindings), bindings);
    const key = expressionKey(expr, eq);
    const axes = type.axes.map((axis, i) =>
      axis.restriction === null || header.results[0] === undefined || !isDeclaredSome(result.type.axes[i])
        ? axis
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
