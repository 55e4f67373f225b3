/**
 * A nest computed in tiles: a work item computes a few places of some output axes side by side, and walks the others. Which
 * axes those are, and along which one vectors lie, is a plan of numbers (choose-tile.ts); this one mechanism is the elementwise
 * kernel, the row reduction, the product of a matrix with one or several vectors, and the contraction in register tiles.
 */
import { asNumber } from "../../dsl/types/poly.ts";
import { constantOf, type Dim } from "../graph/dim.ts";
import { InternalError } from "../graph/internal-error.ts";
import type { Axis, Node, Scalar } from "../graph/node.ts";
import { bottomUp, name as indexName, key } from "../graph/scalar.ts";
import { type Body, type BufferSpec, kernel, type Memory } from "../kernel/build.ts";
import { elems } from "../kernel/elem.ts";
import { add, both, ceilDiv, constant, convert, div, eq, lt, min, mul, name, op, splat, sub } from "../kernel/expr.ts";
import type { Expr, Kernel } from "../kernel/kernel.ts";
import { type Bound, type Env, Lift } from "./lift/lift.ts";
import { type ReductionPlan, Reductions } from "./lift/reductions.ts";
import { dimExpr, factorOf, namesIn } from "./lift/spell-dim.ts";
import { asFloat, asInteger, asTruth } from "./lift/spell-function.ts";
import type { Nest } from "./nest/nest.ts";
import { refolded } from "./nest/specialise.ts";

/** How an output axis is walked. */
export type Walk =
  /** An item computes `count` places side by side, items one after the other. */
  | { readonly kind: "tile"; readonly count: number }
  /** An item computes `count` places, each `apart` from the next: as many streams, each of which items walk in order. */
  | { readonly kind: "spread"; readonly count: number; readonly apart: number }
  /** All places of it side by side. */
  | { readonly kind: "whole" }
  /** An item walks all of it, `count` places at a time. */
  | { readonly kind: "loop"; readonly count: number };

export interface TilePlan extends ReductionPlan {
  /** By name of the axis. */
  readonly walks: ReadonlyMap<string, Walk>;
  /** The output axis along which vectors lie, of which a place is then one; null: none. */
  readonly along: { readonly axis: string; readonly width: number } | null;
  /** Output axes whose items follow each other, the fastest first. */
  readonly order: readonly string[];
  /** Of places side by side along an axis, those whose lookup agrees share what is read through it; null: no such lookup. */
  readonly grouped: Grouped | null;
  /** Says what it is, for people. */
  readonly says: string;
}

/** A lookup that does not descend along the axis: where its first and last place agree, all between do. */
export interface Grouped {
  readonly axis: string;
  readonly lookup: Scalar;
}

export interface NamedBuffer {
  readonly name: string;
  readonly spec: BufferSpec;
  readonly node: Node;
}

/** Buffers of a nest: its operands under short names, each once, in their order. */
export function buffersOf(nest: Nest, taken: Iterable<string> = []): readonly NamedBuffer[] {
  const used = new Set<string>(["made", "k", "j", "i", "at", ...nest.least.keys(), ...nest.loops.keys(), ...taken]);
  return nest.operands.map((o) => {
    const base =
      o.node.name
        .split(".")
        .at(-1)
        ?.replace(/[^a-zA-Z0-9]+/g, "_")
        .replace(/^[0-9_]+|_$/g, "") ?? "";
    const stem = base === "" || elems[base as keyof typeof elems] !== undefined ? "x" : base;
    let n = `${stem}_in`;
    for (let i = 1; used.has(n); i += 1) n = `${stem}_in${i}`;
    used.add(n);
    const extent = dimExpr(o.flat.type.dims[0] ?? ({ key: "0", terms: [] } as Dim));
    return { name: n, node: o.flat, spec: { elem: o.elem, extent } };
  });
}

/** Names of the sizes that a nest depends on, with the least value of each. */
export function sizesOf(nest: Nest, dims: readonly Dim[]): Record<string, { minimum: number }> {
  const names = new Set<string>();
  for (const d of dims) namesIn(d, names);
  const sizes: Record<string, { minimum: number }> = {};
  for (const n of [...names].sort()) sizes[n] = { minimum: nest.least.get(n) ?? 0 };
  for (const n of nest.loops.keys()) sizes[n] = { minimum: 0 };
  return sizes;
}

export interface TileOptions {
  readonly name: string;
  /** What is stored for a value; `mask`: whether the point counts, where the nest has a guard. */
  readonly finish?: (value: Expr, mask: Expr | null) => Expr;
}

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
  return kernel(
    { name: kernelName, source: `${nest.label}: ${plan.says}`, lanes: 1, sizes, buffers, grid },
    (b, memory) => {
      const places = new Map(inputs.map((x): [Node, Memory] => [x.node, memory(x.name)]));
      new Tile({ nest, plan, finish: finish ?? ((v) => v), b, memory: places, out: memory("made") }).write();
    },
  );
}

