/**
 * A nest computed in tiles: a work item computes a few places of some output axes side by side, and walks the others. Which
 * axes those are, and along which one vectors lie, is a plan of numbers (choose-tile.ts); this one mechanism is the elementwise
 * kernel, the row reduction, the product of a matrix with one or several vectors, and the contraction in register tiles.
 */
import { InternalError } from "../graph/internal-error.ts";
import type { Axis, Node, Scalar } from "../graph/node.ts";
import { bottomUp, freeNames, name as indexName, key } from "../graph/scalar.ts";
import { type Body, type BufferSpec, kernel, type Memory } from "../kernel/build.ts";
import { elems } from "../kernel/elem.ts";
import {
  add,
  both,
  ceilDiv,
  constant,
  convert,
  either,
  eq,
  max,
  min,
  mul,
  name,
  op,
  splat,
  sub,
} from "../kernel/expr.ts";
import type { Expr, Kernel } from "../kernel/kernel.ts";
import { inWindow, itemInWindow } from "./item-in-window.ts";
import { type Bound, Lift } from "./lift/lift.ts";
import { Reductions } from "./lift/reductions.ts";
import { dimExpr } from "./lift/spell-dim.ts";
import { asFloat, asInteger, asTruth } from "./lift/spell-function.ts";
import { allDims, buffersOf, sizesOf } from "./nest/given.ts";
import type { Nest } from "./nest/nest.ts";
import { refolded } from "./nest/specialise.ts";
import { type NestWindow, windowOf } from "./nest/windows.ts";
import { SharedOut } from "./shared-out.ts";
import { type Side, Staging } from "./staging.ts";
import { type Point, plainName, TileAxes, walkOf } from "./tile-axes.ts";
import type { Grouped, StagePlan, TileOptions, TilePlan } from "./tile-plan.ts";

export function tile(nest: Nest, plan: TilePlan, { name: kernelName, finish }: TileOptions): Kernel {
  const inputs = buffersOf(nest);
  const buffers: Record<string, BufferSpec> = {};
  for (const b of inputs) buffers[b.name] = b.spec;
  const points = nest.axes.map((a) => a.size);
  const extent = points.map(dimExpr).reduce((a, b) => mul(a, b), constant(1));
  buffers["made"] = { elem: nest.elem, extent, access: "write" };
  const grid: Record<string, Expr> = {};
  for (const n of plan.order) {
    const a = axisOf(nest, n);
    const walk = plan.walks.get(n);
    const spread = walk?.kind === "spread";
    grid[`${plainName(n)}_block`] = spread ? constant(walk.apart) : ceilDiv(dimExpr(a.size), placesOf(plan, n));
  }
  if (plan.order.length === 0) grid["once"] = constant(1);
  const sizes = sizesOf(nest, allDims(nest));
  const window = windowOf(nest)?.sizes;
  const spec = { name: kernelName, source: plan.says, lanes: plan.lanes, sizes, buffers, grid, window };
  return kernel(spec, (b, memory) => {
    const places = new Map(inputs.map((x): [Node, Memory] => [x.node, memory(x.name)]));
    new Tile({ nest, plan, finish: finish ?? ((v) => v), b, memory: places, out: memory("made") }).write();
  });
}

function axisOf(nest: Nest, n: string): Axis {
  const a = nest.axes.find((x) => x.name === n);
  if (a === undefined) throw new InternalError(`${nest.label} has no axis ${n}`);
  return a;
}
/** Elements of an axis that an item takes. */
function placesOf(plan: TilePlan, n: string): number {
  const walk = plan.walks.get(n);
  const width = plan.along?.axis === n ? plan.along.width : 1;
  const count = walk?.kind === "tile" ? walk.count : walk?.kind === "dealt" ? walk.count * walk.among : 1;
  return count * width;
}

interface Writing {
  readonly nest: Nest;
  readonly plan: TilePlan;
  readonly finish: (value: Expr, mask: Expr | null) => Expr;
  readonly b: Body;
  readonly memory: ReadonlyMap<Node, Memory>;
  readonly out: Memory;
}

