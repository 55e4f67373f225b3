/** Graphs made ready to run: what is computed when, what is kept between calls, compiled code for every computed node. */
import { atomsOf } from "../../../dsl/types/poly.ts";
import { type Dim, evalDim, type Sizes } from "../dim.ts";
import { InternalError } from "../internal-error.ts";
import type { Append, Computed, Graph, Node, Param, Repeat, State } from "../node.ts";
import { boundAxes, walk } from "../scalar.ts";
import { axesOf, expressionsOf, isComputed, nodesOf, operandsOf, regions } from "../walk.ts";
import { compileKernel, compilePlace, type Kernel } from "./kernel.ts";
import { givenParam, outOfRange, type RunOptions } from "./run-options.ts";
import { asValue, contiguous, Runtime, tensorOf, type Value } from "./runtime.ts";
import { layoutOf, leadingRanks, roomFor, type StateBuffer } from "./state-store.ts";
import { countOf, stridesOf, type Tensor } from "./tensor.ts";

export interface Prepared {
  /** The results, in the order of the graph; their data is the caller's. */
  readonly run: (options: RunOptions) => readonly Tensor[];
}

/**
 * Finds orders and regions once; expressions are compiled when they are first needed, for all sizes. The graph is taken to
 * be well formed (verify.ts). One `Prepared` runs one call at a time.
 */
export const prepare = (graph: Graph): Prepared => {
  const made = new PreparedGraph(graph);
  return { run: (options) => made.run(options) };
};

/** What the value of a node depends on, beside weights. */
interface Dependence {
  /** Inputs, states and carries. */
  readonly onCall: boolean;
  /** Names in the sizes it is made with. */
  readonly sizes: ReadonlySet<string>;
}

interface Kept {
  readonly sizes: string;
  readonly value: Value;
}

const isGiven = (n: Node): n is Param | State => n.kind === "input" || n.kind === "weight" || n.kind === "state";

class PreparedGraph {
  readonly #g: Graph;
  readonly #order: readonly Node[];
  readonly #region: ReadonlyMap<Node, Repeat>;
  readonly #members = new Map<Repeat | null, Node[]>();
  readonly #depends: ReadonlyMap<Node, Dependence>;
  readonly #leading: ReadonlyMap<State, number>;
  readonly #appends: readonly Append[];
  readonly #runtime = new Runtime();
  readonly #kernels = new Map<Computed, Kernel>();
  readonly #places = new Map<Append, readonly (() => number)[]>();
  /** Of nodes that depend on weights alone: by node, then by the iterations around it. */
  readonly #kept = new Map<Node, Map<string, Kept>>();
  readonly #weights = new Map<Node, Tensor>();
  #iterations: number[] = [];
  #buffers = new Map<State, StateBuffer>();

  constructor(g: Graph) {
    this.#g = g;
    this.#order = nodesOf(g);
    this.#region = regions(this.#order);
    for (const n of this.#order) {
      if (n.kind === "carry" || n.kind === "loop_index") continue;
      const r = this.#region.get(n) ?? null;
      const known = this.#members.get(r);
      if (known === undefined) this.#members.set(r, [n]);
      else known.push(n);
    }
    this.#depends = dependences(this.#order);
    this.#leading = leadingRanks(g);
    this.#appends = this.#order.flatMap((n) => (n.kind === "append" ? [n] : []));
  }

  run(options: RunOptions): readonly Tensor[] {
    const { sizes, state } = options;
    this.#runtime.begin(sizes, options.chunks ?? 1);
    this.#iterations = [];
    this.#take(options);
    const room = roomFor(this.#appends, sizes);
    this.#open(options, room);
    this.#compute(null, options);
    const results = this.#g.results.map((n) => copyOf(this.#value(n)));
    for (const [s, rows] of room) state.commit(s.name, rows);
    return results;
  }

  /** Params into their cells. Another weight than last time makes what was kept of the last ones void. */
  #take(options: RunOptions): void {
    for (const n of this.#order) {
      if (n.kind !== "input" && n.kind !== "weight") continue;
      const value = givenParam(n, options);
      if (n.kind === "weight" && this.#weights.get(n) === value) continue;
      this.#runtime.cell(n).set(asValue(value));
      if (n.kind !== "weight") continue;
      this.#weights.set(n, value);
      this.#kept.clear();
    }
  }

  #open({ sizes, state }: RunOptions, room: ReadonlyMap<State, number>): void {
    this.#buffers = new Map();
    for (const n of this.#order) {
      if (n.kind !== "state") continue;
      const layout = layoutOf(n, this.#leading.get(n) ?? 0, sizes);
      const buffer = state.open(n, layout, room.get(n) ?? layout.rows);
      this.#buffers.set(n, buffer);
      const dims = [...layout.leading, layout.rows, ...layout.row];
      const strides = stridesOf([...layout.leading, buffer.capacity, ...layout.row]);
      this.#runtime.cell(n).set({ dims, data: buffer.data, base: 0, strides });
    }
  }

  #compute(region: Repeat | null, options: RunOptions): void {
    for (const n of this.#members.get(region) ?? []) {
      if (isGiven(n)) continue;
      options.signal?.throwIfAborted();
      const value = this.#keptOrComputed(n, options);
      this.#runtime.cell(n).set(value);
      options.observe?.(n, [...this.#iterations], tensorOf(value));
    }
  }

  #value(n: Node): Value {
    const value = this.#runtime.cell(n).value;
    if (value === null) throw new InternalError(`%${n.name} is read before it is computed`);
    return value;
  }

  /** What was computed in an earlier call from the same weights at the same sizes, or computed now. */
  #keptOrComputed(n: Exclude<Node, Param | State>, options: RunOptions): Value {
    const depends = this.#depends.get(n);
    if (depends === undefined || depends.onCall) return this.#evaluate(n, options);
    const at = this.#iterations.join();
    const sizes = [...depends.sizes].map((s) => options.sizes[s]).join();
    const all = this.#kept.get(n) ?? new Map<string, Kept>();
    this.#kept.set(n, all);
    const known = all.get(at);
    if (known?.sizes === sizes) return known.value;
    const value = this.#evaluate(n, options);
    all.set(at, { sizes, value });
    return value;
  }

