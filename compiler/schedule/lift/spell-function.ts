/**
 * Scalar functions of the graph on values of the kernel, at any width. What is whole stays i32 or i64, all else is f32; where one
 * argument is an i64, all are.
 */

import { InternalError } from "../../graph/internal-error.ts";
import { pow2Ceil, roundTo, roundToE8m0, roundToI8 } from "../../kernel/casts.ts";
import { i64, typeOf } from "../../kernel/elem.ts";
import {
  asExpr,
  type Bind,
  constant,
  convert,
  div,
  floorDiv,
  floorMod,
  isConst,
  lt,
  mul,
  op,
  select,
  sub,
} from "../../kernel/expr.ts";
import type { Expr } from "../../kernel/kernel.ts";
import type { ScalarFn } from "../../ops/scalar-functions.ts";

export const isFloat = (e: Expr): boolean => e.type.elem === "f32";
const isWide = (e: Expr): boolean => e.type.elem === "i64";
const isBool = (e: Expr): boolean => e.type.elem === "bool";

/** As f32: a truth value is 0 or 1. */
export function asFloat(e: Expr): Expr {
  if (isFloat(e)) return e;
  const type = typeOf("f32", e.type.width);
  if (isConst(e)) return constant(e.value, type);
  return isBool(e) ? select(e, constant(1, type), constant(0, type)) : convert(e, "f32");
}
/** As i32: a truth value is 0 or 1, a real is cut off. */
export function asInteger(e: Expr): Expr {
  if (e.type.elem === "i32") return e;
  const type = typeOf("i32", e.type.width);
  if (isConst(e)) return constant(Math.trunc(e.value), type);
  return isBool(e) ? select(e, constant(1, type), constant(0, type)) : convert(e, "i32");
}
/** As i64: what is real is whole. */
export function asWide(e: Expr): Expr {
  if (isWide(e)) return e;
  return isConst(e) ? constant(Math.trunc(e.value), i64) : convert(isBool(e) ? asInteger(e) : e, "i64");
}
export function asTruth(e: Expr): Expr {
  if (isBool(e)) return e;
  const type = typeOf("bool", e.type.width);
  return isConst(e)
    ? constant(e.value === 0 ? 0 : 1, type)
    : op("not", op("eq", e, constant(0, typeOf(e.type.elem, e.type.width))));
}

/** Both whole, of one size, or both real. */
function alike(args: readonly Expr[]): readonly Expr[] {
  if (args.some(isWide)) return args.map(asWide);
  return args.some(isFloat) ? args.map(asFloat) : args.map(asInteger);
}

const asNumber = (e: Expr): Expr => (isBool(e) ? asInteger(e) : e);

export interface Known {
  /** Whether an argument, by its place, is known not to be negative: then division truncates. */
  readonly notNegative: (argument: number) => boolean;
  /** Names a part of the result. */
  readonly bind: Bind;
}

export function spellFunction(fn: ScalarFn, args: readonly Expr[], known: Known): Expr {
  const [a, b, c] = args;
  if (a === undefined) throw new InternalError(`${fn} of nothing`);
  const two = (): readonly [Expr, Expr] => {
    const [x, y] = alike(args);
    if (x === undefined || y === undefined) throw new InternalError(`${fn} of one`);
    return [x, y];
  };
  switch (fn) {
    case "add":
    case "sub":
    case "mul": {
      const [x, y] = two();
      return op(fn, x, y);
    }
    case "maximum":
    case "minimum": {
      const [x, y] = two();
      return op(fn === "maximum" ? "max" : "min", x, y);
    }
    case "lt":
    case "le":
    case "eq": {
      const [x, y] = two();
      return op(fn, x, y);
    }
    case "div":
      return div(asFloat(a), asFloat(asExpr(b ?? 1)));
    case "floordiv": {
      const [x, y] = two();
      if (isFloat(x)) return op("floor", div(x, y));
      return known.notNegative(0) && known.notNegative(1) ? div(x, y) : floorDiv(x, y);
    }
    case "mod": {
      const [x, y] = two();
      if (isFloat(x)) return sub(x, mul(y, op("floor", div(x, y))));
      return known.notNegative(0) && known.notNegative(1) ? op("mod", x, y) : floorMod(x, y);
    }
    case "xor": {
      const [x, y] = two();
      return op("xor", isFloat(x) ? asInteger(x) : x, isFloat(y) ? asInteger(y) : y);
    }
    case "pow":
      return op("pow", asFloat(a), asFloat(b ?? constant(1)));
    case "neg":
      return op("neg", asNumber(a));
    case "abs":
      return isFloat(a) ? op("abs", a) : op("max", asNumber(a), op("neg", asNumber(a)));
    case "sign": {
      const x = asNumber(a);
      const whole = (n: number): Expr => constant(n, typeOf(x.type.elem, x.type.width));
      // A nan stays one, and a zero keeps its sign.
      return select(lt(whole(0), x), whole(1), select(lt(x, whole(0)), whole(-1), x));
    }
    case "floor":
    case "ceil":
      return isFloat(a) ? op(fn, a) : a;
    case "exp":
    case "log":
    case "log1p":
    case "sqrt":
    case "rsqrt":
    case "sin":
    case "cos":
    case "tanh":
    case "erf":
      return op(fn, asFloat(a));
    case "and":
    case "or":
      return op(fn, asTruth(a), asTruth(b ?? a));
    case "not":
      return op("not", asTruth(a));
    case "select": {
      const both = [b ?? a, c ?? a];
      const [x, y] = both.every(isBool) ? both : alike(both);
      if (x === undefined || y === undefined) throw new InternalError("select of nothing");
      return select(asTruth(a), x, y);
    }
    case "pow2_ceil":
      return pow2Ceil(asFloat(a), known.bind);
    case "to_f32":
      return asFloat(a);
    case "to_bf16":
      return roundTo("bf16", asFloat(a), known.bind);
    case "to_f16":
      return roundTo("f16", asFloat(a), known.bind);
    case "to_e4m3":
      return roundTo("e4m3", asFloat(a), known.bind);
    case "to_e5m2":
      return roundTo("e5m2", asFloat(a), known.bind);
    case "to_e2m1":
      return roundTo("e2m1", asFloat(a), known.bind);
    case "to_e8m0":
      return roundToE8m0(asFloat(a), known.bind);
    case "to_i8":
      return roundToI8(asFloat(a), known.bind);
    default:
      return fn satisfies never;
  }
}
