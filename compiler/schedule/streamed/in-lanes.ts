/**
 * What the lanes of an item make of a run of places. Of a tile each lane scores every so-manieth place, for all rows of the block; then
 * a few lanes look after each row and turn its scores into weights p = exp(a - m); then each lane has vectors of the wide axis of its
 * own, and adds up p · weight there in registers. Where the wide axis is short, several lanes have the same vectors and share the places.
 */
import type { Scalar } from "../../graph/node.ts";
import { at, type Memory } from "../../kernel/build.ts";
import {
  add,
  both,
  constant,
  div,
  eq,
  fma,
  fold,
  lt,
  max,
  min,
  mul,
  op,
  select,
  splat,
  sub,
} from "../../kernel/expr.ts";
import type { Expr } from "../../kernel/kernel.ts";
import type { Bound, Env } from "../lift/lift.ts";
import { dimExpr } from "../lift/spell-dim.ts";
import { divisorUpTo } from "./divisor.ts";
import { type Item, isOne, lowest, masked, vectorOf } from "./item.ts";
import type { LanesPlan } from "./lanes-plan.ts";
import { type Layout, layoutOf, stage } from "./stage.ts";

/** What a row has found: m, its narrow sums, and `vector` values of each wide sum. */
export interface Found {
  readonly max: Expr;
  readonly narrow: readonly Expr[];
  readonly spread: readonly Expr[];
}
/** `row`: of the block, one that is known or one that each lane counts to. */
export type StoreRow = (row: Expr | number, e: Bound, found: Found) => void;

export class InLanes {
  readonly #item: Item<LanesPlan>;
  readonly #left: readonly Scalar[];
  readonly #layout: Layout;
  /** Vectors of the wide axis. */
  readonly #wide: number;
  /** [row, c]. */
  readonly #staged: Memory;
  /** [row, place]: scores, then weights; at last what parts have summed. */
  readonly #p: Memory;
  /** By lane. */
  readonly #best: Memory;
  readonly #narrowByLane: readonly Memory[];
  /** By row. */
  readonly #alpha: Memory;
  readonly #max: Memory;
  readonly #narrow: readonly Memory[];
  /** Of the lane's row. */
  readonly #own: { readonly max: Memory; readonly sums: readonly Memory[]; readonly row: Expr; readonly part: Expr };
  readonly #ownEnv: Env;
  /** By wide sum: [row, vector] of the lane. */
  readonly #acc: readonly Memory[];
  /** Where the lane's vectors begin, and which of the places it takes. */
  readonly #places: readonly Bound[];
  readonly #share: Expr;

