/**
 * Scores as i32 keys that sort as they do, so that one selection serves all: larger is better, and two keys are reserved. By
 * integer operations only, which all targets do alike whatever they assume of nan and -0.
 */
import { InternalError } from "../graph/internal-error.ts";
import { bitcast, lt, max, op, select, sub } from "../kernel/expr.ts";
import type { Expr } from "../kernel/kernel.ts";

/** Never chosen: of a point that does not satisfy `where`. */
export const maskedKey = -0x80000000;
/** After all numbers, whatever the order. */
export const nanKey = maskedKey + 1;
/** The least key of a number. */
export const leastKey = maskedKey + 2;

/**
 * Of any width. f32: a > b gives a larger key, -0 and 0 the same one, nan `nanKey`. i32: itself, but for the two least, which
 * give `leastKey` and so equal the third.
 */
export function sortKey(x: Expr): Expr {
  if (x.type.elem === "i32") return max(x, leastKey);
  if (x.type.elem !== "f32") throw new InternalError(`no sort key of ${x.type.elem}`);
  const bits = bitcast(x, "i32");
  const magnitude = op("and", bits, 0x7fffffff);
  const number = select(lt(bits, 0), sub(0, magnitude), bits);
  return select(lt(0x7f800000, magnitude), nanKey, number);
}
/** The key of a point that is there only where `keep` holds. */
export const keyWhere = (keep: Expr, key: Expr): Expr => select(keep, key, maskedKey);
