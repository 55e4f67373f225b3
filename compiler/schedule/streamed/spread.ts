/** The wide sums: acc[rows, e] = acc · alpha + Σ_s p[rows, s] · weight[s, e], in scratch memory between tiles. */
import { constantOf } from "../../graph/dim.ts";
import { InternalError } from "../../graph/internal-error.ts";
import { at, type Memory } from "../../kernel/build.ts";
import { add, constant, eq, fma, mul, select, splat } from "../../kernel/expr.ts";
import type { Expr } from "../../kernel/kernel.ts";
import { type Item, type Run, vectorOf } from "./item.ts";
import type { Weights } from "./weights.ts";

export class Spread {
  readonly #item: Item;
  readonly #length: number;
  readonly #acc: readonly Memory[];
  constructor(item: Item) {
    const { b, plan, pattern } = item;
    const length = constantOf(pattern.wide.size);
    if (length === null) throw new InternalError(`${pattern.wide.name} has no fixed size`);
    this.#item = item;
    this.#length = length;
    this.#acc = pattern.spread.map((_, i) => b.shared(`spread${i}`, "f32", plan.count * length));
  }

  start(): void {
    const { b, plan } = this.#item;
    const zero = constant(0, vectorOf(plan.vector));
    for (const acc of this.#acc)
      b.loop("i", { from: 0, to: plan.count * this.#length, step: plan.vector }, (i) => b.store(acc, i, zero));
  }

  tile(run: Run, weights: Weights): void {
    const { b, plan } = this.#item;
    const { rows, vectors } = plan.spread;
    b.say("wide sums");
    for (const i of this.#acc.keys())
      b.loop("r", { from: 0, to: plan.count, step: rows }, (r) =>
        b.loop("e", { from: 0, to: this.#length, step: vectors * plan.vector }, (e) =>
          this.#chunk(i, { run, weights, r, e }),
        ),
      );
  }
  #chunk(
    sum: number,
    { run, weights, r, e }: { readonly run: Run; readonly weights: Weights; readonly r: Expr; readonly e: Expr },
  ): void {
    const { b, lift, plan, pattern, block } = this.#item;
    const { rows, vectors } = plan.spread;
    const [memory, weight] = [this.#acc[sum], pattern.spread[sum]?.weight];
    if (memory === undefined || weight === undefined) throw new InternalError(`there is no wide sum ${sum}`);
    const acc = b.reg("acc", vectorOf(plan.vector), rows * vectors);
    const each = (f: (slot: number, row: number, index: Expr, v: number) => void): void => {
      for (let i = 0; i < rows; i += 1)
        for (let v = 0; v < vectors; v += 1)
          f(i * vectors + v, i, add(mul(r, this.#length), e, i * this.#length + v * plan.vector), v);
    };
    const alphas = Array.from({ length: rows }, (_, i) =>
      b.let("factor", splat(weights.alpha(add(r, i)), plan.vector)),
    );
    each((slot, i, index) => b.store(acc, slot, mul(at(memory, index, plan.vector), alphas[i] ?? 1)));
    const places = Array.from({ length: vectors }, (_, v) =>
      lift.bound(e, { offset: v * plan.vector, width: plan.vector }),
    );
    const gather = (hides: boolean): void =>
      b.loop("s", { from: 0, to: run.count, step: 1 }, (s) => {
        const place = lift.bound(add(run.first, s));
        const values = places.map((wide) => {
          const env = new Map(block.row(0)).set(pattern.axis.name, place).set(pattern.wide.name, wide);
          return splat(lift.float(weight, env), plan.vector);
        });
        const ps = Array.from({ length: rows }, (_, i) => b.let("w", splat(weights.weight(add(r, i), s), plan.vector)));
        each((slot, i, _, v) => {
          const p = ps[i] ?? constant(0, vectorOf(plan.vector));
          const sofar = at(acc, slot);
          const sum = fma(p, values[v] ?? 0, sofar);
          // A row that does not see the place has weight 0, and nothing of what stands there: 0 times inf is no number.
          b.store(acc, slot, hides ? select(eq(p, 0), sofar, sum) : sum);
        });
      });
    const { shared } = run;
    if (shared === null) gather(false);
    else {
      b.if(eq(shared, 1), () => gather(false));
      b.if(eq(shared, 0), () => gather(true));
    }
    each((slot, _, index) => b.store(memory, index, at(acc, slot)));
  }

  /** `plan.vector` values of a row from `e` on. */
  value(sum: number, row: number, e: Expr): Expr {
    const memory = this.#acc[sum];
    if (memory === undefined) throw new InternalError(`there is no wide sum ${sum}`);
    return at(memory, add(e, row * this.#length), this.#item.plan.vector);
  }
}
