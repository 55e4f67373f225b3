/** Whether a name occurs in an expression. */
import type { Expr } from "../../dsl/ast/nodes.ts";
import { childrenOf } from "../../dsl/checker/sums.ts";

export const mentions = (e: Expr, name: string): boolean =>
  (e.kind === "name" && e.text === name) || childrenOf(e).some((c) => mentions(c, name));
