/**
 * Scores with places of s in the lanes of vectors, for blocks of few rows: sums run in vectors along c and are added up across
 * lanes; scores, maximum and exp then act on adjacent places of one row.
 */
import type { Scalar } from "../../graph/node.ts";
import { at, type Memory } from "../../kernel/build.ts";
import { add, constant, fma, fold, iota, lt, max, min, mul, op, splat, sub } from "../../kernel/expr.ts";
import type { Expr } from "../../kernel/kernel.ts";
import type { Bound, Env } from "../lift/lift.ts";
import { dimExpr } from "../lift/spell-dim.ts";
import { ByLane } from "./by-lane.ts";
import { divisorUpTo } from "./divisor.ts";
import { type Item, lowest, type Run, vectorOf } from "./item.ts";
import { type Layout, layoutOf, type Placed, stage } from "./stage.ts";
import { Running, visibleScore, type Weights, weighted } from "./weights.ts";

export class PlacesInLanes implements Weights {
  readonly #item: Item;
  readonly #left: readonly Scalar[];
  readonly #layout: Layout;
  /** [row, c]. */
  readonly #staged: Memory;
  /** By inner sum: [row, place]; the first holds p afterwards. */
  readonly #totals: readonly Memory[];
  readonly #running: Running;
  /** Places of a row. */
  readonly #stride: number;
  readonly #scoreReads: ByLane;
  readonly #weightReads: ByLane;
  constructor(item: Item, left: readonly Scalar[]) {
    const { b, plan, pattern } = item;
    [this.#item, this.#left] = [item, left];
    this.#layout = layoutOf(item, plan.vector);
    this.#staged = b.shared("staged", "f32", this.#layout.length * plan.count);
    // The last group of places may reach past the tile.
    this.#stride = plan.tile + Math.max(plan.together, plan.vector);
    this.#totals = pattern.sums.map((_, i) => b.shared(i === 0 ? "p" : `inner${i}`, "f32", this.#stride * plan.count));
    this.#running = new Running(item);
    const varies = pattern.axis.name;
    this.#scoreReads = new ByLane(item, [pattern.score, ...left], { varies, but: pattern.sums });
    const weights = pattern.narrow.map((x) => x.weight);
    this.#weightReads = new ByLane(item, weights, { varies, but: [] });
  }
  get #p(): Memory {
    return this.#totals[0] ?? this.#staged;
  }
  #eachRow(f: (row: number) => void): void {
    for (let r = 0; r < this.#item.plan.count; r += 1) f(r);
  }

  start(): void {
    const { b } = this.#item;
    stage(this.#item, this.#layout, (c, row, value) => b.store(this.#staged, add(c, row * this.#layout.length), value));
    this.#eachRow((row) => this.#running.start(row, 1));
  }

  tile(run: Run): void {
    const { b, plan, lift, pattern } = this.#item;
    const last = sub(dimExpr(pattern.axis.size), 1);
    b.say("inner sums");
    b.loop("g", { from: 0, to: run.count, step: plan.together }, (g) => {
      const places = Array.from({ length: plan.together }, (_, u) =>
        lift.bound(b.let("place", min(add(run.first, g, u), last))),
      );
      for (const [i, parts] of this.#layout.sums.entries())
        this.#inner(parts, places, { g, to: this.#totals[i] ?? this.#p });
    });
    b.say("scores and weights");
    this.#eachRow((row) => this.#weights(run, row));
  }

  #inner(
    parts: readonly Placed[],
    places: readonly Bound[],
    { g, to }: { readonly g: Expr; readonly to: Memory },
  ): void {
    const { b, lift, plan, pattern, block } = this.#item;
    const vec = vectorOf(plan.along);
    const acc = b.reg("acc", vec, plan.count * plan.together, constant(0, vec));
    const slot = (row: number, u: number): number => row * plan.together + u;
    for (const { segment, from } of parts) {
      const turn = divisorUpTo(segment.length / plan.along, 2);
      b.loop("f", { from: 0, to: segment.length, step: turn * plan.along }, (f) => {
        const here = b.depth;
        for (let w = 0; w < turn; w += 1) {
          const offset = w * plan.along;
          const staged = Array.from({ length: plan.count }, (_, row) =>
            b.let("q", at(this.#staged, add(f, row * this.#layout.length + from + offset), plan.along)),
          );
          const along = lift.bound(f, { offset, width: plan.along, depth: here });
          for (const [u, place] of places.entries()) {
            const env = new Map(block.row(0)).set(pattern.axis.name, place).set(segment.along, along);
            const moving = splat(lift.float(segment.moving, env), plan.along);
            for (const [row, q] of staged.entries()) b.store(acc, slot(row, u), fma(moving, q, at(acc, slot(row, u))));
          }
        }
      });
    }
    this.#eachRow((row) =>
      places.forEach((_, u) => void b.store(to, add(g, row * this.#stride + u), fold("sum", at(acc, slot(row, u))))),
    );
  }

  #weights(run: Run, row: number): void {
    const item = this.#item;
    const { b, lift, plan, pattern, block } = item;
    const width = plan.vector;
    const vec = vectorOf(width);
    const best = b.reg("best", vec, 1, constant(lowest, vec));
    const range = { from: 0, to: run.count, step: width };
    const here = (s: Expr): Expr => add(s, row * this.#stride);
    const last = sub(dimExpr(pattern.axis.size), 1);
    const lanesAt = (s: Expr): readonly Env[] =>
      Array.from({ length: width }, (_, i) =>
        new Map(block.row(row)).set(pattern.axis.name, lift.bound(min(add(run.first, s, i), last))),
      );
    const envAt = (s: Expr): ReadonlyMap<string, Bound> =>
      new Map(block.row(row)).set(pattern.axis.name, lift.bound(add(run.first, s), { width }));
    b.loop("s", range, (s) => {
      const env = envAt(s);
      for (const [i, sum] of pattern.sums.entries())
        lift.know(sum.of, env, b.let("inner", at(this.#totals[i] ?? this.#p, here(s), width)));
      this.#scoreReads.know("moving", lanesAt(s), env);
      const inside = lt(add(splat(add(run.first, s), width), iota(width)), splat(run.end, width));
      const score = b.let("score", visibleScore(item, this.#left, { env, inside, width }));
      b.store(this.#p, here(s), score);
      b.store(best, 0, max(at(best, 0), score));
    });
    const now = this.#running.raise(row, fold("max", at(best, 0)));
    const sums = pattern.narrow.map((_, i) => b.reg(`part${i}`, vec, 1, constant(0, vec)));
    b.loop("s", range, (s) => {
      const p = b.let("weight", op("exp", sub(at(this.#p, here(s), width), splat(now, width))));
      b.store(this.#p, here(s), p);
      const env = envAt(s);
      this.#weightReads.know("moving", lanesAt(s), env);
      for (const [i, { weight }] of pattern.narrow.entries()) {
        const part = sums[i];
        if (part !== undefined) b.store(part, 0, weighted(item, at(part, 0), p, { weight, env }));
      }
    });
    this.#running.add(
      row,
      sums.map((m) => fold("sum", at(m, 0))),
    );
  }

  weight(row: Expr, place: Expr): Expr {
    return at(this.#p, add(mul(row, this.#stride), place));
  }
  alpha(row: Expr): Expr {
    return this.#running.alpha(row);
  }
  max(row: number): Expr {
    return this.#running.max(row);
  }
  narrow(sum: number, row: number): Expr {
    return this.#running.sum(sum, row);
  }
}
