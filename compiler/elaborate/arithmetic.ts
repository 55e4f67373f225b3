/** Operators on values: numbers known when compiling are computed, sizes stay symbolic, the rest becomes expressions. */
import type { BinaryOp } from "../../dsl/ast/nodes.ts";
import type { Static } from "../../dsl/checker/context.ts";
import { noFacts } from "../../dsl/types/facts.ts";
import { divideExact, floorDivide, modulo } from "../../dsl/types/poly.ts";
import { isIntegral as isWholeSize } from "../../dsl/types/prove.ts";
import { addDim, constantOf, type Dim, dim, evalDim, mulDim, type Sizes, subDim } from "../graph/dim.ts";
import type { DType, Scalar } from "../graph/node.ts";
import { call, num } from "../graph/scalar.ts";
import type { ScalarFn } from "../ops/scalar-functions.ts";
import type { Position } from "./axis.ts";
import { asTensor, sizeValue, staticValue, type Tensor, type Value } from "./value.ts";

/** The number that a size is with the config's sizes; null while it hangs on run-time ones. */
export function numberOfDim(d: Dim, numbers: Sizes): number | null {
  const known = constantOf(d);
  if (known !== null) return known;
  try {
    return evalDim(d, numbers);
  } catch {
    return null;
  }
}

/** A whole number or size as a size. */
export function asSize(value: Value): Dim | null {
  if (value.kind === "size") return value.dim;
  return value.kind === "static" && typeof value.value === "bigint" ? dim(Number(value.value)) : null;
}

/** A number that is known when compiling. */
export function asNumber(value: Value, numbers: Sizes): number | null {
  if (value.kind === "size") return numberOfDim(value.dim, numbers);
  if (value.kind !== "static") return null;
  const { value: v } = value;
  return typeof v === "bigint" ? Number(v) : typeof v === "number" ? v : null;
}

const isWhole = (value: Value): boolean =>
  value.kind === "size" || (value.kind === "static" && typeof value.value === "bigint");

export function binaryValue(op: BinaryOp, left: Value, right: Value, numbers: Sizes): Value {
  const known = staticBinary(op, left, right, numbers);
  if (known !== null) return known;
  const [a, b] = [asTensor(left), asTensor(right)];
  return elementwise([a, b], resultType(op, a, b), ([x, y]) => expression(op, x as Scalar, y as Scalar));
}

function staticBinary(op: BinaryOp, left: Value, right: Value, numbers: Sizes): Value | null {
  if (op === "==" || op === "!=") {
    const same = sameStatic(left, right, numbers);
    return same === null ? null : staticValue(op === "==" ? same : !same);
  }
  const [m, n] = [asSize(left), asSize(right)];
  if (m !== null && n !== null && (left.kind === "size" || right.kind === "size")) {
    const size = sizeArithmetic(op, m, n, numbers);
    if (size !== null)
      return sizeValue(
        size,
        isFraction(op, size, [left, right], numbers)
          ? () => expression(op, asTensor(left).at([]), asTensor(right).at([]))
          : null,
      );
  }
  const whole = wholeArithmetic(op, left, right);
  if (whole !== null) return staticValue(whole);
  const [x, y] = [asNumber(left, numbers), asNumber(right, numbers)];
  if (x === null || y === null) return logical(op, left, right);
  const number = numberArithmetic(op, x, y);
  if (typeof number === "boolean") return staticValue(number);
  if (number === null) return null;
  const areWhole = isWhole(left) && isWhole(right) && Number.isSafeInteger(number);
  return staticValue(areWhole ? BigInt(number) : number);
}

/** Whole numbers are computed exactly, whatever their size; null for anything else. */
function wholeArithmetic(op: BinaryOp, left: Value, right: Value): bigint | null {
  if (left.kind !== "static" || right.kind !== "static") return null;
  const [a, b] = [left.value, right.value];
  if (typeof a !== "bigint" || typeof b !== "bigint") return null;
  switch (op) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "xor":
      return a ^ b;
    case "/":
      return b !== 0n && a % b === 0n ? a / b : null;
    case "div":
      return b === 0n ? null : (a - floorModulo(a, b)) / b;
    case "mod":
      return b === 0n ? null : floorModulo(a, b);
    default:
      return null;
  }
}
const floorModulo = (a: bigint, b: bigint): bigint => ((a % b) + b) % b;

function sizeArithmetic(op: BinaryOp, a: Dim, b: Dim, numbers: Sizes): Dim | null {
  switch (op) {
    case "+":
      return addDim(a, b);
    case "-":
      return subDim(a, b);
    case "*":
      return mulDim(a, b);
    case "div":
      return floorDivide(a, b);
    case "mod":
      return modulo(a, b);
    case "/": {
      const exact = divideExact(a, b);
      const isKnown = numberOfDim(a, numbers) !== null && numberOfDim(b, numbers) !== null;
      return isKnown && numberOfDim(exact, numbers) === null ? null : exact;
    }
    default:
      return null;
  }
}

