/**
 * The state of one check: what a name means (entities in scopes), what is known of sizes (facts), and what one
 * declaration, on one path through its `if`s, has been found to be. Functions that need each other across files reach
 * each other through `Rules`, which check-project.ts fills in: files do not import in circles.
 */
import type {
  Block,
  ConfigField,
  Entry,
  Equation,
  Expr,
  Fn,
  Law,
  Model,
  Param,
  ParamDecl,
  Part,
  Require,
  Result,
  Runtime,
  Slot,
  State,
  Subscript,
  Weight,
} from "../ast/nodes.ts";
import type { Code } from "../diagnostics/codes.ts";
import type { Span } from "../diagnostics/source.ts";
import type { Axis } from "../types/axis.ts";
import type { Facts } from "../types/facts.ts";
import type { Poly } from "../types/poly.ts";
import type { Signature, ValueType } from "../types/value-type.ts";
import type { Recorder } from "./recorder.ts";
import type { SymbolKind } from "./result.ts";

/** A value known when compiling; integers are bigint. `undefined` is used beside it for "not known". */
export type Static = bigint | number | string | boolean | null | StaticList | StaticSet | StaticObject;
export interface StaticList {
  readonly kind: "list";
  readonly items: readonly Static[];
}
export interface StaticSet {
  readonly kind: "set";
  readonly items: readonly Static[];
}

/** A JSON object: only `$.name` looks inside. */
export interface StaticObject {
  readonly kind: "object";
  readonly members: Readonly<Record<string, unknown>>;
}

export interface Value extends ValueType {
  /** The value as a symbolic integer, when it is one number. */
  readonly poly: Poly | null;
  readonly constant: Static | undefined;
  /** Known when compiling. */
  readonly isStatic: boolean;
  readonly block: BlockValue | null;
  /** Results of a call with several. */
  readonly tuple: readonly Value[] | null;
  /** Depends on other tokens of the call, or on rows of memory without regard to position. */
  readonly tainted: boolean;
  readonly span: Span;
}

/** A block with some parameters filled in. */
export type BlockValue =
  | { readonly kind: "block"; readonly decl: Block; readonly args: ReadonlyMap<string, BlockArg>; readonly span: Span }
  | {
      readonly kind: "choice";
      readonly condition: Expr;
      readonly yes: BlockValue;
      readonly no: BlockValue;
      readonly span: Span;
    }
  | { readonly kind: "opaque"; readonly name: string; readonly signature: Signature; readonly span: Span }
  | { readonly kind: "none"; readonly span: Span };

export interface BlockArg {
  readonly value: Value;
  readonly expr: Expr | null;
  /** For a size: the axis it stands for, which may be structured. */
  readonly axis: Axis | null;
}

/** What a name stands for. Types of definitions are found on demand. */
export interface Entity {
  readonly kind: SymbolKind;
  readonly name: string;
  readonly span: Span;
  readonly symbol: number;
  readonly source: EntitySource;
  /** Filled in when first asked for. */
  state: "new" | "busy" | "done";
  value: Value | null;
  /** For an integer tensor defined by one expression: its value over places `‹#0›`, `‹#1›`, … */
  body: Poly | null;
  uses: number;
}

export type EntitySource =
  | { readonly kind: "fn"; readonly decl: Fn }
  | { readonly kind: "block"; readonly decl: Block }
  | { readonly kind: "model"; readonly decl: Model }
  | { readonly kind: "broken" }
  | { readonly kind: "dim" }
  | { readonly kind: "argument"; readonly param: Param; readonly position: number }
  | { readonly kind: "param"; readonly decl: ParamDecl }
  | { readonly kind: "weight"; readonly decl: Weight }
  | { readonly kind: "state"; readonly decl: State }
  | { readonly kind: "part"; readonly decl: Part }
  | { readonly kind: "slot"; readonly decl: Slot }
  | { readonly kind: "field"; readonly decl: ConfigField }
  | { readonly kind: "runtime"; readonly decl: Runtime }
  | { readonly kind: "definition"; readonly equations: readonly Equation[]; readonly declared: Result | null }
  | { readonly kind: "entry"; readonly decl: Entry };

export interface Scope {
  readonly names: Map<string, Entity>;
  readonly parent: Scope | null;
}

export type Owner = Fn | Block | Entry | Law | Model;

/** A condition that could not be decided with what a declaration knows of its sizes; asked again where it is used. */
export interface Deferred {
  readonly kind: "nonNegative" | "integral";
  readonly poly: Poly;
  readonly facts: Facts;
  readonly code: Code;
  /** Where it arose, and where it was passed on. */
  readonly span: Span;
  readonly origin: Span | null;
  readonly text: string;
}

export interface PathCondition {
  readonly expr: Expr;
  readonly holds: boolean;
}

/** What has been found of a declaration on one path. */
export interface PathInfo {
  readonly conditions: readonly PathCondition[];
  readonly results: ReadonlyMap<string, Value>;
  readonly deferred: readonly Deferred[];
  readonly requires: readonly (Require | { readonly kind: "where"; readonly condition: Expr; readonly span: Span })[];
  readonly parts: readonly PartInfo[];
  readonly weights: readonly { readonly decl: Weight; readonly type: ValueType }[];
  readonly states: readonly { readonly decl: State; readonly type: ValueType }[];
  readonly body: Body;
}

