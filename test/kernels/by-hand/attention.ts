/**
 * o[h, t, e] = Σ over s of softmax over visible s (q[h, t, :] · k[h, s, :] · scale) · v[h, s, e], visible: s <= first + t. Streamed over
 * tiles of keys: m and l are the running maximum and sum, o is rescaled by exp(m_old - m_new).
 */
import { at, type Body, type BufferSpec, kernel, type Memory } from "../../../compiler/kernel/build.ts";
import { typeOf } from "../../../compiler/kernel/elem.ts";
import {
  add,
  ceilDiv,
  constant,
  div,
  eq,
  fma,
  fold,
  lt,
  max,
  min,
  mod,
  mul,
  name,
  op,
  select,
  splat,
  sub,
} from "../../../compiler/kernel/expr.ts";
import type { Expr, Kernel } from "../../../compiler/kernel/kernel.ts";
import { Output } from "./attention-output.ts";
import type { Attention, AttentionSchedule } from "./attention-schedule.ts";

/** Below any score, and finite: no difference of infinities arises, and its exp is exactly 0. */
const never = -1e30;

interface Running {
  readonly m: Memory;
  readonly l: Memory;
  /** exp(m_old - m_new) of the last tile. */
  readonly alpha: Memory;
  /** Scores of a tile, then their exp. */
  readonly p: Memory;
}

export function attention(a: Attention, s: AttentionSchedule): Kernel {
  const { headDim: D } = a;
  const [H, T, S] = [name("H"), name("T"), name("S")];
  const buffers: Record<string, BufferSpec> = {
    q: { elem: "f32", extent: mul(H, T, D) },
    k: { elem: "f32", extent: mul(H, S, D) },
    v: { elem: "f32", extent: mul(H, S, D) },
    o: { elem: "f32", extent: mul(H, T, D), access: "write" },
  };
  const source = `streamed attention: ${s.queries} queries x ${s.keys} keys`;
  const sizes = { H: {}, T: {}, S: {}, first: {} };
  const grid = { tb: ceilDiv(T, s.queries), h: H };
  return kernel({ name: a.name, source, lanes: s.lanes, sizes, buffers, grid }, (b, memory) =>
    new Streamed(a, s, b, memory).write(),
  );
}

class Streamed {
  readonly #a: Attention;
  readonly #s: AttentionSchedule;
  readonly #b: Body;
  readonly #memory: (name: string) => Memory;
  readonly #running: Running;
  readonly #t0: Expr;
  readonly #queryBase: Expr;
  readonly #keyBase: Expr;
  constructor(a: Attention, s: AttentionSchedule, b: Body, memory: (name: string) => Memory) {
    this.#a = a;
    this.#s = s;
    this.#b = b;
    this.#memory = memory;
    const rows = (n: string): Memory => b.shared(n, "f32", s.queries);
    this.#running = { m: rows("m"), l: rows("l"), alpha: rows("alpha"), p: b.shared("p", "f32", s.queries * s.keys) };
    this.#t0 = b.let("t0", mul(name("tb"), s.queries));
    this.#queryBase = b.let("q_base", mul(name("h"), name("T"), a.headDim));
    this.#keyBase = b.let("k_base", mul(name("h"), name("S"), a.headDim));
  }

