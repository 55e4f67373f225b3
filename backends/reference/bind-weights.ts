/**
 * The numbers of a graph's weights, from a checkpoint: stacked over layers and experts, decoded from their storage
 * formats by running the block that defines each, checked where the text says whose index they are. All in f64.
 */

import type { TensorReader } from "../../compiler/driver/backend.ts";
import type { WeightSource } from "../../compiler/elaborate/context.ts";
import type { Elaborated } from "../../compiler/elaborate/elaborate.ts";
import { evalDim, type Sizes } from "../../compiler/graph/dim.ts";
import { prepare } from "../../compiler/graph/interpret/prepare.ts";
import { StateStore } from "../../compiler/graph/interpret/state-store.ts";
import { realsOf, type Tensor, tensor } from "../../compiler/graph/interpret/tensor.ts";
import type { Node } from "../../compiler/graph/node.ts";
import { nodesOf } from "../../compiler/graph/walk.ts";
import { BindError } from "./bind-error.ts";

export interface BindOptions {
  readonly elaborated: Elaborated;
  /** Bound for another entry: not read again. */
  readonly known?: ReadonlyMap<string, Tensor>;
  readonly sizes: Sizes;
  readonly reader: TensorReader;
  /** The graph that decodes a tensor stored in this element type, of a weight of that; null where the model knows none. */
  readonly format: (dtype: string, tensor: string, shape: readonly number[], element: string) => Elaborated | null;
  readonly onProgress?: (done: number, of: number) => void;
  readonly signal?: AbortSignal;
}

/** By label of the weight. Nothing is kept where anything fails. */
export async function bindWeights(options: BindOptions): Promise<ReadonlyMap<string, Tensor>> {
  const bound = new Map<string, Tensor>(options.known);
  const wanted = nodesOf(options.elaborated.graph).filter((n) => n.kind === "weight" && !bound.has(n.name));
  const decoded = new Map<string, Promise<Float64Array>>();
  for (const [i, node] of wanted.entries()) {
    options.signal?.throwIfAborted();
    const source = options.elaborated.weights.get(node.name);
    if (source === undefined) throw new BindError("no-source", `%${node.name} has no source`, null);
    bound.set(node.name, await bindOne(node, source, options, decoded));
    options.onProgress?.(i + 1, wanted.length);
  }
  return bound;
}

async function bindOne(
  node: Node,
  source: WeightSource,
  options: BindOptions,
  decoded: Map<string, Promise<Float64Array>>,
): Promise<Tensor> {
  const dims = node.type.dims.map((d) => evalDim(d, options.sizes));
  const wide = node.type.dtype === "i64";
  if (source.constant !== null) {
    return wide
      ? { dims, data: BigInt64Array.from(source.constant, (n) => BigInt(n)) }
      : tensor(dims, source.constant.map(Number));
  }
  const stored = source.stored.map((d) => evalDim(d, options.sizes));
  const each = stored.reduce((a, d) => a * d, 1);
  const below = source.below === null ? null : evalDim(source.below, options.sizes);
  if (wide) {
    const data = new BigInt64Array(each * source.tensors.length);
    for (const [i, names] of source.tensors.entries()) {
      const name = chosen(names, stored, options.reader);
      data.set(await options.reader.readIntegers(name), i * each);
    }
    return { dims, data };
  }
  const data = new Float64Array(each * source.tensors.length);
  for (const [i, names] of source.tensors.entries()) {
    const name = found(names, options.reader);
    const values = await numbersOf({ name, shape: stored, element: source.element }, options, decoded);
    for (const copy of source.copies[i] ?? []) await checkCopy(copy, name, values, options.reader);
    if (below !== null) checkBelow(values, below, name);
    data.set(values, i * each);
  }
  return { dims, data };
}

/** The one spelling that is there. */
function found(names: readonly string[], reader: TensorReader): string {
  const there = names.filter((n) => reader.find(n) !== null);
  const [name] = there;
  if (name === undefined) throw new BindError("missing-tensor", `no tensor ${names.join(" or ")}`, names[0] ?? null);
  if (there.length > 1)
    throw new BindError("two-spellings", `both ${there.join(" and ")} are there: which is meant?`, name);
  return name;
}

/** The one spelling that is there, with the shape that the text says. */
function chosen(names: readonly string[], shape: readonly number[], reader: TensorReader): string {
  const name = found(names, reader);
  const actual = reader.find(name)?.shape ?? [];
  if (actual.length !== shape.length || actual.some((n, i) => n !== shape[i]))
    throw new BindError("wrong-shape", `${name} is [${actual.join(", ")}], the model says [${shape.join(", ")}]`, name);
  return name;
}

function numbersOf(
  { name, shape, element }: { readonly name: string; readonly shape: readonly number[]; readonly element: string },
  options: BindOptions,
  decoded: Map<string, Promise<Float64Array>>,
): Promise<Float64Array> {
  const { reader } = options;
  const dtype = reader.find(name)?.dtype ?? "";
  const format = options.format(dtype, name, shape, element);
  // The block of a format says the shapes of what it reads, and so checks them.
  if (format === null) return reader.read(chosen([name], shape, reader));
  const known = decoded.get(name);
  if (known !== undefined) return known;
  const made = decode(name, format, options);
  decoded.set(name, made);
  return made;
}

async function decode(name: string, format: Elaborated, options: BindOptions): Promise<Float64Array> {
  const { reader } = options;
  const values = new Map<string, Tensor>();
  for (const node of nodesOf(format.graph)) {
    if (node.kind !== "weight") continue;
    const source = format.weights.get(node.name);
    const dims = node.type.dims.map((d) => evalDim(d, {}));
    const tensorName = chosen(source?.tensors[0] ?? [], dims, reader);
    values.set(node.name, tensor(dims, await reader.read(tensorName)));
  }
  const [result] = prepare(format.graph).run({
    sizes: {},
    state: new StateStore(),
    param: (node) => {
      const value = values.get(node.name);
      if (value === undefined) throw new BindError("no-source", `%${node.name} has no source`, name);
      return value;
    },
  });
  if (result === undefined) throw new BindError("no-source", `the format of ${name} gives nothing`, name);
  return realsOf(result);
}

/** A copy that is there has the same shape and numbers, in whatever type; nan is equal to itself. */
async function checkCopy(copy: string, name: string, values: Float64Array, reader: TensorReader): Promise<void> {
  const [there, of] = [reader.find(copy), reader.find(name)];
  if (there === null) return;
  const found = there.shape.join() === of?.shape.join() ? await reader.read(copy) : null;
  if (found?.every((value, i) => Object.is(value, values[i])) === true) return;
  throw new BindError("copies-differ", `${copy} should be equal to ${name} and differs`, copy);
}

function checkBelow(values: Float64Array, below: number, name: string): void {
  const at = values.findIndex((v) => !(v >= 0 && v < below));
  if (at >= 0)
    throw new BindError("index-out-of-range", `${name} holds ${values[at]} at ${at}; it must be below ${below}`, name);
}
