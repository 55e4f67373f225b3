/** The text of an expression with its indices in angle quotes: equal keys in one body are equal values. */
import type { Expr, Subscript } from "../ast/nodes.ts";
import { indexToken } from "../types/axis.ts";
import type { EquationContext } from "./context.ts";

export function expressionKey(expr: Expr, eq: EquationContext): string {
  const key = (e: Expr): string => expressionKey(e, eq);
  switch (expr.kind) {
    case "number":
      return expr.text;
    case "string":
      return JSON.stringify(expr.value);
    case "boolean":
      return String(expr.value);
    case "null":
      return "null";
    case "hole":
      return "_";
    case "config-root":
      return "$";
    case "error":
      return "?";
    case "name": {
      const index = eq.uses.get(expr);
      return index === undefined ? expr.text : indexToken(index.token);
    }
    case "group":
      return key(expr.inner);
    case "tuple":
      return `(${expr.items.map(key).join(",")})`;
    case "join":
      return `(${expr.items.map(key).join("|")})`;
    case "set": {
      const binder = expr.binder === null ? "" : ` for ${key(expr.binder)}`;
      const where = expr.where === null ? "" : ` where ${key(expr.where)}`;
      return `{${expr.items.map(key).join(",")}${binder}${where}}`;
    }
    case "index":
      return key(expr.base) + subscriptKey(expr.subscript, eq);
    case "call": {
      const args = expr.args.map((a) =>
        a.kind === "spread" ? ".." : a.name === null ? key(a.value) : `${a.name.text}:${key(a.value)}`,
      );
      return `${key(expr.callee)}(${args.join(",")})`;
    }
    case "member":
      return `${key(expr.base)}.${expr.word.text}`;
    case "else":
      return `${key(expr.value)} else ${key(expr.fallback)}`;
    case "cast":
      return `(${key(expr.value)} as ${expr.type.kind === "word" ? expr.type.word.text : expr.type.kind})`;
    case "unary":
      return `${expr.op}(${key(expr.operand)})`;
    case "binary":
      return `(${key(expr.left)} ${expr.op} ${key(expr.right)})`;
    case "conditional":
      return `(${key(expr.condition)} ? ${key(expr.then)} : ${key(expr.else)})`;
  }
}

export function subscriptKey(subscript: Subscript, eq: EquationContext): string {
  const where = subscript.where === null ? "" : ` where ${expressionKey(subscript.where, eq)}`;
  return `[${subscript.items.map((item) => expressionKey(item, eq)).join(",")}${where}]`;
}

/** Innermost expression without parentheses. */
export const ungroup = (expr: Expr): Expr => (expr.kind === "group" ? ungroup(expr.inner) : expr);
