/** Where the k best of some keys are cut off from the others. */
import { at, type Body } from "../kernel/build.ts";
import { typeOf } from "../kernel/elem.ts";
import { add, both, constant, eq, op, select, sub } from "../kernel/expr.ts";
import type { Expr } from "../kernel/kernel.ts";
import { maskedKey } from "./sort-keys.ts";
import type { Row } from "./sort-row.ts";
import { countEach, type ReadKeys, together } from "./sort-sweep.ts";

/** All keys > `key` are chosen, and the first `equals` of those that equal it. */
export interface Threshold {
  readonly key: Expr;
  readonly equals: Expr;
}
/** Keys of a row, in one of the memories that it stands in. */
export interface Keys {
  readonly keys: ReadKeys;
  readonly row: Row;
  /** Keys that are read at one time. */
  readonly vector: number;
}

/** Bits that are found in one visit: lanes meet after each, and count for all that these may be. */
const bitsAtOnce = (lanes: number): number => (lanes === 1 ? 1 : 2);

/**
 * The largest t of which k keys are >= t, some bits after the other from the highest; the masked key if there are fewer. Nothing more is
 * read once exactly k are found; lanes meet to the end all the same, as what they found in common is not uniform to every target.
 */
export function threshold(b: Body, parts: readonly Keys[], k: number): Threshold {
  const [i32, zero, yes] = [typeOf("i32"), constant(0), constant(1)];
  const count = parts.map((p) => p.row.count).reduce((x, y) => add(x, y));
  const bits = bitsAtOnce(b.lanes);
  const key = b.reg("least_chosen", i32, 1, constant(maskedKey));
  const above = b.reg("above", i32, 1, zero); // how many are >= the last t that was too high
  const found = b.reg("is_found", i32, 1, select(op("le", count, k), yes, zero));
  const own = b.reg("own", i32, 2 ** bits - 1);
  b.loop("bit", { from: bits - 1, to: 32, step: bits }, (bit) => {
    // The sign first: it wraps to 0.
    const tried = Array.from({ length: 2 ** bits - 1 }, (_, i) =>
      b.let("tried", add(at(key, 0), op("shl", constant(i + 1), sub(31, bit)))),
    );
    for (const i of tried.keys()) b.store(own, i, zero);
    const open = b.let("is_open", eq(at(found, 0), 0));
    b.if(open, () => {
      const each = tried.map((t) => (x: Expr) => op("le", t, x));
      const counts = parts.map((p) => countEach(b, p.keys, p.row, together(b, p.vector), each));
      for (const i of tried.keys())
        b.store(
          own,
          i,
          counts.map((c) => c[i] ?? zero).reduce((x, y) => add(x, y)),
        );
    });
    const reached = tried.map((_, i) => b.reduce("sum", at(own, i), b.lanes));
    // Fewer keys reach a higher one: the highest that is reached by enough is taken.
    for (const [i, t] of tried.entries()) {
      const here = reached[i] ?? zero;
      const enough = b.let("enough", op("le", constant(k), here));
      b.store(key, 0, select(enough, t, at(key, 0)));
      const isFirst = i === 0 ? [] : [op("le", constant(k), reached[i - 1] ?? zero)];
      const tooHigh = [open, op("not", enough), ...isFirst].reduce(both);
      b.store(above, 0, select(tooHigh, here, at(above, 0)));
      b.store(found, 0, select(eq(here, k), yes, at(found, 0)));
    }
  });
  const t = b.let("threshold", at(key, 0));
  return { key: t, equals: b.let("equals", select(eq(t, maskedKey), 0, sub(k, at(above, 0)))) };
}
