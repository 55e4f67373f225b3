/**
 * Scores with rows in the lanes of vectors: a[s, rows] += staged[c, rows] · moving[s, c]. Nothing is added up across lanes, and
 * maximum and exp act on all rows at once.
 */
import type { Scalar } from "../../graph/node.ts";
import { at, type Memory } from "../../kernel/build.ts";
import { add, constant, fma, lt, max, min, mul, op, sub } from "../../kernel/expr.ts";
import type { Expr } from "../../kernel/kernel.ts";
import type { Bound, Env } from "../lift/lift.ts";
import { dimExpr } from "../lift/spell-dim.ts";
import { ByLane } from "./by-lane.ts";
import { divisorUpTo } from "./divisor.ts";
import { type Item, lowest, type Run, repeated, vectorOf } from "./item.ts";
import { type Layout, layoutOf, type Placed, stage } from "./stage.ts";
import { Running, visibleScore, type Weights, weighted } from "./weights.ts";

export class RowsInLanes implements Weights {
  readonly #item: Item;
  readonly #left: readonly Scalar[];
  readonly #layout: Layout;
  /** [c, rows]. */
  readonly #staged: Memory;
  /** [place, rows]. */
  readonly #p: Memory;
  readonly #running: Running;
  readonly #vectors: number;
  readonly #scoreReads: ByLane;
  readonly #weightReads: ByLane;
  constructor(item: Item, left: readonly Scalar[]) {
    const { b, plan, pattern } = item;
    [this.#item, this.#left] = [item, left];
    this.#layout = layoutOf(item, 1);
    this.#staged = b.shared("staged", "f32", this.#layout.length * plan.count);
    // The last group of places may reach past the tile.
    this.#p = b.shared("p", "f32", (plan.tile + plan.together) * plan.count);
    this.#running = new Running(item);
    this.#vectors = plan.count / plan.vector;
    const varies = plan.axis?.name ?? "";
    this.#scoreReads = new ByLane(item, [pattern.score, ...left], { varies, but: pattern.sums });
    const weights = pattern.narrow.map((x) => x.weight);
    this.#weightReads = new ByLane(item, weights, { varies, but: [] });
  }
  /** The rows of a vector one by one, at a place of s. */
  #rowsOf(v: number, place: Bound | null): readonly Env[] {
    const { block, plan, pattern } = this.#item;
    return Array.from({ length: plan.vector }, (_, i) => {
      const env = block.row(v * plan.vector + i);
      return place === null ? env : new Map(env).set(pattern.axis.name, place);
    });
  }
  #eachVector(f: (v: number, row: number) => void): void {
    for (let v = 0; v < this.#vectors; v += 1) f(v, v * this.#item.plan.vector);
  }
  #eachPlace(f: (u: number) => void): void {
    for (let u = 0; u < this.#item.plan.together; u += 1) f(u);
  }

  start(): void {
    const { b, plan, block } = this.#item;
    stage(this.#item, this.#layout, (c, row, value) => b.store(this.#staged, add(mul(c, plan.count), row), value));
    this.#eachVector((v, row) => {
      this.#running.start(row, plan.vector);
      for (const reads of [this.#scoreReads, this.#weightReads])
        reads.know("fixed", this.#rowsOf(v, null), block.vector(v));
    });
  }

  tile(run: Run): void {
    const { b, plan } = this.#item;
    const vec = vectorOf(plan.vector);
    b.say("scores");
    const best = b.reg("best", vec, this.#vectors, constant(lowest, vec));
    b.loop("g", { from: 0, to: run.count, step: plan.together }, (g) => this.#group(run, g, best));
    b.say("weights");
    this.#eachVector((v, row) => this.#weights(run, { v, row, found: at(best, v) }));
  }

  #group(run: Run, g: Expr, best: Memory): void {
    const { b, lift, plan, pattern, block } = this.#item;
    const last = sub(dimExpr(pattern.axis.size), 1);
    const places: Bound[] = [];
    this.#eachPlace((u) => places.push(lift.bound(b.let("place", min(add(run.first, g, u), last)))));
    const envs = Array.from({ length: this.#vectors }, (_, v) =>
      places.map((s) => new Map(block.vector(v)).set(pattern.axis.name, s)),
    );
    for (const [i, sum] of pattern.sums.entries()) {
      const totals = this.#totals(this.#layout.sums[i] ?? [], places);
      this.#eachVector((v) =>
        this.#eachPlace((u) => {
          const env = envs[v]?.[u];
          if (env !== undefined) lift.know(sum.of, env, totals(v, u));
        }),
      );
    }
    this.#eachVector((v, row) =>
      this.#eachPlace((u) => {
        const env = envs[v]?.[u];
        if (env === undefined) return;
        this.#scoreReads.know("moving", this.#rowsOf(v, places[u] ?? null), env);
        const inside = lt(add(run.first, g, u), run.end);
        const score = b.let("score", visibleScore(this.#item, this.#left, { env, inside, width: plan.vector }));
        b.store(this.#p, this.#at(g, u, row), score);
        b.store(best, v, max(at(best, v), score));
      }),
    );
  }
  /** Index of p. */
  #at(place: Expr, offset: number, row: number): Expr {
    const { count } = this.#item.plan;
    return add(mul(place, count), offset * count + row);
  }