  write(): void {
    const b = this.#b;
    const { m, l } = this.#running;
    const f32 = typeOf("f32");
    this.#eachRow((r) =>
      this.#oncePerRow(() => {
        b.store(m, r, constant(never, f32));
        b.store(l, r, constant(0, f32));
      }),
    );
    const output = new Output(this.#a, this.#s, b);
    output.clear();
    b.barrier();
    // No query of this block sees a key past it.
    const end = b.let("end", min(name("S"), add(name("first"), this.#t0, this.#s.queries)));
    b.loop("s0", { from: 0, to: end, step: this.#s.keys }, (s0) => {
      b.say("scores");
      this.#scores(s0);
      b.barrier();
      b.say("running maximum and sum");
      this.#eachRow((r) => this.#softmaxStep(r));
      b.barrier();
      b.say("o := o * alpha + p v");
      const valueRow = (sk: Expr): Expr => add(this.#keyBase, mul(add(s0, sk), this.#a.headDim));
      const count = min(this.#s.keys, sub(end, s0));
      output.accumulate({ ...this.#running, v: this.#memory("v"), valueRow, count });
      b.barrier();
    });
    output.store({ l, o: this.#memory("o"), t0: this.#t0, base: this.#queryBase });
  }

  get #lanesPerRow(): number {
    return Math.max(1, this.#s.lanes / this.#s.queries);
  }
  #eachRow(f: (r: Expr) => void): void {
    const { queries, lanes } = this.#s;
    this.#b.distribute("r", queries, lanes / this.#lanesPerRow, div(this.#b.lane, this.#lanesPerRow), f);
  }
  #oncePerRow(f: () => void): void {
    if (this.#lanesPerRow === 1) f();
    else this.#b.if(eq(mod(this.#b.lane, this.#lanesPerRow), 0), f);
  }

  #scores(s0: Expr): void {
    const { queries, keys, lanes, vector, keysAtOnce } = this.#s;
    const b = this.#b;
    const [q, k] = [this.#memory("q"), this.#memory("k")];
    const [T, S, D] = [name("T"), name("S"), this.#a.headDim];
    const vec = typeOf("f32", vector);
    b.distribute("e", (queries * keys) / keysAtOnce, lanes, b.lane, (e) => {
      const r = b.let("qr", div(e, keys / keysAtOnce));
      const c = b.let("c", mul(mod(e, keys / keysAtOnce), keysAtOnce));
      const queryAt = b.let("q_at", add(this.#queryBase, mul(min(add(this.#t0, r), sub(T, 1)), D)));
      const from = b.reg("row_at", typeOf("i32"), keysAtOnce);
      const dots = b.reg("dots", vec, keysAtOnce, constant(0, vec));
      b.unroll("u", keysAtOnce, (u) => b.store(from, u, add(this.#keyBase, mul(min(add(s0, c, u), sub(S, 1)), D))));
      b.loop("d", { from: 0, to: D, step: vector }, (d) => {
        const qd = b.let("qd", at(q, add(queryAt, d), vector));
        b.unroll("u", keysAtOnce, (u) => b.store(dots, u, fma(at(k, add(at(from, u), d), vector), qd, at(dots, u))));
      });
      b.unroll("u", keysAtOnce, (u) => {
        const visible = lt(add(s0, c, u), min(S, add(name("first"), this.#t0, r, 1)));
        const score = mul(fold("sum", at(dots, u)), this.#a.scale);
        b.store(this.#running.p, add(mul(r, keys), c, u), select(visible, score, never));
      });
    });
  }

  #softmaxStep(r: Expr): void {
    const { keys, vector } = this.#s;
    const b = this.#b;
    const { m, l, alpha, p } = this.#running;
    const perRow = this.#lanesPerRow;
    const width = perRow === 1 ? vector : 1;
    const t = typeOf("f32", width);
    const part = perRow === 1 ? constant(0) : mod(b.lane, perRow);
    const range = { from: mul(part, width), to: keys, step: width * perRow };
    const big = b.reg("big", t, 1, constant(never, t));
    const sum = b.reg("part_sum", t, 1, constant(0, t));
    b.loop("s", range, (s) => b.store(big, 0, max(at(big, 0), at(p, add(mul(r, keys), s), width))));
    const old = b.let("m_old", at(m, r));
    const now = b.let("m_new", max(old, b.reduce("max", fold("max", at(big, 0)), perRow)));
    b.barrier(); // a reduction orders no memory: without it the row's first lane may store m before another has read it
    b.loop("s", range, (s) => {
      const e = b.let("e", op("exp", sub(at(p, add(mul(r, keys), s), width), splat(now, width))));
      b.store(p, add(mul(r, keys), s), e);
      b.store(sum, 0, add(at(sum, 0), e));
    });
    const total = b.reduce("sum", fold("sum", at(sum, 0)), perRow);
    this.#oncePerRow(() => {
      const rescale = b.let("rescale", op("exp", sub(old, now)));
      b.store(l, r, fma(at(l, r), rescale, total));
      b.store(alpha, r, rescale);
      b.store(m, r, now);
    });
  }
}
