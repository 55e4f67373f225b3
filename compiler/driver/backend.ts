/** What runs a model: a backend, and the session that it opens. The command line and tests know backends by this alone. */
import type { Elaborated } from "../elaborate/elaborate.ts";
import type { Sizes } from "../graph/dim.ts";
import type { Tensor } from "../graph/interpret/tensor.ts";
import type { Node } from "../graph/node.ts";

/** A checkpoint, as far as binding asks. */
export interface TensorReader {
  /** Null where there is no such tensor. `dtype` as safetensors names it. */
  readonly find: (name: string) => { readonly dtype: string; readonly shape: readonly number[] } | null;
  readonly read: (name: string) => Promise<Float64Array>;
  readonly readIntegers: (name: string) => Promise<BigInt64Array>;
}

/** Sees each computed node; `iterations` are the indices of the repeats around it, outermost first. Data is lent. */
export type Observe = (node: Node, iterations: readonly number[], value: Tensor) => void;

export interface ForwardOptions {
  readonly observe?: Observe;
  readonly signal?: AbortSignal;
  /** Most tokens of one run; more are run one after the other. */
  readonly chunk?: number;
  /** Real inputs of the entry by name, each [tokens, …]. */
  readonly given?: ReadonlyMap<string, Float64Array>;
}

/** A model with its numbers and what it remembers of earlier calls. */
export interface Session {
  /** Tokens remembered. */
  readonly length: number;
  /** Results of the entry for these tokens, appended to those remembered. After an error nothing of them is remembered. */
  readonly forward: (ids: readonly number[], options?: ForwardOptions) => readonly Tensor[];
  /** Forgets the last n tokens. */
  readonly rollback: (n: number) => void;
  readonly reset: () => void;
  /** Of the entry that drafts, which has a memory of its own; null where the request has none. */
  readonly draft: Session | null;
}

export interface SessionRequest {
  readonly elaborated: Elaborated;
  /** The entry that drafts for it. Weights of both are read once. */
  readonly draft?: Elaborated;
  /** Numbers of the sizes that the config fixes. */
  readonly sizes: Sizes;
  readonly reader: TensorReader;
  /** The graph that decodes a tensor stored in this element type, of a weight of that; null where the model knows none. */
  readonly format: (dtype: string, tensor: string, shape: readonly number[], element: string) => Elaborated | null;
  /** Names of the size of a call's tokens, and of the rows remembered before it. */
  readonly token: string;
  readonly before: string;
  readonly onProgress?: (done: number, of: number) => void;
  readonly signal?: AbortSignal;
}

export interface Backend {
  readonly name: string;
  /** Reads all weights of the graph. Throws what its reader throws, and what a checkpoint that does not fit is told with. */
  readonly openSession: (request: SessionRequest) => Promise<Session>;
}
