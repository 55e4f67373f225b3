/** What the parts of the expression compiler ask of each other. One `Code` compiles the expressions of one node. */
import type { Dim } from "../dim.ts";
import type { Node, Scalar } from "../node.ts";
import type { Runtime } from "./runtime.ts";
import type { Stream } from "./stream.ts";

export type Closure = () => number;
export type WideClosure = () => bigint;

/** What a name stands for: a slot of the environment, or all its values along the axis that is being streamed. */
export type Binding = number | Stream;
export type Scope = ReadonlyMap<string, Binding>;

/** The axis along which an expression is computed for many points at once. */
export interface Along {
  readonly name: string;
  readonly slot: number;
  /** Streams that may be loaded for other points than those around them are not shared with these: one text a branch. */
  readonly branch: string;
}
export const alongAxis = (code: Code, name: string): Along => ({ name, slot: code.slot(name), branch: "" });

export interface Code {
  readonly runtime: Runtime;
  readonly node: Node;
  /** Values of indices and accumulators. */
  readonly env: Float64Array;
  /** How often the node has been run: what is remembered within one run is void in the next. */
  readonly runs: { readonly count: number };
  /** One slot a name; names are bound once in a node. */
  slot(name: string): number;
  dim(d: Dim): Closure;
  scalar(e: Scalar, scope: Scope): Closure;
  wide(e: Scalar, scope: Scope): WideClosure;
  stream(e: Scalar, along: Along, scope: Scope): Stream;
}

export const withSlots = (code: Code, scope: Scope, names: readonly string[]): Scope =>
  new Map<string, Binding>([...scope, ...names.map((n) => [n, code.slot(n)] as const)]);
