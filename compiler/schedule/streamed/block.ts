/** The rows of one work item: a block along one axis, at one place of every other row axis. */
import { affineOf } from "../../graph/affine.ts";
import { constantOf } from "../../graph/dim.ts";
import { InternalError } from "../../graph/internal-error.ts";
import type { Axis, Scalar } from "../../graph/node.ts";
import { freeNames } from "../../graph/scalar.ts";
import { add, lt, max, min, mul, name, sub } from "../../kernel/expr.ts";
import type { Expr } from "../../kernel/kernel.ts";
import type { Bound, Env, Lift } from "../lift/lift.ts";
import { dimExpr, factorOf } from "../lift/spell-dim.ts";
import { plainName } from "../tile-axes.ts";
import type { Pattern } from "./pattern.ts";
import type { RowBlock } from "./plan.ts";

export const gridName = (a: Axis): string => `${plainName(a.name)}_block`;

export class Block {
  readonly #plan: RowBlock;
  readonly #lift: Lift;
  readonly #first: Expr | null;
  readonly #rows: readonly Env[];
  readonly #vectors: readonly Env[];
  constructor(p: Pattern, plan: RowBlock, lift: Lift) {
    [this.#plan, this.#lift] = [plan, lift];
    const others = p.rows.filter((a) => a !== plan.axis);
    const env: Env = new Map(others.map((a): [string, Bound] => [a.name, lift.bound(name(gridName(a)))]));
    const { axis } = plan;
    const b = lift.body;
    this.#first =
      axis === null ? null : b.let(`${gridName(axis).replace(/_block$/, "")}0`, mul(name(gridName(axis)), plan.count));
    this.#rows = Array.from({ length: plan.count }, (_, r) => {
      const here = this.unclamped(r);
      if (axis === null || here === null) return env;
      // Rows past the end compute the last one again: loads need no guard, only the store has one.
      const last = sub(dimExpr(axis.size), 1);
      const place = this.#isWhole || r === 0 ? here : b.let(`row${r}`, min(here, last));
      return new Map(env).set(axis.name, lift.bound(place));
    });
    this.#vectors = Array.from({ length: plan.lanes === "rows" ? plan.count / plan.vector : 0 }, (_, v) => {
      if (axis === null || this.#first === null) return env;
      const bound = lift.bound(this.#first, { offset: v * plan.vector, width: plan.vector });
      return new Map(env).set(axis.name, bound);
    });
  }
  get #isWhole(): boolean {
    const { axis, count } = this.#plan;
    return axis === null || factorOf(axis.size) % count === 0;
  }
  /** Row r, or the last one where there is none; one that a value counts to, below their number, is known from here on. */
  row(r: Expr | number): Env {
    if (typeof r !== "number") return this.#counted(r);
    const env = this.#rows[r];
    if (env === undefined) throw new InternalError(`there is no row ${r}`);
    return env;
  }
  #counted(r: Expr): Env {
    const { axis } = this.#plan;
    const here = this.unclamped(r);
    if (axis === null || here === null) return this.row(0);
    const place = this.#isWhole ? here : min(here, sub(dimExpr(axis.size), 1));
    return new Map(this.row(0)).set(axis.name, this.#lift.bound(this.#lift.body.let("own_row", place)));
  }
  /** The rows of vector v of a block, of which the last may not be there. */
  vector(v: number): Env {
    const env = this.#vectors[v];
    if (env === undefined) throw new InternalError(`there is no vector ${v} of rows`);
    return env;
  }
  /** Where row r would be. */
  unclamped(r: Expr | number): Expr | null {
    return this.#first === null ? null : add(this.#first, r);
  }
  /** Whether row r is there; null: always. */
  guard(r: Expr | number): Expr | null {
    const { axis } = this.#plan;
    const here = this.unclamped(r);
    return axis === null || here === null || r === 0 || this.#isWhole ? null : lt(here, dimExpr(axis.size));
  }
  /**
   * At least every value over the rows, or at most: where it grows with them that of the last or first row, be it there or not,
   * which is shown to be in range more easily than an extremum of many.
   */
  extreme(which: "max" | "min", e: Scalar): Expr {
    const { axis, count } = this.#plan;
    const lift = this.#lift;
    const growth = axis === null ? 0 : growthOf(e, axis);
    if (axis === null || growth === 0) return lift.value(e, this.row(0));
    if (growth === null) {
      const values = Array.from({ length: count }, (_, r) => lift.value(e, this.row(r)));
      return values.reduce(which === "max" ? max : min);
    }
    const last = this.unclamped(growth > 0 === (which === "max") ? count - 1 : 0);
    return last === null
      ? lift.value(e, this.row(0))
      : lift.value(e, new Map(this.row(0)).set(axis.name, lift.bound(last)));
  }
}

/** By how much an expression grows from row to row; null where that differs. */
function growthOf(e: Scalar, axis: Axis): number | null {
  const terms = [...affineOf(e).terms.values()].filter(({ atom }) => freeNames(atom).has(axis.name));
  const [only, ...others] = terms;
  if (only === undefined) return 0;
  return only.atom.kind === "name" && others.length === 0 ? constantOf(only.coefficient) : null;
}
