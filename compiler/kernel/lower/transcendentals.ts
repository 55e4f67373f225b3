/**
 * Functions that a target does not have become arithmetic: each statement gets its steps as `let`s in front of it. No inner step
 * makes a denormal, unless the argument or the result is one: they cost a CPU 150 cycles.
 */
import { InternalError } from "../../graph/internal-error.ts";
import type { KernelTarget } from "../../target/kernel-target.ts";
import { type Bind, name, op } from "../expr.ts";
import type { Expr, Kernel, Stmt } from "../kernel.ts";
import { isTranscendental, type Transcendental } from "../ops.ts";
import { mapExpr, mapExprsOf, mapStmts } from "../walk.ts";
import { erfOf } from "./erf.ts";
import { expOf } from "./exp.ts";
import { FreshNames } from "./fresh-names.ts";
import { log1pOf, logOf } from "./log.ts";
import { powOf } from "./pow.ts";
import { tanhOf } from "./tanh.ts";
import { cosOf, sinOf } from "./trigonometric.ts";

export function expandTranscendentals(k: Kernel, target: KernelTarget): Kernel {
  const names = new FreshNames(k);
  const isNative = (f: Transcendental): boolean => target.native.includes(f);
  const body = mapStmts(
    k.body,
    (e) => e,
    (s) => {
      const lets: Stmt[] = [];
      const bind: Bind = (base, value) => {
        if (value.kind === "name" || value.kind === "const" || value.kind === "wide") return value;
        const n = names.take(base);
        lets.push({ kind: "let", name: n, value });
        return name(n, value.type);
      };
      const expand = (e: Expr): Expr =>
        e.kind === "op" && isTranscendental(e.op) && !isNative(e.op) ? expanded(e.op, e.args, isNative, bind) : e;
      const rest = mapExprsOf(s, (e) => mapExpr(e, expand));
      return [...lets, rest];
    },
  );
  return { ...k, body };
}

/** A function by itself: its value of arguments x and y, with the steps before it, where `exp` in others is called. */
export interface WrittenOut {
  readonly lets: readonly Extract<Stmt, { kind: "let" }>[];
  readonly value: Expr;
}
export function writtenOut(f: Transcendental, args: readonly Expr[]): WrittenOut {
  const lets: Extract<Stmt, { kind: "let" }>[] = [];
  const used = new Map<string, number>();
  const bind: Bind = (base, value) => {
    if (value.kind === "name" || value.kind === "const" || value.kind === "wide") return value;
    const before = used.get(base) ?? 0;
    used.set(base, before + 1);
    const n = before === 0 ? base : `${base}_${before}`;
    lets.push({ kind: "let", name: n, value });
    return name(n, value.type);
  };
  return { value: expanded(f, args, (g) => g === "exp" && f !== "exp", bind), lets };
}

function expanded(
  f: Transcendental,
  [x, y]: readonly Expr[],
  isNative: (f: Transcendental) => boolean,
  bind: Bind,
): Expr {
  const exp = (e: Expr): Expr => (isNative("exp") ? op("exp", e) : expOf(e, bind));
  if (x === undefined) throw new InternalError(`${f} of nothing`);
  switch (f) {
    case "exp":
      return expOf(x, bind);
    case "log":
      return logOf(x, bind);
    case "log1p":
      return log1pOf(x, bind);
    case "pow":
      return powOf(x, y ?? x, exp, bind);
    case "sin":
      return sinOf(x, bind);
    case "cos":
      return cosOf(x, bind);
    case "tanh":
      return tanhOf(x, exp, bind);
    case "erf":
      return erfOf(x, exp, bind);
    default:
      return f satisfies never;
  }
}
