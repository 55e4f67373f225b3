/** Calling: arguments are matched with a header, which solves its sizes, and results come back in the caller's terms. */
import type { Expr } from "../ast/nodes.ts";
import type { Span } from "../diagnostics/source.ts";
import {
  type Axis,
  mapAxis,
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
  add,
  asSymbol,
  atomsOf,
  divideExact,
  mul,
  one,
  type Poly,
  printPoly,
  sub,
  substitute,
  symbolKey,
  zero,
} from "../types/poly.ts";
import { compare, isIntegral } from "../types/prove.ts";
import {
  type Element,
  isInteger,
  isNumber,
  printElement,
  printValueType,
  type ValueType,
} from "../types/value-type.ts";
import { fail } from "./conditions.ts";
import type { EquationContext, Header, HeaderParam, Value } from "./context.ts";
import { isUnknown } from "./values.ts";

/** What a header's names are at one call. */
export type Bindings = Map<string, Axis>;

export function substitutePoly(p: Poly, bindings: ReadonlyMap<string, Axis>): Poly {
  if (bindings.size === 0) return p;
  const by = new Map<string, Poly>();
  for (const atom of atomsOf(p).values()) {
    if (atom.kind !== "symbol") continue;
    const bound = bindings.get(atom.name);
    const size = bound === undefined ? null : sizeOf(bound);
    if (size !== null) by.set(symbolKey(atom.name), size);
  }
  return by.size === 0 ? p : substitute(p, by);
}

/** A size that is just a name stands for the whole axis: size, layout and restriction. */
export function substituteAxis(axis: Axis, bindings: ReadonlyMap<string, Axis>): Axis {
  if (axis.kind === "plain") {
    const name = asSymbol(axis.size);
    const bound = name === null ? undefined : bindings.get(name);
    if (bound !== undefined) {
      if (axis.restriction === null) return bound;
      return restrictAxis(wholeAxis(bound), mapAxis(axis, (p) => substitutePoly(p, bindings)).restriction);
    }
  }
  if (axis.kind === "merged" || axis.kind === "joined") {
    const whole: Axis = { ...axis, parts: axis.parts.map((part) => substituteAxis(part, bindings)) };
    return restrictAxis(whole, mapAxis(axis, (p) => substitutePoly(p, bindings)).restriction);
  }
  return mapAxis(axis, (p) => substitutePoly(p, bindings));
}

export function substituteType(type: ValueType, bindings: ReadonlyMap<string, Axis>): ValueType {
  const { element } = type;
  const swapped: Element =
    element.kind === "index"
      ? { kind: "index", of: substituteAxis(element.of, bindings) }
      : element.kind === "set"
        ? {
            kind: "set",
            of: substituteAxis(element.of, bindings),
            facts: element.facts.map((p) => substitutePoly(p, bindings)),
            atMost: element.atMost === null ? null : substitutePoly(element.atMost, bindings),
          }
        : element;
  return { axes: type.axes.map((axis) => substituteAxis(axis, bindings)), element: swapped };
}

export type AxisProblem = { readonly kind: "size" | "layout"; readonly expected: Axis; readonly actual: Axis } | null;

/** Matches an axis of a header with an axis given, solving sizes of the header on the way. */
export function solveAxis(
  pattern: Axis,
  actual: Axis,
  sizes: ReadonlySet<string>,
  bindings: Bindings,
  eq: EquationContext,
): AxisProblem {
  if (pattern.kind === "unknown" || actual.kind === "unknown") {
    if (pattern.kind === "plain") {
      const name = asSymbol(pattern.size);
      if (name !== null && sizes.has(name) && !bindings.has(name)) bindings.set(name, unknownAxis);
    }
    return null;
  }
  const problem = (kind: "size" | "layout"): AxisProblem => ({
    kind,
    expected: substituteAxis(pattern, bindings),
    actual,
  });
  if (pattern.kind === "plain") {
    const name = asSymbol(pattern.size);
    if (name !== null && sizes.has(name)) {
      const bound = bindings.get(name);
      if (bound === undefined || bound.kind === "unknown") {
        bindings.set(name, actual);
        return null;
      }
      const match = matchAxes(bound, actual, eq.body.facts);
      if (match === "restriction") return null;
      return match === "equal" ? null : problem(match);
    }
    if (!isSolved(pattern.size, sizes, bindings)) return null;
    const match = matchAxes(substituteAxis(pattern, bindings), wholeAxis(actual), eq.body.facts);
    return match === "equal" ? null : problem(match === "restriction" ? "layout" : match);
  }
  if (actual.kind === pattern.kind) {
    if (actual.parts.length !== pattern.parts.length) return problem("layout");
    for (const [i, part] of pattern.parts.entries()) {
      const given = actual.parts[i];
      const inner = given === undefined ? null : solveAxis(part, given, sizes, bindings, eq);
      if (inner !== null) return problem("layout");
    }
    return null;
  }
  if (actual.kind !== "plain") return problem("layout");
  return solveStructured(pattern, actual.size, sizes, bindings, eq) ? null : problem("size");
}

