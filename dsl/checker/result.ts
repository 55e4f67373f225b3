/** What checking a project yields: diagnostics, what an editor wants to know, and the instance tree of its model. */
import type { File } from "../ast/nodes.ts";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import type { Span } from "../diagnostics/source.ts";

export interface CheckResult {
  /** Every file reached from the entry, by project-relative path (`std/…` for the library). */
  readonly files: ReadonlyMap<string, File>;
  /** Sorted by path and position; one cause is reported once. */
  readonly diagnostics: readonly Diagnostic[];
  readonly symbols: readonly SymbolInfo[];
  readonly references: readonly Reference[];
  /** Inferred types of definitions, indices and expressions; where several cover an offset, the smallest counts. */
  readonly hovers: readonly Hover[];
  /** Inferred sums and ranges: what `fmt --explicit` writes out. */
  readonly annotations: readonly Annotation[];
  /** What each `..` filled in: `check --captures`. */
  readonly captures: readonly Capture[];
  /** Conditions that could be neither proved nor refuted with what is known of the sizes. */
  readonly unproved: readonly Unproved[];
  /** The model of the entry file (its last one), with its blocks instantiated; null when it has none. */
  readonly model: ModelInstance | null;
}

export type SymbolKind =
  | "fn"
  | "block"
  | "model"
  | "law"
  | "entry"
  | "phase"
  | "loop"
  | "param"
  | "parameter"
  | "field"
  | "runtime"
  | "dim"
  | "weight"
  | "state"
  | "part"
  | "slot"
  | "definition"
  | "result"
  | "index";

export interface SymbolInfo {
  /** Unique within one check. */
  readonly id: number;
  readonly name: string;
  readonly kind: SymbolKind;
  /** The name where it is declared. */
  readonly span: Span;
  /** Where the name can be seen: its declaration's text; the whole file for top-level names; one equation for an index. */
  readonly scope: Span;
  readonly doc: string | null;
  /** Type or signature as text: `[T, H, N]`, `fn softmax(a: [I]) -> p: [I]`, `dim`. */
  readonly detail: string;
}

export interface Reference {
  readonly span: Span;
  /** `SymbolInfo.id`; the declaring name is a reference to itself too. */
  readonly symbol: number;
}

export interface Hover {
  readonly span: Span;
  readonly text: string;
}

/** Source text to insert so that what was inferred stands written: `sum[d](` before and `)` after, or ` in D`. */
export interface Annotation {
  readonly kind: "sum" | "range";
  readonly span: Span;
  readonly before: string;
  readonly after: string;
}

export interface Capture {
  /** The `..`. */
  readonly span: Span;
  readonly block: string;
  readonly taken: readonly { readonly parameter: string; readonly value: string }[];
}

export interface Unproved {
  readonly span: Span;
  readonly text: string;
}

export interface ModelInstance {
  readonly name: string;
  readonly doc: string | null;
  /** Config fields, options and run-time sizes, with their values where a config is given. */
  readonly settings: readonly Setting[];
  readonly blocks: readonly BlockInstance[];
  readonly weights: readonly WeightInstance[];
  readonly entries: readonly EntryInstance[];
  /** True when a config.json was given and every size is a number. */
  readonly bound: boolean;
}

export interface Setting {
  readonly name: string;
  readonly kind: "field" | "option" | "runtime";
  readonly type: string;
  /** The value as text, or null when no config is given. */
  readonly value: string | null;
}

/** One block in use. Equal members of a family (60 equal layers) are one instance. */
export interface BlockInstance {
  /** Name of the part. */
  readonly name: string;
  /** Name of the library block, `mla`. */
  readonly block: string;
  readonly doc: string | null;
  /** `{ index: "l", size: "L", count: 61 }` for a family; count null when it is not known. */
  readonly family: { readonly index: string; readonly size: string; readonly count: number | null } | null;
  /** For members of a family that differ: which indices this instance stands for (`l < 3`), and how many. */
  readonly members: { readonly condition: string; readonly count: number | null } | null;
  readonly optional: boolean;
  readonly params: readonly { readonly name: string; readonly value: string }[];
  /** Signature with this instance's sizes: `x: [T, D], pos: [T] in S -> y: [T, D]`. */
  readonly signature: string;
  readonly weights: readonly WeightInstance[];
  readonly states: readonly { readonly name: string; readonly shape: string }[];
  readonly parts: readonly BlockInstance[];
}

export interface WeightInstance {
  readonly name: string;
  /** Full checkpoint names, first spelling first, family indices in braces: `model.layers.{l}.mlp.gate.weight`. */
  readonly tensors: readonly string[];
  readonly copies: readonly string[];
  /** Stored shape as text, `[(H, (N | V)), R]`, and as numbers when every size is known. */
  readonly shape: string;
  readonly sizes: readonly number[] | null;
  readonly type: string;
}

export interface EntryInstance {
  readonly name: string;
  readonly signature: string;
}
