/** Using a declaration: which of its paths is taken, and whether what it asks of sizes holds here. */
import type { Expr, Param } from "../ast/nodes.ts";
import type { Span } from "../diagnostics/source.ts";
import { type Axis, plainText, printAxis, sizeOf } from "../types/axis.ts";
import type { Bounds, Facts } from "../types/facts.ts";
import { asConstant, asSymbol, constant, type Poly, printPoly, scale, sub, symbol } from "../types/poly.ts";
import { isIntegral, isSurelyNonNegative } from "../types/prove.ts";
import { memoryOf } from "./causality.ts";
import { fail } from "./conditions.ts";
import {
  type BlockValue,
  type DeclInfo,
  type Deferred,
  type EquationContext,
  lookup,
  type PathInfo,
  type Value,
} from "./context.ts";
import { type Bindings, substitutePoly, substituteType } from "./headers.ts";
import { verdict } from "./inside.ts";
import { alternatives } from "./signatures.ts";
import { evaluateStatic, type Known, type StaticScope } from "./static.ts";
import { makeValue } from "./values.ts";

/** Stands for a block given to a `block?` parameter: something that is not `null`. */
const someBlock: Known = { kind: "list", items: [] };

export function useDeclaration(
  info: DeclInfo,
  bindings: Bindings,
  argument: (name: string) => Value | null,
  span: Span,
  eq: EquationContext,
  block: BlockValue | null = null,
): ReadonlyMap<string, Value> | null {
  for (const size of info.mixes) {
    const bound = bindings.get(size);
    if (bound !== undefined) for (const name of symbolsOf(bound)) eq.mixing.push({ size: name, span });
  }
  for (const memory of new Set([...info.remembers, ...remembered(info, block, eq)])) {
    const bound = bindings.get(memory);
    if (bound === undefined || bound.kind === "unknown") continue;
    const found = memoryOf(bound, eq.body);
    if (found !== null) eq.body.info.remembers.add(found.memory);
    else {
      fail(eq.body, "DS0233", {
        title: "positions are not of a memory",
        at: span,
        label: `it keeps state, one row for each index of ${plainText(printAxis(bound))}, which is no memory`,
        help: "declare the size they index as `runtime S : memory in 1..context`",
      });
    }
  }
  if (!info.done) {
    checkShrinks(info, bindings, span, eq);
    return null;
  }
  const scope = calleeScope(info, bindings, argument, eq);
  const open: PathInfo[] = [];
  for (const path of info.paths) {
    const states = path.conditions.map(({ expr, holds }) => {
      const value = evaluateStatic(expr, scope);
      return typeof value === "boolean" ? value === holds : undefined;
    });
    if (states.includes(false)) continue;
    open.push(path);
  }
  const [only] = open;
  if (only === undefined || open.length > 1) return null;
  for (const require of only.requires) {
    const holds = evaluateStatic(require.condition, scope);
    if (holds === false) {
      const isWhere = require.kind === "where";
      fail(eq.body, isWhere ? "DS0123" : "DS0124", {
        title: isWhere ? "a condition on parameters fails" : "a requirement fails",
        at: span,
        label: `${valuesIn(require.condition, scope)}`,
        secondary: [{ span: require.condition.span, text: "this must hold" }],
      });
    } else if (holds === undefined) deferCondition(require.condition, scope, span, eq);
  }
  for (const deferred of only.deferred) passOn(deferred, bindings, span, eq);
  const results = new Map<string, Value>();
  for (const [name, value] of only.results) {
    const header = info.header?.results.find((r) => r.name === name);
    if (header === undefined || !header.type.axes.some((axis) => axis.kind === "unknown")) continue;
    results.set(name, makeValue(substituteType(value, bindings), span));
  }
  return results;
}

const symbolsOf = (axis: Axis): readonly string[] => {
  const size = sizeOf(axis);
  if (size === null) return [];
  const names: string[] = [];
  const visit = (a: Axis): void => {
    if (a.kind === "merged" || a.kind === "joined") for (const part of a.parts) visit(part);
    else if (a.kind === "plain") names.push(printPoly(a.size));
  };
  visit(axis);
  return names;
};

