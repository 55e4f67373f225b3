/** State writes: `k[pos[t]] <- e where c`. One row a token, or one for several; each row at most once a call. */
import type { Equation, Expr } from "../ast/nodes.ts";
import { type Axis, matchAxes, plainText, printAxis, restrictAxis, sizeOf, unknownAxis } from "../types/axis.ts";
import { atomsOf, type Poly } from "../types/poly.ts";
import { isInteger, printValueType } from "../types/value-type.ts";
import { memoryOf, settleCausality } from "./causality.ts";
import { factsOf, fail } from "./conditions.ts";
import { type Body, type Entity, type EquationContext, lookup, type Value } from "./context.ts";
import { bindFreeIndices, isIndexName, newEquation } from "./equation-context.ts";
import { asDeclared } from "./equations.ts";
import { addRange, bindIndex, recordIndices, settleIndex } from "./indices.ts";
import { proveIndex } from "./inside.ts";
import { expressionKey, ungroup } from "./keys.ts";
import { inferSums } from "./sums.ts";
import { isUnknown } from "./values.ts";

export function checkWrite(equation: Equation, entity: Entity, state: Value, body: Body): void {
  const saved = body.facts;
  body.facts = body.pathFacts;
  const [target, ...more] = equation.targets;
  const eq = newEquation(body, equation.span);
  if (isUnknown(state)) {
    body.writes.set(entity.name, equation);
  } else if (target !== undefined) {
    const previous = body.writes.get(entity.name);
    if (previous !== undefined && previous !== equation) {
      fail(body, "DS0231", {
        title: `state \`${entity.name}\` is written twice in a call`,
        at: target.span,
        label: "written again here",
        secondary: [{ span: previous.targets[0]?.span ?? previous.span, text: "first written here" }],
        help: "one equation writes a row; join what belongs into it",
      });
    }
    body.writes.set(entity.name, previous ?? equation);
    writeTo(equation, entity, state, eq);
  }
  if (more.length > 0) {
    fail(body, "DS0001", {
      title: "a write has one target",
      at: more[0]?.span ?? equation.span,
      label: "write each state in an equation of its own",
    });
  }
  body.facts = saved;
}

function writeTo(equation: Equation, entity: Entity, state: Value, eq: EquationContext): void {
  const { body } = eq;
  const [target] = equation.targets;
  if (target === undefined) return;
  const items = target.subscript?.items ?? [];
  const rests: Axis[] = [];
  const row = items[0] === undefined ? undefined : ungroup(items[0]);
  if (row !== undefined) bindFreeIndices(bracketed(row), "left", eq);
  for (const [i, item] of items.entries()) if (i > 0) bindWriteItem(item, state.axes[i] ?? unknownAxis, eq);
  bindFreeIndices(equation.value, "free", eq);
  if (equation.where !== null) {
    body.shared.rules.infer(equation.where, eq);
    eq.facts.push(...factsOf(equation.where, eq));
  }
  const before = body.found.errors;
  const wasQuiet = body.quiet;
  const hush = (): void => {
    if (body.found.errors > before) body.quiet = true;
  };
  const position = row === undefined ? null : body.shared.rules.infer(row, eq);
  const value = body.shared.rules.infer(equation.value, eq);
  hush();
  for (const info of eq.all) {
    if (info.role === "bound") continue;
    settleIndex(info, eq);
    if (info.axis !== null) continue;
    fail(body, "DS0212", {
      title: `range of index \`${info.name}\` is unknown`,
      at: info.span,
      label: "it stands on no axis, so nothing says how far it runs",
      help: `write its range: \`${info.name} in N\``,
    });
  }
  for (const info of eq.all) {
    const size = info.role === "left" && info.axis?.kind === "plain" ? info.axis.size : null;
    const name = size === null ? null : tokenName(size, body);
    if (name !== null && eq.token === null) eq.token = { index: info, size: name };
  }
  if (row === undefined || position === null) {
    fail(body, "DS0235", {
      title: `state \`${entity.name}\` is written without a position`,
      at: target.span,
      label: "say which row of memory is written",
      help: `\`${entity.name}[pos[t]] <- …\``,
    });
  } else {
    checkRow(row, position, entity, state, eq);
  }
  hush();
  for (let i = 0; i < eq.obligations.length; i += 1) eq.obligations[i]?.();
  inferSums(equation.value, eq);
  hush();
  for (const axis of state.axes.slice(items.length === 0 ? 1 : items.length)) rests.push(axis);
  if (items.length > state.axes.length) {
    fail(body, "DS0203", {
      title: "too many subscripts",
      at: target.span,
      label: `${items.length} subscripts on ${printValueType(state)}`,
      secondary: [{ span: entity.span, text: "declared here" }],
    });
  } else if (!isUnknown(value)) {
    asDeclared(value, { axes: rests, element: state.element }, entity.span, equation.value.span, eq);
  }
  hush();
  settleCausality(eq, true, true);
  body.quiet = wasQuiet;
  recordIndices(eq, equation.span);
}

