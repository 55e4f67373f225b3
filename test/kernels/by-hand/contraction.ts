/** c[m, n] = sum over k of a[m, k] · w[n, k], in tiles. */
import { at, type Body, type BufferSpec, kernel, type Memory } from "../../../compiler/kernel/build.ts";
import { typeOf } from "../../../compiler/kernel/elem.ts";
import {
  add,
  ceilDiv,
  constant,
  div,
  extract,
  fma,
  lt,
  min,
  mod,
  mul,
  name,
  op,
  splat,
  sub,
} from "../../../compiler/kernel/expr.ts";
import type { Expr, Kernel } from "../../../compiler/kernel/kernel.ts";
import { widthFor } from "../../../compiler/schedule/vectors.ts";
import type { KernelTarget } from "../../../compiler/target/kernel-target.ts";
import { rowStarts } from "./gemv.ts";

export interface Contraction {
  readonly name: string;
  /** What N and K are known to be multiples of. */
  readonly multiples: { readonly n: number; readonly k: number };
}
export interface TileSchedule {
  /** Of the tile that one lane sums: rows of m, vectors of n. */
  readonly rows: number;
  readonly vectors: number;
  readonly vector: number;
  readonly lanesM: number;
  readonly lanesN: number;
  /** Staged: k's in shared memory at once. Otherwise: k's a turn. */
  readonly blockK: number;
  /** Elements along k of one load while staging. */
  readonly loadVector: number;
  /** Operands go through shared memory; otherwise w is packed in panels and read in place. */
  readonly staged: boolean;
}

/** Without lanes: the tile of fewest loads a multiply, (rows + vectors) / (rows · vectors), that fits the registers. */
export function chooseTile(c: Contraction, t: KernelTarget): TileSchedule {
  const vector = widthFor(c.multiples.n, t.vector);
  const loadVector = widthFor(c.multiples.k, t.vector);
  if (t.stageTiles)
    return { rows: 4, vectors: 1, vector, lanesM: t.lanes / 16, lanesN: 16, blockK: 16, loadVector, staged: true };
  let best = { rows: 1, vectors: 1 };
  let loads = Number.POSITIVE_INFINITY;
  for (let vectors = 1; vectors <= 4; vectors += 1) {
    const rows = Math.floor((t.registers - 1 - vectors) / vectors);
    if (rows < 1 || (rows + vectors) / (rows * vectors) >= loads) continue;
    best = { rows, vectors };
    loads = (rows + vectors) / (rows * vectors);
  }
  const blockK = widthFor(c.multiples.k, 4);
  return { ...best, vector, lanesM: 1, lanesN: 1, blockK, loadVector, staged: false };
}

