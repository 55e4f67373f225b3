/** Loops whose turns lanes side by side share, and what may be shared inside of them: nothing, as lanes no longer meet there. */
import type { Body } from "../kernel/build.ts";
import { add, constant, eq, mod, mul, type Operand } from "../kernel/expr.ts";
import type { Expr } from "../kernel/kernel.ts";

export class SharedOut {
  readonly #b: Body;
  /** Blocks of the loops that are open. */
  readonly #open: number[] = [];
  /** How many share. */
  readonly lanes: number;
  /** Which of them a lane is. */
  readonly #own: Expr;
  /** `lanes`: a power of two that divides those of an item. */
  constructor(b: Body, lanes: number) {
    this.#b = b;
    this.lanes = lanes;
    this.#own = lanes === 1 ? constant(0) : lanes === b.lanes ? b.lane : mod(b.lane, lanes);
  }
  /** Of the lane that writes for all that share. */
  get isFirst(): Expr {
    return eq(this.#own, 0);
  }
  /** Whether what goes to the end of the block at this depth is the same for all that share. */
  isTogether(depth: number): boolean {
    return this.#open.every((d) => depth < d);
  }

  /** Each lane has every so-manieth turn, beginning with its own. */
  loop(base: string, range: { from: Operand; to: Operand; step: number }, body: (i: Expr) => void): void {
    const [b, { from, to, step }] = [this.#b, range];
    const shared = { from: add(from, mul(this.#own, step)), to, step: step * this.lanes };
    b.loop(base, shared, (i) => {
      this.#open.push(b.depth);
      body(i);
      this.#open.pop();
    });
  }
}
