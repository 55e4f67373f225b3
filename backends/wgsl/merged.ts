/** Loads that one operation merges. */
import type { Expr, Load } from "../../compiler/kernel/kernel.ts";

export interface Merged {
  readonly from: string;
  /** Of the first. */
  readonly index: Expr;
  /** From one to the next. */
  readonly step: number;
  readonly count: number;
}

const fewest = 4;

/** `((a + b) + c) + d` of elements of one memory, each as far behind the one before it; so with `max` and `min`. */
export function loadsMerged(e: Expr): Merged | null {
  if (e.kind !== "op" || !["add", "max", "min"].includes(e.op)) return null;
  const loads: Load[] = [];
  let rest: Expr = e;
  while (rest.kind === "op" && rest.op === e.op) {
    const [before, last]: readonly (Expr | undefined)[] = rest.args;
    if (before === undefined || last?.kind !== "load") return null;
    loads.unshift(last);
    rest = before;
  }
  if (rest.kind !== "load") return null;
  loads.unshift(rest);
  const [first, second] = loads;
  if (first === undefined || second === undefined || loads.length < fewest) return null;
  const step = distance(first, second);
  if (step === null || !loads.every((load, i) => i === 0 || distance(loads[i - 1] ?? first, load) === step))
    return null;
  return { from: first.from, index: first.index, step, count: loads.length };
}

/** Elements from one to the other; null where that is not known, or they are in different memories. */
function distance(a: Load, b: Load): number | null {
  if (a.from !== b.from || a.piece !== undefined || b.piece !== undefined || a.type.width !== b.type.width) return null;
  const [x, y] = [split(a.index), split(b.index)];
  return JSON.stringify(x.base) === JSON.stringify(y.base) ? y.constant - x.constant : null;
}

/** An index as something and a constant. */
export function split(index: Expr): { readonly base: Expr | null; readonly constant: number } {
  if (index.kind === "const") return { base: null, constant: index.value };
  if (index.kind !== "op" || index.op !== "add") return { base: index, constant: 0 };
  const [base, constant]: readonly (Expr | undefined)[] = index.args;
  if (base === undefined || constant?.kind !== "const") return { base: index, constant: 0 };
  const inner = split(base);
  return { base: inner.base, constant: inner.constant + constant.value };
}