  /** Accumulators of one inner sum: rows x places. */
  #totals(parts: readonly Placed[], places: readonly Bound[]): (v: number, u: number) => Expr {
    const item = this.#item;
    const { b, lift, plan, pattern, block } = item;
    const vec = vectorOf(plan.vector);
    const acc = b.reg("acc", vec, this.#vectors * plan.together, constant(0, vec));
    const slot = (v: number, u: number): number => v * plan.together + u;
    for (const { segment, from } of parts) {
      const turn = divisorUpTo(segment.length, 4);
      b.loop("f", { from: 0, to: segment.length, step: turn }, (f) => {
        const here = b.depth;
        for (let w = 0; w < turn; w += 1) {
          const staged: Expr[] = [];
          this.#eachVector((_, row) =>
            staged.push(
              b.let("q", at(this.#staged, add(mul(f, plan.count), (from + w) * plan.count + row), plan.vector)),
            ),
          );
          const along = lift.bound(f, { offset: w, depth: here });
          for (const [u, place] of places.entries()) {
            const env = new Map(block.row(0)).set(pattern.axis.name, place).set(segment.along, along);
            const moving = repeated(item, segment.moving, env, vec);
            for (const [v, q] of staged.entries()) b.store(acc, slot(v, u), fma(moving, q, at(acc, slot(v, u))));
          }
        }
      });
    }
    return (v, u) => at(acc, slot(v, u));
  }

  #weights(run: Run, { v, row, found }: { readonly v: number; readonly row: number; readonly found: Expr }): void {
    const item = this.#item;
    const { b, lift, plan, pattern, block } = item;
    const vec = vectorOf(plan.vector);
    const now = this.#running.raise(row, found);
    const sums = pattern.narrow.map((_, i) => b.reg(`part${i}`, vec, 1, constant(0, vec)));
    const last = sub(dimExpr(pattern.axis.size), 1);
    const turn = divisorUpTo(plan.together, 4);
    b.loop("s", { from: 0, to: run.count, step: turn }, (s) => {
      for (let u = 0; u < turn; u += 1) {
        const index = this.#at(s, u, row);
        const p = b.let("weight", op("exp", sub(at(this.#p, index, plan.vector), now)));
        b.store(this.#p, index, p);
        const place = lift.bound(min(add(run.first, s, u), last));
        const env = new Map(block.vector(v)).set(pattern.axis.name, place);
        this.#weightReads.know("moving", this.#rowsOf(v, place), env);
        for (const [i, { weight }] of pattern.narrow.entries()) {
          const part = sums[i];
          if (part !== undefined) b.store(part, 0, weighted(item, at(part, 0), p, { weight, env }));
        }
      }
    });
    this.#running.add(
      row,
      sums.map((m) => at(m, 0)),
    );
  }

  weight(row: Expr, place: Expr): Expr {
    return at(this.#p, add(mul(place, this.#item.plan.count), row));
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
