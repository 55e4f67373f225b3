/**
 * A selection from more keys than are held at one time. Keys come in blocks, in the order of what they are of; after each the
 * k best so far are kept, in that order too, so that of equal ones the first stays. At last they are sorted. What is
 * held does not grow with the row: its keys of one block, and the k that are kept.
 */
import { at, type Body, type BufferSpec, kernel, type Memory } from "../kernel/build.ts";
import { add, constant, min, mul, name, op, sub } from "../kernel/expr.ts";
import type { Expr, Kernel } from "../kernel/kernel.ts";
import { collect } from "./sort-collect.ts";
import { type Keys, threshold } from "./sort-cut.ts";
import { maskedKey } from "./sort-keys.ts";
import { clamp, type Room, radixSort } from "./sort-radix.ts";
import { gcd, multipleIn, rowSpan, type Selection } from "./sort-row.ts";
import { countKeys, keysIn, type ReadKeys, together } from "./sort-sweep.ts";
import type { ThresholdSchedule } from "./sort-threshold.ts";
import { widthFor } from "./vectors.ts";

/** `count`: keys of a block. */
export interface Keeping extends Selection {
  /** What the first key of the block is of; 0 in the first block alone. */
  readonly from: Expr;
}

/** The first `held` of the k places of a row, counted from the first place; `held` is k or a multiple of `multiple`. */
function keptKeys(kept: Kept, d: Pick<Selection, "k">, vector: number, held: Expr, multiple: number): Keys {
  const keys: ReadKeys = (i, width) => at(kept.key, add(kept.first, i), width);
  const row = { from: constant(0), to: held, extent: constant(d.k), multiple: gcd(d.k, multiple), count: held };
  return { keys, row, vector: widthFor(row.multiple, vector) };
}
interface Kept {
  readonly key: Memory;
  readonly of: Memory;
  readonly first: Expr;
}
const keptIn = (b: Body, k: number, memory: (n: string) => Memory): Kept => ({
  key: memory("kept_key"),
  of: memory("kept_of"),
  first: b.let("first_place", mul(name("row"), k)),
});

/** Work space of both kernels, beside what is kept: i32[rows * k] each. */
export const keepSpaces = (s: ThresholdSchedule): readonly string[] =>
  s.room === "buffers" ? ["words_a", "of_a"] : [];
function roomFor(b: Body, d: Selection, s: ThresholdSchedule, memory: (n: string) => Memory, first: Expr): Room {
  const space = (n: string): Memory => (s.room === "buffers" ? memory(n) : b.shared(n, "i32", d.k));
  return { word: space("words_a"), of: space("of_a"), base: s.room === "buffers" ? first : 0 };
}
function keptBuffers(d: Selection, s: ThresholdSchedule): Record<string, BufferSpec> {
  const extent = mul(d.rows, d.k);
  return Object.fromEntries(
    ["kept_key", "kept_of", ...keepSpaces(s)].map((n) => [n, { elem: "i32", extent, access: "both" }]),
  );
}

/** keys: i32[rows * count], kept_key and kept_of: i32[rows * k] -> the same of all blocks so far; masked keys behind them. */
export function keepBest(d: Keeping, s: ThresholdSchedule): Kernel {
  const buffers: Record<string, BufferSpec> = {
    keys: { elem: "i32", extent: mul(d.rows, d.count) },
    ...keptBuffers(d, s),
  };
  const source = `the best so far by threshold: ${s.lanes} lanes, vectors of ${s.vector}, through ${s.room}`;
  const spec = { name: d.name, source, lanes: s.lanes, sizes: d.sizes, buffers, grid: { row: d.rows } };
  return kernel(spec, (b, memory) => {
    const kept = keptIn(b, d.k, memory);
    const { first } = kept;
    const room = roomFor(b, d, s, memory, first);
    const row = rowSpan(b, d);
    const ofKept = (i: Expr): Expr => at(kept.of, add(first, i));
    const sources = [
      { ...keptKeys(kept, d, s.vector, b.let("held", min(d.from, d.k)), multipleIn(d.from, d.sizes)), of: ofKept },
      { keys: keysIn(memory("keys")), row, vector: s.vector, of: (i: Expr) => add(d.from, sub(i, row.from)) },
    ];
    const count = collect(b, sources, { threshold: threshold(b, sources, d.k), k: d.k, room });
    b.barrier();
    const place = (i: Expr): Expr => add(room.base, i);
    b.loop("j", { from: b.lane, to: count, step: b.lanes }, (j) => {
      b.store(kept.key, add(first, j), sub(0x7fffffff, at(room.word, place(j))));
      b.store(kept.of, add(first, j), at(room.of, place(j)));
    });
    b.loop("j", { from: add(count, b.lane), to: d.k, step: b.lanes }, (j) => {
      b.store(kept.key, add(first, j), constant(maskedKey));
      b.store(kept.of, add(first, j), constant(0));
    });
  });
}

/** kept_key and kept_of: i32[rows * k] -> index: i32[rows * k]; what is kept is not to be read again. */
export function sortKept(d: Selection, s: ThresholdSchedule): Kernel {
  const buffers: Record<string, BufferSpec> = {
    ...keptBuffers(d, s),
    index: { elem: "i32", extent: mul(d.rows, d.k), access: "write" },
  };
  const source = `what is kept, sorted: ${s.lanes} lanes, through ${s.room}`;
  const spec = { name: d.name, source, lanes: s.lanes, sizes: d.sizes, buffers, grid: { row: d.rows } };
  return kernel(spec, (b, memory) => {
    const kept = keptIn(b, d.k, memory);
    const { first } = kept;
    const { keys, row, vector } = keptKeys(kept, d, s.vector, constant(d.k), d.k);
    const found = countKeys(b, keys, row, together(b, vector), (x) => op("lt", constant(maskedKey), x));
    const count = b.let("chosen", clamp(b.reduce("sum", found, b.lanes), d.k + 1));
    const rooms = [roomFor(b, d, s, memory, first), { word: kept.key, of: kept.of, base: first }];
    const index = memory("index");
    radixSort(b, {
      count,
      capacity: constant(d.k),
      bits: 32,
      read: (i) => ({ word: sub(0x7fffffff, at(kept.key, add(first, i))), of: at(kept.of, add(first, i)) }),
      write: (i, e) => b.store(index, add(first, i), e.of),
      rooms,
    });
    b.loop("j", { from: add(count, b.lane), to: d.k, step: b.lanes }, (j) =>
      b.store(index, add(first, j), constant(0)),
    );
  });
}