/** Names in `expr` count as standing in a bracket. */
const bracketed = (expr: Expr): Expr => ({
  kind: "index",
  base: { kind: "null", span: expr.span },
  subscript: { items: [expr], where: null, span: expr.span },
  span: expr.span,
});

function tokenName(size: Poly, body: Body): string | null {
  for (const atom of atomsOf(size).values()) if (atom.kind === "symbol" && body.tokens.has(atom.name)) return atom.name;
  return null;
}

function bindWriteItem(item: Expr, axis: Axis, eq: EquationContext): void {
  const expr = ungroup(item);
  if (expr.kind === "hole") return;
  if (expr.kind === "tuple" && axis.kind === "merged" && axis.parts.length === expr.items.length) {
    for (const [i, part] of expr.items.entries()) bindWriteItem(part, axis.parts[i] ?? unknownAxis, eq);
    return;
  }
  if (expr.kind === "name" && isIndexName(expr.text)) {
    if (lookup(eq.body.scope, expr.text) === null || eq.indices.get(expr.text) !== undefined) {
      const info = eq.indices.get(expr.text)?.[0] ?? bindIndex(expr, "left", eq);
      eq.uses.set(expr, info);
      addRange(info, axis, item.span, false);
      return;
    }
    bindIndex(expr, "left", eq); // reports the clash
    return;
  }
  fail(eq.body, "DS0001", {
    title: "a write covers whole rows",
    at: item.span,
    label: "an index should stand here",
  });
}

/** The row must be an index of the memory by type or proof, and depend on a position. */
function checkRow(row: Expr, position: Value, entity: Entity, state: Value, eq: EquationContext): void {
  const [axis] = state.axes;
  if (axis === undefined || isUnknown(position)) return;
  if (!isInteger(position.element)) {
    fail(eq.body, "DS0225", {
      title: "a row is an integer",
      at: row.span,
      label: `this is ${printValueType(position)}`,
    });
    return;
  }
  const memory = memoryOf(axis, eq.body);
  const names = eq.token === null ? [...eq.body.tokens.values()].flat() : (eq.body.tokens.get(eq.token.size) ?? []);
  const key = expressionKey(row, eq);
  const positioned =
    eq.body.tokens.size === 0 ||
    names.some((name) => key.includes(`${name}[`)) ||
    isPosition(position, memory?.memory, eq);
  if (!positioned) {
    fail(eq.body, "DS0235", {
      title: `state \`${entity.name}\` is written without a position`,
      at: row.span,
      label: "which row this is does not depend on the position of a token",
      help: `\`${entity.name}[pos[t]] <- …\``,
    });
    return;
  }
  if (
    position.element.kind === "index" &&
    matchAxes(restrictAxis(position.element.of, null), axis, eq.body.facts) === "equal"
  )
    return;
  const size = sizeOf(axis);
  if (size === null) return;
  const poly = position.poly;
  if (poly === null) {
    proveIndex(null, size, row, eq, "DS0221", key);
    return;
  }
  proveIndex(poly, size, row, eq, "DS0213", plainText(printAxis(axis)));
}

function isPosition(value: Value, memory: string | undefined, eq: EquationContext): boolean {
  if (value.element.kind !== "index" || memory === undefined) return false;
  return memoryOf(restrictAxis(value.element.of, null), eq.body)?.memory === memory;
}