/** A structured parameter takes a plain axis of the right size, which solves the one part that is open. */
function solveStructured(
  pattern: Axis & { kind: "merged" | "joined" },
  size: Poly,
  sizes: ReadonlySet<string>,
  bindings: Bindings,
  eq: EquationContext,
): boolean {
  const merged = pattern.kind === "merged";
  let known: Poly = merged ? one : zero;
  const open: Axis[] = [];
  for (const part of pattern.parts) {
    const solved = substituteAxis(part, bindings);
    const own = sizeOf(solved);
    if (own === null || !isSolved(sizeOf(part) ?? own, sizes, bindings)) open.push(part);
    else known = merged ? mul(known, own) : add(known, own);
  }
  if (open.length === 0) return compare(known, size, eq.body.facts) === "equal";
  const [only] = open;
  if (open.length > 1 || only === undefined || only.kind !== "plain") return false;
  const rest = merged ? divideExact(size, known) : sub(size, known);
  if (merged) {
    const integral = isIntegral(rest, eq.body.facts);
    if (integral === "no") return false;
    if (integral === "unknown") {
      eq.body.deferred.push({
        kind: "integral",
        poly: rest,
        facts: eq.body.facts,
        code: "DS0205",
        span: eq.scopeSpan,
        origin: null,
        text: `an axis of ${plainText(printPoly(size))} must divide by ${plainText(printPoly(known))}`,
      });
    }
  }
  return solveAxis(only, plainAxis(rest), sizes, bindings, eq) === null;
}

/** A type in which axes with sizes that no argument solved are unknown. */
export function solvedPart(type: ValueType, sizes: ReadonlySet<string>, bindings: Bindings): ValueType {
  const solved = (axis: Axis): Axis => {
    switch (axis.kind) {
      case "unknown":
        return axis;
      case "plain":
        return hasOpenSize(axis.size, sizes, bindings) ? unknownAxis : axis;
      default:
        return { ...axis, parts: axis.parts.map(solved) };
    }
  };
  const { element } = type;
  const known: Element =
    element.kind === "index" || element.kind === "set" ? { ...element, of: solved(element.of) } : element;
  return { axes: type.axes.map(solved), element: known };
}

const hasOpenSize = (size: Poly, sizes: ReadonlySet<string>, bindings: Bindings): boolean =>
  [...atomsOf(size).values()].some((a) => {
    if (a.kind !== "symbol" || !sizes.has(a.name)) return false;
    const bound = bindings.get(a.name);
    return bound === undefined || (bound.kind === "unknown" && asSymbol(size) === null);
  });

const isSolved = (size: Poly, sizes: ReadonlySet<string>, bindings: Bindings): boolean =>
  [...atomsOf(size).values()].every(
    (a) => a.kind !== "symbol" || !sizes.has(a.name) || (bindings.get(a.name)?.kind ?? "unknown") !== "unknown",
  );

/** Matches one argument; reports and returns null on a mismatch, otherwise the axes by which a scalar parameter lifts. */
export function matchArgument(
  param: HeaderParam,
  arg: Value,
  span: Span,
  header: Header,
  bindings: Bindings,
  eq: EquationContext,
): readonly Axis[] | null {
  if (isUnknown(arg)) return [];
  const { type } = param;
  const secondary = [{ span: param.span, text: `\`${param.name}\` of \`${header.name}\` is ${printHeaderType(type)}` }];
  if (!matchElement(type.element, arg, span, secondary, header, bindings, eq)) return null;
  if (type.axes.length === 0) return arg.axes;
  if (arg.axes.length !== type.axes.length) {
    const more = arg.axes.length - type.axes.length;
    fail(eq.body, "DS0209", {
      title: more > 0 ? "a whole is given where a row is expected" : "a row is given where more is expected",
      at: span,
      label: `this is ${printValueType(arg)}`,
      secondary,
      help: more > 0 ? `index it: \`x[${["t", "i", "j"].slice(0, Math.min(more, 3)).join(",")}]\`` : null,
    });
    return null;
  }
  for (const [i, pattern] of type.axes.entries()) {
    const actual = arg.axes[i];
    if (actual === undefined) continue;
    const problem = solveAxis(pattern, actual, header.sizes, bindings, eq);
    if (problem === null) continue;
    const [expected, found] = [plainText(printAxis(problem.expected)), plainText(printAxis(problem.actual))];
    fail(eq.body, problem.kind === "size" ? "DS0201" : "DS0202", {
      title:
        problem.kind === "size"
          ? `argument \`${param.name}\` has another size`
          : `argument \`${param.name}\` has another layout`,
      at: span,
      label: `this axis is ${found}, expected ${expected}`,
      secondary,
      help:
        problem.kind === "layout"
          ? "the layout says how elements pair up; regroup by a declared type, or use the block made for this layout"
          : null,
    });
    return null;
  }
  return [];
}