  #evaluate(n: Exclude<Node, Param | State>, options: RunOptions): Value {
    switch (n.kind) {
      case "append":
        return this.#append(n, options.sizes);
      case "repeat":
        return this.#repeat(n, options);
      case "carry":
      case "loop_index":
        throw new InternalError(`%${n.name} outside of its repeat`);
      default: {
        const kernel = this.#kernels.get(n) ?? compileKernel(this.#runtime, n);
        this.#kernels.set(n, kernel);
        const dims = n.type.dims.map((d) => evalDim(d, options.sizes));
        return { dims, data: kernel(), base: 0, strides: stridesOf(dims) };
      }
    }
  }

  #repeat(n: Repeat, options: RunOptions): Value {
    const count = evalDim(n.count, options.sizes);
    let carry = this.#value(n.init);
    for (let i = 0; i < count; i += 1) {
      this.#runtime.cell(n.carry).set(carry);
      this.#runtime.cell(n.index).set(asValue({ dims: [], data: Float64Array.of(i) }));
      this.#iterations.push(i);
      this.#compute(n, options);
      this.#iterations.pop();
      carry = this.#value(n.body);
    }
    return carry;
  }

  /** Rows into the state's buffer, behind those of earlier calls; the value is a view of it. */
  #append(n: Append, sizes: Sizes): Value {
    const buffer = this.#buffers.get(n.state);
    if (buffer === undefined) throw new InternalError(`%${n.state.name} has no buffer`);
    const { data, leading, capacity, rows, row } = buffer;
    const places = this.#places.get(n) ?? n.at.map((e) => compilePlace(this.#runtime, n, e));
    this.#places.set(n, places);
    let block = 0;
    places.forEach((place, axis) => {
      const i = place();
      const size = leading[axis] ?? 0;
      if (!(Number.isInteger(i) && i >= 0 && i < size)) throw outOfRange(n, n.state, axis, i, size);
      block = block * size + i;
    });
    const size = countOf(row);
    const base = block * capacity * size;
    const added = contiguous(this.#value(n.rows));
    if (data instanceof Float64Array && added instanceof Float64Array) data.set(added, base + rows * size);
    else if (data instanceof BigInt64Array && added instanceof BigInt64Array) data.set(added, base + rows * size);
    else throw new InternalError(`%${n.name} mixes i64 with other numbers`);
    const dims = n.type.dims.map((d) => evalDim(d, sizes));
    return { dims, data, base, strides: stridesOf(dims) };
  }
}

function copyOf(v: Value): Tensor {
  const { dims, data } = tensorOf(v);
  return data instanceof Float64Array ? { dims, data: data.slice() } : { dims, data: data.slice() };
}

function dependences(order: readonly Node[]): ReadonlyMap<Node, Dependence> {
  const out = new Map<Node, Dependence>();
  for (const n of order) {
    const parts = operandsOf(n).flatMap((o) => out.get(o) ?? []);
    const varies = n.kind === "input" || n.kind === "state" || n.kind === "carry" || n.kind === "append";
    const sizes = new Set(parts.flatMap((p) => [...p.sizes]));
    for (const d of dimsOf(n)) {
      for (const atom of atomsOf(d).values()) if (atom.kind === "symbol") sizes.add(atom.name);
    }
    out.set(n, { onCall: varies || n.kind === "repeat" || parts.some((p) => p.onCall), sizes });
  }
  return out;
}

function dimsOf(n: Node): readonly Dim[] {
  const out: Dim[] = [...n.type.dims];
  if (isComputed(n)) out.push(...axesOf(n).map((a) => a.size));
  for (const e of expressionsOf(n)) {
    walk(e, (x) => {
      out.push(...boundAxes(x).map((a) => a.size));
      if (x.kind === "dim") out.push(x.dim);
    });
  }
  return out;
}
