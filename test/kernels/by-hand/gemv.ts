/** y[b, n] = finish(sum over k of w[n, k] · x[b, k]): the contraction of decode, for one to eight tokens. */
import { at, type Body, type BufferSpec, f32At, kernel, type Memory } from "../../../compiler/kernel/build.ts";
import { type Elem, typeOf } from "../../../compiler/kernel/elem.ts";
import {
  add,
  both,
  ceilDiv,
  constant,
  div,
  eq,
  fma,
  fold,
  lt,
  min,
  mod,
  mul,
  name,
  sub,
} from "../../../compiler/kernel/expr.ts";
import type { Expr, Kernel } from "../../../compiler/kernel/kernel.ts";
import { widthFor } from "../../../compiler/schedule/vectors.ts";
import type { KernelTarget } from "../../../compiler/target/kernel-target.ts";

export interface Gemv {
  readonly name: string;
  readonly weights: Elem;
  /** Tokens, whose sums share each load of a weight. */
  readonly batch: number;
  /** What K is known to be a multiple of. */
  readonly multiple: number;
  readonly finish?: (sum: Expr) => Expr;
}

/** Numbers that carry the difference between a CPU core, a workgroup and a warp. */
export interface GemvSchedule {
  /** Rows that one lane sums at once: as many streams as the memory wants. */
  readonly rows: number;
  /** Lanes that split the k of a row. */
  readonly lanesPerRow: number;
  /** Groups of rows side by side in a work item. */
  readonly groups: number;
  readonly vector: number;
  /** Vectors of k that a lane takes a turn: fewer branches on a CPU. */
  readonly turn: number;
}
export function chooseGemv(g: Gemv, t: KernelTarget): GemvSchedule {
  const warp = t.subgroup !== null && t.subgroup.min === t.subgroup.max ? t.subgroup.min : t.lanes;
  const vector = widthFor(g.multiple, t.vector);
  const turn = t.lanes === 1 ? widthFor(g.multiple / vector, 2) : 1;
  // Each row and token has a register, each token one for its x, and one holds the weights.
  const fitting = Math.max(1, Math.floor((t.registers - 1 - g.batch) / g.batch));
  return { rows: Math.min(t.streams, fitting), lanesPerRow: warp, groups: t.lanes / warp, vector, turn };
}

export function gemv(g: Gemv, s: GemvSchedule): Kernel {
  const { rows, lanesPerRow, groups, vector, turn } = s;
  const { batch } = g;
  const [N, K] = [name("N"), name("K")];
  const vec = typeOf("f32", vector);
  const buffers: Record<string, BufferSpec> = {
    w: { elem: g.weights, extent: mul(N, K) },
    x: { elem: "f32", extent: mul(K, batch) },
    y: { elem: "f32", extent: mul(N, batch), access: "write" },
  };
  const lanes = lanesPerRow * groups;
  const source = `gemv: ${rows} rows x ${lanesPerRow} lanes x ${groups} groups, ${batch} tokens`;
  const sizes = { N: {}, K: { multiple: vector * turn } };
  const grid = { block: ceilDiv(N, rows * groups) };
  return kernel({ name: g.name, source, lanes, sizes, buffers, grid }, (b, memory) => {
    const [w, x, y] = [memory("w"), memory("x"), memory("y")];
    const group = groups === 1 ? name("block") : add(mul(name("block"), groups), div(b.lane, lanesPerRow));
    const n0 = b.let("n0", mul(group, rows));
    const from = rowStarts(b, { n0, rows, count: N, size: K });
    const acc = b.reg("acc", vec, rows * batch, constant(0, vec));
    const inRow = groups === 1 ? b.lane : mod(b.lane, lanesPerRow);
    const xk = b.reg("xk", vec, batch);
    b.loop("k", { from: mul(inRow, vector * turn), to: K, step: vector * lanesPerRow * turn }, (k) =>
      b.unroll("u", turn, (u) => {
        const here = b.let("here", add(k, mul(u, vector)));
        b.unroll("t", batch, (t) => b.store(xk, t, at(x, add(mul(t, K), here), vector)));
        b.unroll("r", rows, (r) => {
          const wk = b.let("wk", f32At(w, add(at(from, r), here), vector));
          b.unroll("t", batch, (t) => {
            const i = add(mul(r, batch), t);
            b.store(acc, i, fma(wk, at(xk, t), at(acc, i)));
          });
        });
      }),
    );
    b.unroll("r", rows, (r) =>
      b.unroll("t", batch, (t) => {
        const sum = b.reduce("sum", fold("sum", at(acc, add(mul(r, batch), t))), lanesPerRow);
        const inside = lt(add(n0, r), N);
        const stores = lanesPerRow === 1 ? inside : both(inside, eq(inRow, 0));
        b.if(stores, () => b.store(y, add(mul(t, N), n0, r), g.finish === undefined ? sum : g.finish(sum)));
      }),
    );
  });
}

/** First element of each row. Rows past the end are the last row again: loads need no guard, only the store has one. */
export function rowStarts(
  b: Body,
  { n0, rows, count, size }: { n0: Expr; rows: number; count: Expr; size: Expr },
): Memory {
  const from = b.reg("row_at", typeOf("i32"), rows);
  b.unroll("r", rows, (r) => b.store(from, r, mul(min(add(n0, r), sub(count, 1)), size)));
  return from;
}
