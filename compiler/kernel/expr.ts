/** Makes expressions. Constants fold here, so that expanded code stays readable everywhere; no printer folds. */

import { InternalError } from "../graph/internal-error.ts";
import { type Elem, elems, holds, i32, type Type, typeOf } from "./elem.ts";
import type { Expr } from "./kernel.ts";
import { type Monoid, meaningOn, monoids, type OpName, ops } from "./ops.ts";

export type Operand = Expr | number;
/** Gives a value a name, made from the base, so that it is evaluated once: `(base, value) => body.let(base, value)`. */
export type Bind = (base: string, value: Expr) => Expr;
type Const = Extract<Expr, { kind: "const" }>;

export const constant = (value: number, type: Type = i32): Expr =>
  type.elem === "i64"
    ? { kind: "wide", type, value: BigInt(value) }
    : { kind: "const", type, value: elems[type.elem].float ? Math.fround(value) : value };
export const name = (n: string, type: Type = i32): Expr => ({ kind: "name", type, name: n });
export const asExpr = (x: Operand): Expr => (typeof x === "number" ? constant(x) : x);
/** Lane i is i. */
export const iota = (width: number): Expr =>
  width === 1 ? constant(0) : { kind: "const", type: typeOf("i32", width), value: 0, step: 1 };
export const isConst = (e: Expr | undefined): e is Const => e?.kind === "const" && e.step === undefined;
const isValue = (e: Expr, value: number): boolean => isConst(e) && Object.is(e.value, value);
/** What a reduction of nothing gives. */
export const identity = (m: Monoid, type: Type): Expr =>
  constant(monoids[m].identity[elems[type.elem].float ? "f32" : "i32"], type);

/** The type of an operation's result. */
export function resultType(op: OpName, args: readonly Expr[]): Type {
  const data = (op === "select" ? args[1] : args[0])?.type ?? i32;
  return ops[op].compares ? typeOf("bool", data.width) : data;
}

/** Numbers take the type of the other operands; narrower operands are repeated to the widest. */
export function op(o: OpName, ...operands: readonly Operand[]): Expr {
  const given = operands.filter((x): x is Expr => typeof x !== "number");
  const width = Math.max(1, ...given.map((v) => v.type.width));
  const data = o === "select" ? operands.slice(1) : operands;
  const elem: Elem = data.find((x): x is Expr => typeof x !== "number")?.type.elem ?? "i32";
  const args = operands.map((x) => splat(typeof x === "number" ? constant(x, typeOf(elem)) : x, width));
  const type = resultType(o, args);
  return folded(o, elem, args, type) ?? { kind: "op", type, op: o, args };
}

function folded(o: OpName, elem: Elem, args: readonly Expr[], type: Type): Expr | null {
  const [a, b] = args;
  const exact = !elems[elem].float;
  if (args.every(isConst) && !(exact && (o === "div" || o === "mod") && isConst(b) && b.value === 0)) {
    const meaning = meaningOn(o, elem);
    const [x = 0, y = 0, z = 0] = args.map((k) => (isConst(k) ? k.value : 0));
    const value = meaning?.(x, y, z);
    return value === undefined || !holds(type.elem, value) ? null : constant(value, type);
  }
  if (a === undefined || b === undefined) return null;
  if (isValue(b, 1) && (o === "mul" || o === "div")) return a;
  if (isValue(a, 1) && o === "mul") return b;
  return exact ? foldedInteger(o, a, b, type) : null; // x + 0 is not x where x is -0
}

function foldedInteger(o: OpName, a: Expr, b: Expr, type: Type): Expr | null {
  if (o === "add" && isValue(a, 0)) return b;
  if ((o === "add" || o === "sub") && isValue(b, 0)) return a;
  if ((o === "mul" && (isValue(a, 0) || isValue(b, 0))) || (o === "div" && isValue(a, 0))) return constant(0, type);
  if (o === "mod" && isValue(b, 1)) return constant(0, type);
  if (o === "add" && isConst(b) && a.kind === "op" && a.op === "add") {
    const [x, y] = a.args;
    if (x !== undefined && isConst(y) && holds("i32", y.value + b.value)) return op("add", x, y.value + b.value);
  }
  return null;
}

const chained =
  (o: OpName) =>
  (first: Operand, ...rest: readonly Operand[]): Expr =>
    rest.reduce<Expr>((x, y) => op(o, x, y), asExpr(first));
