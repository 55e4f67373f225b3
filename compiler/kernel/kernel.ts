/**
 * Kernel IR: what one lane of one work item does, as loops, memory and typed values. Data only; verify.ts states what
 * holds of every kernel, interpret.ts what it means.
 */
import type { Elem, Type } from "./elem.ts";
import type { Monoid, OpName } from "./ops.ts";

export type Expr =
  /** All lanes `value`; with a `step`, lane i is value + i*step. */
  | { readonly kind: "const"; readonly type: Type; readonly value: number; readonly step?: number }
  /** An i64. */
  | { readonly kind: "wide"; readonly type: Type; readonly value: bigint }
  /** A loop variable, size, grid index, `let`, `reduce`, the lane, or a builtin of subgroups. */
  | { readonly kind: "name"; readonly type: Type; readonly name: string }
  | { readonly kind: "op"; readonly type: Type; readonly op: OpName; readonly args: readonly Expr[] }
  /**
   * Lane by lane. To a narrower integer: the low bits; float to integer: towards 0, saturating, nan gives 0; to f16 and
   * bf16: to nearest even, saturating.
   */
  | { readonly kind: "convert"; readonly type: Type; readonly arg: Expr }
  /** Between f32, i32 and u32. */
  | { readonly kind: "bitcast"; readonly type: Type; readonly arg: Expr }
  /** Repeats a narrower vector: f32 -> f32x4, i8x4 -> i8x16. */
  | { readonly kind: "splat"; readonly type: Type; readonly arg: Expr }
  | { readonly kind: "extract"; readonly type: Type; readonly arg: Expr; readonly lane: number }
  /** Reduction of the lanes of one vector to a scalar. */
  | { readonly kind: "fold"; readonly type: Type; readonly monoid: Monoid; readonly arg: Expr }
  | Load
  | Dot;

/**
 * `width` adjacent elements of a buffer or shared array from element `index`, or one value of a register array. Of a buffer in
 * pieces all are in one, and `piece` says in which.
 */
export interface Load {
  readonly kind: "load";
  readonly type: Type;
  readonly from: string;
  readonly index: Expr;
  readonly piece?: Expr;
}

/**
 * acc[n] + sum over g < group of a[n*group + g] * b[n*group + g], exact in i32. `b7` promises that b is in 0..127, under
 * which all engines multiply alike.
 */
export interface Dot {
  readonly kind: "dot";
  readonly type: Type;
  readonly a: Expr;
  readonly b: Expr;
  readonly acc: Expr;
  readonly group: number;
  readonly b7: boolean;
}

/** "any": as a strategy writes it. "cluster", "subgroup": what lowering makes of it; see lower/reduce.ts. */
export const reduceWays = ["any", "cluster", "subgroup"] as const;
export type ReduceWay = (typeof reduceWays)[number];

export interface Loop {
  readonly kind: "loop";
  /** The bounds of an unrolled loop are constants, and its variable may index registers. */
  readonly mode: "serial" | "unrolled";
  readonly name: string;
  readonly from: Expr;
  /** Exclusive. The body changes neither bound, so it is the same whether they are evaluated once or before each turn. */
  readonly to: Expr;
  /** > 0. */
  readonly step: number;
  readonly body: readonly Stmt[];
}

export type Stmt =
  | { readonly kind: "let"; readonly name: string; readonly value: Expr }
  /** `size` registers of a type; what they hold at first is undefined. */
  | { readonly kind: "reg"; readonly name: string; readonly type: Type; readonly size: number }
  | Loop
  | { readonly kind: "if"; readonly cond: Expr; readonly body: readonly Stmt[] }
  | { readonly kind: "store"; readonly to: string; readonly index: Expr; readonly value: Expr }
  /** What lanes of the item wrote to shared memory and buffers before it, all may read after it. */
  | { readonly kind: "barrier" }
  /** Every lane of an aligned cluster of `width` lanes gets the reduction of all their values. Orders no memory. */
  | {
      readonly kind: "reduce";
      readonly name: string;
      readonly monoid: Monoid;
      readonly value: Expr;
      readonly width: number;
      readonly how: ReduceWay;
    }
  | Frag
  | FragMove
  /** d += a · bᵀ, in f32. */
  | {
      readonly kind: "mma";
      readonly d: string;
      readonly dAt: Expr;
      readonly a: string;
      readonly aAt: Expr;
      readonly b: string;
      readonly bAt: Expr;
    }
  | { readonly kind: "comment"; readonly text: string };

