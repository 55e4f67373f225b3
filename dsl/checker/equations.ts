/** Equations: what they define, the types they give, and the checks that need the whole equation. */
import type { Equation, Expr, Target } from "../ast/nodes.ts";
import type { Span } from "../diagnostics/source.ts";
import {
  type Axis,
  indexAtom,
  plainAxis,
  plainText,
  printAxes,
  printAxis,
  restrictAxis,
  sizeOf,
  unknownAxis,
} from "../types/axis.ts";
import { asSymbol, one, type Poly, sub } from "../types/poly.ts";
import { regroup } from "../types/regroup.ts";
import {
  type Element,
  isInteger,
  isNumber,
  printElement,
  printValueType,
  type ValueType,
} from "../types/value-type.ts";
import { settleCausality } from "./causality.ts";
import { fail } from "./conditions.ts";
import type { Body, EquationContext, IndexInfo, Value } from "./context.ts";
import { bindFreeIndices, newEquation } from "./equation-context.ts";
import { addRange, indexRange, recordIndices, settleIndex } from "./indices.ts";
import {
  assumeLeft,
  axisOfItem,
  type Left,
  type LeftItem,
  leftOf,
  leftRestriction,
  placesOf,
  restrictLast,
  stepAxis,
} from "./left-side.ts";
import { typeFrom } from "./sizes.ts";
import { inferSums } from "./sums.ts";
import { isUnknown, makeValue, renameAxis, renameElement, unknownValue } from "./values.ts";

/** Types of all targets of an equation; checked once a path. */
export function checkEquation(
  equation: Equation,
  body: Body,
  declaredOf: (target: Target) => Declared | null,
): readonly Value[] {
  const known = body.equations.get(equation);
  if (known !== undefined) return known;
  const saved = body.facts;
  body.facts = body.pathFacts;
  const values = equation.operator === "<-" ? [] : defining(equation, body, declaredOf);
  body.facts = saved;
  body.equations.set(equation, values);
  return values;
}

/** What is declared of a target: the type, where that is written, and how many cases there are without it. */
export interface Declared {
  readonly type: ValueType | null;
  readonly span: Span;
  readonly cases: number;
  /** Told the type that is known before a recurrence is: its step reads what is being defined. */
  readonly provisional: (value: Value) => void;
}

function defining(equation: Equation, body: Body, declaredOf: (target: Target) => Declared | null): readonly Value[] {
  const eq = newEquation(body, equation.span);
  const before = body.found.errors;
  const lefts = equation.targets.map((target) => leftOf(target, eq));
  for (const left of lefts) if (left.where !== null) bindFreeIndices(left.where, "free", eq);
  bindFreeIndices(equation.value, "free", eq);
  for (const target of equation.targets) assumeLeft(target.subscript, eq);
  const declared = equation.targets.map(declaredOf);
  announceSteps(lefts, declared);

  const wasQuiet = body.quiet;
  // What one stage finds wrong makes the next ones wrong too: they look, but say nothing.
  const hush = (): void => {
    if (body.found.errors > before) body.quiet = true;
  };
  hush();
  const value = eq.body.shared.rules.infer(equation.value, eq);
  hush();
  for (const [i, left] of lefts.entries()) rangesFromDeclared(left.items, declared[i]?.type ?? null);
  finishIndices(eq);
  settleToken(eq);
  hush();
  runObligations(eq);
  inferSums(equation.value, eq);
  hush();
  const written = equation.type === null ? null : typeFrom(equation.type, eq);
  const whole =
    written === null
      ? value
      : asDeclared(value, written, equation.type?.span ?? equation.span, equation.value.span, eq);
  const pieces = piecesOf(equation, whole, eq);
  const values = lefts.map((left, i) => {
    const piece = pieces[i] ?? unknownValue(equation.span);
    return targetValue(left, piece, declared[i] ?? null, eq);
  });
  hush();
  const hasToken = eq.token !== null || values.some((v) => v.axes.some((axis) => isTokenAxis(axis, body)));
  const tainted = settleCausality(eq, hasToken, false);
  body.quiet = wasQuiet;
  recordIndices(eq, equation.span);
  const doubtful = eq.all.some((info) => info.ranges.some((r) => r.written && r.axis.kind === "unknown"));
  const failed = doubtful || body.found.errors > before;
  return values.map((v, i) => {
    // A value that is wrong somewhere fits everywhere, unless its type is declared.
    if (failed && (declared[i]?.type ?? null) === null) return unknownValue(v.span);
    return tainted ? { ...v, tainted } : v;
  });
}