/** Memories of the states of blocks given as parameters, by the names their signatures have here. */
function remembered(info: DeclInfo, block: BlockValue | null, eq: EquationContext): readonly string[] {
  if (block?.kind !== "block") return [];
  return (info.header?.settings ?? []).flatMap((setting): readonly string[] => {
    const { element } = setting.type;
    if (element.kind !== "block") return [];
    return alternatives(block.args.get(setting.name)?.value.block ?? null).flatMap((given): readonly string[] => {
      if (given.kind !== "block") return [];
      const inner = eq.body.shared.rules.declared(given.decl);
      const names = element.signature.params.flatMap((p) => p.names.map(() => indexedAxis(p)));
      return (inner.header?.params ?? []).flatMap((param, i) => {
        const size = param.type.element.kind === "index" ? sizeOf(param.type.element.of) : null;
        const name = size === null ? null : asSymbol(size);
        const here = names[i] ?? null;
        return name !== null && here !== null && inner.remembers.has(name) ? [here] : [];
      });
    });
  });
}

/** `S` of `pos: [T] in S`. */
const indexedAxis = (param: Param): string | null => {
  const { scalar } = param.type;
  return scalar?.kind === "index-type" && scalar.axis.kind === "name" ? scalar.axis.text : null;
};

/** Values of the declaration's names at this use. */
export function calleeScope(
  info: DeclInfo,
  bindings: Bindings,
  argument: (name: string) => Value | null,
  eq: EquationContext,
): StaticScope {
  const known = new Map<string, Known>();
  const find = (name: string): Known => {
    if (known.has(name)) return known.get(name);
    known.set(name, undefined);
    const value = argument(name);
    let result: Known;
    if (value !== null) {
      result = value.block !== null ? (value.block.kind === "none" ? null : someBlock) : (value.constant ?? undefined);
      if (value.constant === null || value.element.kind === "null") result = null;
      if (result === undefined && value.poly !== null) result = asConstant(value.poly) ?? value.poly;
    }
    if (result === undefined && bindings.has(name)) {
      const bound = bindings.get(name);
      const size = bound === undefined ? null : sizeOf(bound);
      if (size !== null) result = asConstant(size) ?? size;
    }
    if (result === undefined && value === null) {
      const fallback = info.header?.settings.find((s) => s.name === name)?.node.default ?? null;
      if (fallback !== null) result = evaluateStatic(fallback, scope);
    }
    known.set(name, result);
    return result;
  };
  const scope: StaticScope = {
    value: find,
    fn: (name) => {
      const entity = lookup(eq.body.scope, name);
      return entity?.source.kind === "fn" ? entity.source.decl : null;
    },
    config: () => undefined,
    facts: eq.body.pathFacts,
  };
  return scope;
}

/** `8 <= 4`-like text of a failing condition: its names with their values. */
/** `here N = 7, K = 2`: what a condition is of. */
export function valuesIn(condition: Expr, scope: StaticScope): string {
  const found = new Map<string, string>();
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    if ("kind" in value && value.kind === "name" && "text" in value && typeof value.text === "string") {
      const known = scope.value(value.text);
      if (known !== undefined) found.set(value.text, showKnown(known));
      return;
    }
    for (const [key, inner] of Object.entries(value)) if (key !== "span") visit(inner);
  };
  visit(condition);
  return found.size === 0 ? "it fails here" : `here ${[...found].map(([n, v]) => `${n} = ${v}`).join(", ")}`;
}

export function showKnown(value: Known): string {
  if (value === undefined) return "?";
  if (typeof value === "string") return JSON.stringify(value);
  if (value === Number.POSITIVE_INFINITY) return "inf";
  if (typeof value !== "object" || value === null) return String(value);
  if ("terms" in value) return plainText(printPoly(value));
  if (value.kind === "object") return "an object";
  return `${value.kind === "set" ? "{" : "["}${value.items.map((i) => showKnown(i)).join(", ")}${value.kind === "set" ? "}" : "]"}`;
}

