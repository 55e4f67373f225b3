/** Where the indices of a tile stand: places of each axis side by side, in loops, behind guards at the end. */
import { asNumber } from "../../dsl/types/poly.ts";
import { constantOf, type Dim } from "../graph/dim.ts";
import { InternalError } from "../graph/internal-error.ts";
import type { Axis } from "../graph/node.ts";
import type { Body } from "../kernel/build.ts";
import { add, constant, div, lt, min, mod, mul, name, op, sub } from "../kernel/expr.ts";
import type { Expr } from "../kernel/kernel.ts";
import { type Bound, type Env, type Lift, Unsuitable } from "./lift/lift.ts";
import { dimExpr, factorOf } from "./lift/spell-dim.ts";
import type { SharedOut } from "./shared-out.ts";
import type { TilePlan, Walk } from "./tile-plan.ts";

/** Of a grid's axis, and of the index behind it. */
export const plainName = (n: string): string =>
  n.replace(/[^a-zA-Z0-9_]/g, (c) => `_${c.codePointAt(0)?.toString(16) ?? ""}_`);

interface Place {
  readonly bound: Bound;
  /** Whether it is there, if not always; and where it would be. */
  readonly guard: Expr | null;
  readonly unclamped: Bound | null;
}
export interface Point {
  readonly env: Env;
  /** Of places that may be past the end, where they would be. */
  readonly unclamped: Env;
  readonly guards: readonly Expr[];
}

export const walkOf = (plan: TilePlan, a: Axis): Walk => plan.walks.get(a.name) ?? { kind: "tile", count: 1 };

/** Writes the loops and guards of output axes. */
export class TileAxes {
  readonly #lift: Lift;
  readonly #plan: TilePlan;
  readonly #sharing: SharedOut;
  readonly #local = new Map<number, Bound>();
  constructor(lift: Lift, plan: TilePlan, sharing: SharedOut) {
    this.#lift = lift;
    this.#plan = plan;
    this.#sharing = sharing;
  }

  /** Of each place that is dealt to a lane, by its id, where it is among those of the item. */
  get local(): ReadonlyMap<number, Bound> {
    return this.#local;
  }

