/**
 * Float arithmetic that does not change in a serial loop moves in front of it. Bodies are written per element, so a row's
 * 1/√(sum/D + ε) stands inside the loop, and not every compiler after us moves it. Indices are left alone.
 */
import { elems } from "../elem.ts";
import { name } from "../expr.ts";
import type { Expr, Kernel, Loop, Stmt } from "../kernel.ts";
import { printExpr } from "../print.ts";
import { mapChildren, mapExprsOf, mapStmts, someExpr, walkStmts } from "../walk.ts";
import { declaredIn, FreshNames } from "./fresh-names.ts";

export function hoistInvariants(k: Kernel): Kernel {
  const names = new FreshNames(k);
  const memories = new Set([...k.buffers, ...k.shared].map((m) => m.name));
  const body = mapStmts(
    k.body,
    (e) => e,
    (s) => (s.kind === "loop" && s.mode === "serial" ? hoistFrom(s, memories, names) : [s]),
  );
  return { ...k, body };
}

function hoistFrom(loop: Loop, memories: ReadonlySet<string>, names: FreshNames): readonly Stmt[] {
  const changing = new Set(declaredIn([loop]));
  walkStmts(loop.body, (s) => {
    if (s.kind === "store") changing.add(s.to);
  });
  const varies = (e: Expr): boolean =>
    (e.kind === "name" && changing.has(e.name)) ||
    (e.kind === "load" && (changing.has(e.from) || memories.has(e.from)));
  const lets: Stmt[] = [];
  const known = new Map<string, Expr>();
  /** From the root down: the largest pieces win. */
  const pull = (e: Expr): Expr => {
    if (e.kind !== "op" || !elems[e.type.elem].float || someExpr(e, varies)) return mapChildren(e, pull);
    const text = printExpr(e);
    const old = known.get(text);
    if (old !== undefined) return old;
    const n = names.take("fixed");
    lets.push({ kind: "let", name: n, value: e });
    known.set(text, name(n, e.type));
    return name(n, e.type);
  };
  // Not out of a branch: what it reads may not be written where it is not taken.
  const body = loop.body.map((s) =>
    s.kind === "let" || s.kind === "store" || s.kind === "reduce" ? mapExprsOf(s, pull) : s,
  );
  return [...lets, { ...loop, body }];
}
