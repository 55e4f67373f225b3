/** What elaboration works on: frames (a declaration in place), and the equation being looked at. */
import type { Block, Expr, Fn, Law } from "../../dsl/ast/nodes.ts";
import type { BlockValue, DeclInfo, PathInfo, Static } from "../../dsl/checker/context.ts";
import type { Span } from "../../dsl/diagnostics/source.ts";
import type { Builder } from "../graph/builder.ts";
import type { Dim } from "../graph/dim.ts";
import type { Append, Scalar } from "../graph/node.ts";
import type { Axis } from "./axis.ts";
import type { IndexVariable, Names } from "./index-variable.ts";
import type { Value } from "./value.ts";

/** What the text asks for and elaboration cannot do yet, or can never do; with its place. */
export class ElaborationError extends Error {
  readonly span: Span;
  constructor(message: string, span: Span) {
    super(message);
    this.span = span;
  }
}

/** A dimension along which equal blocks have their tensors side by side: the layers of a repeat, the experts. */
export interface Stack {
  /** The hole in tensor names, `l` of `layers.{l}`. */
  readonly hole: string;
  readonly members: readonly number[];
  readonly size: Dim;
  readonly at: () => Scalar;
}

/** A block value with the frame in which its conditions and arguments mean something. */
export interface PlacedBlock {
  readonly value: BlockValue;
  readonly home: Frame;
}

/** A declaration in place: one path through its `if`s, with its sizes, arguments and tensors. */
export interface Frame {
  readonly info: PathInfo;
  /** The frame whose names are visible too: the model, for an entry. */
  readonly outer: Frame | null;
  /** Sizes of the header and parameters. */
  readonly sizes: ReadonlyMap<string, Axis>;
  /** Arguments and settings that are values. */
  readonly given: ReadonlyMap<string, Value>;
  readonly blocks: ReadonlyMap<string, PlacedBlock | null>;
  /** Indices with known values, such as the layer of a family's member. */
  readonly known: ReadonlyMap<string, Static>;
  readonly label: string;
  readonly prefix: string;
  readonly stacks: readonly Stack[];
  /** Run-time indices around it, outermost first. */
  readonly around: readonly IndexVariable[];
  /** Values of definitions, parts' frames and states, made when first asked for. */
  readonly memo: Map<string, Value>;
  readonly unit: Unit;
}

/** One entry (or law, or format) being elaborated. */
export interface Unit {
  readonly builder: Builder;
  readonly names: Names;
  readonly rules: Rules;
  readonly declared: (decl: Fn | Block | Law) => DeclInfo;
  /** Numbers of sizes that the config fixes. */
  readonly numbers: Readonly<Record<string, number>>;
  readonly number: (size: Dim) => number | null;
  /** What `$.name` is in the text of a model; undefined where it is not known. */
  readonly config: (expr: Expr) => Static | undefined;
  /** What text of the model itself comes to, with members of families known: `rows[l]`. */
  readonly staticIn: (expr: Expr, known: ReadonlyMap<string, Static>) => Static | undefined;
  readonly weights: WeightTable;
  /** Appends of the innermost repeat that is being made, last. */
  readonly effects: Append[][];
  /** Sizes of memories, `S`, with the rows before the call. */
  readonly memories: readonly Memory[];
  /** Prefix of the tensors that a declaration of the model itself names: that of the ancestor it comes from. */
  readonly prefixOf: (decl: object) => string;
  /** Members of families met so far, by the label that stands for them. */
  readonly runs: Map<string, FamilyRun>;
  /** Definitions that become nodes even where they only rename something, so that their values can be looked at. */
  readonly keep: (label: string) => boolean;
  /** How the value of a definition is kept, where `numerics` says it: by its label. */
  readonly format: (label: string) => FormatRule | null;
  /** Labels of definitions that are no nodes of their own, and those of the nodes that hold their values. */
  readonly aliases: Map<string, string>;
  /** Where the text defines what is met, by label. */
  readonly places: Map<string, Span>;
  /** Writes of states met so far, null where a repeat begins: each write happens, read or not. */
  readonly pending: ((() => void) | null)[];
  /** Makes the writes that have been met since the innermost repeat began. */
  readonly settle: () => void;
}

/** A run-time size `S` of memory: `size` rows, of which `before` were there before the call and `token` are its own. */
export interface Memory {
  readonly size: Dim;
  readonly before: Dim;
  readonly token: Dim;
}

/** A line of `numerics` that keeps a value in less than f32. */
export interface FormatRule {
  readonly format: "bf16" | "f16";
  readonly at: Span;
}

/** Members of a family under one label: `layer3` for layers 3 to 60 of `layer`. */
export interface FamilyRun {
  readonly family: string;
  /** In order; those of a repeat are its iterations. */
  readonly members: readonly number[];
}

/** A weight of the graph and where its numbers come from. */
export interface WeightSource {
  readonly label: string;
  /** One tensor for each combination of stack members, row-major; each with its spellings, best first. */
  readonly tensors: readonly (readonly string[])[];
  /** The spellings with `{0}` for the member of the first stack, and so on; and the members. */
  readonly spellings: readonly string[];
  readonly members: readonly (readonly number[])[];
  readonly copies: readonly (readonly string[])[];
  /** As the checkpoint stores it. */
  readonly stored: readonly Dim[];
  /** Sizes of the stacks in front. */
  readonly stacks: readonly number[];
  /** Declared element type: `real`, `f32`, `i64`, … */
  readonly element: string;
  /** For integer weights typed `in C`: what each value must be below. */
  readonly below: Dim | null;
  /** Numbers that the compiler supplies itself. */
  readonly constant: readonly (number | bigint)[] | null;
  readonly optional: boolean;
}
export type WeightTable = Map<string, WeightSource>;

/** `layer[l](h[l], …)`: a step of a recurrence that calls a member of a family. */
export interface LayerCall {
  readonly expr: Expr & { readonly kind: "call" };
  readonly part: string;
  /** The argument that is the row before. */
  readonly carried: number;
}

/** The equation being elaborated. */
export interface Equation {
  readonly frame: Frame;
  /** Name of what it defines, for labels. */
  readonly label: string;
  /** Indices by name, innermost binding counts. */
  readonly indices: ReadonlyMap<string, IndexVariable>;
  /** Every index of it so far, in order. */
  readonly all: readonly IndexVariable[];
}

export interface Rules {
  readonly evaluate: (expr: Expr, eq: Equation) => Value;
  readonly call: (expr: Expr & { kind: "call" }, eq: Equation) => Value;
  readonly define: (name: string, frame: Frame) => Value | null;
}
