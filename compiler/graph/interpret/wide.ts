/** i64 arithmetic: exact, wrapping at 64 bit. Which expressions are i64 follows from what they read. */
import type { Monoid, ScalarFn } from "../../ops/scalar-functions.ts";
import { InternalError } from "../internal-error.ts";
import type { Scalar } from "../node.ts";

const wrap = (x: bigint): bigint => BigInt.asIntN(64, x);
export const smallest = -(2n ** 63n);
export const largest = 2n ** 63n - 1n;

function floorDivide(a: bigint, b: bigint): bigint {
  if (b === 0n) throw new InternalError("an i64 is divided by 0");
  const q = a / b;
  return a % b !== 0n && a < 0n !== b < 0n ? q - 1n : q;
}

type WideFn = (a: bigint, b: bigint) => bigint;
/** Functions whose result is i64 where an argument is. `select` is one too, but lazy. */
export const wideFunctions: { readonly [K in ScalarFn]?: WideFn } = {
  add: (a, b) => wrap(a + b),
  sub: (a, b) => wrap(a - b),
  mul: (a, b) => wrap(a * b),
  floordiv: (a, b) => wrap(floorDivide(a, b)),
  mod: (a, b) => wrap(a - b * floorDivide(a, b)),
  xor: (a, b) => wrap(a ^ b),
  maximum: (a, b) => (a > b ? a : b),
  minimum: (a, b) => (a < b ? a : b),
  neg: (a) => wrap(-a),
  abs: (a) => wrap(a < 0n ? -a : a),
  sign: (a) => (a > 0n ? 1n : a < 0n ? -1n : 0n),
  floor: (a) => a,
  ceil: (a) => a,
};
/** Comparisons of i64: a truth value, exact. */
export const wideComparisons: { readonly [K in ScalarFn]?: (a: bigint, b: bigint) => boolean } = {
  lt: (a, b) => a < b,
  le: (a, b) => a <= b,
  eq: (a, b) => a === b,
};
export const wideMonoids: {
  readonly [K in Monoid]?: { readonly identity: bigint; readonly combine: WideFn };
} = {
  sum: { identity: 0n, combine: (a, b) => wrap(a + b) },
  product: { identity: 1n, combine: (a, b) => wrap(a * b) },
  max: { identity: smallest, combine: (a, b) => (a > b ? a : b) },
  min: { identity: largest, combine: (a, b) => (a < b ? a : b) },
};

const memo = new WeakMap<Scalar, boolean>();
/** Whether the value is an i64 by what it is made of. Names, sizes, constants and folds are not. */
export function isWide(e: Scalar): boolean {
  if (e.kind !== "call" && e.kind !== "reduce") return find(e); // nothing to look for: less than remembering it
  const known = memo.get(e);
  if (known !== undefined) return known;
  const found = find(e);
  memo.set(e, found);
  return found;
}
function find(e: Scalar): boolean {
  switch (e.kind) {
    case "const":
    case "dim":
    case "name":
    case "fold":
      return false;
    case "read":
      return e.value.type.dtype === "i64";
    case "call":
      if (e.fn === "select") return e.args.slice(1).some(isWide);
      return wideFunctions[e.fn] !== undefined && e.args.some(isWide);
    case "reduce":
      return wideMonoids[e.monoid] !== undefined && isWide(e.body);
    default:
      return e satisfies never;
  }
}

/** A whole double as an i64. */
export function widen(x: number): bigint {
  if (!Number.isInteger(x)) throw new InternalError(`${x} is no i64`);
  return wrap(BigInt(x));
}