class Tile {
  readonly #w: Writing;
  readonly #lift: Lift;
  readonly #axes: TileAxes;
  readonly #reductions: Reductions;
  readonly #sharing: SharedOut;
  readonly #window: NestWindow | null;
  constructor(w: Writing) {
    this.#w = w;
    this.#window = windowOf(w.nest);
    this.#lift = new Lift(w.b, w.memory, this.#window);
    const sharing = new SharedOut(w.b, w.plan.share);
    this.#sharing = sharing;
    this.#axes = new TileAxes(this.#lift, w.plan, sharing);
    const staging = w.plan.staged === null ? null : this.#staging(w.plan.staged);
    this.#reductions = new Reductions(this.#lift, w.plan, { sharing, staging });
  }
  #staging({ rows, tokens, depth }: StagePlan): Staging {
    const { nest, plan } = this.#w;
    const side = (n: string): Side => {
      const places = placesOf(plan, n);
      const first = mul(name(`${plainName(n)}_block`), places);
      return { axis: axisOf(nest, n), places, first, width: plan.along?.axis === n ? plan.along.width : 1 };
    };
    const { local } = this.#axes;
    return new Staging(this.#lift, { rows: side(rows), tokens: side(tokens), depth, vector: plan.vector, local });
  }

  /** Items that have no place of the window do nothing. */
  write(): void {
    const { nest, plan, b, memory } = this.#w;
    const some = this.#window === null ? null : itemInWindow(this.#window, { nest, plan, b, memory });
    if (some === null) this.#places();
    else b.apart(some, () => this.#places());
  }
  #places(): void {
    const { nest, plan } = this.#w;
    const axes = this.#axes;
    const isLoop = (a: Axis): boolean => walkOf(plan, a).kind === "loop";
    const start = [{ env: new Map(), unclamped: new Map(), guards: [] }];
    axes.walk(
      nest.axes.filter((a) => !isLoop(a)),
      start,
      (points) => axes.walk(nest.axes.filter(isLoop), points, (all) => this.#compute(all)),
    );
  }
  #compute(points: readonly Point[]): void {
    const { nest, plan } = this.#w;
    if (plan.grouped === null) this.#computed(nest.body, points);
    else if (plan.staged === null) this.#grouped(points, plan.grouped);
    else this.#oneGroupAtATime(points, plan.grouped);
  }

