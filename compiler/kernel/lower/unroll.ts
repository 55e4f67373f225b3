/** Unrolled loops become straight code; afterwards every index of a register is a constant. */
import type { KernelTarget } from "../../target/kernel-target.ts";
import { constant, op } from "../expr.ts";
import type { Expr, Kernel, Loop, Stmt } from "../kernel.ts";
import { renamedBody } from "../rename.ts";
import { mapStmts } from "../walk.ts";
import { declaredIn, FreshNames } from "./fresh-names.ts";

export function expandUnrolled(k: Kernel, target: KernelTarget): Kernel {
  if (target.unroll === "keep") return k;
  const names = new FreshNames(k);
  const body = mapStmts(k.body, refold, (s) => (s.kind === "loop" && s.mode === "unrolled" ? turnsOf(s, names) : [s]));
  return { ...k, body };
}

/** Through the folding constructor, so that indices become constants as soon as they can. */
const refold = (e: Expr): Expr => (e.kind === "op" ? op(e.op, ...e.args) : e);

function turnsOf(s: Loop, names: FreshNames): readonly Stmt[] {
  const [from, to] = [s.from, s.to].map((e) => (e.kind === "const" ? e.value : 0));
  const out: Stmt[] = [];
  for (let i = from ?? 0; i < (to ?? 0); i += s.step) out.push(...turn(s, i, names));
  return out;
}

/** A copy of the body with names of its own. */
function turn(s: Loop, i: number, names: FreshNames): readonly Stmt[] {
  const own = new Map([...declaredIn(s.body)].map((n) => [n, names.take(`${n}_${i}`)]));
  const to = (n: string): string => own.get(n) ?? n;
  return renamedBody(s.body, to, (e) => {
    if (e.kind === "name") return e.name === s.name ? constant(i) : { ...e, name: to(e.name) };
    return refold(e);
  });
}
