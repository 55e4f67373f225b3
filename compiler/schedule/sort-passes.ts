/**
 * index[row, j]: where in keys[row, :] the j-th best key stands. k passes; each finds the best after the last one found in
 * the order by falling key, then rising index. Nothing is marked or copied. For a few (experts), not for thousands.
 */
import { at, type Body, type BufferSpec, kernel, type Memory } from "../kernel/build.ts";
import { typeOf } from "../kernel/elem.ts";
import {
  add,
  both,
  constant,
  either,
  eq,
  fold,
  iota,
  lt,
  max,
  min,
  mul,
  name,
  select,
  splat,
  sub,
} from "../kernel/expr.ts";
import type { Expr, Kernel } from "../kernel/kernel.ts";
import { maskedKey } from "./sort-keys.ts";
import { rowSpan, type Selection, type Span } from "./sort-row.ts";
import { sweep, together, widthsOf } from "./sort-sweep.ts";

export interface PassesSchedule {
  readonly lanes: number;
  readonly vector: number;
}
/** A key, and its place in the buffer of keys. */
interface Found {
  readonly key: Expr;
  readonly place: Expr;
}
/** Greater than every place. */
const nowhere = 0x7fffffff;

/** keys: i32[rows * count] -> index: i32[rows * k]; places beyond the keys that may be chosen get 0. */
export function selectByPasses(d: Selection, s: PassesSchedule): Kernel {
  const { lanes, vector } = s;
  const buffers: Record<string, BufferSpec> = {
    keys: { elem: "i32", extent: mul(d.rows, d.count) },
    index: { elem: "i32", extent: mul(d.rows, d.k), access: "write" },
  };
  const source = `selection by passes: ${lanes} lanes, vectors of ${vector}`;
  const spec = { name: d.name, source, lanes, sizes: d.sizes, buffers, grid: { row: d.rows } };
  return kernel(spec, (b, memory) => {
    const index = memory("index");
    const lastKey = b.reg("last_key", typeOf("i32"), 1, constant(nowhere));
    const lastPlace = b.reg("last_place", typeOf("i32"), 1, constant(-1));
    const span = rowSpan(b, d);
    b.loop("j", { from: 0, to: d.k, step: 1 }, (j) => {
      const last = { key: at(lastKey, 0), place: at(lastPlace, 0) };
      const best = bestAfter(b, memory("keys"), span, vector, last);
      b.store(lastKey, 0, best.key);
      b.store(lastPlace, 0, best.place);
      b.if(eq(b.lane, 0), () => {
        const chosen = select(eq(best.key, maskedKey), 0, sub(best.place, span.from));
        b.store(index, add(mul(name("row"), d.k), j), chosen);
      });
    });
  });
}

/** Over all lanes; the masked key where there is none. */
function bestAfter(b: Body, keys: Memory, span: Span, vector: number, last: Found): Found {
  const bests = widthsOf(vector).map((w) => ({
    width: w,
    key: b.reg("best", typeOf("i32", w), 1, constant(maskedKey, typeOf("i32", w))),
    place: b.reg("best_place", typeOf("i32", w), 1, constant(nowhere, typeOf("i32", w))),
  }));
  sweep(b, span, together(b, vector), (i, width) => {
    for (const best of bests.filter((x) => x.width === width)) {
      const key = b.let("key", at(keys, i, width));
      const place = b.let("place", add(splat(i, width), iota(width)));
      const after = either(lt(key, last.key), both(eq(key, last.key), lt(last.place, place)));
      const better = b.let("better", both(after, lt(at(best.key, 0), key))); // of equal ones the first stays
      b.store(best.key, 0, select(better, key, at(best.key, 0)));
      b.store(best.place, 0, select(better, place, at(best.place, 0)));
    }
  });
  const key = b.reduce("max", bests.map((x) => fold("max", at(x.key, 0))).reduce(max), b.lanes);
  const ofKey = bests.map((x) => fold("min", select(eq(at(x.key, 0), key), at(x.place, 0), nowhere)));
  return { key, place: b.reduce("min", ofKey.reduce(min), b.lanes) };
}
