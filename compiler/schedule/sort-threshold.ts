/**
 * index[row, j]: where in keys[row, :] the j-th best key stands, for many j. The k-th best key is found first; then what is
 * above it, and the first of what equals it, is collected in order and sorted. The row is read some 25 times, by vectors, and
 * only k entries are moved.
 */
import { type BufferSpec, kernel, type Memory } from "../kernel/build.ts";
import { add, constant, mul, name, sub } from "../kernel/expr.ts";
import type { Expr, Kernel } from "../kernel/kernel.ts";
import { collect } from "./sort-collect.ts";
import { threshold } from "./sort-cut.ts";
import { type Room, radixSort, readFrom } from "./sort-radix.ts";
import { isRanked, rankSort } from "./sort-rank.ts";
import { rowSpan, type Selection } from "./sort-row.ts";
import { keysIn } from "./sort-sweep.ts";

export interface ThresholdSchedule {
  readonly lanes: number;
  readonly vector: number;
  /** Where the k entries stand while they are sorted; buffers: words_a, of_a and, where they are sorted by digits, words_b, of_b: i32[rows * k]. */
  readonly room: "shared" | "buffers";
}

/** keys: i32[rows * count] -> index: i32[rows * k], k > 0; places beyond the keys that may be chosen get 0. */
export function selectByThreshold(d: Selection, s: ThresholdSchedule): Kernel {
  const extent = mul(d.rows, d.k);
  const buffers: Record<string, BufferSpec> = {
    keys: { elem: "i32", extent: mul(d.rows, d.count) },
    index: { elem: "i32", extent, access: "write" },
  };
  const ranked = isRanked(d.k, s.lanes);
  if (s.room === "buffers")
    for (const n of ranked ? ["words_a", "of_a"] : ["words_a", "of_a", "words_b", "of_b"])
      buffers[n] = { elem: "i32", extent, access: "both" };
  const source = `selection by threshold: ${s.lanes} lanes, vectors of ${s.vector}, sorted in ${s.room}`;
  const spec = { name: d.name, source, lanes: s.lanes, sizes: d.sizes, buffers, grid: { row: d.rows } };
  return kernel(spec, (b, memory) => {
    const [keys, index] = [memory("keys"), memory("index")];
    const first = b.let("first_place", mul(name("row"), d.k));
    const space = (n: string): Memory => (s.room === "buffers" ? memory(n) : b.shared(n, "i32", d.k));
    const base = s.room === "buffers" ? first : 0;
    const room = (x: string): Room => ({ word: space(`words_${x}`), of: space(`of_${x}`), base });
    const a = room("a");
    const row = rowSpan(b, d);
    const source = { keys: keysIn(keys), row, vector: s.vector, of: (i: Expr) => sub(i, row.from) };
    const count = collect(b, [source], { threshold: threshold(b, [source], d.k), k: d.k, room: a });
    if (ranked) return rankSort(b, { room: a, count, k: d.k }, (i, of) => b.store(index, add(first, i), of));
    b.barrier();
    const write = (i: Expr, e: { readonly of: Expr }): void => b.store(index, add(first, i), e.of);
    radixSort(b, { count, capacity: constant(d.k), bits: 32, read: readFrom(a), write, rooms: [room("b"), a] });
    b.loop("j", { from: add(count, b.lane), to: d.k, step: b.lanes }, (j) =>
      b.store(index, add(first, j), constant(0)),
    );
  });
}