const isTokenAxis = (axis: Axis, body: Body): boolean => {
  const size = axis.kind === "plain" ? asSymbol(axis.size) : null;
  return size !== null && body.tokens.has(size);
};

function runObligations(eq: EquationContext): void {
  for (let i = 0; i < eq.obligations.length; i += 1) eq.obligations[i]?.();
}

/** Before the right of a recurrence is looked at, the size of its axis is known only where it is written. */
function announceSteps(lefts: readonly Left[], declared: readonly (Declared | null)[]): void {
  for (const [i, left] of lefts.entries()) {
    const at = left.items.findIndex((item) => item.kind === "step");
    const item = left.items[at];
    if (item === undefined || item.kind !== "step") continue;
    const size = item.whole === null ? null : sizeOf(item.whole);
    if (size !== null) addRange(item.info, plainAxis(sub(size, one)), item.span, true);
    declared[i]?.provisional({ ...unknownValue(left.target.span), axes: [item.whole ?? unknownAxis] });
  }
}

/** An index used only as a number takes its range from the declared type of the left. */
function rangesFromDeclared(items: readonly LeftItem[], type: ValueType | null): void {
  if (type === null) return;
  const visit = (item: LeftItem, axis: Axis | undefined): void => {
    if (axis === undefined) return;
    if (item.kind === "index" && indexRange(item.info) === null) addRange(item.info, axis, item.span, false);
    if (item.kind === "tuple" && axis.kind === "merged")
      for (const [i, part] of item.items.entries()) visit(part, axis.parts[i]);
  };
  for (const [i, item] of items.entries()) visit(item, type.axes[i]);
}

function finishIndices(eq: EquationContext): void {
  const uses = new Map<IndexInfo, number>();
  for (const info of eq.uses.values()) uses.set(info, (uses.get(info) ?? 0) + 1);
  for (const info of eq.all) {
    if (info.role === "bound") continue;
    settleIndex(info, eq);
    if (info.axis !== null) continue;
    if (info.role === "free" && (uses.get(info) ?? 0) <= 1) continue; // reported as used once
    fail(eq.body, "DS0212", {
      title: `range of index \`${info.name}\` is unknown`,
      at: info.span,
      label: "it stands on no axis, so nothing says how far it runs",
      help: `write its range: \`${info.name} in N\``,
    });
  }
}

/** The left index along a token axis, when the equation has one. */
function settleToken(eq: EquationContext): void {
  for (const info of eq.all) {
    if (info.role !== "left" || info.axis?.kind !== "plain") continue;
    const size = asSymbol(info.axis.size);
    if (size !== null && eq.body.tokens.has(size)) {
      eq.token = { index: info, size };
      return;
    }
  }
}

/** The value for each target: all of it, the results of a call, or the pieces of its first open axis. */
function piecesOf(equation: Equation, value: Value, eq: EquationContext): readonly Value[] {
  const { targets } = equation;
  const [only] = targets;
  if (targets.length === 1 && only !== undefined) {
    if (value.tuple !== null && value.tuple.length > 1) {
      fail(eq.body, "DS0245", {
        title: `${value.tuple.length} results for one target`,
        at: equation.value.span,
        label: "this call gives several results",
        help: `name them all: \`${only.name.text}, …\`, with \`_\` for those not wanted`,
      });
    }
    return [{ ...value, tuple: null }];
  }
  if (isUnknown(value) && value.tuple === null) return targets.map(() => unknownValue(equation.span));
  if (equation.separator === ",") {
    const results = value.tuple ?? [value];
    if (results.length !== targets.length) {
      fail(eq.body, "DS0245", {
        title: `${targets.length} targets for ${results.length === 1 ? "one result" : `${results.length} results`}`,
        at: equation.value.span,
        label: `this gives ${results.length}`,
        help: value.axes[0]?.kind === "joined" ? "to split along an axis write `|` between the targets" : null,
      });
      return targets.map(() => unknownValue(equation.span));
    }
    return results;
  }
  const [first, ...rest] = value.axes;
  if (first?.kind === "unknown") return targets.map(() => unknownValue(equation.span));
  if (first === undefined || first.kind !== "joined" || first.parts.length !== targets.length) {
    const what = first === undefined ? "has no open axis" : `starts with ${plainText(printAxis(first))}`;
    fail(eq.body, "DS0206", {
      title: "split does not fit the axis",
      at: equation.value.span,
      label: `this ${what}; ${targets.length} pieces are asked for`,
      help:
        first !== undefined && first.kind === "plain"
          ? "declare its pieces: `a | b : [(A | B)] := …`, or a weight of shape `[(A | B), …]`"
          : "the axis to split must be a join `(A | B)` with as many pieces",
    });
    return targets.map(() => unknownValue(equation.span));
  }
  return first.parts.map((part) => ({
    ...value,
    axes: [first.restriction === null ? part : restrictAxis(part, part.restriction ?? first.restriction), ...rest],
  }));
}

