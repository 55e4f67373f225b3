/** Evaluates expressions whose values are known when compiling: config fields, conditions, parameters of blocks. */
import type { BinaryExpr, CallExpr, Expr, Fn } from "../ast/nodes.ts";
import type { Facts } from "../types/facts.ts";
import {
  add,
  asConstant,
  ceilDivide,
  constant,
  divideExact,
  floorDivide,
  maxOf,
  minOf,
  modulo,
  mul,
  neg,
  type Poly,
  sub,
} from "../types/poly.ts";
import { isNonNegative, isSurelyNonNegative } from "../types/prove.ts";
import { scalarFunctions, staticConstants } from "./builtins.ts";
import type { Static } from "./context.ts";
import { ungroup } from "./keys.ts";

/** A constant, a size with run-time parts, or undefined: not known. */
export type Known = Static | Poly | undefined;

export interface StaticScope {
  readonly value: (name: string) => Known;
  readonly fn: (name: string) => Fn | null;
  /** The value at a path of config.json, null where there is none. */
  readonly config: (path: readonly string[]) => Known;
  /** A definition made of equations, at known subscripts. */
  readonly definition?: (name: string, at: readonly bigint[]) => Known;
  readonly facts: Facts;
}

/** Calls and reductions nest no deeper and run no longer than this; beyond it the value counts as not known. */
const depthLimit = 64;
const stepLimit = 200_000;

export const isPoly = (value: Known): value is Poly => typeof value === "object" && value !== null && "terms" in value;

const polyOf = (value: Known): Poly | null =>
  typeof value === "bigint" ? constant(value) : isPoly(value) ? value : null;
const numberOf = (value: Known): number | undefined =>
  typeof value === "bigint" ? Number(value) : typeof value === "number" ? value : undefined;
const settle = (p: Poly): Known => asConstant(p) ?? p;

export function evaluateStatic(expr: Expr, scope: StaticScope): Known {
  return evaluate(expr, scope, new Map(), 0, { left: stepLimit });
}

type Locals = ReadonlyMap<string, Known>;
interface Budget {
  left: number;
}

function evaluate(expr: Expr, scope: StaticScope, locals: Locals, depth: number, budget: Budget): Known {
  budget.left -= 1;
  if (depth > depthLimit || budget.left < 0) return undefined;
  const go = (e: Expr): Known => evaluate(e, scope, locals, depth + 1, budget);
  switch (expr.kind) {
    case "number":
      return /^\d+$/.test(expr.text) ? BigInt(expr.text) : expr.value;
    case "string":
    case "boolean":
      return expr.value;
    case "null":
      return null;
    case "group":
      return go(expr.inner);
    case "name": {
      if (locals.has(expr.text)) return locals.get(expr.text);
      const value = scope.value(expr.text); // null is a value
      return value === undefined ? staticConstants.get(expr.text) : value;
    }
    case "config-root":
      return scope.config([]);
    case "member": {
      const path: string[] = [];
      let at: Expr = expr;
      while (at.kind === "member") {
        path.unshift(at.word.text);
        at = ungroup(at.base);
      }
      return at.kind === "config-root" ? scope.config(path) : undefined;
    }
    case "unary": {
      const operand = go(expr.operand);
      if (expr.op === "not") return typeof operand === "boolean" ? !operand : undefined;
      const p = polyOf(operand);
      if (p !== null) return settle(neg(p));
      return typeof operand === "number" ? -operand : undefined;
    }
    case "binary":
      return binary(expr, go, scope);
    case "conditional": {
      const condition = go(expr.condition);
      return typeof condition === "boolean" ? go(condition ? expr.then : expr.else) : undefined;
    }
    case "set": {
      if (expr.binder !== null || expr.where !== null) return undefined;
      const items = expr.items.map(go);
      return items.every((i): i is Static => i !== undefined && !isPoly(i)) ? { kind: "set", items } : undefined;
    }
    case "index": {
      const at = expr.subscript.items.map(go);
      if (!at.every((i) => typeof i === "bigint")) return undefined;
      const base = ungroup(expr.base);
      if (base.kind === "name" && !locals.has(base.text)) {
        const defined = scope.definition?.(base.text, at);
        if (defined !== undefined) return defined;
      }
      let value: Known = go(expr.base);
      for (const i of at) {
        if (typeof value !== "object" || value === null || isPoly(value) || value.kind === "object") return undefined;
        value = value.items[Number(i)];
      }
      return value;
    }
    case "call":
      return call(expr, go, scope, locals, depth, budget);
    case "cast":
      return go(expr.value);
    default:
      return undefined;
  }
}