/** Sizes that occur anywhere in the nest. */
export function allDims(nest: Nest): readonly Dim[] {
  const dims: Dim[] = [...nest.axes.map((a) => a.size), ...nest.operands.flatMap((o) => o.flat.type.dims)];
  const visit = (e: Nest["body"]): void => {
    if (e.kind === "dim") dims.push(e.dim);
    if (e.kind === "reduce") {
      for (const a of e.axes) dims.push(a.size);
      visit(e.body);
      if (e.where !== null) visit(e.where);
    } else if (e.kind === "call") e.args.forEach(visit);
    else if (e.kind === "read") e.at.forEach(visit);
    else if (e.kind === "fold") {
      dims.push(e.axis.size);
      e.steps.forEach((s) => void visit(s.body));
      visit(e.result);
      if (e.where !== null) visit(e.where);
    }
  };
  visit(nest.body);
  if (nest.where !== null) visit(nest.where);
  return dims;
}

const plainName = (n: string): string => n.replace(/[^a-zA-Z0-9]/g, "");
function axisOf(nest: Nest, n: string): Axis {
  const a = nest.axes.find((x) => x.name === n);
  if (a === undefined) throw new InternalError(`${nest.label} has no axis ${n}`);
  return a;
}
/** Elements of an axis that an item takes. */
function placesOf(plan: TilePlan, n: string): number {
  const walk = plan.walks.get(n);
  const width = plan.along?.axis === n ? plan.along.width : 1;
  return (walk?.kind === "tile" ? walk.count : 1) * width;
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
  readonly #reductions: Reductions;
  constructor(w: Writing) {
    this.#w = w;
    this.#lift = new Lift(w.b, w.memory);
    this.#reductions = new Reductions(this.#lift, w.plan);
  }

  write(): void {
    this.#axes(
      this.#w.nest.axes.filter((a) => this.#walk(a).kind !== "loop"),
      [{ env: new Map(), unclamped: new Map(), guards: [] }],
      (envs) => {
        const loops = this.#w.nest.axes.filter((a) => this.#walk(a).kind === "loop");
        this.#axes(loops, envs, (all) => this.#compute(all));
      },
    );
  }
  #walk(a: Axis): Walk {
    return this.#w.plan.walks.get(a.name) ?? { kind: "tile", count: 1 };
  }

  /** Binds axes one after the other; `then` gets every combination of the places that are side by side. */
  #axes(axes: readonly Axis[], sofar: readonly Point[], then: (points: readonly Point[]) => void): void {
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
      this.#axes(rest, points, then);
    });
  }

  /** The places of one axis; called again for what is left over at its end, where vectors do not fit. */
  #places(a: Axis, then: (places: readonly Place[]) => void): void {
    const { b, plan } = this.#w;
    const walk = this.#walk(a);
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
    const count = walk.count;
    const step = count * width;
    if (walk.kind === "loop") {
      const whole = wholeSteps(a.size, step, b);
      b.loop("i", { from: 0, to: whole.to, step }, (i) => then(this.#sideBySide(i, count, width)));
      if (!whole.all) b.loop("i", { from: whole.to, to: size, step: 1 }, (i) => then(this.#sideBySide(i, 1, 1)));
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
    const { b } = this.#w;
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
  #sideBySide(start: Expr, count: number, width: number): readonly Place[] {
    return Array.from({ length: count }, (_, i) => ({
      bound: this.#lift.bound(start, { offset: i * width, width, span: count }),
      guard: null,
      unclamped: null,
    }));
  }

  #compute(points: readonly Point[]): void {
    const { nest, plan } = this.#w;
    if (plan.grouped === null) this.#computed(nest.body, points);
    else this.#grouped(points, plan.grouped);
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
    const { nest, b, out, finish } = this.#w;
    const lift = this.#lift;
    const wanted = nest.where === null ? [body] : [body, nest.where];
    this.#reductions.prepare(points.flatMap(({ env }) => wanted.map((e) => ({ e, env }))));
    for (const point of points) {
      const { env, guards } = point;
      const computed = lift.value(body, env);
      const mask = nest.where === null ? null : lift.truth(nest.where, env);
      const value = this.#stored(finish(computed, mask));
      const { index, width } = this.#outIndex(point);
      const whole = width > value.type.width ? splat(value, width) : value;
      const store = (): void => b.store(out, index, convert(whole, out.type.elem));
      const [first, ...others] = guards;
      if (first === undefined) store();
      else b.if(others.reduce(both, first), store);
    }
  }
  #stored(value: Expr): Expr {
    const { elem } = this.#w.nest;
    if (elem === "bool") return asTruth(value);
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

interface Place {
  readonly bound: Bound;
  /** Whether it is there, if not always; and where it would be. */
  readonly guard: Expr | null;
  readonly unclamped: Bound | null;
}
interface Point {
  readonly env: Env;
  /** Of places that may be past the end, where they would be. */
  readonly unclamped: Env;
  readonly guards: readonly Expr[];
}

/** The end of the whole steps of an axis, and whether that is its end. */
function wholeSteps(size: Dim, step: number, b: Body): { readonly to: Expr; readonly all: boolean } {
  if (factorOf(size) % step === 0) return { to: dimExpr(size), all: true };
  const n = asNumber(size);
  if (n !== null) return { to: constant(n - (n % step)), all: false };
  return { to: b.let("whole", mul(div(dimExpr(size), step), step)), all: false };
}
