/** Values of size expressions. Whole numbers below 2^53, or an error: an i32 that wrapped would pass for a small one. */
import type { SizeExpr } from "./program.ts";

/** Throws RangeError for a name without a value, a division by zero, a number that is not safe. */
export function evalSize(e: SizeExpr, values: (name: string) => number | undefined): number {
  if (typeof e === "number") return e;
  if (typeof e === "string") {
    const value = values(e);
    if (value === undefined) throw new RangeError(`no size ${e}`);
    return value;
  }
  const [operator, left, right] = e;
  const [a, b] = [evalSize(left, values), evalSize(right, values)];
  const value = meaning[operator](a, b);
  if (!Number.isSafeInteger(value)) throw new RangeError(`${a} ${operator} ${b} is no whole number that is exact`);
  return value;
}

const meaning = {
  "+": (a: number, b: number) => a + b,
  "-": (a: number, b: number) => a - b,
  "*": (a: number, b: number) => a * b,
  "/": (a: number, b: number) => Math.floor(a / b),
  "%": (a: number, b: number) => a % b,
  min: (a: number, b: number) => Math.min(a, b),
  max: (a: number, b: number) => Math.max(a, b),
} as const;