/** One tile strategy; only where a and w come from differs. */
export function contraction(c: Contraction, s: TileSchedule): Kernel {
  const { rows, vectors, vector, lanesM, lanesN } = s;
  const laneN = vectors * vector;
  const [tileM, tileN, lanes] = [rows * lanesM, laneN * lanesN, lanesM * lanesN];
  const [M, N, K] = [name("M"), name("N"), name("K")];
  const vec = typeOf("f32", vector);
  const weights: BufferSpec = s.staged
    ? { elem: "f32", extent: mul(N, K) }
    : { elem: "f32", extent: mul(ceilDiv(N, laneN), K, laneN), layout: `panel${laneN}` };
  const buffers: Record<string, BufferSpec> = {
    a: { elem: "f32", extent: mul(M, K) },
    w: weights,
    c: { elem: "f32", extent: mul(M, N), access: "write" },
  };
  const source = `contraction: tiles of ${tileM} x ${tileN}, ${rows} x ${laneN} a lane`;
  const sizes = { M: {}, N: { multiple: vector }, K: { multiple: s.staged ? s.loadVector : s.blockK } };
  const grid = { bm: ceilDiv(M, tileM), bn: ceilDiv(N, tileN) };
  return kernel({ name: c.name, source, lanes, sizes, buffers, grid }, (b, memory) => {
    const [a, w, out] = [memory("a"), memory("w"), memory("c")];
    const inM = b.let("in_m", mul(div(b.lane, lanesN), rows));
    const inN = b.let("in_n", mul(mod(b.lane, lanesN), laneN));
    const m0 = b.let("m0", add(mul(name("bm"), tileM), inM));
    const n0 = b.let("n0", add(mul(name("bn"), tileN), inN));
    const acc = b.reg("acc", vec, rows * vectors, constant(0, vec));
    /** The outer product of a column of a and a row of w. */
    const step = (aAt: (r: Expr) => Expr, wAt: (j: Expr) => Expr): void => {
      const wk = b.reg("wk", vec, vectors);
      b.unroll("j", vectors, (j) => b.store(wk, j, wAt(j)));
      b.unroll("r", rows, (r) => {
        const ar = b.let("ar", splat(aAt(r), vector));
        b.unroll("j", vectors, (j) => {
          const i = add(mul(r, vectors), j);
          b.store(acc, i, fma(ar, at(wk, j), at(acc, i)));
        });
      });
    };
    if (s.staged) {
      const [aTile, wTile] = [b.shared("a_tile", "f32", s.blockK * tileM), b.shared("w_tile", "f32", s.blockK * tileN)];
      b.loop("k0", { from: 0, to: K, step: s.blockK }, (k0) => {
        stage(b, { to: aTile, from: a, rows: tileM, first: mul(name("bm"), tileM), count: M, k0, K, s });
        stage(b, { to: wTile, from: w, rows: tileN, first: mul(name("bn"), tileN), count: N, k0, K, s });
        b.barrier();
        b.loop("k", { from: 0, to: s.blockK, step: 1 }, (k) =>
          step(
            (r) => at(aTile, add(mul(k, tileM), inM, r)),
            (j) => at(wTile, add(mul(k, tileN), inN, mul(j, vector)), vector),
          ),
        );
        b.barrier();
      });
    } else {
      const from = rowStarts(b, { n0: m0, rows, count: M, size: K });
      const panel = b.let("panel", mul(name("bn"), K, laneN));
      b.loop("k", { from: 0, to: K, step: s.blockK }, (k) =>
        b.unroll("u", s.blockK, (u) =>
          step(
            (r) => at(a, add(at(from, r), k, u)),
            (j) => at(w, add(panel, mul(add(k, u), laneN), mul(j, vector)), vector),
          ),
        ),
      );
    }
    b.unroll("r", rows, (r) =>
      b.unroll("j", vectors, (j) => {
        const [m, n] = [b.let("m", add(m0, r)), b.let("n", add(n0, mul(j, vector)))];
        b.if(lt(m, M), () =>
          b.if(op("le", add(n, vector), N), () => b.store(out, add(mul(m, N), n), at(acc, add(mul(r, vectors), j)))),
        );
      }),
    );
  });
}

interface Stage {
  readonly to: Memory;
  readonly from: Memory;
  readonly rows: number;
  /** Row of `from` that the tile starts with, and how many there are. */
  readonly first: Expr;
  readonly count: Expr;
  readonly k0: Expr;
  readonly K: Expr;
  readonly s: TileSchedule;
}
/** Copies a tile to shared memory, transposed, so that the inner loop reads along rows. What is past K is zero. */
function stage(b: Body, { to, from, rows, first, count, k0, K, s }: Stage): void {
  const width = s.loadVector;
  const perRow = s.blockK / width;
  b.distribute("v", rows * perRow, s.lanesM * s.lanesN, b.lane, (v) => {
    const row = b.let("row", div(v, perRow));
    const inTile = b.let("kv", mul(mod(v, perRow), width));
    const k = b.let("kk", add(k0, inTile));
    const put = (i: number, value: Expr): void => b.store(to, add(mul(add(inTile, i), rows), row), value);
    b.if(op("le", add(k, width), K), () => {
      const start = mul(min(add(first, row), sub(count, 1)), K);
      const x = b.let("x", at(from, add(start, k), width));
      for (let i = 0; i < width; i += 1) put(i, extract(x, i));
    });
    b.if(lt(K, add(k, width)), () => {
      for (let i = 0; i < width; i += 1) put(i, constant(0, typeOf("f32")));
    });
  });
}