  /** Binds axes one after the other; `then` gets every combination of the places that are side by side. */
  walk(axes: readonly Axis[], sofar: readonly Point[], then: (points: readonly Point[]) => void): void {
    const [a, ...rest] = axes;
    if (a === undefined) return then(sofar);
    this.#places(a, (places) => {
      const points = sofar.flatMap((p) =>
        places.map(
          (place): Point => ({
            env: new Map(p.env).set(a.name, place.bound),
            unclamped: place.unclamped === null ? p.unclamped : new Map(p.unclamped).set(a.name, place.unclamped),
            guards: place.guard === null ? p.guards : [...p.guards, place.guard],
          }),
        ),
      );
      this.walk(rest, points, then);
    });
  }

  /** The places of one axis; called again for what is left over at its end, where vectors do not fit. */
  #places(a: Axis, then: (places: readonly Place[]) => void): void {
    const [b, plan] = [this.#lift.body, this.#plan];
    const walk = walkOf(plan, a);
    const width = plan.along?.axis === a.name ? plan.along.width : 1;
    const size = dimExpr(a.size);
    if (walk.kind === "whole") {
      const n = constantOf(a.size);
      if (n === null) throw new InternalError(`${a.name} is walked whole and has no fixed size`);
      return then(
        Array.from({ length: n / width }, (_, i) => ({
          bound: this.#lift.bound(constant(i * width), { span: n / width, width }),
          guard: null,
          unclamped: null,
        })),
      );
    }
    if (walk.kind === "spread") return then(this.#spread(a, walk));
    if (walk.kind === "dealt") return then(this.#dealt(a, walk, width));
    const count = walk.count;
    const step = count * width;
    if (walk.kind === "loop") {
      const whole = wholeSteps(a.size, step, b);
      this.#sharing.loop("i", { from: 0, to: whole.to, step }, (i) => then(this.#sideBySide(i, count, width)));
      const left = { from: whole.to, to: size, step: 1 };
      if (!whole.all) this.#sharing.loop("i", left, (i) => then(this.#sideBySide(i, 1, 1)));
      return;
    }
    const block = name(`${plainName(a.name)}_block`);
    const start = b.let(`${plainName(a.name)}0`, mul(block, step));
    if (factorOf(a.size) % step === 0) return then(this.#sideBySide(start, count, width));
    if (width > 1) {
      b.if(op("le", add(start, step), size), () => then(this.#sideBySide(start, count, width)));
      b.if(lt(size, add(start, step)), () =>
        b.loop("i", { from: start, to: size, step: 1 }, (i) => then(this.#sideBySide(i, 1, 1))),
      );
      return;
    }
    // Places past the end compute the last one again: loads need no guard, only the store has one.
    const last = sub(size, 1);
    then(
      Array.from({ length: count }, (_, i): Place => {
        const here = i === 0 ? start : b.let(`${plainName(a.name)}${i}`, min(add(start, i), last));
        const bound = this.#lift.bound(here, { span: count });
        if (i === 0) return { bound, guard: null, unclamped: null };
        return { bound, guard: lt(add(start, i), size), unclamped: this.#lift.bound(start, { offset: i }) };
      }),
    );
  }
  /** Places past the end compute the last one again, and are not stored. */
  #spread(a: Axis, { count, apart }: Extract<Walk, { kind: "spread" }>): readonly Place[] {
    const b = this.#lift.body;
    const n = constantOf(a.size);
    if (n === null) throw new InternalError(`${a.name} is spread and has no fixed size`);
    const start = name(`${plainName(a.name)}_block`);
    return Array.from({ length: count }, (_, i): Place => {
      const unclamped = this.#lift.bound(start, { offset: i * apart, span: count });
      if ((i + 1) * apart <= n) return { bound: unclamped, guard: null, unclamped: null };
      const here = add(start, i * apart);
      const bound = this.#lift.bound(b.let(`${plainName(a.name)}${i}`, min(here, n - 1)), { span: count });
      return { bound, guard: lt(here, n), unclamped };
    });
  }
  /** Places past the end compute the last one again, and are not stored. */
  #dealt(a: Axis, { count, among, every }: Extract<Walk, { kind: "dealt" }>, width: number): readonly Place[] {
    const b = this.#lift.body;
    const step = among * width;
    const group = every * among === b.lanes ? div(b.lane, every) : mod(div(b.lane, every), among);
    const own = among === 1 ? constant(0) : group;
    const block = name(`${plainName(a.name)}_block`);
    const inItem = b.let(`${plainName(a.name)}_own`, mul(own, width));
    const first = b.let(`${plainName(a.name)}0`, add(mul(block, count * step), inItem));
    const known = (bound: Bound, i: number): Bound => {
      this.#local.set(bound.id, this.#lift.bound(inItem, { offset: i * step, width, span: count }));
      return bound;
    };
    // A last item may have more places than there are at all.
    const most = Math.min(count, Math.ceil((constantOf(a.size) ?? Number.POSITIVE_INFINITY) / step));
    const places = Array.from({ length: most }, (_, i) =>
      this.#lift.bound(first, { offset: i * step, width, span: count }),
    );
    const size = dimExpr(a.size);
    if (factorOf(a.size) % (count * step) === 0)
      return places.map((bound, i) => ({ bound: known(bound, i), guard: null, unclamped: null }));
    if (factorOf(a.size) % width !== 0) throw new Unsuitable(`vectors along ${a.name}, which ends beside them`);
    return places.map((unclamped, i): Place => {
      const here = add(first, i * step);
      const clamped = b.let(`${plainName(a.name)}${i + 1}`, min(here, sub(size, width)));
      const bound = known(this.#lift.bound(clamped, { width, span: count }), i);
      return { bound, guard: width === 1 ? lt(here, size) : op("le", add(here, width), size), unclamped };
    });
  }
  #sideBySide(start: Expr, count: number, width: number): readonly Place[] {
    return Array.from({ length: count }, (_, i) => ({
      bound: this.#lift.bound(start, { offset: i * width, width, span: count }),
      guard: null,
      unclamped: null,
    }));
  }
}

/** The end of the whole steps of an axis, and whether that is its end. */
function wholeSteps(size: Dim, step: number, b: Body): { readonly to: Expr; readonly all: boolean } {
  if (factorOf(size) % step === 0) return { to: dimExpr(size), all: true };
  const n = asNumber(size);
  if (n !== null) return { to: constant(n - (n % step)), all: false };
  return { to: b.let("whole", mul(div(dimExpr(size), step), step)), all: false };
}