/** The type of a target: its subscripts, then what stays open on the right; then what is declared of it. */
function targetValue(left: Left, piece: Value, declared: Declared | null, eq: EquationContext): Value {
  const open = [...piece.axes];
  const subscripts: Axis[] = [];
  let short = false;
  for (const [i, item] of left.items.entries()) {
    const axis = axisOfItem(item, declared?.type?.axes[i] ?? null, declared?.cases ?? 1, () => open.shift() ?? null);
    if (axis === null) short = true;
    subscripts.push(axis ?? unknownAxis);
    if (item.kind === "step" && item.whole === null && sizeOf(stepAxis(item.info, null)) === null) short = false;
  }
  if (short && !isUnknown(piece)) {
    fail(eq.body, "DS0208", {
      title: "more open axes on the left than on the right",
      at: left.target.span,
      label: `the right side is ${printValueType(piece)}`,
      help: "each `_` on the left takes an open axis of the right side",
    });
  }
  const restriction = leftRestriction(left, eq);
  const axes = restrictLast([...subscripts, ...open], subscripts.length, restriction);
  const places = placesOf(left.items, 0);
  const by = new Map<string, Poly>([...places].map(([token, place]) => [token, indexAtom(place)]));
  const moved = axes.map((axis) => renameAxis(eq.body, axis, by));
  const element = renameElement(eq.body, piece.element, by);
  const scalar = moved.length === 0;
  const value: Value = {
    ...makeValue({ axes: moved, element }, left.target.span, {
      isStatic: piece.isStatic,
      tainted: piece.tainted,
      constant: scalar ? piece.constant : undefined,
      poly: scalar ? piece.poly : null,
    }),
    block: piece.block,
  };
  const type = declared?.type ?? null;
  if (type === null || isUnknown(piece))
    return type === null ? value : { ...value, axes: type.axes, element: type.element };
  return asDeclared(value, type, declared?.span ?? left.target.span, left.target.span, eq, true);
}

/** A value where a type is declared: the one place where axes may be regrouped. */
export function asDeclared(
  value: Value,
  type: ValueType,
  declaredAt: Span,
  at: Span,
  eq: EquationContext,
  keepsKnown = false,
): Value {
  if (isUnknown(value)) return { ...value, axes: type.axes, element: type.element };
  const { body } = eq;
  const secondary = [{ span: declaredAt, text: `declared as ${printValueType(type)}` }];
  const result: Value = {
    ...value,
    axes: mergeKnown(type.axes, value.axes),
    element: mergeElement(type.element, value.element),
  };
  if (!elementFits(type.element, value.element)) {
    const integerWanted = type.element.kind === "integer" || type.element.kind === "index";
    const code =
      type.element.kind === "index" && isInteger(value.element)
        ? "DS0221"
        : integerWanted && isNumber(value.element)
          ? "DS0225"
          : "DS0227";
    fail(body, code, {
      title: `${printElement(type.element)} is declared`,
      at,
      label: `this is ${printValueType(value)}`,
      secondary,
      help: code === "DS0221" ? `\`… mod N\`, or \`… as ${printElement(type.element)}\`` : null,
    });
    return result;
  }
  if (keepsKnown && type.axes.some((axis) => axis.kind === "unknown") && type.axes.length === value.axes.length) {
    // `_` in a result: what the equations give.
    const pairs = type.axes.map((axis, i) => (axis.kind === "unknown" ? (value.axes[i] ?? axis) : axis));
    return asDeclared(value, { axes: pairs, element: type.element }, declaredAt, at, eq);
  }
  const lost = value.axes.findIndex(
    (axis, i) => axis.restriction !== null && (type.axes[i]?.restriction ?? null) === null,
  );
  if (lost >= 0 && type.axes[lost]?.kind !== "unknown") {
    fail(body, "DS0215", {
      title: "a restricted value where a whole axis is declared",
      at,
      label: `this exists only for ${plainText(value.axes[lost]?.restriction?.key ?? "some indices")}`,
      secondary,
      help: "fill the others: `… else 0`, or declare the axis as `_ of N`",
    });
    return result;
  }
  checkMembers(value, type, at, secondary, eq);
  const strip = (axes: readonly Axis[]): readonly Axis[] => axes.map((axis) => restrictAxis(axis, null));
  const found = regroup(strip(value.axes), strip(type.axes), body.facts);
  if (found === "same" || found === "regrouped") return result;
  const rank = value.axes.length !== type.axes.length;
  const code = found === "layout" ? "DS0202" : rank ? "DS0209" : "DS0201";
  const place = firstDifference(value.axes, type.axes, body);
  fail(body, code, {
    title:
      found === "layout"
        ? "layout differs from what is declared"
        : rank
          ? "number of axes differs from what is declared"
          : "size differs from what is declared",
    at,
    label: place === null ? `this is ${plainText(printAxes(value.axes))}` : place,
    secondary,
    help:
      found === "layout"
        ? "a structure is not read as another structure in one step: flatten it first by a declared type"
        : null,
  });
  return result;
}