/** Whether a result of sizes may be no whole number, as far as it is known when compiling. */
const isFraction = (op: BinaryOp, result: Dim, operands: readonly Value[], numbers: Sizes): boolean =>
  operands.some((v) => v.kind === "size" && v.real !== null) ||
  (op === "/" && numberOfDim(result, numbers) === null && isWholeSize(result, noFacts) !== "yes");

function numberArithmetic(op: BinaryOp, x: number, y: number): number | boolean | null {
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
    case "div":
      return Math.floor(x / y);
    case "mod":
      return x - y * Math.floor(x / y);
    case "xor":
      return Number(BigInt(x) ^ BigInt(y));
    case "<":
      return x < y;
    case "<=":
      return x <= y;
    case ">":
      return x > y;
    case ">=":
      return x >= y;
    default:
      return null;
  }
}

function logical(op: BinaryOp, left: Value, right: Value): Value | null {
  const [a, b] = [left, right].map((v) => (v.kind === "static" && typeof v.value === "boolean" ? v.value : null));
  if (op === "and") return a === false || b === false ? staticValue(false) : a === true && b === true ? right : null;
  if (op === "or") return a === true || b === true ? staticValue(true) : a === false && b === false ? right : null;
  return null;
}

function sameStatic(left: Value, right: Value, numbers: Sizes): boolean | null {
  const [x, y] = [asNumber(left, numbers), asNumber(right, numbers)];
  if (x !== null && y !== null) return x === y;
  const plain = (v: Value): Static | undefined => (v.kind === "static" ? v.value : undefined);
  const [a, b] = [plain(left), plain(right)];
  if (a === null || b === null) return a === b;
  if (a === undefined || b === undefined) return null;
  return typeof a === "object" || typeof b === "object" ? null : a === b;
}

const comparisons: ReadonlySet<BinaryOp> = new Set(["==", "!=", "<", "<=", ">", ">=", "and", "or", "in"]);

function resultType(op: BinaryOp, a: Tensor, b: Tensor): DType {
  if (comparisons.has(op)) return "bool";
  if (op === "/" || op === "^")
    return isIntegral(a.dtype) && isIntegral(b.dtype) ? "f32" : commonType(a.dtype, b.dtype);
  return commonType(a.dtype, b.dtype);
}

export const isIntegral = (t: DType): boolean => t === "i32" || t === "i64" || t === "i8" || t === "u8" || t === "bool";

/** The type that holds both: floats win over integers, 64-bit integers over others. */
export function commonType(a: DType, b: DType): DType {
  if (a === b) return a;
  if (!isIntegral(a) && !isIntegral(b)) return a === "f64" || b === "f64" ? "f64" : "f32";
  if (!isIntegral(a)) return a;
  if (!isIntegral(b)) return b;
  return a === "i64" || b === "i64" ? "i64" : "i32";
}

const functionOf: Partial<Record<BinaryOp, ScalarFn>> = {
  "+": "add",
  "-": "sub",
  "*": "mul",
  "/": "div",
  div: "floordiv",
  mod: "mod",
  xor: "xor",
  "<": "lt",
  "<=": "le",
  "==": "eq",
  and: "and",
  or: "or",
};

export function expression(op: BinaryOp, a: Scalar, b: Scalar): Scalar {
  if (op === ">") return call("lt", b, a);
  if (op === ">=") return call("le", b, a);
  if (op === "!=") return call("not", call("eq", a, b));
  if (op === "^") return b.kind === "const" && b.value === 2 && isCheap(a) ? call("mul", a, a) : call("pow", a, b);
  const fn = functionOf[op];
  if (fn === undefined) throw new Error(`operator ${op} makes no number`);
  return call(fn, a, b);
}
/** Twice costs next to nothing. */
const isCheap = (e: Scalar): boolean =>
  e.kind === "read" || e.kind === "name" || e.kind === "const" || (e.kind === "call" && e.args.every(isCheap));

/** A function of numbers, over open axes that are equal; a single number meets anything. */
export function elementwise(
  operands: readonly Tensor[],
  dtype: DType,
  f: (values: readonly Scalar[]) => Scalar,
): Tensor {
  const open = operands.filter((t) => t.axes.length > 0);
  const first = open[0];
  const axes =
    first === undefined ? [] : first.axes.map((axis, i) => open.find((t) => t.axes[i]?.members)?.axes[i] ?? axis);
  const at = (positions: readonly Position[]): Scalar =>
    f(operands.map((t) => t.at(t.axes.length === 0 ? [] : positions)));
  return { kind: "tensor", axes, dtype, at };
}

export const unaryMinus = (value: Value): Value => {
  if (value.kind === "size") {
    const { real } = value;
    return sizeValue(subDim(0, value.dim), real === null ? null : () => call("neg", real()));
  }
  if (value.kind === "static" && typeof value.value === "bigint") return staticValue(-value.value);
  if (value.kind === "static" && typeof value.value === "number") return staticValue(-value.value);
  const t = asTensor(value);
  return elementwise([t], t.dtype, ([x]) =>
    (x as Scalar).kind === "const" ? num(-(x as { value: number }).value) : call("neg", x as Scalar),
  );
};
