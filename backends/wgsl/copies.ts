/** Names that are copies of registers: where the register is not stored to while the name is in sight, it says the same itself. */
import type { Expr, Load, Stmt } from "../../compiler/kernel/kernel.ts";
import { mapExpr, mapExprsOf, walkStmts } from "../../compiler/kernel/walk.ts";

export function withoutCopies(body: readonly Stmt[]): readonly Stmt[] {
  const registers = new Set<string>();
  walkStmts(body, (s) => {
    if (s.kind === "reg") registers.add(s.name);
  });
  const copied = (s: Stmt): Load | null =>
    s.kind === "let" && s.value.kind === "load" && registers.has(s.value.from) && s.value.index.kind === "const"
      ? s.value
      : null;
  const known = new Map<string, Load>();
  const replaced = (e: Expr): Expr =>
    known.size === 0 ? e : mapExpr(e, (x) => (x.kind === "name" ? (known.get(x.name) ?? x) : x));
  const block = (all: readonly Stmt[]): readonly Stmt[] => {
    const last = lastStores(all);
    return all.flatMap((s, i) => {
      const copy = copied(s);
      if (copy !== null && s.kind === "let" && (last.get(copy.from) ?? -1) < i) {
        known.set(s.name, copy);
        return [];
      }
      const own = mapExprsOf(s, replaced);
      return [own.kind === "loop" || own.kind === "if" ? { ...own, body: block(own.body) } : own];
    });
  };
  return block(body);
}

/** By what is stored to: the last statement of a block that does, itself or inside. */
function lastStores(body: readonly Stmt[]): ReadonlyMap<string, number> {
  const last = new Map<string, number>();
  for (const [i, s] of body.entries())
    walkStmts([s], (x) => {
      if (x.kind === "store") last.set(x.to, i);
    });
  return last;
}
