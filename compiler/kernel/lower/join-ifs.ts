/**
 * Branches that stand beside each other and ask the same are one: strategies guard what they write element by element, and some drivers
 * take minutes over many branches.
 */
import type { Kernel, Stmt } from "../kernel.ts";
import { printExpr } from "../print.ts";
import { someExpr } from "../walk.ts";

export const joinIfs = (k: Kernel): Kernel => ({ ...k, body: joined(k.body) });

function joined(body: readonly Stmt[]): readonly Stmt[] {
  const out: Stmt[] = [];
  for (const s of body) {
    const before = out.at(-1);
    if (before?.kind === "if" && s.kind === "if" && isSame(before, s))
      out.splice(-1, 1, { ...before, body: [...before.body, ...s.body] });
    else out.push(s);
  }
  return out.map((s) => (s.kind === "if" || s.kind === "loop" ? { ...s, body: joined(s.body) } : s));
}

type If = Stmt & { readonly kind: "if" };

/** What memory decides may have changed in between. */
const isSame = (first: If, second: If): boolean =>
  !someExpr(second.cond, (e) => e.kind === "load") && printExpr(first.cond) === printExpr(second.cond);
