/**
 * index[row, j]: where in keys[row, :] the j-th best key stands, for many j. The k-th best key is found first; then what is
 * above it, and the first of what equals it, is collected in order and sorted. The row is read some 25 times, by vectors, and
 * only k entries are moved.
 */
import { at, type Body, type BufferSpec, kernel, type Memory } from "../kernel/build.ts";
import { typeOf } from "../kernel/elem.ts";
import { add, both, constant, eq, mul, name, op, select, sub } from "../kernel/expr.ts";
import type { Expr, Kernel } from "../kernel/kernel.ts";
import { collect, type Threshold } from "./sort-collect.ts";
import { maskedKey } from "./sort-keys.ts";
import { type Room, radixSort, readFrom } from "./sort-radix.ts";
import { type Row, rowSpan, type Selection } from "./sort-row.ts";
import { countKeys, together } from "./sort-sweep.ts";

export interface ThresholdSchedule {
  readonly lanes: number;
  readonly vector: number;
  /** Where the k entries stand while they are sorted; buffers: words_a, of_a, words_b, of_b: i32[rows * k]. */
  readonly room: "shared" | "buffers";
}

/** keys: i32[rows * count] -> index: i32[rows * k], k > 0; places beyond the keys that may be chosen get 0. */
export function selectByThreshold(d: Selection, s: ThresholdSchedule): Kernel {
  const extent = mul(d.rows, d.k);
  const buffers: Record<string, BufferSpec> = {
    keys: { elem: "i32", extent: mul(d.rows, d.count) },
    index: { elem: "i32", extent, access: "write" },
  };
  if (s.room === "buffers")
    for (const n of ["words_a", "of_a", "words_b", "of_b"]) buffers[n] = { elem: "i32", extent, access: "both" };
  const source = `selection by threshold: ${s.lanes} lanes, vectors of ${s.vector}, sorted in ${s.room}`;
  const spec = { name: d.name, source, lanes: s.lanes, sizes: d.sizes, buffers, grid: { row: d.rows } };
  return kernel(spec, (b, memory) => {
    const [keys, index] = [memory("keys"), memory("index")];
    const first = b.let("first_place", mul(name("row"), d.k));
    const space = (n: string): Memory => (s.room === "buffers" ? memory(n) : b.shared(n, "i32", d.k));
    const base = s.room === "buffers" ? first : 0;
    const room = (x: string): Room => ({ word: space(`words_${x}`), of: space(`of_${x}`), base });
    const [a, other] = [room("a"), room("b")];
    const row = rowSpan(b, d);
    const { vector } = s;
    const chosen = { threshold: threshold(b, keys, row, vector, d.k), k: d.k, room: a, vector };
    const count = collect(b, keys, row, chosen);
    b.barrier();
    const write = (i: Expr, e: { readonly of: Expr }): void => b.store(index, add(first, i), e.of);
    radixSort(b, { count, capacity: constant(d.k), bits: 32, read: readFrom(a), write, rooms: [other, a] });
    b.loop("j", { from: add(count, b.lane), to: d.k, step: b.lanes }, (j) =>
      b.store(index, add(first, j), constant(0)),
    );
  });
}

/**
 * The largest t of which k keys are >= t, bit by bit from the highest; the masked key if there are fewer. Nothing more is read
 * once exactly k are found; lanes meet to the end all the same, as what they found in common is not uniform to every target.
 */
function threshold(b: Body, keys: Memory, row: Row, vector: number, k: number): Threshold {
  const [i32, zero, yes] = [typeOf("i32"), constant(0), constant(1)];
  const key = b.reg("least_chosen", i32, 1, constant(maskedKey));
  const above = b.reg("above", i32, 1, zero); // how many are >= the last t that was too high
  const found = b.reg("is_found", i32, 1, select(op("le", row.count, k), yes, zero));
  b.loop("bit", { from: 0, to: 32, step: 1 }, (bit) => {
    const tried = b.let("tried", add(at(key, 0), op("shl", yes, sub(31, bit)))); // the sign first: it wraps to 0
    const own = b.reg("own", i32, 1, zero);
    const open = b.let("is_open", eq(at(found, 0), 0));
    b.if(open, () =>
      b.store(
        own,
        0,
        countKeys(b, keys, row, together(b, vector), (x) => op("le", tried, x)),
      ),
    );
    const count = b.reduce("sum", at(own, 0), b.lanes);
    const enough = b.let("enough", op("le", constant(k), count));
    b.store(key, 0, select(enough, tried, at(key, 0)));
    b.store(above, 0, select(both(open, op("not", enough)), count, at(above, 0)));
    b.store(found, 0, select(eq(count, k), yes, at(found, 0)));
  });
  const t = b.let("threshold", at(key, 0));
  return { key: t, equals: b.let("equals", select(eq(t, maskedKey), 0, sub(k, at(above, 0)))) };
}
