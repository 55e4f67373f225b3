/**
 * Sorts a few entries by counting, for each, those that come before it: every lane reads all words, all at once, and lanes meet once. By
 * digits (sort-radix.ts) they would meet some thirty times.
 */
import { at, type Body } from "../kernel/build.ts";
import { typeOf } from "../kernel/elem.ts";
import { add, both, constant, either, eq, lt, select, sub } from "../kernel/expr.ts";
import type { Expr } from "../kernel/kernel.ts";
import { binsOf, clamp, type Room, turnsOf } from "./sort-radix.ts";

/** Whether lanes have less to read than by digits; a lane alone has no one to wait for. */
export const isRanked = (k: number, lanes: number): boolean =>
  lanes > 1 && (k * k) / lanes <= turnsOf(32, lanes) * (3 * binsOf(lanes) + 2 * lanes);

/** Words that a lane compares at once. */
const atOnce = 8;

/**
 * The first `count` of k entries of a room, all words of which are below 2^32 - 1, ascending as unsigned numbers, equal ones as they stand;
 * of those beyond, `write` gets 0. What others have put into the room needs no meeting before.
 */
export function rankSort(
  b: Body,
  { room, count, k }: { room: Room; count: Expr; k: number },
  write: (place: Expr, of: Expr) => void,
): void {
  const index = (i: Expr): Expr => add(room.base, i);
  b.loop("j", { from: add(count, b.lane), to: k, step: b.lanes }, (j) => {
    b.store(room.word, index(j), constant(-1));
    b.store(room.of, index(j), constant(0));
  });
  b.barrier();
  b.loop("e", { from: b.lane, to: k, step: b.lanes }, (e) => {
    // From the best on, as signed numbers.
    const key = (i: Expr): Expr => sub(0x7fffffff, at(room.word, index(i)));
    const own = b.let("own_key", key(e));
    const rank = b.reg("rank", typeOf("i32"), 1, constant(0));
    const compare = (i: Expr): void => {
      const other = b.let("other", key(i));
      const isBefore = either(lt(own, other), both(eq(own, other), lt(i, e)));
      b.store(rank, 0, add(at(rank, 0), select(isBefore, constant(1), 0)));
    };
    const whole = k - (k % atOnce);
    if (whole > 0)
      b.loop("j", { from: 0, to: whole, step: atOnce }, (j) => {
        for (let i = 0; i < atOnce; i += 1) compare(add(j, i));
      });
    if (whole < k) b.loop("j", { from: whole, to: k, step: 1 }, compare);
    const of = b.let("of", at(room.of, index(e)));
    write(b.let("goes_to", clamp(at(rank, 0), k)), of);
  });
}
