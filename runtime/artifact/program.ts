/**
 * A program: what a package plays, as data. Kernels are functions over memory; a phase is a list of calls for the calls of a kind.
 * Nothing here knows an architecture or a backend. `read-program.ts` reads it without trust.
 */

/** Counts in whole numbers: sizes by name, operators on non-negative numbers. `/` rounds down. */
export type SizeExpr = number | string | readonly [SizeOperator, SizeExpr, SizeExpr];
export type SizeOperator = "+" | "-" | "*" | "/" | "%" | "min" | "max";

/** How elements are stored in a buffer. A bool is an i32 that is 0 or 1. */
export type BufferElem = "bool" | "i8" | "i16" | "i32" | "i64" | "u32" | "f16" | "bf16" | "f32";

export interface Program {
  /** Of this file; a reader refuses any but its own. */
  readonly format: number;
  /** Version of dsc that has written it. */
  readonly compiler: string;
  readonly model: string;
  /** Sizes that the config fixes, for people. */
  readonly sizes: Readonly<Record<string, number>>;
  /** Names, in expressions, of the tokens of a call and of the rows remembered before it. */
  readonly tokens: string;
  readonly before: string;
  /** What a session plays. */
  readonly entry: string;
  /** Ids of tokens are below this. */
  readonly vocabulary: number;
  /** Most rows that the model remembers, as its text says. */
  readonly context: number;
  readonly weights: readonly WeightDecl[];
  /** Tensors that a checkpoint may hold beside: patterns in which `*` stands for any text. None without it. */
  readonly ignored?: readonly string[];
  readonly constants: readonly ConstantDecl[];
  /** What is not loaded but looked up, row by row: [rows, …]. None without it. */
  readonly tables?: readonly TableDecl[];
  readonly states: readonly StateDecl[];
  readonly kernels: readonly KernelDecl[];
  readonly phases: readonly Phase[];
  /** For tensors that are stored in a format; none without it. */
  readonly decoders?: readonly DecoderDecl[];
  /** How tokens are drafted; none without it. */
  readonly draft?: DraftDecl;
  /** Who plays it; WebAssembly without it. */
  readonly target?: "wasm" | "webgpu";
  /** For WebGPU: texts of the kernels by what an adapter has, the best first; the last takes nothing and has all kernels. */
  readonly variants?: readonly KernelVariant[];
  /** `hashText` of each module, by its name inside of the package: what is damaged is not run. None for kernels from elsewhere. */
  readonly modules?: Readonly<Record<string, string>>;
}

/** A file of kernels (`webgpu/kernel-texts.ts`). Kernels that it does not have are those of the last variant. */
export interface KernelVariant {
  /** Its name inside of the package. */
  readonly file: string;
  /** Of the adapter. */
  readonly features: readonly ("shader-f16" | "subgroups")[];
  /** Of the WGSL that a browser takes. */
  readonly language: readonly string[];
}

/** A weight: tensors of a checkpoint one after the other, each row-major, in the order of the stacks. */
export interface WeightDecl {
  /** `layer.attn.q_proj.w`. */
  readonly name: string;
  readonly elem: BufferElem;
  /** Extents of the stacks in front: layers, experts. Empty for a single tensor. */
  readonly stacks: readonly number[];
  /** Of one tensor, as the checkpoint stores it. */
  readonly shape: readonly number[];
  /** The format of its numbers, `e4m3`, where the text says one: codes of it in a file are these numbers, and no decoder takes them. */
  readonly format?: string;
  readonly tensors: TensorNames;
  /** For each of its tensors those that are equal to it where they are there, as of layer 61 of V3. None without it. */
  readonly copies?: readonly (readonly string[])[];
  /** What each integer must be below; null where the text says nothing. */
  readonly below: number | null;
  /** The optional part that it belongs to: a checkpoint has all tensors of those that are optional, or none. None without it. */
  readonly optional?: string;
  /** Where the text declares it: `models/deepseek-llm.ds:78:3`. */
  readonly at: string | null;
}
/** A tensor of which calls want rows that token ids say. */
export interface TableDecl {
  readonly name: string;
  readonly shape: readonly number[];
  /** As of a weight. */
  readonly format?: string;
  /** Spellings, best first. */
  readonly tensors: readonly string[];
  readonly at: string | null;
}
/** Spellings, best first. `{0}` stands for the index in the first stack plus the first of `from`, and so on. */
export type TensorNames =
  | { readonly patterns: readonly string[]; readonly from: readonly number[] }
  /** One entry for each combination of stack indices, row-major, each with its spellings. */
  | { readonly list: readonly (readonly string[])[] };

