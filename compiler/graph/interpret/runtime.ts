/** Where values of nodes and numbers of sizes are found while compiled expressions run. */
import { constantOf, type Dim, evalDim, type Sizes } from "../dim.ts";
import type { Node } from "../node.ts";
import { countOf, stridesOf, type Tensor, type TensorData } from "./tensor.ts";

/** A tensor as it lies in memory: element i is `data[base + Σ i · strides]`. */
export interface Value {
  readonly dims: readonly number[];
  readonly data: TensorData;
  readonly base: number;
  readonly strides: readonly number[];
}
export const asValue = ({ dims, data }: Tensor): Value => ({ dims, data, base: 0, strides: stridesOf(dims) });

/** The elements in order, without a copy where they lie so. */
export function contiguous(v: Value): TensorData {
  const count = countOf(v.dims);
  const plain = stridesOf(v.dims);
  if (count === 0 || v.dims.every((d, i) => d === 1 || v.strides[i] === plain[i])) {
    return v.data.subarray(v.base, v.base + count);
  }
  const offsets = new Array<number>(count);
  for (let i = 0; i < count; i += 1) {
    let at = v.base;
    for (let k = 0, rest = i; k < v.dims.length; k += 1) {
      const stride = plain[k] ?? 1;
      at += Math.floor(rest / stride) * (v.strides[k] ?? 0);
      rest %= stride;
    }
    offsets[i] = at;
  }
  const { data } = v;
  return data instanceof Float64Array
    ? Float64Array.from(offsets, (o) => data[o] ?? Number.NaN)
    : BigInt64Array.from(offsets, (o) => data[o] ?? 0n);
}
export function tensorOf(v: Value): Tensor {
  const data = contiguous(v);
  return data instanceof Float64Array ? { dims: v.dims, data } : { dims: v.dims, data };
}

const none = new Float64Array(0);
const noneWide = new BigInt64Array(0);

/** What a node is worth now. Compiled reads hold on to the cell, not to the value. */
export class Cell {
  readonly node: Node;
  data: Float64Array = none;
  wide: BigInt64Array = noneWide;
  base = 0;
  dims: readonly number[] = [];
  strides: readonly number[] = [];
  // The first two axes again: most reads have no more.
  size0 = 0;
  size1 = 0;
  stride0 = 0;
  stride1 = 0;
  #value: Value | null = null;

  constructor(node: Node) {
    this.node = node;
  }
  get value(): Value | null {
    return this.#value;
  }
  set(v: Value): void {
    this.#value = v;
    if (v.data instanceof Float64Array) this.data = v.data;
    else this.wide = v.data;
    this.base = v.base;
    this.dims = v.dims;
    this.strides = v.strides;
    this.size0 = v.dims[0] ?? 0;
    this.size1 = v.dims[1] ?? 0;
    this.stride0 = v.strides[0] ?? 0;
    this.stride1 = v.strides[1] ?? 0;
  }
}

/** Shared by all compiled nodes of one graph. Sizes have slots, so that a call with others compiles nothing anew. */
export class Runtime {
  readonly #cells = new Map<Node, Cell>();
  readonly #dims: Dim[] = [];
  readonly #slots = new Map<string, number>();
  #numbers = new Float64Array(16);
  #sizes: Sizes = {};
  /** Pieces of folds. */
  chunks = 1;

  cell(n: Node): Cell {
    const known = this.#cells.get(n);
    if (known !== undefined) return known;
    const made = new Cell(n);
    this.#cells.set(n, made);
    return made;
  }

  begin(sizes: Sizes, chunks: number): void {
    this.#sizes = sizes;
    this.chunks = chunks;
    this.#dims.forEach((d, i) => {
      this.#numbers[i] = evalDim(d, sizes);
    });
  }
  get sizes(): Sizes {
    return this.#sizes;
  }

  /** The size's number, whatever it is when asked. */
  dim(d: Dim): () => number {
    const known = constantOf(d);
    if (known !== null) return () => known;
    let slot = this.#slots.get(d.key);
    if (slot === undefined) {
      slot = this.#dims.length;
      this.#dims.push(d);
      this.#slots.set(d.key, slot);
      if (slot >= this.#numbers.length) {
        const grown = new Float64Array(2 * slot);
        grown.set(this.#numbers);
        this.#numbers = grown;
      }
      this.#numbers[slot] = evalDim(d, this.#sizes);
    }
    const at = slot;
    return () => this.#numbers[at] ?? Number.NaN;
  }
}
