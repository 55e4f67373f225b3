/** Visits elements of a buffer from anywhere to anywhere, by vectors where they are aligned. */
import { at, type Body, type Memory } from "../kernel/build.ts";
import { typeOf } from "../kernel/elem.ts";
import { add, constant, div, fold, max, min, mul, select } from "../kernel/expr.ts";
import type { Expr } from "../kernel/kernel.ts";
import type { Span } from "./sort-row.ts";

/** Who visits: one of some lanes, by vectors. */
export interface Visitor {
  readonly lanes: number;
  readonly lane: Expr;
  readonly vector: number;
}
/** One lane for all. */
export const alone = (vector: number): Visitor => ({ lanes: 1, lane: constant(0), vector });
export const together = (b: Body, vector: number): Visitor => ({ lanes: b.lanes, lane: b.lane, vector });
/** Of the visits. */
export const widthsOf = (vector: number): readonly number[] => [...new Set([1, vector])];

/**
 * Visits elements from..to-1 once, each by one of the lanes, which sees its own in ascending order: `vector` from index on
 * where index is a multiple of it, and before the first and after the last such vector one by one.
 */
export function sweep(b: Body, s: Span, by: Visitor, visit: (index: Expr, width: number) => void): void {
  const { lane, lanes, vector } = by;
  const one = (from: Expr, to: Expr): void =>
    b.loop("i", { from: add(from, lane), to, step: lanes }, (i) => visit(i, 1));
  const many = (from: Expr, to: Expr): void =>
    b.loop("block", { from: add(from, lane), to, step: lanes }, (i) => visit(b.let("i", mul(i, vector)), vector));
  if (vector === 1) return one(s.from, s.to);
  if (s.multiple % vector === 0) return many(div(s.from, vector), div(s.to, vector));
  const first = b.let("first", div(add(s.from, vector - 1), vector));
  // That it is within the extent is no news: the proof of the range is short with it.
  const last = b.let("last", min(div(s.to, vector), div(s.extent, vector)));
  one(s.from, b.let("head_to", min(mul(first, vector), s.to)));
  many(first, last);
  one(b.let("tail_from", mul(max(first, last), vector)), s.to);
}

/** The elements at an index, one after the other. */
export type ReadKeys = (index: Expr, width: number) => Expr;
export const keysIn =
  (m: Memory): ReadKeys =>
  (index, width) =>
    at(m, index, width);

type Holds = (key: Expr) => Expr;
/** How many of the keys that a lane visits `holds` of. */
export function countKeys(b: Body, keys: ReadKeys, s: Span, by: Visitor, holds: Holds): Expr {
  return countEach(b, keys, s, by, [holds])[0] ?? constant(0);
}
/** The same of several, in one visit. */
export function countEach(b: Body, keys: ReadKeys, s: Span, by: Visitor, each: readonly Holds[]): readonly Expr[] {
  const counts = each.map((holds) => ({
    holds,
    by: widthsOf(by.vector).map((w) => b.reg("found", typeOf("i32", w), 1, constant(0, typeOf("i32", w)))),
  }));
  sweep(b, s, by, (i, width) => {
    const key = each.length > 1 ? b.let("key", keys(i, width)) : keys(i, width);
    for (const { holds, by: registers } of counts)
      for (const m of registers.filter((x) => x.type.width === width))
        b.store(m, 0, add(at(m, 0), select(holds(key), constant(1, m.type), 0)));
  });
  return counts.map(({ by: registers }) => registers.map((m) => fold("sum", at(m, 0))).reduce((x, y) => add(x, y)));
}
