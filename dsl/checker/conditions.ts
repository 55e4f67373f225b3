/** What conditions say: deciding them, and what may be assumed where they hold. */
import type { Expr } from "../ast/nodes.ts";
import type { Code } from "../diagnostics/codes.ts";
import { type Facts, withIntegral, withNonNegative } from "../types/facts.ts";
import { asSymbol, constant, divideExact, floorDivide, neg, one, type Poly, sub } from "../types/poly.ts";
import { isNonNegative, isSurelyNonNegative } from "../types/prove.ts";
import type { Body, EquationContext, Value } from "./context.ts";
import { expressionKey, ungroup } from "./keys.ts";
import { type Report, report } from "./recorder.ts";
import { renameWithBounds, selfName } from "./values.ts";

export function fail(body: Body, code: Code, what: Report): void {
  if (body.quiet) return;
  if (what.severity !== "warning") body.found.errors += 1;
  report(body.shared.recorder, code, what);
}

/** Facts of the body together with those of the conditions around the place being checked. */
export function factsHere(eq: EquationContext): Facts {
  let facts = eq.body.facts;
  for (const fact of eq.facts) facts = withNonNegative(facts, fact);
  return facts;
}

const opposite = { "<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "==" } as const;
type Comparison = keyof typeof opposite;
const isComparison = (op: string): op is Comparison => op in opposite;

/** Polynomials that are >= 0 exactly when `left op right` holds, for integers. */
function comparisonFacts(op: Comparison, left: Poly, right: Poly): readonly Poly[] {
  switch (op) {
    case "<":
      return [sub(sub(right, left), one)];
    case "<=":
      return [sub(right, left)];
    case ">":
      return [sub(sub(left, right), one)];
    case ">=":
      return [sub(left, right)];
    case "==":
      return [sub(left, right), sub(right, left)];
    case "!=":
      return [];
  }
}

/** Integer facts that hold where the condition does. Conditions that are no integer comparisons say nothing here. */
export function factsOf(condition: Expr, eq: EquationContext, holds = true): readonly Poly[] {
  const expr = ungroup(condition);
  if (expr.kind === "unary" && expr.op === "not") return factsOf(expr.operand, eq, !holds);
  if (expr.kind !== "binary") return [];
  if (expr.op === (holds ? "and" : "or")) return [...factsOf(expr.left, eq, holds), ...factsOf(expr.right, eq, holds)];
  if (isComparison(expr.op)) {
    const left = eq.body.shared.rules.infer(expr.left, eq).poly;
    const right = eq.body.shared.rules.infer(expr.right, eq).poly;
    if (left === null || right === null) return [];
    return comparisonFacts(holds ? expr.op : opposite[expr.op], left, right);
  }
  if (expr.op === "in" && holds) {
    const member = eq.body.shared.rules.infer(expr.left, eq).poly;
    const set = eq.body.shared.rules.infer(expr.right, eq);
    if (member !== null && set.element.kind === "set") return memberFacts(set, member, eq.body);
  }
  return [];
}

/** What is known of a member of a set. */
export function memberFacts(set: Value, member: Poly, body: Body): readonly Poly[] {
  if (set.element.kind !== "set") return [];
  return set.element.facts.map((fact) => renameWithBounds(body, fact, new Map([[selfName, member]])));
}

/** true, false, or null when it cannot be told when compiling with what this path knows. */
export function isKnownTrue(condition: Expr, eq: EquationContext): boolean | null {
  const expr = ungroup(condition);
  const stated = eq.body.truths.get(expressionKey(expr, eq));
  if (stated !== undefined) return stated;
  if (expr.kind === "boolean") return expr.value;
  if (expr.kind === "unary" && expr.op === "not") {
    const inner = isKnownTrue(expr.operand, eq);
    return inner === null ? null : !inner;
  }
  if (expr.kind === "name") {
    const known = eq.body.known.get(expr.text);
    if (typeof known === "boolean") return known;
    const value = eq.body.shared.rules.infer(expr, eq).constant;
    return typeof value === "boolean" ? value : null;
  }
  if (expr.kind !== "binary") {
    const value = eq.body.shared.rules.infer(expr, eq).constant;
    return typeof value === "boolean" ? value : null;
  }
  if (expr.op === "and" || expr.op === "or") {
    const left = isKnownTrue(expr.left, eq);
    const right = isKnownTrue(expr.right, eq);
    const decisive = expr.op === "or";
    if (left === decisive || right === decisive) return decisive;
    return left === null || right === null ? null : !decisive;
  }
  if (!isComparison(expr.op)) {
    const value = eq.body.shared.rules.infer(expr, eq).constant;
    return typeof value === "boolean" ? value : null;
  }
  const left = eq.body.shared.rules.infer(expr.left, eq);
  const right = eq.body.shared.rules.infer(expr.right, eq);
  if (expr.op === "==" || expr.op === "!=") {
    const same = sameConstant(expr, left, right, eq);
    if (same !== null) return expr.op === "==" ? same : !same;
  }
  if (left.poly === null || right.poly === null || !left.isStatic || !right.isStatic) return null;
  const facts = comparisonFacts(expr.op, left.poly, right.poly);
  const contrary = comparisonFacts(opposite[expr.op], left.poly, right.poly);
  const here = factsHere(eq);
  if (facts.length > 0 && facts.every((f) => isSurelyNonNegative(f, here))) return true;
  if (contrary.length > 0 && contrary.every((f) => isSurelyNonNegative(f, here))) return false;
  if (facts.some((f) => isNonNegative(f, here) === "no")) return false;
  if (contrary.some((f) => isNonNegative(f, here) === "no")) return true;
  return null;
}

function sameConstant(expr: Expr & { kind: "binary" }, left: Value, right: Value, eq: EquationContext): boolean | null {
  const isNull = (v: Value): boolean => v.element.kind === "null" || v.constant === null || v.block?.kind === "none";
  for (const [a, b, text] of [
    [left, right, ungroup(expr.left)],
    [right, left, ungroup(expr.right)],
  ] as const) {
    if (!isNull(b)) continue;
    if (isNull(a)) return true;
    if (text.kind === "name" && eq.body.notNull.has(text.text)) return false;
    if (a.block !== null && a.block.kind === "block") return false;
    if (a.constant !== undefined && a.constant !== null) return false;
    return null;
  }
  if (left.constant === undefined || right.constant === undefined) return null;
  const [a, b] = [left.constant, right.constant];
  if (typeof a === "object" || typeof b === "object") return a === b;
  return typeof a === typeof b ? a === b : Number(a) === Number(b);
}

/** Makes what a static condition says known to the body: the branch taken, or a `where` or `require` that holds. */
export function assume(condition: Expr, holds: boolean, eq: EquationContext): void {
  const expr = ungroup(condition);
  const { body } = eq;
  body.truths.set(expressionKey(expr, eq), holds);
  if (expr.kind === "unary" && expr.op === "not") assume(expr.operand, !holds, eq);
  if (expr.kind === "name") body.known.set(expr.text, holds);
  if (expr.kind !== "binary") return;
  if (expr.op === (holds ? "and" : "or")) {
    assume(expr.left, holds, eq);
    assume(expr.right, holds, eq);
    return;
  }
  if (!isComparison(expr.op)) return;
  const op = holds ? expr.op : opposite[expr.op];
  if (op === "==" || op === "!=") {
    for (const [a, b] of [
      [ungroup(expr.left), ungroup(expr.right)],
      [ungroup(expr.right), ungroup(expr.left)],
    ] as const) {
      if (a.kind !== "name") continue;
      if (b.kind === "null") {
        if (op === "!=") body.notNull.add(a.text);
        else body.known.set(a.text, null);
      } else if (op === "==") {
        if (b.kind === "string") body.known.set(a.text, b.value);
        else if (b.kind === "boolean") body.known.set(a.text, b.value);
      }
    }
  }
  const left = body.shared.rules.infer(expr.left, eq);
  const right = body.shared.rules.infer(expr.right, eq);
  if (left.poly === null || right.poly === null) return;
  if (op === "==") {
    const name = asSymbol(left.poly) ?? asSymbol(right.poly);
    if (name !== null) {
      const other = asSymbol(left.poly) === name ? right.poly : left.poly;
      if (asSymbol(other) !== name) body.known.set(name, other);
    }
    assumeDivides(expr.left, right.poly, eq);
    assumeDivides(expr.right, left.poly, eq);
  }
  if (op === "!=") {
    // Apart and not below: above.
    const difference = sub(left.poly, right.poly);
    for (const gap of [difference, neg(difference)]) {
      if (isSurelyNonNegative(gap, body.facts)) body.facts = withNonNegative(body.facts, sub(gap, one));
    }
  }
  for (const fact of comparisonFacts(op, left.poly, right.poly)) body.facts = withNonNegative(body.facts, fact);
}

/** `N mod 2 == 0` says that N / 2 is whole. */
function assumeDivides(expr: Expr, remainder: Poly, eq: EquationContext): void {
  const modulus = ungroup(expr);
  if (modulus.kind !== "binary" || modulus.op !== "mod" || remainder.key !== constant(0).key) return;
  const n = eq.body.shared.rules.infer(modulus.left, eq).poly;
  const d = eq.body.shared.rules.infer(modulus.right, eq).poly;
  if (n === null || d === null) return;
  eq.body.facts = withIntegral(eq.body.facts, divideExact(n, d));
  const whole = sub(divideExact(n, d), floorDivide(n, d));
  eq.body.facts = withNonNegative(withNonNegative(eq.body.facts, whole), neg(whole));
}