/** Numbers that the compiler has computed. Reals are rounded to `elem` already; an i64 is written in decimals. */
export type ConstantDecl =
  | { readonly name: string; readonly elem: "f32" | "i32"; readonly values: readonly number[] }
  | { readonly name: string; readonly elem: "i64"; readonly values: readonly string[] };

/** Rows that grow by a row a token: [copies, rows, row]. */
export interface StateDecl {
  readonly name: string;
  readonly elem: BufferElem;
  /** Elements of one row. */
  readonly row: number;
  /** Layers that each have rows of their own. */
  readonly copies: number;
}

/** `call(begin, end, scratch, buffers…, sizes…)` runs the work items begin … end - 1 of the grid's product. */
export interface KernelDecl {
  readonly name: string;
  readonly buffers: readonly KernelBuffer[];
  readonly sizes: readonly string[];
  /** Extents of the grid's axes over `sizes`, the first fastest. */
  readonly grid: readonly SizeExpr[];
  /** Bytes of scratch that one worker needs. */
  readonly scratch: number;
  /** What WebGPU needs to know; of a program for it every kernel has it. */
  readonly gpu?: GpuKernel;
  /** Where it may be launched several times, each time with some pieces of a weight; none without it. */
  readonly window?: WindowDecl;
}
/**
 * Sizes of the kernel, by their ordinals: the first piece that a launch has, and how many it has; and those buffers of it that are in
 * these pieces, all of equal size. A call has all pieces. It may be played in parts that have all of them between them: each stores what
 * belongs to its own.
 */
export interface WindowDecl {
  readonly first: number;
  readonly pieces: number;
  readonly buffers: readonly number[];
}
/**
 * A compute shader whose entry point has the kernel's name. Behind its bindings stands one more, the uniform: i32 sizes in order, then
 * for each buffer, in order, the element where it starts in what is bound, then 0.
 */
export interface GpuKernel {
  /** By binding: numbers of the buffers that share it, one behind the other. What is written has a binding of its own. */
  readonly bindings: readonly (readonly number[])[];
  /** Work items that one workgroup runs. */
  readonly itemsInGroup: number;
}
export interface KernelBuffer {
  readonly name: string;
  readonly elem: BufferElem;
  /** Elements it touches at most, over the kernel's `sizes`: held against the binding before a call. */
  readonly extent: SizeExpr;
  readonly access: "read" | "write" | "both";
}

export interface Phase {
  readonly name: string;
  /** What of the text it plays. Each state belongs to the calls of one entry. */
  readonly entry: string;
  /** Tokens of a call for which it is made, both ends included. */
  readonly from: number;
  readonly to: number;
  /** Rows remembered after a call for which it is made, both ends included; any without it. */
  readonly rows?: { readonly from: number; readonly to: number };
  /** What the caller gives: of an entry first the ids of the tokens, i32 [tokens]. */
  readonly inputs: readonly Input[];
  /** Those of the inputs that are rows of tables, which a call of another phase numbers; none without it. */
  readonly lookups?: readonly Lookup[];
  readonly buffers: readonly ArenaBuffer[];
  readonly steps: readonly Step[];
  /** Where results stand after the last step. Of `next`, the logits of the last token, and `logits`, those of all, there is one. */
  readonly outputs: readonly Output[];
}
export interface Lookup {
  /** Among the phase's inputs. */
  readonly input: number;
  readonly table: number;
  /** The phase that is played before, on the same tokens, and that of its results which numbers the rows. */
  readonly phase: string;
  readonly rows: string;
}
export interface Input {
  readonly name: string;
  readonly elem: "i32" | "f32";
  /** Extents, over the call's sizes; it is full. */
  readonly dims: readonly SizeExpr[];
}
export interface Output {
  readonly name: string;
  readonly at: Binding;
  readonly elem: BufferElem;
  readonly dims: readonly SizeExpr[];
}
/** Memory of one call. Two whose lives do not meet may share it. */
export interface ArenaBuffer {
  readonly name: string;
  readonly elem: BufferElem;
  /** Elements, over the call's sizes. */
  readonly size: SizeExpr;
  /** Ordinals of the first and last leaf step that touch it, in the order written; a repeat's carried buffers live all of it. */
  readonly live: readonly [number, number];
}