  constructor(item: Item<LanesPlan>, length: number, left: readonly Scalar[]) {
    const { b, plan, pattern, lift } = item;
    const { count, vector, itemLanes, parts } = plan;
    [this.#item, this.#left] = [item, left];
    this.#wide = length / vector;
    this.#layout = layoutOf(item, 4);
    this.#staged = b.shared("staged", "f32", this.#layout.length * count);
    const merged = parts > 1 ? parts * count * length : 0;
    this.#p = b.shared("p", "f32", Math.max(count * plan.tile, merged));
    const byLane = (name: string): Memory => b.shared(name, "f32", itemLanes);
    const byRow = (name: string): Memory => b.shared(name, "f32", count);
    this.#best = byLane("best_by_lane");
    this.#narrowByLane = pattern.narrow.map((_, i) => byLane(`sum${i}_by_lane`));
    [this.#alpha, this.#max] = [byRow("alpha"), byRow("max")];
    this.#narrow = pattern.narrow.map((_, i) => byRow(`sum${i}`));
    const scalar = vectorOf(1);
    const row = b.let("row", div(b.lane, this.#lanesOfRow));
    const part = b.let("part", sub(b.lane, mul(row, this.#lanesOfRow)));
    this.#own = {
      row,
      part,
      max: b.reg("m", scalar, 1, constant(lowest, scalar)),
      sums: pattern.narrow.map((_, i) => b.reg(`z${i}`, scalar, 1, constant(0, scalar))),
    };
    this.#ownEnv = item.block.row(row);
    const vec = vectorOf(vector);
    this.#acc = pattern.spread.map((_, i) => b.reg(`acc${i}`, vec, count * plan.vectors, constant(0, vec)));
    this.#share = parts > 1 ? b.let("share", div(b.lane, this.#wide)) : constant(0);
    const first = parts > 1 ? b.let("wide", sub(b.lane, mul(this.#share, this.#wide))) : b.lane;
    this.#places = Array.from({ length: plan.vectors }, (_, v) => {
      const here = add(first, v * itemLanes);
      const isThere = (v + 1) * itemLanes <= this.#wide || parts > 1;
      return lift.bound(b.let("e", mul(isThere ? here : min(here, this.#wide - 1), vector)), { width: vector });
    });
  }
  get #lanesOfRow(): number {
    return this.#item.plan.itemLanes / this.#item.plan.count;
  }
  #eachRow(f: (row: number) => void): void {
    for (let r = 0; r < this.#item.plan.count; r += 1) f(r);
  }
  #index(row: Expr, place: Expr): Expr {
    return add(mul(row, this.#item.plan.tile), place);
  }

  /** Lanes have met afterwards. */
  stage(): void {
    const { b } = this.#item;
    stage(this.#item, this.#layout, (c, row, value) => b.store(this.#staged, add(c, row * this.#layout.length), value));
    b.barrier();
  }

  /** Places `first` to `first + count`, at most a tile of them. */
  tile(first: Expr, count: Expr): void {
    const { b, plan } = this.#item;
    b.say("scores");
    b.loop("u", { from: b.lane, to: count, step: plan.itemLanes }, (u) => this.#scores(first, u));
    b.barrier();
    b.say("weights");
    this.#weights(first, count);
    b.barrier();
    b.say("wide sums");
    for (const [i, acc] of this.#acc.entries()) this.#gather(i, acc, first, count);
    b.barrier();
  }

  #scores(first: Expr, u: Expr): void {
    const { b, lift, pattern, plan, block } = this.#item;
    const place = this.#place(first, u);
    for (const [i, sum] of pattern.sums.entries()) {
      const vec = vectorOf(plan.along);
      const acc = b.reg("score", vec, plan.count, constant(0, vec));
      for (const { segment, from } of this.#layout.sums[i] ?? []) {
        const turn = divisorUpTo(segment.length / plan.along, 2);
        b.loop("f", { from: 0, to: segment.length, step: turn * plan.along }, (f) => {
          const here = b.depth;
          for (let w = 0; w < turn; w += 1) {
            const offset = w * plan.along;
            const along = lift.bound(f, { offset, width: plan.along, depth: here });
            const env = new Map(block.row(0)).set(pattern.axis.name, place).set(segment.along, along);
            const moving = splat(lift.float(segment.moving, env), plan.along);
            this.#eachRow((r) => {
              const q = at(this.#staged, add(f, r * this.#layout.length + from + offset), plan.along);
              b.store(acc, r, fma(moving, q, at(acc, r)));
            });
          }
        });
      }
      this.#eachRow((r) => lift.know(sum.of, this.#at(r, place), b.let("inner", fold("sum", at(acc, r)))));
    }
    this.#eachRow((r) => {
      const env = this.#at(r, place);
      const score = lift.float(pattern.score, env);
      const [seen, ...more] = this.#left.map((e) => lift.truth(e, env));
      const visible =
        seen === undefined ? score : select(more.reduce(both, seen), score, constant(masked, vectorOf(1)));
      b.store(this.#p, this.#index(constant(r), u), visible);
    });
  }
  /** Shown to be one by the minimum: too much is known of it for a proof to be found by bounds. */
  #place(first: Expr, u: Expr): Bound {
    const { b, lift, pattern } = this.#item;
    return lift.bound(b.let("place", min(add(first, u), sub(dimExpr(pattern.axis.size), 1))));
  }
  #at(row: number, place: Bound): Env {
    return new Map(this.#item.block.row(row)).set(this.#item.pattern.axis.name, place);
  }

  #weights(first: Expr, count: Expr): void {
    const { b, lift, pattern } = this.#item;
    const { row, part, max: m, sums } = this.#own;
    const share = { from: part, to: count, step: this.#lanesOfRow };
    const scalar = vectorOf(1);
    const best = b.reg("best", scalar, 1, constant(lowest, scalar));
    b.loop("u", share, (u) => b.store(best, 0, max(at(best, 0), at(this.#p, this.#index(row, u)))));
    b.store(this.#best, b.lane, at(best, 0));
    b.barrier();
    const old = b.let("old", at(m, 0));
    b.loop("j", { from: 0, to: this.#lanesOfRow, step: 1 }, (j) =>
      b.store(m, 0, max(at(m, 0), at(this.#best, add(mul(row, this.#lanesOfRow), j)))),
    );
    const now = b.let("now", at(m, 0));
    const alpha = b.let("factor", op("exp", sub(old, now)));
    b.if(eq(part, 0), () => b.store(this.#alpha, row, alpha));
    for (const z of sums) b.store(z, 0, mul(at(z, 0), alpha));
    b.loop("u", share, (u) => {
      const index = this.#index(row, u);
      const p = b.let("weight", op("exp", sub(at(this.#p, index), now)));
      b.store(this.#p, index, p);
      const env = new Map(this.#ownEnv).set(pattern.axis.name, this.#place(first, u));
      for (const [i, z] of sums.entries()) {
        const weight = pattern.narrow[i]?.weight;
        if (weight === undefined) continue;
        b.store(z, 0, isOne(weight) ? add(at(z, 0), p) : this.#sum(p, splat(lift.float(weight, env), 1), at(z, 0)));
      }
    });
  }
  /** sofar + p · x, where a row that does not see the place has weight 0 and nothing of what stands there: 0 times inf is no number. */
  #sum(p: Expr, x: Expr, sofar: Expr): Expr {
    const sum = fma(p, x, sofar);
    return this.#left.length === 0 ? sum : select(eq(p, 0), sofar, sum);
  }

  #gather(i: number, acc: Memory, first: Expr, count: Expr): void {
    const { b, lift, pattern, plan, block } = this.#item;
    const weight = pattern.spread[i]?.weight;
    if (weight === undefined) return;
    const slot = (r: number, v: number): number => r * plan.vectors + v;
    this.#eachRow((r) => {
      const alpha = b.let("factor", splat(at(this.#alpha, r), plan.vector));
      this.#places.forEach((_, v) => void b.store(acc, slot(r, v), mul(at(acc, slot(r, v)), alpha)));
    });
    b.loop("s", { from: this.#share, to: count, step: plan.parts }, (s) => {
      const place = this.#place(first, s);
      const values = this.#places.map((e) => {
        const env = new Map(block.row(0)).set(pattern.axis.name, place).set(pattern.wide.name, e);
        return splat(lift.float(weight, env), plan.vector);
      });
      this.#eachRow((r) => {
        const p = b.let("w", splat(at(this.#p, this.#index(constant(r), s)), plan.vector));
        for (const [v, value] of values.entries()) b.store(acc, slot(r, v), this.#sum(p, value, at(acc, slot(r, v))));
      });
    });
  }

  /** Of all tiles: `store` is called once for each row and vector of the lane, inside of what guards them. */
  finish(store: StoreRow): void {
    const { b, plan } = this.#item;
    const { row, part, max: m, sums } = this.#own;
    for (const [i, z] of sums.entries()) b.store(this.#narrowByLane[i] ?? this.#best, b.lane, at(z, 0));
    b.barrier();
    b.if(eq(part, 0), () => {
      b.store(this.#max, row, at(m, 0));
      for (const [i, to] of this.#narrow.entries()) {
        const all = b.reg("all", vectorOf(1), 1, constant(0, vectorOf(1)));
        const of = this.#narrowByLane[i] ?? this.#best;
        b.loop("j", { from: 0, to: this.#lanesOfRow, step: 1 }, (j) =>
          b.store(all, 0, add(at(all, 0), at(of, add(mul(row, this.#lanesOfRow), j)))),
        );
        b.store(to, row, at(all, 0));
      }
    });
    if (plan.parts > 1) this.#finishParts(store);
    else {
      b.barrier();
      this.#eachRow((r) => this.#places.forEach((e, v) => void this.#vector(r, v, e, store)));
    }
  }
  #known(row: Expr | number): Omit<Found, "spread"> {
    const { b } = this.#item;
    const max = b.let("m", at(this.#max, row));
    return { max, narrow: this.#narrow.map((x) => b.let("total", at(x, row))) };
  }
  #vector(row: number, v: number, e: Bound, store: StoreRow): void {
    const { b, lift, plan } = this.#item;
    const write = (place: Bound): void =>
      store(row, place, { ...this.#known(row), spread: this.#acc.map((acc) => at(acc, row * plan.vectors + v)) });
    if ((v + 1) * plan.itemLanes <= this.#wide) return write(e);
    // Lanes beyond the end had the last vector, and have none to store.
    b.if(lt(add(b.lane, v * plan.itemLanes), this.#wide), () =>
      write(lift.bound(mul(add(b.lane, v * plan.itemLanes), plan.vector), { width: plan.vector })),
    );
  }
  /**
   * One wide sum after the other, as what parts have found lies where weights were. The parts then share the rows: all do the same for a
   * row of their own, in turns where there are more rows than parts.
   */
  #finishParts(store: StoreRow): void {
    const { b, lift, plan } = this.#item;
    const { count, parts, vector } = plan;
    const length = this.#wide * vector;
    const [e] = this.#places;
    if (e === undefined) return;
    const vec = vectorOf(vector);
    const turns = Math.ceil(count / parts);
    const eachTurn = (f: (row: Expr, turn: number) => void): void => {
      for (let turn = 0; turn < turns; turn += 1) {
        const rows = Math.min(parts, count - turn * parts);
        b.if(lt(b.lane, rows * this.#wide), () => f(add(this.#share, turn * parts), turn));
      }
    };
    const sums = this.#acc.map((_, i) => b.reg(`found${i}`, vec, turns, constant(0, vec)));
    for (const [i, acc] of this.#acc.entries()) {
      if (i > 0) b.barrier();
      const place = (share: Expr, r: Expr | number): Expr => add(mul(share, count * length), mul(r, length), e.index);
      b.if(lt(this.#share, parts), () => this.#eachRow((r) => b.store(this.#p, place(this.#share, r), at(acc, r))));
      b.barrier();
      const to = sums[i] ?? acc;
      eachTurn((row, turn) =>
        b.loop("j", { from: 0, to: parts, step: 1 }, (j) =>
          b.store(to, turn, add(at(to, turn), at(this.#p, place(j, row), vector))),
        ),
      );
    }
    eachTurn((row, turn) => store(row, lift.again(e), { ...this.#known(row), spread: sums.map((x) => at(x, turn)) }));
  }
}