function firstDifference(actual: readonly Axis[], declared: readonly Axis[], body: Body): string | null {
  if (actual.length !== declared.length) return null;
  for (const [i, axis] of actual.entries()) {
    const other = declared[i];
    if (
      other !== undefined &&
      regroup([restrictAxis(axis, null)], [restrictAxis(other, null)], body.facts) !== "same"
    ) {
      return `axis ${i + 1} is ${plainText(printAxis(axis))}, declared ${plainText(printAxis(other))}`;
    }
  }
  return null;
}

/** `K of E` takes a restricted row of at most K members. */
function checkMembers(
  value: Value,
  type: ValueType,
  at: Span,
  secondary: readonly { readonly span: Span; readonly text: string }[],
  eq: EquationContext,
): void {
  for (const [i, axis] of type.axes.entries()) {
    const [most, own] = [axis.restriction?.atMost ?? null, value.axes[i]?.restriction ?? null];
    if (most === null) continue;
    const bound = own === null ? sizeOf(value.axes[i] ?? unknownAxis) : own.atMost;
    if (bound !== null && bound.key === most.key) continue;
    fail(eq.body, "DS0215", {
      title: "not known to have so few members",
      at,
      label:
        bound === null
          ? "nothing bounds the number of members here"
          : `this may have ${plainText(bound.key === "" ? "?" : printAxis({ kind: "plain", size: bound, restriction: null }))} members`,
      secondary,
      help: "`top(row, K)` chooses at most K",
    });
    return;
  }
}

/** Declared axes with the restrictions that are known of the value. */
function mergeKnown(declared: readonly Axis[], actual: readonly Axis[]): readonly Axis[] {
  return declared.map((axis, i) => {
    const own = actual[i];
    if (own === undefined || declared.length !== actual.length) return axis;
    if (axis.kind === "unknown") return own;
    return axis.restriction !== null && own.restriction !== null ? restrictAxis(axis, own.restriction) : axis;
  });
}

const mergeElement = (declared: Element, actual: Element): Element =>
  declared.kind === "set" && actual.kind === "set"
    ? { ...declared, facts: actual.facts, atMost: actual.atMost }
    : declared;

function elementFits(declared: Element, actual: Element): boolean {
  switch (declared.kind) {
    case "unknown":
    case "null":
      return true;
    case "float":
      return isNumber(actual) || actual.kind === "unknown";
    case "integer":
      return isInteger(actual) || actual.kind === "unknown";
    case "index":
      return actual.kind === "index" || actual.kind === "unknown";
    default:
      return actual.kind === declared.kind || actual.kind === "unknown";
  }
}

/** An expression by itself: the body of `fn f(x) = …`, a law, a condition. Free indices are summed as in an equation. */
export function checkExpression(expr: Expr, body: Body, fillsBlocks = false): Value {
  const saved = body.facts;
  body.facts = body.pathFacts;
  const eq = newEquation(body, expr.span, fillsBlocks);
  bindFreeIndices(expr, "free", eq);
  const value = body.shared.rules.infer(expr, eq);
  finishIndices(eq);
  runObligations(eq);
  inferSums(expr, eq);
  const tainted = settleCausality(eq, false, false);
  recordIndices(eq, expr.span);
  body.facts = saved;
  return tainted ? { ...value, tainted } : value;
}
