/** y[t, d] = finish(x[t, d], reduce over d of map(x[t, d]), g[d], D). */
import { at, type BufferSpec, kernel } from "../../../compiler/kernel/build.ts";
import { typeName, typeOf } from "../../../compiler/kernel/elem.ts";
import { add, convert, div, fold, identity, mul, name, op, splat } from "../../../compiler/kernel/expr.ts";
import type { Expr, Kernel } from "../../../compiler/kernel/kernel.ts";
import { type Monoid, monoids } from "../../../compiler/kernel/ops.ts";
import { widthFor } from "../../../compiler/schedule/vectors.ts";
import type { KernelTarget } from "../../../compiler/target/kernel-target.ts";

export interface RowReduction {
  readonly name: string;
  readonly monoid: Monoid;
  /** What D is known to be a multiple of. */
  readonly multiple: number;
  /** Of f32 values of any width. */
  readonly map: (x: Expr) => Expr;
  readonly finish: (x: Expr, reduced: Expr, g: Expr, size: Expr) => Expr;
}
export interface RowReductionSchedule {
  readonly lanes: number;
  readonly vector: number;
  /** Independent sums, which hide the latency of an addition; a GPU hides it with lanes. */
  readonly accumulators: number;
}
export function chooseRowReduction(r: RowReduction, t: KernelTarget): RowReductionSchedule {
  const vector = widthFor(r.multiple, t.vector);
  const accumulators = t.lanes === 1 ? widthFor(r.multiple / vector, 4) : 1;
  return { lanes: t.lanes, vector, accumulators };
}

export const rmsNorm = (multiple: number, epsilon: number): RowReduction => ({
  name: "rms_norm",
  monoid: "sum",
  multiple,
  map: (x) => mul(x, x),
  finish: (x, sum, g, size) => mul(x, op("rsqrt", add(div(sum, convert(size, "f32")), epsilon)), g),
});

/** A work item is a row. Lane l takes vectors l, l + lanes, …; the row is read twice, the second time from cache. */
export function rowReduction(r: RowReduction, s: RowReductionSchedule): Kernel {
  const { lanes, vector, accumulators } = s;
  const [T, D] = [name("T"), name("D")];
  const vec = typeOf("f32", vector);
  const merge = monoids[r.monoid].op;
  const buffers: Record<string, BufferSpec> = {
    x: { elem: "f32", extent: mul(T, D) },
    g: { elem: "f32", extent: D },
    y: { elem: "f32", extent: mul(T, D), access: "write" },
  };
  const source = `row reduction: ${lanes} lanes of ${typeName(vec)}`;
  const sizes = { T: {}, D: { multiple: vector * accumulators } };
  return kernel({ name: r.name, source, lanes, sizes, buffers, grid: { t: T } }, (b, memory) => {
    const [x, g, y] = [memory("x"), memory("g"), memory("y")];
    const row = b.let("row", mul(name("t"), D));
    const first = mul(b.lane, vector * accumulators);
    const acc = b.reg("acc", vec, accumulators, identity(r.monoid, vec));
    b.loop("d", { from: first, to: D, step: vector * lanes * accumulators }, (d) =>
      b.unroll("u", accumulators, (u) =>
        b.store(acc, u, op(merge, at(acc, u), r.map(at(x, add(row, d, mul(u, vector)), vector)))),
      ),
    );
    const total = b.reg("total", vec);
    b.store(total, 0, at(acc, 0));
    if (accumulators > 1)
      b.unroll("u", accumulators - 1, (u) => b.store(total, 0, op(merge, at(total, 0), at(acc, add(u, 1)))));
    const reduced = b.reduce(r.monoid, fold(r.monoid, at(total, 0)), lanes);
    b.loop("d", { from: mul(b.lane, vector), to: D, step: vector * lanes }, (d) =>
      b.store(y, add(row, d), r.finish(at(x, add(row, d), vector), splat(reduced, vector), at(g, d, vector), D)),
    );
  });
}
