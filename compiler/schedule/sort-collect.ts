/** Collects the keys of a row that a threshold chooses, in their order. */
import { at, type Body, type Memory } from "../kernel/build.ts";
import { typeOf } from "../kernel/elem.ts";
import { add, both, ceilDiv, constant, either, eq, fold, lt, min, mul, op, select, sub } from "../kernel/expr.ts";
import type { Expr } from "../kernel/kernel.ts";
import { clamp, type Room, sumOf, writeTo } from "./sort-radix.ts";
import type { Row, Span } from "./sort-row.ts";
import { alone, countKeys, sweep } from "./sort-sweep.ts";

/** All keys > `key` are chosen, and the first `equals` of those that equal it. */
export interface Threshold {
  readonly key: Expr;
  readonly equals: Expr;
}
export interface Collecting {
  readonly threshold: Threshold;
  readonly k: number;
  /** Words sort the best key first; they stand for places in the row. */
  readonly room: Room;
  readonly vector: number;
}

/** How many there are, 0..k: the same for all lanes. Each lane has a piece of the row. */
export function collect(b: Body, keys: Memory, row: Row, c: Collecting): Expr {
  const { threshold } = c;
  const next = b.reg("next", typeOf("i32"), 1, constant(0));
  const left = b.reg("left", typeOf("i32"), 1, threshold.equals);
  const span = pieceOf(b, row);
  const count = b.lanes === 1 ? at(next, 0) : shareOut(b, keys, span, { threshold, next, left });
  const write = writeTo(b, c.room);
  const take = (i: Expr): void => {
    const key = b.let("key", at(keys, i));
    const equal = b.let("is_equal", both(eq(key, threshold.key), lt(0, at(left, 0))));
    b.if(either(lt(threshold.key, key), equal), () => {
      write(b.let("goes_to", clamp(at(next, 0), c.k)), { word: sub(0x7fffffff, key), of: sub(i, row.from) });
      b.store(next, 0, add(at(next, 0), 1));
      b.store(left, 0, sub(at(left, 0), select(equal, constant(1), 0)));
    });
  };
  sweep(b, span, alone(b.lanes === 1 ? c.vector : 1), (i, width) => {
    if (width === 1) return take(i);
    const some = op("le", threshold.key, fold("max", at(keys, i, width)));
    b.if(some, () => b.loop("e", { from: i, to: min(add(i, width), span.to), step: 1 }, take));
  });
  return b.let("chosen", clamp(count, c.k + 1));
}

function pieceOf(b: Body, row: Row): Span {
  if (b.lanes === 1) return row;
  const length = b.let("part", ceilDiv(row.count, b.lanes));
  const from = b.let("part_from", add(row.from, mul(b.lane, length)));
  return { ...row, from, to: b.let("part_to", min(add(from, length), row.to)), multiple: 1 };
}

interface Progress {
  readonly threshold: Threshold;
  /** Where the lane puts its next key, and how many equal ones it may still take. */
  readonly next: Memory;
  readonly left: Memory;
}
/** Sets where each lane begins, by counting first; gives how many keys all lanes will take. */
function shareOut(b: Body, keys: Memory, piece: Span, p: Progress): Expr {
  const { key, equals } = p.threshold;
  const above = b.shared("above_by_lane", "i32", b.lanes);
  const equal = b.shared("equal_by_lane", "i32", b.lanes);
  b.store(
    above,
    b.lane,
    countKeys(b, keys, piece, alone(1), (x) => lt(key, x)),
  );
  b.store(
    equal,
    b.lane,
    countKeys(b, keys, piece, alone(1), (x) => eq(key, x)),
  );
  b.barrier();
  const taken = b.let("taken", min(sumOf(b, equal, b.lane), equals));
  b.store(p.next, 0, add(sumOf(b, above, b.lane), taken));
  b.store(p.left, 0, sub(equals, taken));
  return add(sumOf(b, above, b.lanes), min(sumOf(b, equal, b.lanes), equals));
}
