/** What a run of a graph is given. */
import { evalDim, type Sizes } from "../dim.ts";
import { InternalError } from "../internal-error.ts";
import type { Node, Param } from "../node.ts";
import type { StateStore } from "./state-store.ts";
import type { Tensor } from "./tensor.ts";

export interface RunOptions {
  /** A number for every name of a size. */
  readonly sizes: Sizes;
  readonly param: (node: Param) => Tensor;
  /** Rows of earlier calls; those of this call are added once it is over, and not where it throws. */
  readonly state: StateStore;
  /** Sees each computed node; `iterations` are the indices of the repeats around it, outermost first. Data is lent. */
  readonly observe?: (node: Node, iterations: readonly number[], value: Tensor) => void;
  /** In how many pieces folds run whose partial results are then merged; 1 if not given. */
  readonly chunks?: number;
  readonly signal?: AbortSignal;
}

/** The value given for a param; throws where it has another shape or kind of numbers. */
export function givenParam(node: Param, { param, sizes }: RunOptions): Tensor {
  const value = param(node);
  const dims = node.type.dims.map((d) => evalDim(d, sizes));
  if (dims.length !== value.dims.length || dims.some((d, i) => d !== value.dims[i])) {
    throw new InternalError(`%${node.name} is [${dims.join(", ")}], given [${value.dims.join(", ")}]`);
  }
  if (value.data instanceof BigInt64Array !== (node.type.dtype === "i64")) {
    throw new InternalError(`%${node.name} is ${node.type.dtype}, given ${value.data.constructor.name}`);
  }
  return value;
}

export const outOfRange = (reader: Node, node: Node, axis: number, value: number, size: number): InternalError =>
  new InternalError(`%${reader.name} reads %${node.name} out of range: axis ${axis} at ${value}, its size is ${size}`);
