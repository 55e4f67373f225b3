/** The only maker of nodes: equal nodes are one object, whatever their indices are called. */
import { type Dim, type DimLike, dim, printDim } from "./dim.ts";
import type {
  Append,
  Argsort,
  Axis,
  Carry,
  Computed,
  DType,
  LoopIndex,
  MapNode,
  Node,
  Param,
  Repeat,
  Scalar,
  State,
  TensorType,
  TopK,
} from "./node.ts";
import { key } from "./scalar.ts";

export class Builder {
  readonly #table = new Map<string, Node>();
  #count = 0;
  #loops = 0;

  /** Nodes made so far. */
  get size(): number {
    return this.#count;
  }

  /** `make` gives the kind of node that its key begins with, so what is found is of that kind. */
  #intern<N extends Node>(k: string, make: (id: number) => N): N {
    const known = this.#table.get(k);
    if (known !== undefined) return known as N;
    const node = make(this.#count);
    this.#count += 1;
    this.#table.set(k, node);
    return node;
  }

  #named<K extends "input" | "weight" | "state">(
    kind: K,
    label: string,
    dtype: DType,
    dims: readonly DimLike[],
  ): Param | State {
    const type: TensorType = { dtype, dims: dims.map(dim) };
    const node = this.#intern<Param | State>(`${kind}:${label}`, (id) => ({ kind, id, name: label, type }));
    const same = node.type.dtype === dtype && node.type.dims.every((d, i) => d.key === type.dims[i]?.key);
    if (!same || node.type.dims.length !== type.dims.length) {
      throw new Error(`%${label} is made twice with different types: [${node.type.dims.map(printDim).join(", ")}]`);
    }
    return node;
  }

  input(label: string, dims: readonly DimLike[], dtype: DType = "f32"): Param {
    return this.#named("input", label, dtype, dims) as Param;
  }
  weight(label: string, dims: readonly DimLike[], dtype: DType = "f32"): Param {
    return this.#named("weight", label, dtype, dims) as Param;
  }
  state(label: string, dims: readonly DimLike[], dtype: DType = "f32"): State {
    return this.#named("state", label, dtype, dims) as State;
  }

  map(label: string, domain: readonly Axis[], body: Scalar, dtype: DType = "f32"): MapNode {
    return this.#intern<MapNode>(`map:${dtype}[${sizes(domain)}]${key(body, scopeOf(domain))}`, (id) => ({
      kind: "map",
      id,
      name: label,
      domain,
      body,
      type: { dtype, dims: domain.map((a) => a.size) },
    }));
  }

  topK(
    label: string,
    domain: readonly Axis[],
    over: Axis,
    k: DimLike,
    body: Scalar,
    where: Scalar | null = null,
  ): TopK {
    const all = [...domain, over];
    const scope = scopeOf(all);
    const size = dim(k);
    const guard = where === null ? "" : key(where, scope);
    return this.#intern<TopK>(`top_k:${size.key}[${sizes(all)}|${guard}]${key(body, scope)}`, (id) => ({
      kind: "top_k",
      id,
      name: label,
      domain,
      over,
      k: size,
      where,
      body,
      type: { dtype: "i32", dims: [...domain.map((a) => a.size), size] },
    }));
  }

  argsort(label: string, over: Axis, body: Scalar): Argsort {
    return this.#intern<Argsort>(`argsort:${over.size.key}:${key(body, scopeOf([over]))}`, (id) => ({
      kind: "argsort",
      id,
      name: label,
      over,
      body,
      type: { dtype: "i32", dims: [over.size] },
    }));
  }

  /** `rows`: [tokens of this call, row axes…]; `remembered` is the size of the result's first axis. */
  append(label: string, state: State, at: readonly Scalar[], rows: Node, remembered: DimLike): Append {
    const size = dim(remembered);
    const where = at.map((x) => key(x)).join(",");
    return this.#intern<Append>(`append:${state.id}[${where}]:${rows.id}:${size.key}`, (id) => ({
      kind: "append",
      id,
      name: label,
      state,
      at,
      rows,
      type: { dtype: state.type.dtype, dims: [size, ...rows.type.dims.slice(1)] },
    }));
  }

  /** A fresh pair for one repeat; never shared between repeats. */
  loop(carryLabel: string, like: TensorType, indexLabel = "layer"): { carry: Carry; index: LoopIndex } {
    const tag = this.#loops;
    this.#loops += 1;
    const rank0: TensorType = { dtype: "i32", dims: [] };
    return {
      carry: this.#intern<Carry>(`carry:${tag}`, (id) => ({ kind: "carry", id, name: carryLabel, type: like })),
      index: this.#intern<LoopIndex>(`loop_index:${tag}`, (id) => ({
        kind: "loop_index",
        id,
        name: indexLabel,
        type: rank0,
      })),
    };
  }

  repeat(label: string, parts: RepeatParts): Repeat {
    const times = dim(parts.count);
    const effects = parts.effects ?? [];
    const ids = [parts.init, parts.carry, parts.body, ...effects].map((n) => n.id).join(":");
    return this.#intern<Repeat>(`repeat:${times.key}:${ids}`, (id) => ({
      kind: "repeat",
      id,
      name: label,
      count: times,
      init: parts.init,
      carry: parts.carry,
      index: parts.index,
      body: parts.body,
      effects,
      type: parts.body.type,
    }));
  }

  /** The same node with other expressions in it; itself where none changes. */
  withBody(n: Computed, f: (e: Scalar) => Scalar): Computed {
    const body = f(n.body);
    const where = n.kind === "top_k" && n.where !== null ? f(n.where) : null;
    if (body === n.body && (n.kind !== "top_k" || where === n.where)) return n;
    switch (n.kind) {
      case "map":
        return this.map(n.name, n.domain, body, n.type.dtype);
      case "top_k":
        return this.topK(n.name, n.domain, n.over, n.k, body, where);
      case "argsort":
        return this.argsort(n.name, n.over, body);
      default:
        return n satisfies never;
    }
  }
}

export interface RepeatParts {
  readonly count: DimLike;
  readonly init: Node;
  readonly carry: Carry;
  readonly index: LoopIndex;
  readonly body: Node;
  readonly effects?: readonly Append[];
}

const sizes = (axes: readonly Axis[]): string =>
  axes
    .map((a): Dim => a.size)
    .map((d) => d.key)
    .join(",");
const scopeOf = (axes: readonly Axis[]): ReadonlyMap<string, string> => new Map(axes.map((a, i) => [a.name, `$${i}`]));
