/**
 * Stable radix sort of words with what they stand for, ascending as unsigned numbers, by the lanes of one work item. Each lane
 * has a piece of the entries; a table counts digits by lane, and its running sum says where each lane puts each digit next.
 */
import { at, type Body, type Memory } from "../kernel/build.ts";
import { typeOf } from "../kernel/elem.ts";
import { add, ceilDiv, constant, lt, max, min, mul, type Operand, op, select, sub } from "../kernel/expr.ts";
import type { Expr } from "../kernel/kernel.ts";

export interface Entry {
  readonly word: Expr;
  /** What is sorted along. */
  readonly of: Expr;
}
export type Read = (place: Expr) => Entry;
export type Write = (place: Expr, e: Entry) => void;
/** Room for entries, from element `base` of two memories on. */
export interface Room {
  readonly word: Memory;
  readonly of: Memory;
  readonly base: Operand;
}
export interface Entries {
  /** 0..capacity, the same for all lanes. */
  readonly count: Expr;
  /** > 0. */
  readonly capacity: Expr;
  /** Words are below 2^bits. */
  readonly bits: number;
  /** Where the entries are at first, and go at last. */
  readonly read: Read;
  readonly write: Write;
  /** They go through rooms 0, 1, 0, … between: as many as there are turns less one. */
  readonly rooms: readonly Room[];
}

/** The table of counts is to fit shared memory. */
const digitBits = (lanes: number): number => (lanes === 1 ? 8 : lanes <= 128 ? 4 : 3);
export const binsOf = (lanes: number): number => 2 ** digitBits(lanes);
export const turnsOf = (bits: number, lanes: number): number => Math.max(1, Math.ceil(bits / digitBits(lanes)));
/** Bytes of shared memory that a sort takes. */
export const radixBytes = (lanes: number): number => 4 * (binsOf(lanes) * lanes + lanes);

/** To 0..below-1, below > 0. */
export const clamp = (x: Expr, below: Operand): Expr => max(0, min(x, sub(below, 1)));

export const readFrom =
  (r: Room): Read =>
  (i) => ({ word: at(r.word, add(r.base, i)), of: at(r.of, add(r.base, i)) });
export const writeTo =
  (b: Body, r: Room): Write =>
  (i, e) => {
    b.store(r.word, add(r.base, i), e.word);
    b.store(r.of, add(r.base, i), e.of);
  };

/** Lanes meet before they read what others wrote, but not after the last `write`. */
export function radixSort(b: Body, e: Entries): void {
  const counts = b.shared("counts", "i32", binsOf(b.lanes) * b.lanes);
  const totals = b.lanes > 1 ? b.shared("totals", "i32", b.lanes) : null;
  const turns = turnsOf(e.bits, b.lanes);
  let read = e.read;
  for (let turn = 0; turn < turns; turn += 1) {
    const room = e.rooms[turn % 2];
    const isLast = turn === turns - 1 || room === undefined;
    sortByDigit(b, { ...e, read, write: isLast ? e.write : writeTo(b, room) }, { turn, counts, totals });
    if (isLast) return;
    read = readFrom(room);
    b.barrier();
  }
}

interface Turn {
  readonly turn: number;
  /** [bins, lanes], and [lanes], which one lane has no use for. */
  readonly counts: Memory;
  readonly totals: Memory | null;
}
function sortByDigit(b: Body, e: Pick<Entries, "count" | "capacity" | "read" | "write">, t: Turn): void {
  const { counts } = t;
  const bins = binsOf(b.lanes);
  const piece = b.let("piece", ceilDiv(e.count, b.lanes));
  const from = b.let("piece_from", mul(b.lane, piece));
  const to = b.lanes === 1 ? e.count : b.let("piece_to", min(add(from, piece), e.count));
  /** Where this lane counts a digit. */
  const ownCount = (digit: Expr): Expr => add(mul(digit, b.lanes), b.lane);
  const shift = t.turn * digitBits(b.lanes);
  const countOf = (word: Expr): Expr => {
    const low = shift === 0 ? word : op("shr", word, shift);
    return b.let("own", ownCount(clamp(op("and", low, bins - 1), bins)));
  };

  b.loop("digit", { from: 0, to: bins, step: 1 }, (digit) => b.store(counts, ownCount(digit), constant(0)));
  b.loop("e", { from, to, step: 1 }, (i) => {
    const own = countOf(e.read(i).word);
    b.store(counts, own, add(at(counts, own), 1));
  });
  b.barrier();
  runningSum(b, counts, t.totals);
  b.barrier();
  b.loop("e", { from, to, step: 1 }, (i) => {
    const found = e.read(i);
    const entry = { word: b.let("word", found.word), of: b.let("of", found.of) };
    const own = countOf(entry.word);
    const next = b.let("next", at(counts, own));
    b.store(counts, own, add(next, 1));
    e.write(b.let("goes_to", clamp(next, e.capacity)), entry);
  });
}

/** counts[i] := the sum of those before it. Lane l does counts l·bins to (l+1)·bins - 1. */
function runningSum(b: Body, counts: Memory, totals: Memory | null): void {
  const sum = b.reg("sum", typeOf("i32"), 1, constant(0));
  const own = (body: (i: Expr) => void): void => {
    const from = b.let("own_from", mul(b.lane, binsOf(b.lanes)));
    b.loop("i", { from, to: add(from, binsOf(b.lanes)), step: 1 }, body);
  };
  if (totals !== null) {
    own((i) => b.store(sum, 0, add(at(sum, 0), at(counts, i))));
    b.store(totals, b.lane, at(sum, 0));
    b.barrier();
    b.store(sum, 0, sumsOf(b, totals).before);
  }
  own((i) => {
    const here = b.let("here", at(counts, i));
    b.store(counts, i, at(sum, 0));
    b.store(sum, 0, add(at(sum, 0), here));
  });
}

/** Of an array by lane: the sum of what is before the lane's own, and of all. */
export function sumsOf(b: Body, m: Memory): { readonly before: Expr; readonly all: Expr } {
  const [i32, zero] = [typeOf("i32"), constant(0)];
  const [before, all] = [b.reg("before", i32, 1, zero), b.reg("sum", i32, 1, zero)];
  const turn = Math.min(8, b.lanes);
  // All of them for each lane, so that no load waits for another, nor for how many there are.
  b.loop("i", { from: 0, to: b.lanes, step: turn }, (first) => {
    for (let j = 0; j < turn; j += 1) {
      const i = add(first, j);
      const x = b.let("of_lane", at(m, i));
      b.store(all, 0, add(at(all, 0), x));
      b.store(before, 0, add(at(before, 0), select(lt(i, b.lane), x, 0)));
    }
  });
  return { before: b.let("sum_before", at(before, 0)), all: b.let("sum_of_all", at(all, 0)) };
}
