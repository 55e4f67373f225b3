/** The result of a row, of what it has found. */
import type { Scalar } from "../../graph/node.ts";
import { key, some } from "../../graph/scalar.ts";
import { constant, op, select, splat } from "../../kernel/expr.ts";
import type { Expr } from "../../kernel/kernel.ts";
import type { Env, Lift } from "../lift/lift.ts";
import { asFloat } from "../lift/spell-function.ts";
import type { TileOptions } from "../tile-plan.ts";
import { lowest, vectorOf } from "./item.ts";
import type { Pattern } from "./pattern.ts";

const readsMax = ({ result, max }: Pattern): boolean => some(result, (x: Scalar) => key(x) === key(max));

/** Makes m known where the result reads it: what it is of a row that sees no place is no number that was compared. */
export function knowMax(pattern: Pattern, lift: Lift, own: Env, max: () => Expr): void {
  if (!readsMax(pattern)) return;
  const { body: b } = lift;
  const none = constant(Number.NEGATIVE_INFINITY, vectorOf(1));
  const m = b.let("m", max());
  lift.know(pattern.max, own, b.let("found", select(op("le", m, lowest), none, m)));
}

/** The result where all that it is made of is known. */
export function resultAt(pattern: Pattern, lift: Lift, env: Env, width: number, options: TileOptions): Expr {
  const value = splat(asFloat(lift.value(pattern.result, env)), width);
  return options.finish === undefined ? value : options.finish(value, null);
}
