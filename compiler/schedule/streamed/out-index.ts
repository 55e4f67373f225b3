/** Where a row stands, row-major over the row axes. */
import { add, constant, mul } from "../../kernel/expr.ts";
import type { Expr } from "../../kernel/kernel.ts";
import { dimExpr } from "../lift/spell-dim.ts";
import type { Item } from "./item.ts";
import type { RowBlock } from "./plan.ts";

/** Element `e` of row r of the block, of rows of `width` elements. */
export function outIndex(
  { plan, block, pattern }: Item<RowBlock>,
  { r, e }: { readonly r: Expr | number; readonly e: Expr },
  width: Expr,
): Expr {
  let index = e;
  for (const [i, a] of pattern.rows.entries()) {
    const inside = [...pattern.rows.slice(i + 1).map((x) => dimExpr(x.size)), width];
    const place = a === plan.axis ? block.unclamped(r) : (block.row(0).get(a.name)?.index ?? null);
    const stride = inside.reduce((x, y) => mul(x, y), constant(1) as Expr);
    if (place !== null) index = add(index, mul(place, stride));
  }
  return index;
}
