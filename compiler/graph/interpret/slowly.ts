/**
 * The interpreter in its obvious form: every expression is evaluated where it stands, by recursion. What the fast one
 * computes is this, bit for bit; tests hold it to that.
 */
import { monoids, scalarFunctions } from "../../ops/scalar-functions.ts";
import { evalDim } from "../dim.ts";
import { InternalError } from "../internal-error.ts";
import type { Append, Axis, Computed, Fold, Graph, MapNode, Node, Read, Reduce, Repeat, Scalar } from "../node.ts";
import { mastersOf } from "../product.ts";
import { nodesOf, regions } from "../walk.ts";
import { ascending, type Candidate, descending } from "./order.ts";
import { givenParam, outOfRange, type RunOptions } from "./run-options.ts";
import { layoutOf, leadingRanks, rememberedIn, roomFor, type StateBuffer } from "./state-store.ts";
import { countOf, newData, type Tensor } from "./tensor.ts";
import { isWide, wideComparisons, wideFunctions, wideMonoids, widen } from "./wide.ts";

export interface SlowOptions extends RunOptions {
  /** Folds by their licence, in one pass (the default), or by their meaning: one reduction after the other. */
  readonly folds?: "one pass" | "one by one";
}

export function interpretSlowly(g: Graph, options: SlowOptions): readonly Tensor[] {
  return new SlowRun(g, options).results();
}

type Env = ReadonlyMap<string, number>;

class SlowRun {
  readonly #g: Graph;
  readonly #options: SlowOptions;
  readonly #order: readonly Node[];
  readonly #region: ReadonlyMap<Node, Repeat>;
  readonly #values = new Map<Node, Tensor>();
  readonly #iterations: number[] = [];
  #reader: Node | null = null;

  constructor(g: Graph, options: SlowOptions) {
    this.#g = g;
    this.#options = options;
    this.#order = nodesOf(g);
    this.#region = regions(this.#order);
  }

  results(): readonly Tensor[] {
    const { sizes, state } = this.#options;
    const room = roomFor(
      this.#order.filter((n) => n.kind === "append"),
      sizes,
    );
    this.#open(room);
    this.#compute(null);
    for (const [s, rows] of room) state.commit(s.name, rows);
    return this.#g.results.map((n) => this.#value(n));
  }

  readonly #buffers = new Map<Node, StateBuffer>();
  #open(room: ReadonlyMap<Node, number>): void {
    const { sizes, state } = this.#options;
    const ranks = leadingRanks(this.#g);
    for (const n of this.#order) {
      if (n.kind !== "state") continue;
      const layout = layoutOf(n, ranks.get(n) ?? 0, sizes);
      this.#buffers.set(n, state.open(n, layout, room.get(n) ?? layout.rows));
    }
  }

  #compute(region: Repeat | null): void {
    for (const n of this.#order) {
      if ((this.#region.get(n) ?? null) !== region || n.kind === "carry" || n.kind === "loop_index") continue;
      this.#options.signal?.throwIfAborted();
      this.#reader = n;
      const value = this.#evaluateNode(n);
      this.#values.set(n, value);
      if (n.kind !== "input" && n.kind !== "weight" && n.kind !== "state") {
        this.#options.observe?.(n, [...this.#iterations], value);
      }
    }
  }
  #value(n: Node): Tensor {
    const v = this.#values.get(n);
    if (v === undefined) throw new InternalError(`%${n.name} is read before it is computed`);
    return v;
  }

  #evaluateNode(n: Node): Tensor {
    switch (n.kind) {
      case "input":
      case "weight":
        return givenParam(n, this.#options);
      case "state":
        return rememberedIn(this.#buffer(n));
      case "append":
        return this.#append(n);
      case "repeat":
        return this.#repeat(n);
      case "carry":
      case "loop_index":
        throw new InternalError(`%${n.name} outside of its repeat`);
      default:
        return n.kind === "map" ? this.#map(n) : this.#sorted(n);
    }
  }

  #repeat(n: Repeat): Tensor {
    let carry = this.#value(n.init);
    const count = this.#size(n.count);
    for (let i = 0; i < count; i += 1) {
      this.#values.set(n.carry, carry).set(n.index, { dims: [], data: Float64Array.of(i) });
      this.#iterations.push(i);
      this.#compute(n);
      this.#iterations.pop();
      carry = this.#value(n.body);
    }
    return carry;
  }

