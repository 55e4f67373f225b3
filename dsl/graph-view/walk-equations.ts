/** The equations of a body, and the expressions in them: what questions about a text's structure are asked of. */
import type { Equation, Expr, ModelItem } from "../ast/nodes.ts";
import { childrenOf } from "../checker/sums.ts";

/** With those of both branches of an `if` in its place. */
export const flatItems = (items: readonly ModelItem[]): readonly ModelItem[] =>
  items.flatMap((item) => (item.kind === "if" ? flatItems([...item.then, ...(item.else ?? [])]) : [item]));

/** Those of both branches of an `if`; not those of entries. */
export const equationsOf = (items: readonly ModelItem[]): readonly Equation[] =>
  flatItems(items).filter((item) => item.kind === "equation");

/** What an equation is written with: subscripts of its left side, its value, its condition. */
export const expressionsOf = ({ targets, value, where }: Equation): readonly Expr[] => [
  ...targets.flatMap(({ subscript }) => (subscript === null ? [] : [...subscript.items, ...listed(subscript.where)])),
  value,
  ...listed(where),
];

/** An expression and all below it. */
export const withParts = (expr: Expr): readonly Expr[] => [expr, ...childrenOf(expr).flatMap(withParts)];

export const ungrouped = (expr: Expr): Expr => (expr.kind === "group" ? ungrouped(expr.inner) : expr);

const listed = (expr: Expr | null): readonly Expr[] => (expr === null ? [] : [expr]);