/** Integer comparisons that could not be decided are asked again where this declaration is used. */
function deferCondition(condition: Expr, scope: StaticScope, span: Span, eq: EquationContext): void {
  if (condition.kind === "group") {
    deferCondition(condition.inner, scope, span, eq);
    return;
  }
  if (condition.kind !== "binary") return;
  if (condition.op === "and") {
    deferCondition(condition.left, scope, span, eq);
    deferCondition(condition.right, scope, span, eq);
    return;
  }
  if (evaluateStatic(condition, scope) !== undefined) return;
  const [left, right] = [condition.left, condition.right].map((e) => {
    const value = evaluateStatic(e, scope);
    return typeof value === "bigint"
      ? constant(value)
      : typeof value === "object" && value !== null && "terms" in value
        ? value
        : null;
  });
  if (left == null || right == null) return;
  const push = (poly: Poly): void => {
    eq.body.deferred.push({
      kind: "nonNegative",
      poly,
      facts: eq.body.pathFacts,
      code: "DS0123",
      span,
      origin: condition.span,
      text: "a condition of what is used here fails",
    });
  };
  const one = constant(1);
  switch (condition.op) {
    case "<":
      push(sub(sub(right, left), one));
      return;
    case "<=":
      push(sub(right, left));
      return;
    case ">":
      push(sub(sub(left, right), one));
      return;
    case ">=":
      push(sub(left, right));
      return;
    case "==":
      push(sub(left, right));
      push(sub(right, left));
      return;
    default:
      return;
  }
}

function substituteFacts(facts: Facts, bindings: Bindings, here: Facts): Facts {
  const map = (p: Poly): Poly => substitutePoly(p, bindings);
  const bounds = new Map<string, Bounds>(here.bounds);
  for (const [key, { lower, upper }] of facts.bounds) {
    bounds.set(key, { lower: lower === null ? null : map(lower), upper: upper === null ? null : map(upper) });
  }
  return {
    bounds,
    nonNegative: [...here.nonNegative, ...facts.nonNegative.map(map)],
    integral: [...here.integral, ...facts.integral.map(map)],
  };
}

function passOn(deferred: Deferred, bindings: Bindings, span: Span, eq: EquationContext): void {
  const poly = substitutePoly(deferred.poly, bindings);
  const facts = substituteFacts(deferred.facts, bindings, eq.body.pathFacts);
  const origin = deferred.origin ?? deferred.span;
  const answer = judge(deferred.kind, poly, facts);
  if (answer === "no") {
    fail(eq.body, deferred.code, {
      title:
        deferred.code === "DS0205"
          ? "a size does not divide"
          : deferred.code === "DS0123"
            ? "a condition on parameters fails"
            : "read may be outside",
      at: span,
      label: deferred.text,
      secondary: [{ span: origin, text: "asked for here" }],
    });
  } else if (answer === "unknown") {
    eq.body.deferred.push({ ...deferred, poly, facts, span, origin });
  }
}

export function judge(kind: Deferred["kind"], poly: Poly, facts: Facts): "yes" | "no" | "unknown" {
  if (kind === "integral") return isIntegral(poly, facts);
  const answer = verdict(poly, facts);
  return answer === "proved" ? "yes" : answer === "refuted" ? "no" : "unknown";
}

/** A function may call itself on strictly smaller sizes only. */
function checkShrinks(info: DeclInfo, bindings: Bindings, span: Span, eq: EquationContext): void {
  if (eq.body.info !== info) return;
  const sizes = [
    ...(info.header?.sizes ?? []),
    ...(info.header?.params.filter((p) => p.type.element.kind === "integer").map((p) => p.name) ?? []),
  ];
  const shrinks = sizes.some((name) => {
    const bound = bindings.get(name);
    const size = bound === undefined ? null : sizeOf(bound);
    if (size === null) return false;
    const less = sub(symbol(name), size);
    return isSurelyNonNegative(sub(scale(less, 64), constant(1)), eq.body.facts);
  });
  if (shrinks) return;
  fail(eq.body, "DS0127", {
    title: "recursion does not shrink",
    at: span,
    label: "this call is not on a strictly smaller size",
    help: "call it on a half, or on a size less one, under a condition that ends it",
  });
}
