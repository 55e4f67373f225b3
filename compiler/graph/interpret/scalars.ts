/** Expressions as closures: one value at the point that the environment says. */
import { scalarFunctions } from "../../ops/scalar-functions.ts";
import { isIntegral } from "../integral.ts";
import { InternalError } from "../internal-error.ts";
import type { Call, Read, Scalar } from "../node.ts";
import type { Closure, Code, Scope, WideClosure } from "./code.ts";
import { outOfRange } from "./run-options.ts";
import type { Cell } from "./runtime.ts";
import { isWide, wideComparisons, wideFunctions, widen } from "./wide.ts";

const missing: Closure = () => Number.NaN;

/** Everything but reductions and folds. */
export function compileLeafOrCall(code: Code, e: Exclude<Scalar, { kind: "reduce" | "fold" }>, scope: Scope): Closure {
  switch (e.kind) {
    case "const": {
      const { value } = e;
      return () => value;
    }
    case "dim":
      return code.dim(e.dim);
    case "name": {
      const slot = scope.get(e.name);
      if (typeof slot !== "number") throw new InternalError(`%${code.node.name}: ${e.name} is not bound`);
      const { env } = code;
      return () => env[slot] as number;
    }
    case "read":
      return compileRead(code, e, scope);
    case "call":
      return compileCall(code, e, scope);
    default:
      return e satisfies never;
  }
}

function compileCall(code: Code, e: Call, scope: Scope): Closure {
  const [x, y] = e.args;
  const compare = wideComparisons[e.fn];
  if (compare !== undefined && x !== undefined && y !== undefined && (isWide(x) || isWide(y))) {
    const [p, q] = [code.wide(x, scope), code.wide(y, scope)];
    return () => (compare(p(), q()) ? 1 : 0);
  }
  const [a = missing, b = missing, c = missing] = e.args.map((arg) => code.scalar(arg, scope));
  switch (e.fn) {
    case "add":
      return () => a() + b();
    case "sub":
      return () => a() - b();
    case "mul":
      return () => a() * b();
    case "div":
      return () => a() / b();
    case "lt":
      return () => (a() < b() ? 1 : 0);
    case "le":
      return () => (a() <= b() ? 1 : 0);
    case "select":
      return () => (a() !== 0 ? b() : c());
    case "and":
      return () => (a() !== 0 && b() !== 0 ? 1 : 0);
    case "or":
      return () => (a() !== 0 || b() !== 0 ? 1 : 0);
    default: {
      const { evaluate, arity } = scalarFunctions[e.fn];
      return arity === 1 ? () => evaluate(a(), Number.NaN, Number.NaN) : () => evaluate(a(), b(), Number.NaN);
    }
  }
}

/** Where a read points in its cell's data. Indices are checked each time. */
export function locate(code: Code, e: Read, scope: Scope): { readonly cell: Cell; readonly offset: Closure } {
  const cell = code.runtime.cell(e.value);
  const at = e.at.map((x) => indexOf(code, e, x, scope));
  const fail = (axis: number, value: number): never => {
    throw outOfRange(code.node, e.value, axis, value, cell.dims[axis] ?? 0);
  };
  const [a, b] = at;
  if (a === undefined) return { cell, offset: () => cell.base };
  if (b === undefined) {
    const offset = (): number => {
      const i = a();
      if (!(i >= 0 && i < cell.size0)) fail(0, i);
      return cell.base + i * cell.stride0;
    };
    return { cell, offset };
  }
  if (at.length === 2) {
    const offset = (): number => {
      const i = a();
      const j = b();
      if (!(i >= 0 && i < cell.size0)) fail(0, i);
      if (!(j >= 0 && j < cell.size1)) fail(1, j);
      return cell.base + i * cell.stride0 + j * cell.stride1;
    };
    return { cell, offset };
  }
  const offset = (): number => {
    let out = cell.base;
    for (let axis = 0; axis < at.length; axis += 1) {
      const i = (at[axis] as Closure)();
      if (!(i >= 0 && i < (cell.dims[axis] as number))) fail(axis, i);
      out += i * (cell.strides[axis] as number);
    }
    return out;
  };
  return { cell, offset };
}

/** One index. What is no whole number by structure is checked to be one. */
function indexOf(code: Code, e: Read, x: Scalar, scope: Scope): Closure {
  const value = code.scalar(x, scope);
  if (isIntegral(x)) return value;
  return () => {
    const i = value();
    if (!Number.isInteger(i)) throw new InternalError(`%${code.node.name} reads %${e.value.name} at ${i}`);
    return i;
  };
}

function compileRead(code: Code, e: Read, scope: Scope): Closure {
  if (e.at.length !== e.value.type.dims.length) {
    throw new InternalError(`%${e.value.name} is read with ${e.at.length} indices`);
  }
  const { cell, offset } = locate(code, e, scope);
  if (e.value.type.dtype === "i64") return () => Number(cell.wide[offset()]);
  return () => cell.data[offset()] as number;
}

/** Everything but reductions, as i64. */
export function compileWide(code: Code, e: Scalar, scope: Scope): WideClosure {
  if (e.kind === "read" && e.value.type.dtype === "i64") {
    const { cell, offset } = locate(code, e, scope);
    return () => cell.wide[offset()] ?? 0n;
  }
  if (e.kind === "call") {
    const [a, b, c] = e.args;
    const fn = wideFunctions[e.fn];
    if (e.fn === "select" && a !== undefined && b !== undefined && c !== undefined) {
      const [test, yes, no] = [code.scalar(a, scope), code.wide(b, scope), code.wide(c, scope)];
      return () => (test() !== 0 ? yes() : no());
    }
    if (fn !== undefined && a !== undefined) {
      const x = code.wide(a, scope);
      const y: WideClosure = b === undefined ? () => 0n : code.wide(b, scope);
      return () => fn(x(), y());
    }
  }
  const real = code.scalar(e, scope);
  return () => widen(real());
}
