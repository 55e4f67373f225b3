/** Reads: what a subscript does to the type of what it stands on. */
import type { Expr, Subscript } from "../ast/nodes.ts";
import type { Span } from "../diagnostics/source.ts";
import {
  type Axis,
  type IndexMap,
  indexAtom,
  matchAxes,
  plainText,
  printAxis,
  sizeOf,
  wholeAxis,
} from "../types/axis.ts";
import { asSymbol, type Poly, printPoly } from "../types/poly.ts";
import { type Element, isInteger, printValueType } from "../types/value-type.ts";
import { checkMemoryRead } from "./causality.ts";
import { fail } from "./conditions.ts";
import { type EquationContext, type IndexInfo, lookup, type ReadOptions, type Value } from "./context.ts";
import { addRange, rangeFrom } from "./indices.ts";
import { proveIndex } from "./inside.ts";
import { expressionKey, ungroup } from "./keys.ts";
import {
  isUnknown,
  makeValue,
  namedInteger,
  placeAtom,
  placeName,
  renameAxis,
  renameElement,
  renameWithBounds,
  selfName,
  unknownValue,
} from "./values.ts";

/** What an item leaves of its axis: nothing (`at` is where it reads), or open axes. */
type Place =
  | { readonly kind: "fixed"; readonly at: Poly | null; readonly parts: readonly (Poly | null)[] }
  | { readonly kind: "open"; readonly axes: readonly Axis[] };

/** What waits until all subscripts are known: restrictions of one axis mention the indices of others. */
type Later = (subscripts: IndexMap) => void;

export function read(base: Value, subscript: Subscript, span: Span, eq: EquationContext, options: ReadOptions): Value {
  if (subscript.where !== null) {
    fail(eq.body, "DS0001", {
      title: "`where` in a read",
      at: subscript.where.span,
      label: "a condition stands where a tensor is defined, or in `sum[… where …]`",
    });
  }
  if (isUnknown(base)) {
    if (!base.isStatic || base.poly === null) eq.doubtful = true;
    for (const item of subscript.items) touchUnknown(item, eq);
    return base.isStatic && base.poly !== null
      ? {
          ...unknownValue(span),
          poly: namedInteger(eq.body, expressionKeyOfRead(options.text, subscript, eq), base.element),
        }
      : unknownValue(span);
  }
  if (base.element.kind === "block") return unknownValue(span);
  if (subscript.items.length > base.axes.length) {
    for (const item of subscript.items) touchUnknown(item, eq);
    fail(eq.body, "DS0203", {
      title: "too many subscripts",
      at: span,
      label: `${subscript.items.length} subscripts on ${printValueType(base)}, which has ${axisCount(base.axes.length)}`,
      secondary: options.entity === null ? [] : [{ span: options.entity.span, text: "declared here" }],
      help: mergedHelp(base.axes, subscript.items.length),
    });
    return unknownValue(span);
  }
  const later: Later[] = [];
  const places = base.axes.map((axis, i): Place => {
    const item = subscript.items[i];
    return item === undefined ? { kind: "open", axes: [axis] } : placeOf(item, axis, eq, options, later);
  });
  return afterRead(base, places, span, eq, options, later);
}

const axisCount = (n: number): string => (n === 0 ? "no axis" : n === 1 ? "one axis" : `${n} axes`);

function mergedHelp(axes: readonly Axis[], items: number): string | null {
  const merged = axes.find((axis) => axis.kind === "merged");
  if (merged === undefined || merged.kind !== "merged") return null;
  const leaves = axes.reduce((n, axis) => n + (axis.kind === "merged" ? axis.parts.length : 1), 0);
  return leaves === items
    ? `${plainText(printAxis(merged))} is one stored axis: write its indices in parentheses, as \`(h,n)\``
    : null;
}

const expressionKeyOfRead = (text: string, subscript: Subscript, eq: EquationContext): string =>
  `${text}[${subscript.items.map((item) => expressionKey(item, eq)).join(",")}]`;

/** Under something unknown, indices still count as used, and get no range of their own. */
export function touchUnknown(item: Expr, eq: EquationContext): void {
  const inner = ungroup(item);
  if (inner.kind === "hole") return;
  if (inner.kind === "tuple") {
    for (const part of inner.items) touchUnknown(part, eq);
    return;
  }
  const value = eq.body.shared.rules.infer(inner.kind === "binary" && inner.op === "in" ? inner.left : inner, eq);
  void value;
  const info = inner.kind === "name" ? eq.uses.get(inner) : undefined;
  if (info !== undefined) addRange(info, { kind: "unknown", restriction: null }, item.span, false);
}

