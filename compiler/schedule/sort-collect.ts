/** Collects the keys of a row that a threshold chooses, in their order. */
import { at, type Body, type Memory } from "../kernel/build.ts";
import { typeOf } from "../kernel/elem.ts";
import { add, both, ceilDiv, constant, either, eq, fold, lt, min, mul, op, select, sub } from "../kernel/expr.ts";
import type { Expr } from "../kernel/kernel.ts";
import type { Keys, Threshold } from "./sort-cut.ts";
import { clamp, type Room, sumsOf, writeTo } from "./sort-radix.ts";
import type { Span } from "./sort-row.ts";
import { alone, countEach, type ReadKeys, sweep, type Visitor } from "./sort-sweep.ts";

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
    const span = pieceOf(b, source);
    const by = alone(vectorOf(source, span));
    if (b.lanes > 1) taken = shareOut(b, { keys, span, by }, { key: threshold.key, taken, next, left });
    const take = (i: Expr): void => {
      const key = b.let("key", keys(i, 1));
      const equal = b.let("is_equal", both(eq(key, threshold.key), lt(0, at(left, 0))));
      b.if(either(lt(threshold.key, key), equal), () => {
        write(b.let("goes_to", clamp(at(next, 0), c.k)), { word: sub(0x7fffffff, key), of: source.of(i) });
        b.store(next, 0, add(at(next, 0), 1));
        b.store(left, 0, sub(at(left, 0), select(equal, constant(1), 0)));
      });
    };
    sweep(b, span, by, (i, width) => {
      if (width === 1) return take(i);
      const some = op("le", threshold.key, fold("max", keys(i, width)));
      b.if(some, () => b.loop("e", { from: i, to: min(add(i, width), span.to), step: 1 }, take));
    });
  }
  return b.let("chosen", clamp(b.lanes === 1 ? at(next, 0) : taken.count, c.k + 1));
}

/** Where lanes are many, pieces of whole vectors where the row begins and ends at such. */
function pieceOf(b: Body, { row, vector }: Source): Span {
  if (b.lanes === 1) return row;
  const multiple = row.multiple % vector === 0 ? vector : 1;
  const length = b.let("part", mul(ceilDiv(row.count, b.lanes * multiple), multiple));
  const from = b.let("part_from", add(row.from, mul(b.lane, length)));
  return { ...row, from, to: b.let("part_to", min(add(from, length), row.to)), multiple };
}
/** One lane takes vectors out of a row that begins anywhere; lanes beside each other not. */
const vectorOf = ({ vector, row }: Source, span: Span): number =>
  span === row || span.multiple % vector === 0 ? vector : 1;

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
interface Piece {
  readonly keys: ReadKeys;
  readonly span: Span;
  readonly by: Visitor;
}
/** Sets where each lane begins, by counting first. */
function shareOut(b: Body, { keys, span, by }: Piece, { key, taken, next, left }: Progress): Taken {
  const above = b.shared("above_by_lane", "i32", b.lanes);
  const equal = b.shared("equal_by_lane", "i32", b.lanes);
  const [more, same] = countEach(b, keys, span, by, [(x) => lt(key, x), (x) => eq(key, x)]);
  b.store(above, b.lane, more ?? constant(0));
  b.store(equal, b.lane, same ?? constant(0));
  b.barrier();
  const [aboves, alike] = [sumsOf(b, above), sumsOf(b, equal)];
  const before = b.let("taken", min(alike.before, taken.equals));
  b.store(next, 0, add(taken.count, add(aboves.before, before)));
  b.store(left, 0, sub(taken.equals, before));
  const equals = b.let("equals_taken", min(alike.all, taken.equals));
  const count = b.let("taken_so_far", add(taken.count, add(aboves.all, equals)));
  return { count, equals: sub(taken.equals, equals) };
}