export interface PartInfo {
  readonly decl: Part;
  readonly block: BlockValue;
  readonly family: { readonly index: string; readonly axis: Axis } | null;
  /** Sizes of the block's header as its first call fixed them, one map an alternative of a choice. */
  readonly dims: Map<BlockValue, ReadonlyMap<string, Axis>>;
  /** Types of the arguments of the first call, by parameter. */
  readonly args: Map<string, ValueType>;
  /** Sizes of the header that weights of the block have: equal in all calls. */
  readonly fixed: ReadonlySet<string>;
}

export interface HeaderParam {
  readonly name: string;
  readonly type: ValueType;
  readonly hasDefault: boolean;
  /** Its default as a size in the declaration's names, where it is one. */
  readonly defaultSize: Poly | null;
  readonly span: Span;
  readonly node: Param | ParamDecl;
}

/** What a caller sees, in the declaration's own names. `sizes` are solved from arguments. */
export interface Header {
  readonly name: string;
  readonly span: Span;
  readonly params: readonly HeaderParam[];
  /** `param`s of a block. */
  readonly settings: readonly HeaderParam[];
  readonly results: readonly { readonly name: string; readonly type: ValueType; readonly span: Span }[];
  readonly sizes: ReadonlySet<string>;
}

export interface DeclInfo {
  readonly decl: Owner;
  header: Header | null;
  readonly paths: PathInfo[];
  /** Header sizes along which an element of a result depends on other elements of an argument. */
  readonly mixes: Set<string>;
  /** Sizes that are memories of its states, or of states of its parts. */
  readonly remembers: Set<string>;
  done: boolean;
}

export interface Rules {
  readonly infer: (expr: Expr, eq: EquationContext) => Value;
  readonly read: (base: Value, subscript: Subscript, span: Span, eq: EquationContext, options: ReadOptions) => Value;
  readonly call: (expr: Expr & { kind: "call" }, eq: EquationContext) => Value;
  readonly define: (entity: Entity, body: Body) => Value;
  readonly declared: (decl: Fn | Block) => DeclInfo;
}

export interface ReadOptions {
  /** An `else` follows: the read may be outside. */
  readonly fallback: boolean;
  /** Text of what is read, for keys and messages. */
  readonly text: string;
  readonly entity: Entity | null;
}

export interface Shared {
  readonly recorder: Recorder;
  readonly rules: Rules;
}

/** One declaration on one path. */
export interface Body {
  readonly shared: Shared;
  readonly owner: Owner;
  readonly scope: Scope;
  readonly info: DeclInfo;
  facts: Facts;
  /** Facts of the path alone: where an equation starts from. */
  pathFacts: Facts;
  /** What conditions of the path say of names that are not integers, and of integers set equal: by name. */
  readonly known: Map<string, Static | Poly>;
  readonly truths: Map<string, boolean>;
  readonly notNull: Set<string>;
  /** Sizes that are memories (first axes of states). */
  readonly memories: ReadonlySet<string>;
  /** Token sizes, each with the names of the position arguments along it. */
  readonly tokens: ReadonlyMap<string, readonly string[]>;
  readonly deferred: Deferred[];
  readonly parts: Map<string, PartInfo>;
  readonly writes: Map<string, Equation>;
  /** What each equation gives its targets, once it has been checked. */
  readonly equations: Map<Equation, readonly Value[]>;
  /** Products that an index is summed over, where nothing writes the sum: the names of those indices. */
  readonly sums: Map<Expr, readonly string[]>;
  /** Run-time parts of a model: entries check chunks only when the model has state. */
  readonly checksCausality: boolean;
  /** Nothing is reported: what would be follows from something that has been. */
  quiet: boolean;
  /** Errors met on this path, those already reported on another included. */
  readonly found: { errors: number };
}

export type IndexRole = "left" | "free" | "bound";

export interface IndexInfo {
  readonly name: string;
  /** The name in keys; differs when one name is bound twice in an equation. */
  readonly token: string;
  role: IndexRole;
  readonly span: Span;
  readonly ranges: { readonly axis: Axis; readonly span: Span; readonly written: boolean }[];
  /** Steps of a recurrence and of families are known when compiling. */
  isStatic: boolean;
  axis: Axis | null;
  reads: number;
}

export interface EquationContext {
  readonly body: Body;
  readonly scopeSpan: Span;
  /** Innermost binding of each name last. */
  readonly indices: Map<string, IndexInfo[]>;
  readonly all: IndexInfo[];
  /** How often each name was bound. */
  readonly bound: Map<string, number>;
  /** Which expressions are uses of an index. */
  readonly uses: Map<Expr, IndexInfo>;
  /** Which nodes bind indices (reductions, sets). */
  readonly binders: Map<Expr, readonly IndexInfo[]>;
  /** Checks that need the ranges of all indices; run at the end. */
  readonly obligations: (() => void)[];
  /** The expression is a block value: `mla(..)` fills parameters in, where an equation would call. */
  readonly fillsBlocks: boolean;
  /** Facts that hold inside the part of the equation being looked at. */
  facts: Poly[];
  /** Left index along a token axis, when there is one. */
  token: { index: IndexInfo; size: string } | null;
  /** Sizes along which the equation looks at other elements than the one it defines. */
  readonly mixing: { readonly size: string; readonly span: Span }[];
  /** Reads of values that depend on other tokens or on all of memory. */
  readonly taints: Span[];
  /** Something that is read is wrong itself: what follows from it is not said. */
  doubtful: boolean;
  /** Indices found on two different axes. */
  readonly mismatched: IndexInfo[];
}

export const lookup = (scope: Scope, name: string): Entity | null => {
  for (let at: Scope | null = scope; at !== null; at = at.parent) {
    const entity = at.names.get(name);
    if (entity !== undefined) return entity;
  }
  return null;
};
