/**
 * Names that a text needs not: copies of names, and of registers that keep their value while the name is in sight, and short arithmetic
 * that is used once. Loads stay where they are, and nothing moves into a loop.
 */
import type { Expr, Stmt } from "../../compiler/kernel/kernel.ts";
import { children, exprsOf, mapExpr, mapExprsOf, walkExpr, walkStmts } from "../../compiler/kernel/walk.ts";

/** Parts of an expression up to which it may stand inside of another one. */
const mostParts = 10;

export function inlined(body: readonly Stmt[]): readonly Stmt[] {
  const { registers, uses, inLoops } = namesIn(body);
  const values = new Map<string, Expr>();
  const replaced = (e: Expr): Expr =>
    values.size === 0 ? e : mapExpr(e, (x) => (x.kind === "name" ? (values.get(x.name) ?? x) : x));
  const block = (all: readonly Stmt[]): readonly Stmt[] => {
    const last = lastStores(all);
    /** Whether it says the same in all that follows. */
    const keeps = (e: Expr, i: number): boolean =>
      e.kind === "load"
        ? registers.has(e.from) && e.index.kind === "const" && (last.get(e.from) ?? -1) < i
        : children(e).every((c) => keeps(c, i));
    return all.flatMap((s, i) => {
      const own = mapExprsOf(s, replaced);
      if (own.kind === "let" && keeps(own.value, i)) {
        const isShort = uses.get(own.name) === 1 && !inLoops.has(own.name) && partsIn(own.value) <= mostParts;
        if (own.value.kind === "load" || own.value.kind === "name" || isShort) {
          values.set(own.name, own.value);
          return [];
        }
      }
      return [own.kind === "loop" || own.kind === "if" ? { ...own, body: block(own.body) } : own];
    });
  };
  return block(body);
}

/** Registers; how often other names are used; which of them in a loop that they are not made in. */
function namesIn(body: readonly Stmt[]) {
  const registers = new Set<string>();
  const uses = new Map<string, number>();
  const inLoops = new Set<string>();
  /** Names to the loop that they are made in. */
  const home = new Map<string, Stmt | null>();
  const visit = (all: readonly Stmt[], loop: Stmt | null): void => {
    for (const s of all) {
      if (s.kind === "reg") registers.add(s.name);
      if (s.kind === "let") home.set(s.name, loop);
      for (const e of exprsOf(s))
        walkExpr(e, (x) => {
          if (x.kind !== "name") return;
          uses.set(x.name, (uses.get(x.name) ?? 0) + 1);
          // A loop's end is asked for in each turn.
          if (s.kind === "loop" || home.get(x.name) !== loop) inLoops.add(x.name);
        });
      if (s.kind === "loop") visit(s.body, s);
      if (s.kind === "if") visit(s.body, loop);
    }
  };
  visit(body, null);
  return { registers, uses, inLoops };
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

function partsIn(e: Expr): number {
  let n = 0;
  walkExpr(e, () => {
    n += 1;
  });
  return n;
}