export const add = chained("add");
export const mul = chained("mul");
export const min = (a: Operand, b: Operand): Expr => op("min", a, b);
export const max = (a: Operand, b: Operand): Expr => op("max", a, b);
export const sub = (a: Operand, b: Operand): Expr => op("sub", a, b);
export const div = (a: Operand, b: Operand): Expr => op("div", a, b);
export const mod = (a: Operand, b: Operand): Expr => op("mod", a, b);
export const lt = (a: Operand, b: Operand): Expr => op("lt", a, b);
export const eq = (a: Operand, b: Operand): Expr => op("eq", a, b);
export const both = (a: Expr, b: Expr): Expr => op("and", a, b);
export const either = (a: Expr, b: Expr): Expr => op("or", a, b);
export const rounded = (a: Operand): Expr => op("rounded", a);
export const fma = (a: Operand, b: Operand, c: Operand): Expr => op("fma", a, b, c);
export const select = (c: Expr, a: Operand, b: Operand): Expr => op("select", c, a, b);
export const xor = (a: Operand, b: Operand): Expr => op("xor", a, b);
/** -1, 0 or 1 as x is; of -0 and nan themselves. `x` stands several times in it. */
export const sign = (x: Expr): Expr => select(lt(0, x), 1, select(lt(x, 0), -1, x));
/**
 * Whole, rounded towards minus infinity; `div` truncates, which is the same and cheaper for what is not negative. Operands stand
 * several times in it. Of a constant power of two it is a shift, of which the verifier shows nothing.
 */
export function floorDiv(a: Expr, b: Operand): Expr {
  const by = asExpr(b);
  const bits = log2Of(by);
  if (bits !== null) return op("shr", a, bits);
  const [one, none] = [constant(1, a.type), constant(0, a.type)];
  return sub(div(a, by), select(isBelow(mod(a, by), by), one, none));
}
/** a - b * floorDiv(a, b): the sign of b. */
export function floorMod(a: Expr, b: Operand): Expr {
  const by = asExpr(b);
  const bits = log2Of(by);
  if (bits !== null) return op("and", a, 2 ** bits - 1);
  const rest = mod(a, by);
  return select(isBelow(rest, by), add(rest, by), rest);
}
/** Of a constant power of two that a number holds exactly, one less included. */
function log2Of(by: Expr): number | null {
  const value = by.kind === "wide" ? Number(by.value) : isConst(by) ? by.value : 0;
  const bits = Math.log2(value);
  return value > 0 && bits <= 53 && Number.isInteger(bits) ? bits : null;
}
/** Whether a rest is not 0 and has another sign than the divisor: the quotient was rounded up. */
const isBelow = (rest: Expr, by: Expr): Expr =>
  (isConst(by) || by.kind === "wide") && by.value > 0
    ? lt(rest, 0)
    : op("and", lt(xor(rest, by), 0), op("not", eq(rest, 0)));
export const ceilDiv = (a: Operand, n: number): Expr => div(add(asExpr(a), n - 1), n);

export function splat(x: Expr, width: number): Expr {
  if (x.type.width === width) return x;
  if (width % x.type.width !== 0) throw new InternalError(`splat of width ${x.type.width} to ${width}`);
  const type = typeOf(x.type.elem, width);
  return isConst(x) ? constant(x.value, type) : { kind: "splat", type, arg: x };
}
export const convert = (x: Expr, elem: Elem): Expr =>
  x.type.elem === elem ? x : { kind: "convert", type: typeOf(elem, x.type.width), arg: x };
export const bitcast = (x: Expr, elem: Elem): Expr => ({ kind: "bitcast", type: typeOf(elem, x.type.width), arg: x });
export const extract = (x: Expr, lane: number): Expr =>
  x.type.width === 1 ? x : { kind: "extract", type: typeOf(x.type.elem), arg: x, lane };
export const fold = (monoid: Monoid, arg: Expr): Expr =>
  arg.type.width === 1 ? arg : { kind: "fold", type: typeOf(arg.type.elem), monoid, arg };
/** `piece`: of a buffer in pieces. */
export const load = (from: string, index: Operand, type: Type, piece?: Expr): Expr => ({
  kind: "load",
  type,
  from,
  index: asExpr(index),
  ...(piece === undefined ? {} : { piece }),
});
export const dot = (operands: { a: Expr; b: Expr; acc: Expr; group: number; b7: boolean }): Expr => ({
  kind: "dot",
  type: operands.acc.type,
  ...operands,
});