/** What may be run once, several times, or not at all. */
export type Branch = Extract<Stmt, { kind: "loop" | "if" }>;

/**
 * `count` matrices of a subgroup: a [m, k], b [n, k], d [m, n]; d starts as zero. Which lane holds what is the target's
 * business.
 */
export interface Frag {
  readonly kind: "frag";
  readonly name: string;
  readonly role: "a" | "b" | "d";
  readonly elem: Elem;
  readonly count: number;
  readonly rows: number;
  readonly columns: number;
}
/** Row r, column c of the matrix is element index + r*stride + c of the memory. */
export interface FragMove {
  readonly kind: "frag_load" | "frag_store";
  readonly frag: string;
  readonly at: Expr;
  readonly memory: string;
  readonly index: Expr;
  readonly stride: Expr;
}

/** A run-time size: an i32 >= minimum and a multiple of `multiple`, checked once a call. Proofs rest on it. */
export interface Size {
  readonly name: string;
  readonly multiple: number;
  readonly minimum: number;
}
export const bufferAccesses = ["read", "write", "both"] as const;
export type BufferAccess = (typeof bufferAccesses)[number];
export interface Buffer {
  readonly name: string;
  readonly elem: Elem;
  /** Elements, of each piece if there are any; an expression over sizes, below 2^30. */
  readonly extent: Expr;
  /**
   * How many parts of equal size follow each other, an expression over sizes: of a buffer that is read and has more elements than
   * an i32 counts. Which part and which element of it are two indices then, and only their address may be wider.
   */
  readonly pieces?: Expr;
  /**
   * both: work space or a state, which holds at first what the caller left there; each element belongs to one work item, which
   * alone reads and writes it (invariant 10).
   */
  readonly access: BufferAccess;
  /** Says how the elements are arranged, to whoever packs them: `rows`, `panel4x2`. */
  readonly layout: string;
}
export interface Shared {
  readonly name: string;
  readonly elem: Elem;
  readonly size: number;
}
export interface GridAxis {
  readonly name: string;
  readonly extent: Expr;
}

/**
 * Sizes of a kernel that is launched several times, each time with other pieces of some buffers: buffers of `pieces` pieces, of which
 * the first is piece `first` of all. Each launch stores what belongs to the pieces that it has.
 */
export interface Window {
  readonly first: string;
  readonly pieces: string;
  /** All that there are. */
  readonly of: number;
}

/** A kernel that is launched with others. */
export interface Part {
  readonly kernel: Kernel;
  /** Parts of a stage stand side by side; behind those of the stages before they see what these wrote. */
  readonly stage: number;
  /** What its buffers and sizes are called in the whole, in its order. */
  readonly buffers: readonly string[];
  readonly sizes: readonly string[];
}

export interface Kernel {
  readonly name: string;
  /** Where it comes from, for people. */
  readonly source: string;
  readonly sizes: readonly Size[];
  readonly buffers: readonly Buffer[];
  /** Independent work items, first axis fastest. A GPU launches them as workgroups, a CPU loops over its share. */
  readonly grid: readonly GridAxis[];
  /** Lanes that run the body together and may meet at barriers; 1 = a CPU core. */
  readonly lanes: number;
  /** Memory of one work item; undefined at first. On a CPU a scratch area of the worker. */
  readonly shared: readonly Shared[];
  readonly body: readonly Stmt[];
  readonly window?: Window;
  /**
   * Of several kernels in one launch, which has no body of its own: joined.ts makes them. Its items are groups of `lanes` lanes: one for
   * each item of a part that has lanes, and for as many items of one that has none. Of several stages there is one group, which goes
   * through all items of all parts.
   */
  readonly parts?: readonly Part[];
}

/** Names that every kernel has, all i32; those of subgroups only for a target that has them. */
export const subgroupNames = ["subgroup_size", "subgroup_lane", "subgroup_id"] as const;
export const builtins: readonly string[] = ["lane", ...subgroupNames];
