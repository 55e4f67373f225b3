/** A graph run in f64 with the bound of every value's error in f32 beside it (rounding.ts): what backends are held to. */
import { evalDim, type Sizes } from "../graph/dim.ts";
import { InternalError } from "../graph/internal-error.ts";
import { ascending, descending } from "../graph/interpret/order.ts";
import { leadingRanks } from "../graph/interpret/state-store.ts";
import { countOf } from "../graph/interpret/tensor.ts";
import type { Append, Argsort, Graph, MapNode, Node, Param, Repeat, State, TopK } from "../graph/node.ts";
import { nodesOf, regions } from "../graph/walk.ts";
import { bound, type Evaluate, points, type RoundedTensor, type Surroundings } from "./rounded-places.ts";
import { compileRounded } from "./rounded-scalar.ts";
import { compileWide, type EvaluateWide } from "./rounded-wide.ts";
import { type Arithmetic, exactArithmetic, unknown } from "./rounding.ts";

export interface RoundedOptions {
  readonly sizes: Sizes;
  readonly given: (n: Param) => RoundedTensor;
  /** Rows of earlier calls, [leading…, rows, row…]; with those of this call once it is over. */
  readonly states: Map<string, RoundedTensor>;
  /** Of the machine that is held to it; f32 as it is without it. */
  readonly arithmetic?: Arithmetic | undefined;
}

export const runRounded = (g: Graph, options: RoundedOptions): readonly RoundedTensor[] =>
  new RoundedRun(g, options).results();

class RoundedRun {
  readonly #g: Graph;
  readonly #options: RoundedOptions;
  readonly #nodes: readonly Node[];
  readonly #region: ReadonlyMap<Node, Repeat>;
  readonly #ranks: ReadonlyMap<State, number>;
  readonly #values = new Map<Node, RoundedTensor>();
  readonly #grown = new Map<string, RoundedTensor>();
  readonly #surroundings: Surroundings;
  readonly #compiled = new Map<Node, () => RoundedTensor>();

