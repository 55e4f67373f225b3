import type { Expr } from "../ast/nodes.ts";

/** The name of a size that stands alone, as `T` in `[T]`. */
export function isPlainSizeOf(expr: Expr | undefined): string | null {
  if (expr === undefined) return null;
  if (expr.kind === "group") return isPlainSizeOf(expr.inner);
  return expr.kind === "name" ? expr.text : null;
}
