/**
 * value[t, j], index[t, j]: the j-th largest of x[t, :], equal values by their index. k passes; each finds the best after the
 * last one found in that total order. Nothing is marked or copied. For k of a few dozen (experts), not thousands.
 */
import { at, type BufferSpec, kernel } from "../kernel/build.ts";
import { typeOf } from "../kernel/elem.ts";
import { add, both, constant, either, eq, fold, iota, lt, mul, name, select, splat } from "../kernel/expr.ts";
import type { Expr, Kernel } from "../kernel/kernel.ts";
import type { KernelTarget } from "../target/kernel-target.ts";
import { widthFor } from "./vectors.ts";

export interface SelectionSchedule {
  readonly lanes: number;
  readonly vector: number;
}
export const chooseSelection = (multiple: number, t: KernelTarget): SelectionSchedule => ({
  lanes: t.lanes,
  vector: widthFor(multiple, t.vector),
});

/** The index of no element: what a place has when there are fewer than k that are no nan; its value is -inf. */
export const noIndex = 0x7fffffff;

export function selection(s: SelectionSchedule): Kernel {
  const { lanes, vector } = s;
  const [T, E, k] = [name("T"), name("E"), name("k")];
  const [floats, ints] = [typeOf("f32", vector), typeOf("i32", vector)];
  const low = constant(Number.NEGATIVE_INFINITY, floats);
  const none = constant(noIndex, ints);
  const buffers: Record<string, BufferSpec> = {
    x: { elem: "f32", extent: mul(T, E) },
    value: { elem: "f32", extent: mul(T, k), access: "write" },
    index: { elem: "i32", extent: mul(T, k), access: "write" },
  };
  const sizes = { T: {}, E: { multiple: vector }, k: {} };
  const source = `selection by passes: ${lanes} lanes, vectors of ${vector}`;
  return kernel({ name: "top_k", source, lanes, sizes, buffers, grid: { t: T } }, (b, memory) => {
    const [x, value, index] = [memory("x"), memory("value"), memory("index")];
    const lastValue = b.reg("last_value", typeOf("f32"), 1, constant(Number.POSITIVE_INFINITY, typeOf("f32")));
    const lastIndex = b.reg("last_index", typeOf("i32"), 1, constant(-1));
    const [best, bestAt] = [b.reg("best", floats), b.reg("best_at", ints)];
    const row = b.let("row", mul(name("t"), E));
    /** Whether (v, i) comes before (w, j): a larger value, or the same and a smaller index. */
    const before = (v: Expr, i: Expr, w: Expr, j: Expr): Expr => either(lt(w, v), both(eq(v, w), lt(i, j)));
    b.loop("j", { from: 0, to: k, step: 1 }, (j) => {
      b.store(best, 0, low);
      b.store(bestAt, 0, none);
      b.loop("e", { from: mul(b.lane, vector), to: E, step: vector * lanes }, (e) => {
        const v = b.let("v", at(x, add(row, e), vector));
        const i = b.let("i", add(splat(e, vector), iota(vector)));
        const after = before(splat(at(lastValue, 0), vector), splat(at(lastIndex, 0), vector), v, i);
        const better = b.let("better", both(after, before(v, i, at(best, 0), at(bestAt, 0))));
        b.store(best, 0, select(better, v, at(best, 0)));
        b.store(bestAt, 0, select(better, i, at(bestAt, 0)));
      });
      const top = b.let("top", b.reduce("max", fold("max", at(best, 0)), lanes));
      const ofTop = select(eq(at(best, 0), splat(top, vector)), at(bestAt, 0), none);
      const where = b.reduce("min", fold("min", ofTop), lanes);
      b.store(lastValue, 0, top);
      b.store(lastIndex, 0, where);
      b.if(eq(b.lane, 0), () => {
        const place = b.let("place", add(mul(name("t"), k), j));
        b.store(value, place, top);
        b.store(index, place, where);
      });
    });
  });
}