function placeOf(item: Expr, axis: Axis, eq: EquationContext, options: ReadOptions, later: Later[]): Place {
  const inner = ungroup(item);
  if (inner.kind === "hole") return { kind: "open", axes: [axis] };
  if (inner.kind === "tuple") return tuplePlace(inner.items, inner, axis, eq, options, later);
  const ranged = inner.kind === "binary" && inner.op === "in";
  const subject = ranged ? ungroup(inner.left) : inner;
  if (subject.kind === "name" && shadows(subject, eq)) return { kind: "fixed", at: null, parts: [] };
  const value = eq.body.shared.rules.infer(subject, eq);
  const info = subject.kind === "name" ? eq.uses.get(subject) : undefined;
  if (info !== undefined) {
    info.reads += 1;
    if (ranged) {
      addRange(info, rangeFrom(inner.right, eq), inner.right.span, true);
      proveAxis(value.poly, axis, subject, eq, options);
    } else if (info.ranges.some((r) => r.written)) {
      // A written range: the read must lie inside, on an axis equal to the range or proved by numbers.
      const written = info.ranges.find((r) => r.written);
      const fits =
        written !== undefined && matchAxes(wholeAxis(written.axis), wholeAxis(axis), eq.body.facts) === "equal";
      if (fits) rangeLater(info, options.fallback ? wholeAxis(axis) : axis, item.span, eq, later);
      else if (!options.fallback) proveAxis(value.poly, axis, subject, eq, options);
    } else {
      rangeLater(info, options.fallback ? wholeAxis(axis) : axis, item.span, eq, later);
    }
    noteRead(axis, value.poly, item.span, eq, options);
    return { kind: "fixed", at: indexAtom(info.token), parts: [] };
  }
  if (isUnknown(value)) return { kind: "fixed", at: null, parts: [] };
  if (!isInteger(value.element)) {
    fail(eq.body, "DS0225", {
      title: "a subscript is an integer",
      at: item.span,
      label: `this is ${printValueType(value)}`,
    });
    return { kind: "fixed", at: null, parts: [] };
  }
  const at =
    value.axes.length > 0 ? null : (value.poly ?? namedInteger(eq.body, expressionKey(subject, eq), value.element));
  checkSubscript(value, at, axis, item, eq, options);
  noteRead(axis, at, item.span, eq, options);
  if (value.axes.length > 0) return { kind: "open", axes: value.axes };
  return { kind: "fixed", at, parts: [] };
}

/** A bare name in a bracket is the value of that name where there is one; a value that is no integer was meant as an index. */
function shadows(name: Expr & { kind: "name" }, eq: EquationContext): boolean {
  if (eq.indices.get(name.text)?.at(-1) !== undefined) return false;
  const entity = lookup(eq.body.scope, name.text);
  if (entity === null) return false;
  const busy = entity.state === "busy" && entity.value === null;
  const value = busy ? null : eq.body.shared.rules.define(entity, eq.body);
  if (value !== null && (isUnknown(value) ? entity.source.kind !== "part" : isInteger(value.element))) return false;
  entity.uses += 1;
  fail(eq.body, "DS0103", {
    title: `index \`${name.text}\` has the name of a value`,
    at: name.span,
    label: "in a bracket this is the value, not an index",
    secondary: [{ span: entity.span, text: "the value is declared here" }],
    help: "give the index another letter",
  });
  return true;
}

const rangeLater = (info: IndexInfo, axis: Axis, span: Span, eq: EquationContext, later: Later[]): void => {
  if (axis.restriction === null) addRange(info, axis, span, false);
  else later.push((subscripts) => addRange(info, renameAxis(eq.body, axis, subscripts), span, false));
};

function tuplePlace(
  items: readonly Expr[],
  tuple: Expr,
  axis: Axis,
  eq: EquationContext,
  options: ReadOptions,
  later: Later[],
): Place {
  if (axis.kind === "unknown") {
    for (const item of items) touchUnknown(item, eq);
    return { kind: "fixed", at: null, parts: [] };
  }
  if (axis.kind !== "merged") {
    for (const item of items) touchUnknown(item, eq);
    fail(eq.body, "DS0204", {
      title: "this axis has no parts",
      at: tuple.span,
      label: `${items.length} indices on the plain axis ${plainText(printAxis(axis))}`,
      help: `regroup by a declared type first: \`v : [(A, B)] := ${options.text}\``,
    });
    return { kind: "fixed", at: null, parts: [] };
  }
  if (axis.parts.length !== items.length) {
    for (const item of items) touchUnknown(item, eq);
    fail(eq.body, "DS0203", {
      title: "wrong number of subscripts",
      at: tuple.span,
      label: `${items.length} indices on ${plainText(printAxis(axis))}, which has ${axis.parts.length} parts`,
    });
    return { kind: "fixed", at: null, parts: [] };
  }
  const places = axis.parts.map((part, i): Place => {
    const item = items[i];
    return item === undefined
      ? { kind: "open", axes: [part] }
      : placeOf(item, part, eq, { ...options, entity: null }, later);
  });
  const open = places.flatMap((p) => (p.kind === "open" ? p.axes : []));
  const parts = places.map((p) => (p.kind === "fixed" ? p.at : null));
  if (axis.restriction !== null && !options.fallback) {
    const by = new Map(parts.flatMap((p, i): [string, Poly][] => (p === null ? [] : [[`${selfName}.${i}`, p]])));
    const { facts } = axis.restriction;
    later.push((subscripts) => {
      for (const fact of facts)
        eq.facts.push(renameWithBounds(eq.body, renameWithBounds(eq.body, fact, by), subscripts));
    });
  }
  if (open.length > 0) return { kind: "open", axes: open };
  return { kind: "fixed", at: null, parts };
}

