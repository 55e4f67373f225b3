/** The output of streamed attention while it grows. */
import { at, type Body, type Memory } from "../../../compiler/kernel/build.ts";
import { typeOf } from "../../../compiler/kernel/elem.ts";
import { add, constant, div, fma, lt, mod, mul, name, splat } from "../../../compiler/kernel/expr.ts";
import type { Expr } from "../../../compiler/kernel/kernel.ts";
import type { Attention, AttentionSchedule } from "./attention-schedule.ts";

/** o's tile: lanes form a grid over query rows and vectors of the head; a lane owns rows x vectors of it. */
export class Output {
  readonly #s: AttentionSchedule;
  readonly #b: Body;
  readonly #D: number;
  readonly #lanesD: number;
  readonly #rows: number;
  readonly #vectors: number;
  /** Vectors of a row that are in registers at once. */
  readonly #chunk: number;
  readonly #acc: Memory;
  readonly #tile: Memory | null;
  constructor(a: Attention, s: AttentionSchedule, b: Body) {
    this.#s = s;
    this.#b = b;
    this.#D = a.headDim;
    this.#lanesD = Math.min(s.lanes, a.headDim / s.vector);
    this.#rows = s.queries / (s.lanes / this.#lanesD);
    this.#vectors = a.headDim / s.vector / this.#lanesD;
    const resident = this.#rows * this.#vectors <= s.resident;
    this.#chunk = resident ? this.#vectors : Math.max(1, Math.floor(s.resident / this.#rows));
    const vec = typeOf("f32", s.vector);
    this.#acc = b.reg("acc", vec, this.#rows * this.#chunk, constant(0, vec));
    this.#tile = resident ? null : b.shared("o_tile", "f32", s.queries * a.headDim);
  }
  #row(i: Expr): Expr {
    return add(mul(i, this.#s.lanes / this.#lanesD), div(this.#b.lane, this.#lanesD));
  }
  #column(j: Expr): Expr {
    return mul(add(mul(j, this.#lanesD), mod(this.#b.lane, this.#lanesD)), this.#s.vector);
  }
  #own(c: Expr, f: (slot: Expr, r: Expr, d: Expr) => void): void {
    this.#b.unroll("i", this.#rows, (i) =>
      this.#b.unroll("j", this.#chunk, (j) =>
        f(add(mul(i, this.#chunk), j), this.#row(i), this.#column(add(mul(c, this.#chunk), j))),
      ),
    );
  }
  #chunks(f: (c: Expr) => void): void {
    const count = this.#vectors / this.#chunk;
    if (count === 1) f(constant(0));
    else this.#b.loop("c", { from: 0, to: count, step: 1 }, f);
  }

  clear(): void {
    const tile = this.#tile;
    if (tile === null) return;
    const zero = constant(0, typeOf("f32", this.#s.vector));
    this.#chunks((c) => this.#own(c, (_, r, d) => this.#b.store(tile, add(mul(r, this.#D), d), zero)));
  }
  accumulate(x: {
    readonly alpha: Memory;
    readonly p: Memory;
    readonly v: Memory;
    readonly valueRow: (s: Expr) => Expr;
    readonly count: Expr;
  }): void {
    const b = this.#b;
    const { vector, keys } = this.#s;
    const [acc, tile] = [this.#acc, this.#tile];
    this.#chunks((c) => {
      this.#own(c, (slot, r, d) => {
        const old = tile === null ? at(acc, slot) : at(tile, add(mul(r, this.#D), d), vector);
        b.store(acc, slot, mul(splat(at(x.alpha, r), vector), old));
      });
      b.loop("s", { from: 0, to: x.count, step: 1 }, (s) => {
        const values = b.reg("vd", typeOf("f32", vector), this.#chunk);
        b.unroll("j", this.#chunk, (j) => {
          const d = this.#column(add(mul(c, this.#chunk), j));
          b.store(values, j, at(x.v, add(x.valueRow(s), d), vector));
        });
        b.unroll("i", this.#rows, (i) => {
          const weight = b.let("weight", splat(at(x.p, add(mul(this.#row(i), keys), s)), vector));
          b.unroll("j", this.#chunk, (j) => {
            const slot = add(mul(i, this.#chunk), j);
            b.store(acc, slot, fma(weight, at(values, j), at(acc, slot)));
          });
        });
      });
      if (tile !== null) this.#own(c, (slot, r, d) => b.store(tile, add(mul(r, this.#D), d), at(acc, slot)));
    });
  }
  store(x: { readonly l: Memory; readonly o: Memory; readonly t0: Expr; readonly base: Expr }): void {
    const b = this.#b;
    const { vector } = this.#s;
    const tile = this.#tile;
    this.#chunks((c) =>
      this.#own(c, (slot, r, d) => {
        const t = b.let("t", add(x.t0, r));
        const value = tile === null ? at(this.#acc, slot) : at(tile, add(mul(r, this.#D), d), vector);
        b.if(lt(t, name("T")), () =>
          b.store(x.o, add(x.base, mul(t, this.#D), d), div(value, splat(at(x.l, r), vector))),
        );
      }),
    );
  }
}