  /** All lanes go through the places of the item: where a group of them begins, they compute all, and keep those of the group. */
  #oneGroupAtATime(points: readonly Point[], { axis, lookup }: Grouped): void {
    const { nest, plan, b } = this.#w;
    const lift = this.#lift;
    const found = (p: Bound): Expr => asInteger(lift.value(lookup, new Map([[axis, p]])));
    const own = new Map(points.flatMap(({ env }) => env.get(axis) ?? []).map((p) => [p.id, found(p)]));
    const places = placesOf(plan, axis);
    const first = b.let("first", mul(name(`${plainName(axis)}_block`), places));
    const end = min(add(first, places), dimExpr(axisOf(nest, axis).size));
    b.loop("place", { from: first, to: end, step: 1 }, (place) => {
      const here = found(lift.bound(place));
      const before = found(lift.bound(b.let("before", max(sub(place, 1), 0))));
      const begins = either(eq(place, first), op("not", eq(here, before)));
      const window = this.#window;
      const at = window === null ? null : replaced(window.at, lookup, indexName(sharedLookup));
      const known = at !== null && [...freeNames(at)].every((n) => n === sharedLookup);
      const there =
        known && window !== null ? inWindow(window, lift.value(at, new Map([[sharedLookup, lift.bound(here)]]))) : null;
      b.if(there === null ? begins : both(begins, there), () => {
        const shared = refolded(replaced(nest.body, lookup, indexName(sharedLookup)), new Map());
        const group = lift.bound(here);
        const inside = points.map((p): Point => {
          const mine = own.get(p.env.get(axis)?.id ?? 0);
          const env = new Map(p.env).set(sharedLookup, group);
          return { ...p, env, guards: mine === undefined ? p.guards : [...p.guards, eq(mine, here)] };
        });
        this.#computed(shared, inside);
      });
    });
  }

  /** All places at once where their lookups agree, else one after the other. */
  #grouped(points: readonly Point[], { axis, lookup }: Grouped): void {
    const { nest, b } = this.#w;
    const lift = this.#lift;
    const places = [...new Set(points.map((p) => p.env.get(axis)))];
    const [first, last] = [points[0], points.at(-1)];
    if (places.length < 2 || first === undefined || last === undefined) return this.#computed(nest.body, points);
    const [from, to] = [asInteger(lift.value(lookup, first.env)), asInteger(lift.value(lookup, last.env))];
    const same = b.let("same", eq(from, to));
    // Places are bound anew in each branch, so that nothing of it is computed in front of it.
    const inside = (some: readonly Point[], more: ReadonlyMap<string, Bound>): readonly Point[] => {
      const here = new Map(places.map((x) => [x, x === undefined ? undefined : lift.again(x)]));
      return some.map((p) => {
        const own = here.get(p.env.get(axis));
        return { ...p, env: new Map([...p.env, ...more, ...(own === undefined ? [] : [[axis, own] as const])]) };
      });
    };
    b.if(same, () => {
      const shared = refolded(replaced(nest.body, lookup, indexName(sharedLookup)), new Map());
      this.#computed(shared, inside(points, new Map([[sharedLookup, lift.bound(from)]])));
    });
    b.if(op("not", same), () => {
      for (const place of places)
        this.#computed(
          nest.body,
          inside(
            points.filter((p) => p.env.get(axis) === place),
            new Map(),
          ),
        );
    });
  }

  #computed(body: Scalar, points: readonly Point[]): void {
    const { nest, plan, b, out, finish } = this.#w;
    const lift = this.#lift;
    const wanted = nest.where === null ? [body] : [body, nest.where];
    this.#reductions.prepare(points.flatMap(({ env }) => wanted.map((e) => ({ e, env }))));
    for (const point of points) {
      const { env, guards } = point;
      const computed = nest.elem === "i64" ? lift.wide(body, env) : lift.value(body, env);
      const mask = nest.where === null ? null : lift.truth(nest.where, env);
      const value = this.#stored(finish(computed, mask));
      const { index, width } = this.#outIndex(point);
      const whole = width > value.type.width ? splat(value, width) : value;
      const store = (): void => b.store(out, index, convert(whole, out.type.elem));
      const mine = this.#window === null ? [] : [inWindow(this.#window, lift.value(this.#window.at, env))];
      const alone = plan.share > 1 && this.#sharing.isTogether(b.depth) ? [this.#sharing.isFirst] : [];
      const [first, ...others] = [...guards, ...mine, ...alone];
      if (first === undefined) store();
      else b.if(others.reduce(both, first), store);
    }
  }
  #stored(value: Expr): Expr {
    const { elem } = this.#w.nest;
    if (elem === "bool") return asTruth(value);
    if (elem === "i64") return value;
    return elems[elem].float ? asFloat(value) : asInteger(value);
  }

  /** Row-major over the output axes. */
  #outIndex({ env, unclamped }: Point): { readonly index: Expr; readonly width: number } {
    const { nest } = this.#w;
    let [index, offset, width] = [constant(0) as Expr, 0, 1];
    for (const [i, a] of nest.axes.entries()) {
      const bound = unclamped.get(a.name) ?? env.get(a.name);
      if (bound === undefined) throw new InternalError(`${a.name} is not bound`);
      let stride: Expr = constant(1);
      for (const inner of nest.axes.slice(i + 1)) stride = mul(stride, dimExpr(inner.size));
      index = add(index, mul(bound.index, stride));
      if (stride.kind === "const") offset += bound.offset * stride.value;
      else index = add(index, mul(stride, bound.offset));
      if (bound.width > 1) width = bound.width;
    }
    return { index: add(index, offset), width };
  }
}

/** Stands for what places of a group find alike. */
const sharedLookup = "$shared";
const replaced = (e: Scalar, lookup: Scalar, by: Scalar): Scalar => {
  const wanted = key(lookup);
  return bottomUp(e, (x) => (x.kind === "read" && key(x) === wanted ? by : x));
};