function binary(expr: BinaryExpr, go: (e: Expr) => Known, scope: StaticScope): Known {
  const left = go(expr.left);
  switch (expr.op) {
    case "and":
      return left === false ? false : both(left, go(expr.right), (a, b) => a && b, false);
    case "or":
      return left === true ? true : both(left, go(expr.right), (a, b) => a || b, true);
    case "??":
      return left === null ? go(expr.right) : left;
    default:
      break;
  }
  const right = go(expr.right);
  if (left === undefined || right === undefined) return undefined;
  switch (expr.op) {
    case "==":
    case "!=": {
      const same = equal(left, right, scope);
      return same === undefined ? undefined : expr.op === "==" ? same : !same;
    }
    case "in":
      return contains(right, left);
    case "<":
    case "<=":
    case ">":
    case ">=":
      return order(expr.op, left, right, scope);
    default:
      return arithmetic(expr.op, left, right, scope);
  }
}

function both(left: Known, right: Known, combine: (a: boolean, b: boolean) => boolean, decisive: boolean): Known {
  if (right === decisive) return decisive;
  return typeof left === "boolean" && typeof right === "boolean" ? combine(left, right) : undefined;
}

function equal(left: Known, right: Known, scope: StaticScope): boolean | undefined {
  if (left === null || right === null) return left === right;
  if (isPoly(left) || isPoly(right)) {
    const [a, b] = [polyOf(left), polyOf(right)];
    if (a === null || b === null) return undefined;
    if (a.key === b.key) return true;
    const difference = sub(a, b);
    const one = constant(1);
    const apart = [sub(difference, one), sub(neg(difference), one)].some((p) => isSurelyNonNegative(p, scope.facts));
    return apart ? false : undefined;
  }
  if (isNumber(left) && isNumber(right)) return sameNumber(left, right);
  if (typeof left === "object" && left !== null) return undefined;
  return left === right;
}

function contains(set: Known, member: Known): Known {
  if (typeof set !== "object" || set === null || isPoly(set) || set.kind === "object") return undefined;
  if (member === undefined || isPoly(member)) return undefined;
  return set.items.some((item) => item === member || (isNumber(item) && isNumber(member) && sameNumber(item, member)));
}

/** Compared as they are: a double in place of a long integer would be its neighbour's too. */
const isNumber = (value: Known): value is bigint | number => typeof value === "bigint" || typeof value === "number";
const sameNumber = (a: bigint | number, b: bigint | number): boolean => a <= b && a >= b;

function order(op: "<" | "<=" | ">" | ">=", left: Known, right: Known, scope: StaticScope): Known {
  if (isNumber(left) && isNumber(right)) {
    return op === "<" ? left < right : op === "<=" ? left <= right : op === ">" ? left > right : left >= right;
  }
  const [a, b] = [polyOf(left), polyOf(right)];
  if (a === null || b === null) return undefined;
  const strict = op === "<" || op === ">";
  const [high, low] = op === "<" || op === "<=" ? [b, a] : [a, b];
  const gap = strict ? sub(sub(high, low), constant(1)) : sub(high, low);
  const answer = isNonNegative(gap, scope.facts);
  return answer === "unknown" ? undefined : answer === "yes";
}

function arithmetic(op: BinaryExpr["op"], left: Known, right: Known, scope: StaticScope): Known {
  const [a, b] = [polyOf(left), polyOf(right)];
  if (a !== null && b !== null) {
    const divisor = asConstant(b);
    switch (op) {
      case "+":
        return settle(add(a, b));
      case "-":
        return settle(sub(a, b));
      case "*":
        return settle(mul(a, b));
      case "/": {
        if (divisor === 0n) return undefined;
        const exact = divideExact(a, b);
        const whole = asConstant(exact);
        if (whole !== null) return whole;
        const [x, y] = [numberOf(left), numberOf(right)];
        return x !== undefined && y !== undefined ? x / y : exact;
      }
      case "div":
        return divisor === 0n ? undefined : settle(floorDivide(a, b, scope.facts));
      case "mod":
        return divisor === 0n ? undefined : settle(modulo(a, b, scope.facts));
      case "^": {
        const power = wholePower(asConstant(a), divisor);
        if (power !== null) return power;
        break;
      }
      default:
        break;
    }
  }
  const [x, y] = [numberOf(left), numberOf(right)];
  return x === undefined || y === undefined ? undefined : foldNumbers(op, x, y);
}

