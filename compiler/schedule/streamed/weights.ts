/** Scores of a tile and what becomes of them: weights p = exp(a - m), running maximum and narrow sums. */
import type { Scalar } from "../../graph/node.ts";
import { at, type Memory } from "../../kernel/build.ts";
import { add, both, constant, fma, op, select, splat, sub } from "../../kernel/expr.ts";
import type { Expr } from "../../kernel/kernel.ts";
import type { Env } from "../lift/lift.ts";
import { type Item, isOne, lowest, masked, type Run, vectorOf } from "./item.ts";

export interface Weights {
  /** Before the first tile. */
  start(): void;
  /** Afterwards p, alpha, the maximum and the narrow sums are those of all places so far. */
  tile(run: Run): void;
  /** p of a row at a place of the run. */
  weight(row: Expr, place: Expr): Expr;
  /** exp(m_old - m_new) of a row. */
  alpha(row: Expr): Expr;
  max(row: number): Expr;
  narrow(sum: number, row: number): Expr;
}

/** The score, or what is far below any where the row does not see the place. */
export function visibleScore(
  { lift, pattern }: Item,
  left: readonly Scalar[],
  at: { readonly env: Env; readonly inside: Expr; readonly width: number },
): Expr {
  const score = splat(lift.float(pattern.score, at.env), at.width);
  const seen = left.reduce((c, e) => both(c, lift.truth(e, at.env)), at.inside);
  return select(splat(seen, at.width), score, constant(masked, vectorOf(at.width)));
}

/** m, alpha and the narrow sums of all rows, in scratch memory. */
export class Running {
  readonly #item: Item;
  readonly #max: Memory;
  readonly #alpha: Memory;
  readonly #sums: readonly Memory[];
  constructor(item: Item) {
    const { b, plan, pattern } = item;
    this.#item = item;
    this.#max = b.shared("max", "f32", plan.count);
    this.#alpha = b.shared("alpha", "f32", plan.count);
    this.#sums = pattern.narrow.map((_, i) => b.shared(`sum${i}`, "f32", plan.count));
  }
  /** Of `width` rows from one on. */
  start(row: number, width: number): void {
    const { b } = this.#item;
    b.store(this.#max, row, constant(lowest, vectorOf(width)));
    for (const s of this.#sums) b.store(s, row, constant(0, vectorOf(width)));
  }
  /** The new maximum; alpha is what brings sums of the old one to it. */
  raise(row: number, found: Expr): Expr {
    const { b } = this.#item;
    const old = b.let("old", at(this.#max, row, found.type.width));
    const now = b.let("now", op("max", old, found));
    b.store(this.#alpha, row, op("exp", sub(old, now)));
    b.store(this.#max, row, now);
    return now;
  }
  /** More of the narrow sums. */
  add(row: number, more: readonly Expr[]): void {
    const { b } = this.#item;
    for (const [i, s] of this.#sums.entries()) {
      const x = more[i];
      if (x === undefined) continue;
      const { width } = x.type;
      b.store(s, row, fma(at(s, row, width), at(this.#alpha, row, width), x));
    }
  }
  alpha(row: Expr): Expr {
    return at(this.#alpha, row);
  }
  max(row: number): Expr {
    return at(this.#max, row);
  }
  sum(i: number, row: number): Expr {
    const s = this.#sums[i];
    return s === undefined ? constant(0, vectorOf(1)) : at(s, row);
  }
}

/** sofar + p · weight. */
export function weighted(
  { lift }: Item,
  sofar: Expr,
  p: Expr,
  at: { readonly weight: Scalar; readonly env: Env },
): Expr {
  return isOne(at.weight) ? add(sofar, p) : fma(p, lift.float(at.weight, at.env), sofar);
}