function proveAxis(at: Poly | null, axis: Axis, expr: Expr, eq: EquationContext, options: ReadOptions): void {
  const size = sizeOf(axis);
  if (size !== null && !options.fallback) proveIndex(at, size, expr, eq, "DS0213", expressionKey(expr, eq));
}

/** A subscript that is no index of the equation: inside by its type, by proof, or with an `else`. */
function checkSubscript(
  value: Value,
  at: Poly | null,
  axis: Axis,
  item: Expr,
  eq: EquationContext,
  options: ReadOptions,
): void {
  if (options.fallback || axis.kind === "unknown") return;
  if (axis.restriction !== null) {
    fail(eq.body, "DS0213", {
      title: "read may be absent",
      at: item.span,
      label: `the value exists only for ${plainText(axis.restriction.key)}`,
      help: "say what stands for the others: `… else 0`",
    });
    return;
  }
  const size = sizeOf(axis);
  if (size === null) return;
  if (value.element.kind === "index") {
    if (matchAxes(wholeAxis(value.element.of), axis, eq.body.facts) === "equal") return;
    const piece = axis.kind === "joined" ? axis.parts[0] : undefined;
    if (piece !== undefined && matchAxes(wholeAxis(value.element.of), piece, eq.body.facts) === "equal") return;
    const later =
      axis.kind === "joined" &&
      axis.parts.some(
        (p) =>
          matchAxes(wholeAxis(value.element.kind === "index" ? value.element.of : p), p, eq.body.facts) === "equal",
      );
    if (value.element.of.kind === "joined" || later) {
      fail(eq.body, "DS0220", {
        title: "index of another axis",
        at: item.span,
        label: `an index of ${plainText(printAxis(value.element.of))} on an axis ${plainText(printAxis(axis))}`,
        help: "pieces keep their order: an index of a join, or of its first piece",
      });
      return;
    }
    proveIndex(at, size, item, eq, isModulo(item) ? "DS0213" : "DS0220", expressionKey(item, eq));
    return;
  }
  const named = at === null || ungroup(item).kind === "name" || ungroup(item).kind === "index";
  proveIndex(at, size, item, eq, named && !value.isStatic ? "DS0221" : "DS0213", expressionKey(item, eq));
}

const isModulo = (item: Expr): boolean => {
  const inner = ungroup(item);
  return inner.kind === "binary";
};

/** Whether the read stays at the element being defined is asked when the left indices are known. */
function noteRead(axis: Axis, at: Poly | null, span: Span, eq: EquationContext, options: ReadOptions): void {
  const size = sizeOf(axis);
  if (size === null) return;
  checkMemoryRead(axis, at, span, eq, options.entity);
  const name = asSymbol(size);
  if (name === null) return;
  eq.obligations.push(() => {
    const own = at !== null && eq.all.some((i) => i.role === "left" && indexAtom(i.token).key === at.key);
    if (!own) eq.mixing.push({ size: name, span });
  });
}

/** The value left when places are filled: restrictions and bounds follow to the subscripts. */
function afterRead(
  base: Value,
  places: readonly Place[],
  span: Span,
  eq: EquationContext,
  options: ReadOptions,
  later: readonly Later[],
): Value {
  const by = new Map<string, Poly>();
  const axes: Axis[] = [];
  for (const [i, place] of places.entries()) {
    if (place.kind === "fixed") {
      if (place.at !== null) by.set(placeName(i), place.at);
      for (const [k, part] of place.parts.entries()) if (part !== null) by.set(`${placeName(i)}.${k}`, part);
    } else {
      if (axes.length !== i) by.set(placeName(i), placeAtom(axes.length));
      axes.push(...place.axes);
    }
  }
  const map: IndexMap = by;
  for (const run of later) run(map);
  const element: Element = renameElement(eq.body, base.element, map);
  const value = makeValue({ axes: axes.map((axis) => renameAxis(eq.body, axis, map)), element }, span, {
    isStatic: base.isStatic,
    tainted: base.tainted,
  });
  if (axes.length > 0 || !isInteger(element)) return value;
  const body = options.entity?.body ?? null;
  if (body !== null && places.every((p) => p.kind === "fixed" && (p.at !== null || p.parts.every((q) => q !== null)))) {
    return { ...value, poly: renameWithBounds(eq.body, body, map) };
  }
  const at = places.map((p) =>
    p.kind === "fixed"
      ? p.at === null
        ? `(${p.parts.map((q) => (q === null ? "?" : printPoly(q))).join(",")})`
        : printPoly(p.at)
      : "_",
  );
  return { ...value, poly: namedInteger(eq.body, `${options.text}[${at.join(",")}]`, element) };
}