/** Arithmetic of two numbers that are known; undefined for other operators. */
export function foldNumbers(op: BinaryExpr["op"], x: number, y: number): number | undefined {
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

/** Of whole numbers, as long as it has at most 64 bits. */
function wholePower(base: bigint | null, exponent: bigint | null): bigint | null {
  if (base === null || exponent === null || exponent < 0n || exponent > 64n) return null;
  const power = base ** exponent;
  return BigInt.asIntN(65, power) === power ? power : null;
}

function call(
  expr: CallExpr,
  go: (e: Expr) => Known,
  scope: StaticScope,
  locals: Locals,
  depth: number,
  budget: Budget,
): Known {
  const callee = ungroup(expr.callee);
  if (callee.kind === "index") return reduction(callee, expr, scope, locals, depth, budget);
  if (callee.kind !== "name") return undefined;
  const given = expr.args.flatMap((a) => (a.kind === "argument" ? [a] : []));
  const fn = scope.fn(callee.text);
  if (fn !== null) {
    if (fn.expression === null) return undefined;
    const names = fn.params.flatMap((p) => p.names.map((n) => ({ name: n.text, default: p.default })));
    const inner = new Map<string, Known>();
    let position = 0;
    for (const arg of given) {
      const name = arg.name === null ? names[position]?.name : arg.name.text;
      if (arg.name === null) position += 1;
      if (name !== undefined) inner.set(name, go(arg.value));
    }
    for (const { name, default: fallback } of names) {
      if (!inner.has(name) && fallback !== null) inner.set(name, evaluate(fallback, scope, inner, depth + 1, budget));
    }
    return evaluate(fn.expression, { ...scope, value: () => undefined }, inner, depth + 1, budget);
  }
  const values = given.map((a) => go(a.value));
  if (callee.text === "ceil_div" || callee.text === "min" || callee.text === "max") {
    const polys = values.map(polyOf);
    if (polys.every((p): p is Poly => p !== null) && polys.length > 0) {
      const [a, b] = polys;
      if (callee.text !== "ceil_div") return settle(callee.text === "min" ? minOf(polys) : maxOf(polys));
      if (a !== undefined && b !== undefined && asConstant(b) !== 0n) return settle(ceilDivide(a, b, scope.facts));
    }
  }
  const builtin = scalarFunctions.get(callee.text);
  const numbers = values.map(numberOf);
  if (builtin === undefined || !numbers.every((n): n is number => n !== undefined)) return undefined;
  const result = builtin.evaluate(...numbers);
  if (Number.isNaN(result)) return undefined;
  const integral =
    builtin.result === "integer" || (builtin.result === "same" && values.every((v) => typeof v === "bigint"));
  return integral && Number.isSafeInteger(result) ? BigInt(result) : result;
}

/** `sum[o, j](…)` over ranges known as numbers, where the body reads lists. Ranges come from the lists. */
function reduction(
  callee: Expr & { kind: "index" },
  expr: CallExpr,
  scope: StaticScope,
  locals: Locals,
  depth: number,
  budget: Budget,
): Known {
  const base = ungroup(callee.base);
  const [only] = expr.args;
  if (base.kind !== "name" || base.text !== "sum" || only?.kind !== "argument" || callee.subscript.where !== null)
    return undefined;
  const body = only.value;
  const names = callee.subscript.items.map((item) => ungroup(item));
  const visit = (k: number, bound: Locals): Known => {
    const name = names[k];
    if (name === undefined) return evaluate(body, scope, bound, depth + 1, budget);
    if (name.kind !== "name") return undefined;
    let total: Known = 0n;
    for (let i = 0n; budget.left > 0; i += 1n) {
      const next = visit(k + 1, new Map([...bound, [name.text, i]]));
      if (next === undefined) return i === 0n ? undefined : total;
      total = arithmetic("+", total, next, scope);
    }
    return undefined;
  };
  return visit(0, locals);
}
