/** Bodies under other names. */
import type { Expr, Stmt } from "./kernel.ts";
import { mapStmts } from "./walk.ts";

/** `expr`: what becomes of an expression whose parts are renamed already; without it the name. */
export function renamedBody(
  body: readonly Stmt[],
  to: (name: string) => string,
  expr: (e: Expr) => Expr = (e) => (e.kind === "name" ? { ...e, name: to(e.name) } : e),
): readonly Stmt[] {
  const renamed = (e: Expr): Expr => (e.kind === "load" ? { ...e, from: to(e.from) } : expr(e));
  return mapStmts(body, renamed, (s) => [renamedStatement(s, to)]);
}

function renamedStatement(s: Stmt, to: (name: string) => string): Stmt {
  switch (s.kind) {
    case "let":
    case "reg":
    case "loop":
    case "reduce":
    case "frag":
      return { ...s, name: to(s.name) };
    case "store":
      return { ...s, to: to(s.to) };
    case "frag_load":
    case "frag_store":
      return { ...s, frag: to(s.frag), memory: to(s.memory) };
    case "mma":
      return { ...s, d: to(s.d), a: to(s.a), b: to(s.b) };
    case "if":
    case "barrier":
    case "comment":
      return s;
    default:
      return s satisfies never;
  }
}
