/**
 * The tensor graph: nodes, and the one expression language of their bodies, index maps and guards. All of it is immutable;
 * nodes are made by the builder alone, which gives equal nodes once. Design: docs/decisions/0006-tensor-graph.md.
 */
import type { Monoid, ScalarFn } from "../ops/scalar-functions.ts";
import type { Dim } from "./dim.ts";

/** An index and how far it runs: 0 <= name < size. */
export interface Axis {
  readonly name: string;
  readonly size: Dim;
}

export interface Const {
  readonly kind: "const";
  readonly value: number;
}
/** A size as a number. */
export interface DimValue {
  readonly kind: "dim";
  readonly dim: Dim;
}
/** An index, an accumulator of an enclosing fold, or a `let` of one. */
export interface Name {
  readonly kind: "name";
  readonly name: string;
}
export interface Read {
  readonly kind: "read";
  readonly value: Node;
  /** One index an axis; whole numbers in range wherever the read is reached. */
  readonly at: readonly Scalar[];
}
/** `select` computes only what it chooses. */
export interface Call {
  readonly kind: "call";
  readonly fn: ScalarFn;
  readonly args: readonly Scalar[];
}
/** Reduction over axes of body, at the points where `where` holds. A mask is part of the domain, never a -inf. */
export interface Reduce {
  readonly kind: "reduce";
  readonly monoid: Monoid;
  readonly axes: readonly Axis[];
  readonly where: Scalar | null;
  readonly body: Scalar;
}
export interface FoldStep {
  readonly how: Monoid | "let";
  readonly name: string;
  readonly body: Scalar;
}
/**
 * Several reductions over one axis. Meaning: one after the other, each seeing the *final* value of those before it.
 * Licence (the verifier checks it): it may run in one pass, because a step that uses an earlier `max m` does so
 * through factors exp(x - m), and a sum of such terms is corrected by exp(m_old - m_new).
 */
export interface Fold {
  readonly kind: "fold";
  readonly axis: Axis;
  readonly where: Scalar | null;
  readonly steps: readonly FoldStep[];
  readonly result: Scalar;
}
export type Scalar = Const | DimValue | Name | Read | Call | Reduce | Fold;

export const dtypes = [
  "f64",
  "f32",
  "bf16",
  "f16",
  "e4m3",
  "e5m2",
  "e2m1",
  "e8m0",
  "i64",
  "i32",
  "i8",
  "u8",
  "bool",
] as const;
export type DType = (typeof dtypes)[number];
export interface TensorType {
  readonly dtype: DType;
  readonly dims: readonly Dim[];
}
interface Base {
  /** Order of making within one builder. */
  readonly id: number;
  /** The definition it comes from, `layer.attn.k`: a label, not part of identity. */
  readonly name: string;
  readonly type: TensorType;
}

/** Given at each call (`input`), or bound once (`weight`). Identity is the name. */
export interface Param extends Base {
  readonly kind: "input" | "weight";
}
/** Rows that earlier calls left: [leading axes…, rows before this call, row axes…]. Identity is the name. */
export interface State extends Base {
  readonly kind: "state";
}
/** out[domain] = body: the workhorse. */
export interface MapNode extends Base {
  readonly kind: "map";
  readonly domain: readonly Axis[];
  readonly body: Scalar;
}
/**
 * The k indices of `over` with the largest body, descending; equal: smaller index first; nan last. Where fewer points
 * satisfy `where` the row is filled with index 0, so that a gather is always in range: who reads it guards the slot.
 */
export interface TopK extends Base {
  readonly kind: "top_k";
  readonly domain: readonly Axis[];
  readonly over: Axis;
  readonly k: Dim;
  readonly where: Scalar | null;
  readonly body: Scalar;
}
/** The permutation that sorts `body` over `over` ascending, stable. The inverse of p is the argsort of p. */
export interface Argsort extends Base {
  readonly kind: "argsort";
  readonly over: Axis;
  readonly body: Scalar;
}
/** The rows of `state` at the leading indices `at`, followed by `rows`: what is remembered once this call is over. */
export interface Append extends Base {
  readonly kind: "append";
  readonly state: State;
  readonly at: readonly Scalar[];
  readonly rows: Node;
}
/** h := init; count times: h := body(h, index). Nodes of the body are those that depend on `carry` or `index`. */
export interface Repeat extends Base {
  readonly kind: "repeat";
  readonly count: Dim;
  readonly init: Node;
  readonly carry: Carry;
  readonly index: LoopIndex;
  readonly body: Node;
  /** Appends of the body, which happen each time whether something reads them or not. */
  readonly effects: readonly Append[];
}
export interface Carry extends Base {
  readonly kind: "carry";
}
/** i32, rank 0. */
export interface LoopIndex extends Base {
  readonly kind: "loop_index";
}
export type Computed = MapNode | TopK | Argsort;
export type Node = Param | State | Computed | Append | Repeat | Carry | LoopIndex;

/** What a name in a size stands for: a number (`low === high`), or what a call decides. */
export interface SizeRange {
  readonly low: number;
  readonly high: number;
}
/** low <= high, of the calls that a graph is for. */
export interface Bound {
  readonly low: Dim;
  readonly high: Dim;
}
export interface Graph {
  readonly name: string;
  readonly sizes: ReadonlyMap<string, SizeRange>;
  /** What else is known of sizes: a graph with bounds means nothing for other calls. */
  readonly bounds?: readonly Bound[];
  readonly results: readonly Node[];
  /** Appends outside of repeats. */
  readonly effects: readonly Append[];
}
