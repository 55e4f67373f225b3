/** Collects the keys of a row that a threshold chooses, in their order. */
import { at, type Body, type Memory } from "../kernel/build.ts";
import { typeOf } from "../kernel/elem.ts";
import { add, both, ceilDiv, constant, either, eq, fold, lt, min, mul, op, select, sub } from "../kernel/expr.ts";
import type { Expr } from "../kernel/kernel.ts";
import type { Keys, Threshold } from "./sort-cut.ts";
import { clamp, type Room, sumOf, writeTo } from "./sort-radix.ts";
import type { Row, Span } from "./sort-row.ts";
import { alone, countKeys, type ReadKeys, sweep } from "./sort-sweep.ts";

export interface Collecting {
  readonly threshold: Threshold;
  readonly k: number;
  /** Words sort the best key first; they stand for what their keys are of. */
  readonly room: Room;
}
/** Keys to collect from, and what the key at an index is of. */
export interface Source extends Keys {
  readonly of: (index: Expr) => Expr;
}

/** How many there are, 0..k: the same for all lanes. Of one source after the other; each lane has a piece of it. */
export function collect(b: Body, sources: readonly Source[], c: Collecting): Expr {
  const { threshold } = c;
  const next = b.reg("next", typeOf("i32"), 1, constant(0));
  const left = b.reg("left", typeOf("i32"), 1, threshold.equals);
  const write = writeTo(b, c.room);
  let taken: Taken = { count: constant(0), equals: threshold.equals };
  for (const source of sources) {
    const { keys } = source;
    const span = pieceOf(b, source.row);
    if (b.lanes > 1) taken = shareOut(b, keys, span, { key: threshold.key, taken, next, left });
    const take = (i: Expr): void => {
      const key = b.let("key", keys(i, 1));
      const equal = b.let("is_equal", both(eq(key, threshold.key), lt(0, at(left, 0))));
      b.if(either(lt(threshold.key, key), equal), () => {
        write(b.let("goes_to", clamp(at(next, 0), c.k)), { word: sub(0x7fffffff, key), of: source.of(i) });
        b.store(next, 0, add(at(next, 0), 1));
        b.store(left, 0, sub(at(left, 0), select(equal, constant(1), 0)));
      });
    };
    sweep(b, span, alone(b.lanes === 1 ? source.vector : 1), (i, width) => {
      if (width === 1) return take(i);
      const some = op("le", threshold.key, fold("max", keys(i, width)));
      b.if(some, () => b.loop("e", { from: i, to: min(add(i, width), span.to), step: 1 }, take));
    });
  }
  return b.let("chosen", clamp(b.lanes === 1 ? at(next, 0) : taken.count, c.k + 1));
}

function pieceOf(b: Body, row: Row): Span {
  if (b.lanes === 1) return row;
  const length = b.let("part", ceilDiv(row.count, b.lanes));
  const from = b.let("part_from", add(row.from, mul(b.lane, length)));
  return { ...row, from, to: b.let("part_to", min(add(from, length), row.to)), multiple: 1 };
}

/** Of the sources so far: how many were taken, and how many that equal the threshold may still be. */
interface Taken {
  readonly count: Expr;
  readonly equals: Expr;
}
interface Progress {
  readonly key: Expr;
  readonly taken: Taken;
  /** Where the lane puts its next key, and how many equal ones it may still take. */
  readonly next: Memory;
  readonly left: Memory;
}
/** Sets where each lane begins, by counting first. */
function shareOut(b: Body, keys: ReadKeys, piece: Span, { key, taken, next, left }: Progress): Taken {
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
  const before = b.let("taken", min(sumOf(b, equal, b.lane), taken.equals));
  b.store(next, 0, add(taken.count, add(sumOf(b, above, b.lane), before)));
  b.store(left, 0, sub(taken.equals, before));
  const equals = b.let("equals_taken", min(sumOf(b, equal, b.lanes), taken.equals));
  const count = b.let("taken_so_far", add(taken.count, add(sumOf(b, above, b.lanes), equals)));
  return { count, equals: sub(taken.equals, equals) };
}