  #buffer(n: Node): StateBuffer {
    const b = this.#buffers.get(n);
    if (b === undefined) throw new InternalError(`%${n.name} has no buffer`);
    return b;
  }
  #append(n: Append): Tensor {
    const { data, leading, capacity, rows, row } = this.#buffer(n.state);
    let block = 0;
    n.at.forEach((e, axis) => {
      const i = this.#real(e, new Map());
      const size = leading[axis] ?? 0;
      if (!(Number.isInteger(i) && i >= 0 && i < size)) throw outOfRange(n, n.state, axis, i, size);
      block = block * size + i;
    });
    const size = countOf(row);
    const added = this.#value(n.rows);
    const base = block * capacity * size;
    added.data.forEach((x: number | bigint, i: number) => {
      data[base + rows * size + i] = x;
    });
    const dims = n.type.dims.map((d) => this.#size(d));
    return { dims, data: data.slice(base, base + countOf(dims)) } as Tensor;
  }

  #size(d: Parameters<typeof evalDim>[0]): number {
    return evalDim(d, this.#options.sizes);
  }
  /** Calls `f` at each point of the axes, the last one running fastest. */
  #points(axes: readonly Axis[], env: Env, f: (env: Env) => void, depth = 0): void {
    const a = axes[depth];
    if (a === undefined) return f(env);
    const size = this.#size(a.size);
    for (let i = 0; i < size; i += 1) this.#points(axes, new Map(env).set(a.name, i), f, depth + 1);
  }

  #map(n: MapNode): Tensor {
    const dims = n.domain.map((a) => this.#size(a.size));
    const data = newData(n.type.dtype, countOf(dims));
    let i = 0;
    this.#points(n.domain, new Map(), (env) => {
      data[i] = data instanceof BigInt64Array ? this.#wide(n.body, env) : this.#real(n.body, env);
      i += 1;
    });
    return { dims, data } as Tensor;
  }
  #sorted(n: Exclude<Computed, MapNode>): Tensor {
    const domain = n.kind === "top_k" ? n.domain : [];
    const dims = n.type.dims.map((d) => this.#size(d));
    const data = new Float64Array(countOf(dims));
    const k = dims.at(-1) ?? 0;
    let row = 0;
    this.#points(domain, new Map(), (outer) => {
      const found: Candidate[] = [];
      this.#points([n.over], outer, (env) => {
        if (n.kind === "top_k" && n.where !== null && this.#real(n.where, env) === 0) return;
        const key = isWide(n.body) ? this.#wide(n.body, env) : this.#real(n.body, env);
        found.push({ index: env.get(n.over.name) ?? 0, key });
      });
      const sorted = n.kind === "top_k" ? descending(found) : ascending(found);
      for (let j = 0; j < k; j += 1) data[row * k + j] = sorted[j] ?? 0;
      row += 1;
    });
    return { dims, data };
  }

  /** Where the read points; its value is `data[offset]`. */
  #locate(e: Read, env: Env): { readonly data: Tensor["data"]; readonly offset: number } {
    const { dims, data } = this.#value(e.value);
    let offset = 0;
    if (e.at.length !== dims.length) throw new InternalError(`%${e.value.name} is read with ${e.at.length} indices`);
    e.at.forEach((x, axis) => {
      const i = this.#real(x, env);
      const size = dims[axis] ?? 0;
      if (!(Number.isInteger(i) && i >= 0 && i < size))
        throw outOfRange(this.#reader ?? e.value, e.value, axis, i, size);
      offset = offset * size + i;
    });
    return { data, offset };
  }

  #real(e: Scalar, env: Env): number {
    if (isWide(e)) return Number(this.#wide(e, env));
    switch (e.kind) {
      case "const":
        return e.value;
      case "dim":
        return this.#size(e.dim);
      case "name": {
        const x = env.get(e.name);
        if (x === undefined) throw new InternalError(`${e.name} is not bound`);
        return x;
      }
      case "read": {
        const { data, offset } = this.#locate(e, env);
        return Number(data[offset]);
      }
      case "call":
        return this.#call(e.fn, e.args, env);
      case "reduce": {
        const { identity, combine } = monoids[e.monoid];
        let acc: number = identity;
        this.#reached(e, env, (inner) => {
          acc = combine(acc, this.#real(e.body, inner));
        });
        return acc;
      }
      case "fold":
        return this.#options.folds === "one by one" ? this.#foldMeaning(e, env) : this.#fold(e, env);
      default:
        return e satisfies never;
    }
  }
  #reached(e: Reduce | Fold, env: Env, f: (env: Env) => void): void {
    this.#points(e.kind === "reduce" ? e.axes : [e.axis], env, (inner) => {
      if (e.where === null || this.#real(e.where, inner) !== 0) f(inner);
    });
  }
  /** `select`, `and`, `or` compute only what they need. */
  #call(fn: keyof typeof scalarFunctions, args: readonly Scalar[], env: Env): number {
    const [a, b, c] = args;
    const at = (e: Scalar | undefined): number => (e === undefined ? Number.NaN : this.#real(e, env));
    if (fn === "select") return at(a) !== 0 ? at(b) : at(c);
    if (fn === "and") return at(a) !== 0 && at(b) !== 0 ? 1 : 0;
    if (fn === "or") return at(a) !== 0 || at(b) !== 0 ? 1 : 0;
    const compare = wideComparisons[fn];
    if (compare !== undefined && a !== undefined && b !== undefined && (isWide(a) || isWide(b))) {
      return compare(this.#wide(a, env), this.#wide(b, env)) ? 1 : 0;
    }
    return scalarFunctions[fn].evaluate(at(a), at(b), at(c));
  }

  #wide(e: Scalar, env: Env): bigint {
    if (e.kind === "read" && e.value.type.dtype === "i64") {
      const { data, offset } = this.#locate(e, env);
      return BigInt(data[offset] ?? 0);
    }
    if (e.kind === "call") {
      const [a, b, c] = e.args;
      const fn = wideFunctions[e.fn];
      if (e.fn === "select" && a !== undefined && b !== undefined && c !== undefined) {
        return this.#wide(this.#real(a, env) !== 0 ? b : c, env);
      }
      if (fn !== undefined && a !== undefined) return fn(this.#wide(a, env), b === undefined ? 0n : this.#wide(b, env));
    }
    const monoid = e.kind === "reduce" ? wideMonoids[e.monoid] : undefined;
    if (e.kind === "reduce" && monoid !== undefined) {
      let acc = monoid.identity;
      this.#reached(e, env, (inner) => {
        acc = monoid.combine(acc, this.#wide(e.body, inner));
      });
      return acc;
    }
    return widen(this.#real(e, env));
  }

  #foldMeaning(e: Fold, env: Env): number {
    const inner = new Map(env);
    const lets: [string, Scalar][] = [];
    for (const s of e.steps) {
      if (s.how === "let") {
        lets.push([s.name, s.body]);
        continue;
      }
      const { identity, combine } = monoids[s.how];
      let acc: number = identity;
      this.#reached(e, inner, (at) => {
        const point = new Map(at);
        for (const [name, body] of lets) point.set(name, this.#real(body, point));
        acc = combine(acc, this.#real(s.body, point));
      });
      inner.set(s.name, acc);
    }
    return this.#real(e.result, inner);
  }

  /** In `chunks` pieces of the axis; each keeps running values, and the pieces are merged from left to right. */
  #fold(e: Fold, env: Env): number {
    const n = this.#size(e.axis.size);
    const chunks = this.#options.chunks ?? 1;
    let total: Map<string, number> | null = null;
    for (let c = 0; c < chunks; c += 1) {
      const piece = this.#foldPiece(e, env, Math.floor((n * c) / chunks), Math.floor((n * (c + 1)) / chunks));
      total = total === null ? piece : mergePieces(e, total, piece);
    }
    return this.#real(e.result, new Map([...env, ...(total ?? [])]));
  }
  #foldPiece(e: Fold, env: Env, from: number, to: number): Map<string, number> {
    const running = new Map<string, number>();
    for (const s of e.steps) if (s.how !== "let") running.set(s.name, monoids[s.how].identity);
    for (let i = from; i < to; i += 1) {
      const point = new Map([...env, ...running]).set(e.axis.name, i);
      if (e.where !== null && this.#real(e.where, point) === 0) continue;
      const before = new Map(running);
      for (const s of e.steps) {
        const x = this.#real(s.body, point); // sees the running value of every earlier step
        if (s.how === "let") {
          point.set(s.name, x);
          continue;
        }
        const scaled = (running.get(s.name) ?? 0) * rescale(e, s.how === "sum" ? s.body : null, before, running);
        const next = monoids[s.how].combine(s.how === "sum" ? scaled : (running.get(s.name) ?? 0), x);
        running.set(s.name, next);
        point.set(s.name, next);
      }
    }
    return running;
  }
}

/** exp(m_old - m_new) for each running maximum that a sum is shifted by; 1 where it has not moved, also from -inf to -inf. */
function rescale(e: Fold, body: Scalar | null, from: Env, to: Env): number {
  let factor = 1;
  for (const m of body === null ? [] : (mastersOf(e, body) ?? [])) {
    const [old, now] = [from.get(m) ?? 0, to.get(m) ?? 0];
    if (old !== now) factor *= Math.exp(old - now);
  }
  return factor;
}

function mergePieces(e: Fold, a: Env, b: Env): Map<string, number> {
  const out = new Map<string, number>();
  const both = (name: string): readonly [number, number] => [a.get(name) ?? 0, b.get(name) ?? 0];
  for (const s of e.steps)
    if (s.how !== "let" && s.how !== "sum") out.set(s.name, monoids[s.how].combine(...both(s.name)));
  for (const s of e.steps) {
    if (s.how !== "sum") continue;
    const [x, y] = both(s.name);
    out.set(s.name, x * rescale(e, s.body, a, out) + y * rescale(e, s.body, b, out));
  }
  return out;
}
