/**
 * y[n] = finish(sum over blocks of ws[n, block] · xs[block] · sum over k in the block of w[n, k] · x[k]), w and x int8 in blocks of 32
 * along k, each sum exact in i32.
 *
 * Which axis the lanes of a vector run along is what cannot be shared. Rows (a CPU): a register holds 4 rows of `group` k's, a
 * piece of x is repeated to all rows, one vector of scales, no horizontal sum. k (a GPU): a register holds 16 k's of one row,
 * and the four sums of the dot are folded.
 */
import { at, type BufferSpec, kernel } from "../../../compiler/kernel/build.ts";
import { type Elem, typeOf } from "../../../compiler/kernel/elem.ts";
import {
  add,
  both,
  ceilDiv,
  constant,
  convert,
  div,
  dot,
  eq,
  fma,
  fold,
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
import type { KernelTarget } from "../../../compiler/target/kernel-target.ts";
import { rowStarts } from "./gemv.ts";

/** k's that share a scale. */
export const int8Block = 32;
/** Rows side by side in a panel. */
const panelRows = 4;

export interface Int8Gemv {
  readonly name: string;
  readonly finish?: (sum: Expr) => Expr;
}
export interface PanelSchedule {
  readonly kind: "panels";
  readonly panels: number;
  readonly group: 2 | 4;
  /** u7: x is stored plus 64, in 0..127, and `start` holds minus the sum of each block's weights. */
  readonly activation: "i16" | "i8" | "u7";
}
export interface RowSchedule {
  readonly kind: "rows";
  readonly rows: number;
  readonly lanesPerRow: number;
  readonly groups: number;
}
export function chooseInt8Gemv(t: KernelTarget): PanelSchedule | RowSchedule {
  const { group, activation } = t.dot;
  if (t.dot.panelRows === panelRows) return { kind: "panels", panels: t.streams / 2, group, activation };
  const warp = t.subgroup !== null && t.subgroup.min === t.subgroup.max ? t.subgroup.min : t.lanes;
  return { kind: "rows", rows: t.streams, lanesPerRow: warp, groups: t.lanes / warp };
}
export const int8Gemv = (g: Int8Gemv, s: PanelSchedule | RowSchedule): Kernel =>
  s.kind === "panels" ? byPanels(g, s) : byRows(g, s);

const [N, K] = [name("N"), name("K")];
const blocks = div(K, int8Block);
const finished = (g: Int8Gemv, sum: Expr): Expr => (g.finish === undefined ? sum : g.finish(sum));

function byPanels(g: Int8Gemv, s: PanelSchedule): Kernel {
  const { panels, group, activation } = s;
  const offset = activation === "u7";
  const xElem: Elem = activation === "i16" ? "i16" : "i8";
  const lanes = panelRows * group;
  const buffers: Record<string, BufferSpec> = {
    w: { elem: "i8", extent: mul(N, K), layout: `panel${panelRows}x${group}` },
    ws: { elem: "f32", extent: mul(N, blocks), layout: `panel${panelRows}` },
    x: { elem: xElem, extent: K },
    xs: { elem: "f32", extent: blocks },
    y: { elem: "f32", extent: N, access: "write" },
    // At most 32·127 in magnitude; times 64 it would not fit i16.
    ...(offset ? { start: { elem: "i16", extent: mul(N, blocks), layout: `panel${panelRows}` } as const } : {}),
  };
  const source = `int8 gemv: ${panels} panels of ${panelRows} rows, ${activation} activations`;
  const sizes = { N: { multiple: panelRows }, K: { multiple: int8Block } };
  const grid = { block: ceilDiv(N, panelRows * panels) };
  return kernel({ name: g.name, source, lanes: 1, sizes, buffers, grid }, (b, memory) => {
    const [w, ws, x, xs, y] = [memory("w"), memory("ws"), memory("x"), memory("xs"), memory("y")];
    const [sums, floats] = [typeOf("i32", panelRows), typeOf("f32", panelRows)];
    const panel = b.reg("panel", typeOf("i32"), panels);
    const acc = b.reg("acc", floats, panels, constant(0, floats));
    const part = b.reg("part", sums, panels);
    const last = sub(div(N, panelRows), 1);
    b.unroll("p", panels, (p) => b.store(panel, p, mul(min(add(mul(name("block"), panels), p), last), blocks)));
    b.loop("kb", { from: 0, to: blocks, step: 1 }, (kb) => {
      const scalesAt = (p: Expr): Expr => mul(add(at(panel, p), kb), panelRows);
      b.unroll("p", panels, (p) => {
        const first = offset
          ? op("shl", convert(at(memory("start"), scalesAt(p), panelRows), "i32"), 6)
          : constant(0, sums);
        b.store(part, p, first);
      });
      b.unroll("j", int8Block / group, (j) => {
        const piece = b.let("xj", splat(at(x, add(mul(kb, int8Block), mul(j, group)), group), lanes));
        b.unroll("p", panels, (p) => {
          const weights = at(w, add(mul(add(at(panel, p), kb), panelRows * int8Block), mul(j, lanes)), lanes);
          b.store(part, p, dot({ a: convert(weights, xElem), b: piece, acc: at(part, p), group, b7: offset }));
        });
      });
      const scale = b.let("scale", splat(at(xs, kb), panelRows));
      b.unroll("p", panels, (p) => {
        const scales = mul(at(ws, scalesAt(p), panelRows), scale);
        b.store(acc, p, fma(convert(at(part, p), "f32"), scales, at(acc, p)));
      });
    });
    b.unroll("p", panels, (p) => {
      const n = b.let("n", mul(add(mul(name("block"), panels), p), panelRows));
      b.if(op("le", add(n, panelRows), N), () => b.store(y, n, finished(g, at(acc, p))));
    });
  });
}

function byRows(g: Int8Gemv, s: RowSchedule): Kernel {
  const { rows, lanesPerRow, groups } = s;
  const width = 16; // bytes of one load: half a block
  const buffers: Record<string, BufferSpec> = {
    w: { elem: "i8", extent: mul(N, K) },
    ws: { elem: "f32", extent: mul(N, blocks) },
    x: { elem: "i8", extent: K },
    xs: { elem: "f32", extent: blocks },
    y: { elem: "f32", extent: N, access: "write" },
  };
  const lanes = lanesPerRow * groups;
  const source = `int8 gemv: ${rows} rows x ${lanesPerRow} lanes x ${groups} groups`;
  const sizes = { N: {}, K: { multiple: int8Block } };
  const grid = { block: ceilDiv(N, rows * groups) };
  return kernel({ name: g.name, source, lanes, sizes, buffers, grid }, (b, memory) => {
    const [w, ws, x, xs, y] = [memory("w"), memory("ws"), memory("x"), memory("xs"), memory("y")];
    const group = groups === 1 ? name("block") : add(mul(name("block"), groups), div(b.lane, lanesPerRow));
    const n0 = b.let("n0", mul(group, rows));
    const from = rowStarts(b, { n0, rows, count: N, size: blocks });
    const acc = b.reg("acc", typeOf("f32"), rows, constant(0, typeOf("f32")));
    const inRow = groups === 1 ? b.lane : mod(b.lane, lanesPerRow);
    b.loop("k", { from: mul(inRow, width), to: K, step: width * lanesPerRow }, (k) => {
      const xk = b.let("xk", at(x, k, width));
      const kb = b.let("kb", div(k, int8Block));
      const scale = b.let("scale", at(xs, kb));
      b.unroll("r", rows, (r) => {
        const weights = at(w, add(mul(at(from, r), int8Block), k), width);
        const zero = constant(0, typeOf("i32", width / 4));
        const sum = fold("sum", dot({ a: weights, b: xk, acc: zero, group: 4, b7: false }));
        b.store(acc, r, fma(convert(sum, "f32"), mul(at(ws, add(at(from, r), kb)), scale), at(acc, r)));
      });
    });
    b.unroll("r", rows, (r) => {
      const sum = b.reduce("sum", at(acc, r), lanesPerRow);
      const inside = lt(add(n0, r), N);
      const stores = lanesPerRow === 1 ? inside : both(inside, eq(inRow, 0));
      b.if(stores, () => b.store(y, add(n0, r), finished(g, sum)));
    });
  });
}