const printHeaderType = (type: ValueType): string => printValueType(type).replaceAll("?", "");

function matchElement(
  expected: Element,
  arg: Value,
  span: Span,
  secondary: readonly { readonly span: Span; readonly text: string }[],
  header: Header,
  bindings: Bindings,
  eq: EquationContext,
): boolean {
  const { element } = arg;
  const wrong = (
    code: "DS0227" | "DS0225" | "DS0221" | "DS0220" | "DS0219",
    title: string,
    help: string | null = null,
  ): boolean => {
    fail(eq.body, code, { title, at: span, label: `this is ${printValueType(arg)}`, secondary, help });
    return false;
  };
  switch (expected.kind) {
    case "unknown":
    case "null":
    case "block":
      return true;
    case "float":
      return isNumber(element) || wrong("DS0227", "a number is expected");
    case "integer":
      if (isInteger(element)) return true;
      return isNumber(element) ? wrong("DS0225", "an integer is expected") : wrong("DS0227", "an integer is expected");
    case "bool":
      return element.kind === "bool" || element.kind === "null" || wrong("DS0227", "bool is expected");
    case "text": {
      if (element.kind === "null") return true;
      if (element.kind !== "text") return wrong("DS0227", `${printElement(expected)} is expected`);
      const { choices } = expected;
      if (choices === null || element.choices?.every((text) => choices.includes(text)) === true) return true;
      return wrong("DS0219", `${printElement(expected)} is expected`);
    }
    case "index": {
      if (element.kind !== "index") {
        if (!isInteger(element)) return wrong("DS0225", `${printElement(expected)} is expected`);
        return wrong(
          "DS0221",
          "an index is expected",
          `\`… mod ${printAxis(expected.of)}\` or \`… as in ${printAxis(expected.of)}\``,
        );
      }
      const problem = solveAxis(expected.of, element.of, header.sizes, bindings, eq);
      return problem === null || wrong("DS0220", `an index of ${plainText(printAxis(problem.expected))} is expected`);
    }
    case "set": {
      if (element.kind !== "set") return wrong("DS0227", "a set is expected");
      const problem = solveAxis(expected.of, element.of, header.sizes, bindings, eq);
      return problem === null || wrong("DS0220", `a set of ${plainText(printAxis(problem.expected))} is expected`);
    }
  }
}

/** Arguments by position, then by name; reports what is missing, unknown, repeated or too much. */
export function orderArguments<
  A extends {
    readonly name: { readonly text: string; readonly span: Span } | null;
    readonly value: Expr;
    readonly span: Span;
  },
>(
  params: readonly HeaderParam[],
  args: readonly A[],
  what: string,
  declared: Span,
  at: Span,
  eq: EquationContext,
  missing: (param: HeaderParam) => void,
): ReadonlyMap<string, A> {
  const given = new Map<string, A>();
  let position = 0;
  for (const arg of args) {
    let param: HeaderParam | undefined;
    if (arg.name === null) {
      param = params[position];
      position += 1;
    } else {
      const { text } = arg.name;
      param = params.find((p) => p.name === text);
    }
    if (param === undefined) {
      fail(eq.body, arg.name === null ? "DS0245" : "DS0241", {
        title:
          arg.name === null
            ? `too many arguments for \`${what}\``
            : `\`${what}\` has no parameter \`${arg.name.text}\``,
        at: arg.name?.span ?? arg.span,
        label: arg.name === null ? `it takes ${params.length}` : "unknown parameter",
        secondary: [{ span: declared, text: `\`${what}\` is declared here` }],
        help: params.length === 0 ? null : `it takes ${params.map((p) => `\`${p.name}\``).join(", ")}`,
      });
      continue;
    }
    if (given.has(param.name)) {
      fail(eq.body, "DS0245", {
        title: `\`${param.name}\` is given twice`,
        at: arg.span,
        label: "given again here",
        secondary: [{ span: given.get(param.name)?.span ?? at, text: "first given here" }],
      });
      continue;
    }
    given.set(param.name, arg);
  }
  for (const param of params) if (!given.has(param.name) && !param.hasDefault) missing(param);
  return given;
}
