/** Where the k best of some keys are cut off from the others. */
import { at, type Body } from "../kernel/build.ts";
import { typeOf } from "../kernel/elem.ts";
import { add, both, constant, eq, op, select, sub } from "../kernel/expr.ts";
import type { Expr } from "../kernel/kernel.ts";
import { maskedKey } from "./sort-keys.ts";
import type { Row } from "./sort-row.ts";
import { countKeys, type ReadKeys, together } from "./sort-sweep.ts";

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

/**
 * The largest t of which k keys are >= t, bit by bit from the highest; the masked key if there are fewer. Nothing more is read
 * once exactly k are found; lanes meet to the end all the same, as what they found in common is not uniform to every target.
 */
export function threshold(b: Body, parts: readonly Keys[], k: number): Threshold {
  const [i32, zero, yes] = [typeOf("i32"), constant(0), constant(1)];
  const count = parts.map((p) => p.row.count).reduce((x, y) => add(x, y));
  const key = b.reg("least_chosen", i32, 1, constant(maskedKey));
  const above = b.reg("above", i32, 1, zero); // how many are >= the last t that was too high
  const found = b.reg("is_found", i32, 1, select(op("le", count, k), yes, zero));
  b.loop("bit", { from: 0, to: 32, step: 1 }, (bit) => {
    const tried = b.let("tried", add(at(key, 0), op("shl", yes, sub(31, bit)))); // the sign first: it wraps to 0
    const own = b.reg("own", i32, 1, zero);
    const open = b.let("is_open", eq(at(found, 0), 0));
    b.if(open, () => {
      const counts = parts.map((p) => countKeys(b, p.keys, p.row, together(b, p.vector), (x) => op("le", tried, x)));
      b.store(
        own,
        0,
        counts.reduce((x, y) => add(x, y)),
      );
    });
    const reached = b.reduce("sum", at(own, 0), b.lanes);
    const enough = b.let("enough", op("le", constant(k), reached));
    b.store(key, 0, select(enough, tried, at(key, 0)));
    b.store(above, 0, select(both(open, op("not", enough)), reached, at(above, 0)));
    b.store(found, 0, select(eq(reached, k), yes, at(found, 0)));
  });
  const t = b.let("threshold", at(key, 0));
  return { key: t, equals: b.let("equals", select(eq(t, maskedKey), 0, sub(k, at(above, 0)))) };
}