  constructor(g: Graph, options: RoundedOptions) {
    this.#g = g;
    this.#options = options;
    this.#nodes = nodesOf(g);
    this.#region = regions(this.#nodes);
    this.#ranks = leadingRanks(g);
    this.#surroundings = {
      sizes: options.sizes,
      tensor: (n) => this.#value(n),
      arithmetic: options.arithmetic ?? exactArithmetic,
    };
  }

  results(): readonly RoundedTensor[] {
    this.#compute(null);
    for (const [name, rows] of this.#grown) this.#options.states.set(name, rows);
    return this.#g.results.map((n) => this.#value(n));
  }
  #value(n: Node): RoundedTensor {
    const known = this.#values.get(n);
    if (known === undefined) throw new InternalError(`%${n.name} is read before it is computed`);
    return known;
  }
  #compute(region: Repeat | null): void {
    for (const n of this.#nodes)
      if ((this.#region.get(n) ?? null) === region && n.kind !== "carry" && n.kind !== "loop_index")
        this.#values.set(n, this.#evaluate(n));
  }
  #evaluate(n: Node): RoundedTensor {
    switch (n.kind) {
      case "input":
      case "weight":
        return this.#options.given(n);
      case "state":
        return this.#options.states.get(n.name) ?? this.#nothing(n);
      case "append":
        return this.#append(n);
      case "repeat":
        return this.#repeat(n);
      case "carry":
      case "loop_index":
        throw new InternalError(`%${n.name} outside of its repeat`);
      default: {
        const run = this.#compiled.get(n) ?? (n.kind === "map" ? this.#map(n) : this.#sorted(n));
        this.#compiled.set(n, run);
        return run();
      }
    }
  }
  #nothing({ type: { dtype, dims } }: State): RoundedTensor {
    const sizes = dims.map((d) => this.#size(d));
    return exact(sizes, dtype === "i64" ? new BigInt64Array(countOf(sizes)) : new Float64Array(countOf(sizes)));
  }
  #size(d: Parameters<typeof evalDim>[0]): number {
    return evalDim(d, this.#options.sizes);
  }

  #map(n: MapNode): () => RoundedTensor {
    const [names, places] = bound(n.domain, new Map());
    if (n.type.dtype === "i64")
      return this.#wideMap(n, compileWide(n.body, names, this.#surroundings, compileRounded), places);
    const body = compileRounded(n.body, names, this.#surroundings);
    return () => {
      const dims = n.domain.map((a) => this.#size(a.size));
      const made = exact(dims, new Float64Array(countOf(dims)));
      let i = 0;
      points(n.domain, places, this.#options.sizes, () => {
        const { value, error } = body();
        made.data[i] = value;
        made.error[i] = error;
        i += 1;
      });
      return made;
    };
  }

  #wideMap(n: MapNode, body: EvaluateWide, places: Parameters<typeof points>[1]): () => RoundedTensor {
    return () => {
      const dims = n.domain.map((a) => this.#size(a.size));
      const [wide, error] = [new BigInt64Array(countOf(dims)), new Float64Array(countOf(dims))];
      let i = 0;
      points(n.domain, places, this.#options.sizes, () => {
        const { value, certain } = body();
        wide[i] = value;
        error[i] = certain ? 0 : unknown;
        i += 1;
      });
      return { ...exact(dims, wide), error };
    };
  }

  #sorted(n: TopK | Argsort): () => RoundedTensor {
    const domain = n.kind === "top_k" ? n.domain : [];
    const [outer, places] = bound(domain, new Map());
    const [names, over] = bound([n.over], outer);
    const body = compileRounded(n.body, names, this.#surroundings);
    const guard = n.kind === "top_k" && n.where !== null ? n.where : null;
    const where = guard === null ? null : compileRounded(guard, names, this.#surroundings);
    return () => {
      const dims = n.type.dims.map((d) => this.#size(d));
      const made = exact(dims, new Float64Array(countOf(dims)));
      const k = made.dims.at(-1) ?? 0;
      let row = 0;
      points(domain, places, this.#options.sizes, () => {
        const places = sortRow(n, { over, where, body, sizes: this.#options.sizes });
        for (let j = 0; j < k; j += 1) {
          made.data[row * k + j] = places.index[j] ?? 0;
          made.error[row * k + j] = places.certain(j) ? 0 : unknown;
        }
        row += 1;
      });
      return made;
    };
  }

  #repeat(n: Repeat): RoundedTensor {
    let carry = this.#value(n.init);
    for (let i = 0; i < this.#size(n.count); i += 1) {
      this.#values.set(n.carry, carry);
      this.#values.set(n.index, { dims: [], data: Float64Array.of(i), error: Float64Array.of(0) });
      this.#compute(n);
      carry = this.#value(n.body);
    }
    return carry;
  }

  #append(n: Append): RoundedTensor {
    const state = this.#value(n.state);
    const rank = this.#ranks.get(n.state) ?? 0;
    const rows = this.#value(n.rows);
    const out = n.type.dims.map((d) => this.#size(d));
    const dims = [...state.dims.slice(0, rank), ...out];
    const [old, added] = [countOf(state.dims.slice(rank)), countOf(rows.dims)];
    const grown = this.#grown.get(n.state.name) ?? emptyLike(state, dims);
    let block = 0;
    for (const [axis, e] of n.at.entries())
      block = block * (state.dims[axis] ?? 0) + compileRounded(e, new Map(), this.#surroundings)().value;
    const from = block * (old + added);
    copyRows(state, block * old, old, grown, from);
    copyRows(rows, 0, added, grown, from + old);
    this.#grown.set(n.state.name, grown);
    const [begin, end] = [from, from + old + added];
    return {
      dims: out,
      data: grown.data.slice(begin, end),
      error: grown.error.slice(begin, end),
      wide: grown.wide?.slice(begin, end),
    };
  }
}

/** Without any error. */
export const exact = (dims: readonly number[], values: Float64Array | BigInt64Array): RoundedTensor => ({
  dims,
  data: values instanceof BigInt64Array ? Float64Array.from(values, Number) : values,
  error: new Float64Array(countOf(dims)),
  wide: values instanceof BigInt64Array ? values : undefined,
});
/** Zeros of the same kind. */
export function emptyLike({ wide }: RoundedTensor, dims: readonly number[]): RoundedTensor {
  const count = countOf(dims);
  return exact(dims, wide === undefined ? new Float64Array(count) : new BigInt64Array(count));
}
/** Elements of one to a place in another. */
export function copyRows(from: RoundedTensor, start: number, count: number, to: RoundedTensor, at: number): void {
  to.data.set(from.data.subarray(start, start + count), at);
  to.error.set(from.error.subarray(start, start + count), at);
  if (from.wide !== undefined) to.wide?.set(from.wide.subarray(start, start + count), at);
}

interface Row {
  readonly over: Parameters<typeof points>[1];
  readonly where: Evaluate | null;
  readonly body: Evaluate;
  readonly sizes: Sizes;
}
/** An order, and at which places of it rounding changes nothing: keys of neighbours that are apart, or exact. */
function sortRow(n: TopK | Argsort, { over, where, body, sizes }: Row) {
  const found: { readonly index: number; readonly key: number }[] = [];
  const keys = new Map<number, { readonly key: number; readonly error: number }>();
  let decided = true;
  points([n.over], over, sizes, () => {
    const reached = where?.() ?? { value: 1, error: 0 };
    if (reached.error !== 0) decided = false;
    if (reached.value === 0) return;
    const { value, error } = body();
    const index = over[0]?.value ?? 0;
    found.push({ index, key: value });
    keys.set(index, { key: value, error });
  });
  const index = n.kind === "top_k" ? descending(found) : ascending(found);
  const apart = (i: number, j: number): boolean => {
    const [a, b] = [keys.get(index[i] ?? -1), keys.get(index[j] ?? -1)];
    if (a === undefined || b === undefined) return true;
    const error = a.error + b.error;
    return error === 0 || Math.abs(a.key - b.key) > 2 * error;
  };
  // Errors of neighbours do not bound those of places further on: a large one reaches over several.
  const certain = (j: number): boolean => {
    if (!decided) return false;
    for (let i = 0; i < index.length; i += 1) if (i !== j && !apart(Math.min(i, j), Math.max(i, j))) return false;
    return true;
  };
  return { index, certain };
}
