/** Loops whose turns the lanes of an item share, and what may be shared inside of them: nothing, as lanes no longer meet there. */
import type { Body } from "../kernel/build.ts";
import { add, eq, mul, type Operand } from "../kernel/expr.ts";
import type { Expr } from "../kernel/kernel.ts";

export class SharedOut {
  readonly #b: Body;
  /** Blocks of the loops that are open. */
  readonly #open: number[] = [];
  constructor(b: Body) {
    this.#b = b;
  }
  get lanes(): number {
    return this.#b.lanes;
  }
  /** Of the lane that writes for all. */
  get isFirst(): Expr {
    return eq(this.#b.lane, 0);
  }
  /** Whether what goes to the end of the block at this depth is the same for all lanes. */
  isTogether(depth: number): boolean {
    return this.#open.every((d) => depth < d);
  }

  /** Each lane has every so-manieth turn, beginning with its own. */
  loop(base: string, range: { from: Operand; to: Operand; step: number }, body: (i: Expr) => void): void {
    const [b, { from, to, step }] = [this.#b, range];
    const shared = { from: add(from, mul(b.lane, step)), to, step: step * b.lanes };
    b.loop(base, shared, (i) => {
      this.#open.push(b.depth);
      body(i);
      this.#open.pop();
    });
  }
}