/** Where a buffer of a kernel is. `offset` counts elements, over the call's sizes and indices of the repeats around it. */
export type Binding =
  | { readonly kind: "arena"; readonly buffer: number; readonly offset?: SizeExpr }
  | { readonly kind: "weight"; readonly weight: number; readonly offset?: SizeExpr }
  | { readonly kind: "constant"; readonly constant: number; readonly offset?: SizeExpr }
  /** Row `row` of the copy `copy`. */
  | { readonly kind: "state"; readonly state: number; readonly copy: SizeExpr; readonly row: SizeExpr }
  /** What the caller gives, by its place among the phase's inputs. */
  | { readonly kind: "input"; readonly input: number; readonly offset?: SizeExpr };

export type Step = Call | Repeat;
/** How a token is chosen (`best-tokens.ts`). */
export type TokenChoice = "best" | "greedy";
export interface Call {
  readonly kind: "call";
  readonly kernel: number;
  readonly buffers: readonly Binding[];
  /** A value for each size of the kernel. */
  readonly sizes: readonly SizeExpr[];
  /** The definitions it computes, for people and profiles. */
  readonly label: string;
  /** What it computes is for this choice of a token alone: it is left out of a call that does not ask for it. Played always without it. */
  readonly choice?: TokenChoice;
}
export interface Repeat {
  readonly kind: "repeat";
  readonly count: number;
  /** Name of the index in expressions of the body. */
  readonly index: string;
  /**
   * Arena buffers that change places after each round but the last: nothing is moved, the names are. After the repeat every name
   * means its own place again, so what the last round has written stands where that round found its buffers.
   */
  readonly swap: readonly (readonly [number, number])[];
  readonly body: readonly Step[];
}

/**
 * How tensors of a format of the text become real numbers: bands of rows, each by a call of a phase that is given the band's rows
 * of some tensors as f32 and gives its numbers.
 */
export interface DecoderDecl {
  /** The element type, as the text calls it: `e4m3`. */
  readonly scalar: string;
  /** Rows of a band, and extents behind the rows. */
  readonly rows: number;
  readonly tail: readonly number[];
  /** As the phase takes them. `{name}` stands for the name of the tensor, `{stem}` for that without `.weight`. */
  readonly tensors: readonly DecoderTensor[];
  /** Name of the phase. */
  readonly phase: string;
}
export interface DecoderTensor {
  readonly name: string;
  /** Rows that belong to a band, and extents behind them. */
  readonly rows: number;
  readonly tail: readonly number[];
}

/**
 * An entry that guesses the tokens after the next. It is fed what the program's entry says of a token, with the id of the token that
 * follows, and then what it says itself.
 */
export interface DraftDecl {
  readonly entry: string;
  readonly feeds: readonly DraftFeed[];
}
export interface DraftFeed {
  /** Of the entry that guesses. */
  readonly input: string;
  /** A row a token: of the entry that is checked, and of the one that guesses. */
  readonly first: string;
  readonly then: string;
}

/** The one format that this runtime plays. */
export const programFormat = 2;
