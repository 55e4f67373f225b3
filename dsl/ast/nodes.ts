/**
 * The syntax tree of a `.ds` file. Nodes are discriminated by `kind`, immutable, and carry their span. The parser always
 * returns a tree: where text could not be read, an `error` expression stands, and a name that is missing is empty.
 * Grammar: docs/language.md, last section.
 */
import type { Source, Span } from "../diagnostics/source.ts";

export interface Name {
  readonly text: string;
  readonly span: Span;
}

/** A `//` or `///` comment, kept for the formatter. `text` starts with its slashes and has no line break. */
export interface Comment {
  readonly text: string;
  readonly span: Span;
  /** Something other than white space stands before it on its line. */
  readonly trailing: boolean;
}

export interface File {
  readonly kind: "file";
  readonly source: Source;
  readonly imports: readonly Import[];
  readonly declarations: readonly Declaration[];
  /** All comments in text order, documentation included. */
  readonly comments: readonly Comment[];
  readonly span: Span;
}

export interface Import {
  readonly kind: "import";
  readonly names: readonly Name[];
  readonly from: StringLiteral;
  readonly span: Span;
}

export type Declaration = Fn | Block | Model | Law | Schedule;

/** `doc` is the text of the `///` lines before a declaration, or of the one trailing it, slashes removed; else null. */
interface Documented {
  readonly doc: string | null;
  readonly span: Span;
}

export interface Fn extends Documented {
  readonly kind: "fn";
  readonly name: Name;
  readonly params: readonly Param[];
  /** `= Expr` gives `expression`; `-> Outs { … }` gives results and items, and `expression` is null. */
  readonly expression: Expr | null;
  readonly results: readonly Result[];
  readonly items: readonly Item[];
}

export interface Block extends Documented {
  readonly kind: "block";
  readonly name: Name;
  readonly params: readonly Param[];
  readonly results: readonly Result[];
  readonly items: readonly Item[];
}

export interface Model extends Documented {
  readonly kind: "model";
  readonly name: Name;
  readonly parent: ModelParent | null;
  readonly items: readonly ModelItem[];
}

/** `extends name [from root at "prefix"]` */
export interface ModelParent {
  readonly name: Name;
  readonly root: Expr | null;
  readonly prefix: StringLiteral | null;
  readonly span: Span;
}

export interface Law extends Documented {
  readonly kind: "law";
  readonly name: Name;
  readonly params: readonly Param[];
  readonly body: Expr;
}

export interface Schedule extends Documented {
  readonly kind: "schedule";
  readonly model: Name;
  readonly rules: readonly ScheduleRule[];
  readonly phases: readonly SchedulePhase[];
}

export interface SchedulePhase {
  readonly name: Name;
  readonly rules: readonly ScheduleRule[];
  readonly span: Span;
}

export interface ScheduleRule {
  readonly path: readonly Name[];
  readonly strategy: Expr;
  readonly span: Span;
}

/** `a, b: Type = default`: several names of one type. */
export interface Param extends Documented {
  readonly kind: "parameter";
  readonly names: readonly Name[];
  readonly type: TypeNode;
  readonly default: Expr | null;
}

export interface Result {
  readonly kind: "result";
  readonly name: Name;
  readonly type: TypeNode;
  readonly span: Span;
}

/** What may stand in the body of a `fn`, `block` or `entry`. */
export type Item = ParamDecl | Weight | State | Part | Require | If | Equation;

/** What may stand in a model; `If` bodies of a model hold model items too. */
export type ModelItem = Item | Config | Runtime | Entry | Phase | Loop | Ignore | Storage | Numerics | Slot;

/** Set on a model item that begins with `override`: the span of that word. */
interface Overriding {
  readonly override: Span | null;
}

export interface ParamDecl extends Documented, Overriding {
  readonly kind: "param";
  readonly names: readonly Name[];
  readonly type: TypeNode;
  readonly default: Expr | null;
  readonly where: Expr | null;
}

/** `weight name : Type at "s" or "s2" copy at "c"`; `spellings` has at least one entry unless the text is broken. */
export interface Weight extends Documented, Overriding {
  readonly kind: "weight";
  readonly name: Name;
  readonly type: TypeNode;
  readonly spellings: readonly StringLiteral[];
  readonly copies: readonly StringLiteral[];
}

export interface State extends Documented, Overriding {
  readonly kind: "state";
  readonly name: Name;
  readonly type: TypeNode;
  readonly keep: Expr | null;
}

export interface Part extends Documented, Overriding {
  readonly kind: "part";
  readonly optional: Span | null;
  readonly name: Name;
  readonly subscript: Subscript | null;
  readonly block: Expr;
  readonly at: StringLiteral | null;
}

export interface Require extends Documented, Overriding {
  readonly kind: "require";
  readonly condition: Expr;
}

/** `else if` is an `else` whose only item is an `if` and `elseIf` true. */
export interface If extends Documented, Overriding {
  readonly kind: "if";
  readonly condition: Expr;
  readonly then: readonly ModelItem[];
  readonly else: readonly ModelItem[] | null;
  readonly elseIf: boolean;
  /** Spans of the braced bodies, braces included, for the formatter; `elseSpan` is null without `else` or with `elseIf`. */
  readonly thenSpan: Span;
  readonly elseSpan: Span | null;
}

/**
 * `targets : type := value`, or `target <- value where where`. Several targets are split along the first open axis
 * (`separator` `|`) or take the results of a call (`,`).
 */
export interface Equation extends Documented, Overriding {
  readonly kind: "equation";
  readonly targets: readonly Target[];
  readonly separator: "|" | "," | null;
  readonly type: TypeNode | null;
  readonly operator: ":=" | "<-";
  readonly value: Expr;
  readonly where: Expr | null;
}

/** `name.text` is `_` for a piece that is not wanted. */
export interface Target {
  readonly name: Name;
  readonly subscript: Subscript | null;
  readonly span: Span;
}

export interface Config extends Documented, Overriding {
  readonly kind: "config";
  readonly entries: readonly (ConfigField | Require)[];
}

export interface ConfigField extends Documented {
  readonly kind: "field";
  readonly names: readonly Name[];
  readonly type: TypeNode;
  readonly value: Expr;
  readonly where: Expr | null;
}

/** `runtime T : dim in 1..4096`; `scalar` is `dim` or `memory`. */
export interface Runtime extends Documented, Overriding {
  readonly kind: "runtime";
  readonly name: Name;
  readonly scalar: Name;
  readonly range: Expr;
}

export interface Entry extends Documented, Overriding {
  readonly kind: "entry";
  readonly name: Name;
  readonly params: readonly Param[];
  readonly results: readonly Result[];
  readonly items: readonly Item[];
}

export interface Phase extends Documented, Overriding {
  readonly kind: "phase";
  readonly name: Name;
  readonly entry: Name;
  readonly results: readonly Name[];
  readonly where: Expr | null;
}

/** `loop name = verb entry for count draft entry` */
export interface Loop extends Documented, Overriding {
  readonly kind: "loop";
  readonly name: Name;
  readonly verb: Name;
  readonly entry: Name;
  readonly count: Expr | null;
  readonly draft: Name | null;
}

export interface Ignore extends Documented, Overriding {
  readonly kind: "ignore";
  readonly patterns: readonly StringLiteral[];
}

/** `storage scalar as block not at "pattern", …` */
export interface Storage extends Documented, Overriding {
  readonly kind: "storage";
  readonly scalar: Name;
  readonly block: Expr;
  /** Tensors that are never stored so; `*` matches any run of characters. */
  readonly notAt: readonly StringLiteral[];
}

export interface Numerics extends Documented, Overriding {
  readonly kind: "numerics";
  readonly rules: readonly NumericsRule[];
}

export interface NumericsRule {
  readonly path: readonly Name[];
  readonly scalar: Name;
  readonly span: Span;
}

/** `block name = Expr` in a model: a named block value. */
export interface Slot extends Documented, Overriding {
  readonly kind: "slot";
  readonly name: Name;
  readonly value: Expr;
}

/** `[axes] scalar ?`; `axes` is null for a type without brackets, `scalar` null where it is left out (`real`). */
export interface TypeNode {
  readonly kind: "type";
  readonly axes: readonly AxisNode[] | null;
  readonly scalar: ScalarNode | null;
  readonly nullable: Span | null;
  readonly span: Span;
}

/** `size`, or `size of of`: at most `size` of the indices of an axis (`_ of E`: some). */
export interface AxisNode {
  readonly size: Expr;
  readonly of: Expr | null;
  readonly span: Span;
}

export type ScalarNode =
  | { readonly kind: "word"; readonly word: Name; readonly span: Span }
  | {
      readonly kind: "block-type";
      readonly nullable: Span | null;
      readonly params: readonly Param[];
      readonly results: readonly Result[];
      readonly span: Span;
    }
  | { readonly kind: "index-type"; readonly axis: Expr; readonly span: Span }
  | { readonly kind: "set-type"; readonly axis: Expr; readonly span: Span }
  /** `"a" | "b"`: one of these texts. Stands in types only, not in casts and not behind axes. */
  | { readonly kind: "choice-type"; readonly choices: readonly StringLiteral[]; readonly span: Span };

export interface Subscript {
  readonly items: readonly Expr[];
  readonly where: Expr | null;
  readonly span: Span;
}

export type Expr =
  | NumberLiteral
  | StringLiteral
  | { readonly kind: "boolean"; readonly value: boolean; readonly span: Span }
  | { readonly kind: "null"; readonly span: Span }
  | { readonly kind: "hole"; readonly span: Span }
  | { readonly kind: "config-root"; readonly span: Span }
  | NameExpr
  | GroupExpr
  | TupleExpr
  | JoinExpr
  | SetExpr
  | IndexExpr
  | CallExpr
  | MemberExpr
  | ElseExpr
  | CastExpr
  | UnaryExpr
  | BinaryExpr
  | ConditionalExpr
  | { readonly kind: "error"; readonly span: Span };

/** `text` is the digits as written, so that large integers lose nothing. */
export interface NumberLiteral {
  readonly kind: "number";
  readonly value: number;
  readonly text: string;
  readonly span: Span;
}

/** `value` is the text between the quotes, escapes resolved; `{name}` in it is left as it stands. */
export interface StringLiteral {
  readonly kind: "string";
  readonly value: string;
  readonly span: Span;
}

export interface NameExpr {
  readonly kind: "name";
  readonly text: string;
  readonly span: Span;
}

/** `(e)`: kept so that the formatter keeps it. */
export interface GroupExpr {
  readonly kind: "group";
  readonly inner: Expr;
  readonly span: Span;
}

/** `(a, b)` */
export interface TupleExpr {
  readonly kind: "tuple";
  readonly items: readonly Expr[];
  readonly span: Span;
}

/** `(a | b)` */
export interface JoinExpr {
  readonly kind: "join";
  readonly items: readonly Expr[];
  readonly span: Span;
}

/** `{1, 14}`, `{ s in S where c }`, `{ f(j) for j in K }` */
export interface SetExpr {
  readonly kind: "set";
  readonly items: readonly Expr[];
  readonly binder: Expr | null;
  readonly where: Expr | null;
  readonly span: Span;
}

export interface IndexExpr {
  readonly kind: "index";
  readonly base: Expr;
  readonly subscript: Subscript;
  readonly span: Span;
}

export interface CallExpr {
  readonly kind: "call";
  readonly callee: Expr;
  readonly args: readonly Arg[];
  readonly span: Span;
}

export type Arg =
  | { readonly kind: "spread"; readonly span: Span }
  | { readonly kind: "argument"; readonly name: Name | null; readonly value: Expr; readonly span: Span };

export interface MemberExpr {
  readonly kind: "member";
  readonly base: Expr;
  readonly word: Name;
  readonly span: Span;
}

/** `value else fallback` */
export interface ElseExpr {
  readonly kind: "else";
  readonly value: Expr;
  readonly fallback: Expr;
  readonly span: Span;
}

export interface CastExpr {
  readonly kind: "cast";
  readonly value: Expr;
  readonly type: ScalarNode;
  readonly span: Span;
}

export interface UnaryExpr {
  readonly kind: "unary";
  readonly op: "-" | "not";
  readonly operand: Expr;
  readonly span: Span;
}

export type BinaryOp =
  | "+"
  | "-"
  | "xor"
  | "*"
  | "/"
  | "div"
  | "mod"
  | "^"
  | "=="
  | "!="
  | "<"
  | "<="
  | ">"
  | ">="
  | "in"
  | "~"
  | ".."
  | "and"
  | "or"
  | "??";

export interface BinaryExpr {
  readonly kind: "binary";
  readonly op: BinaryOp;
  readonly left: Expr;
  readonly right: Expr;
  readonly span: Span;
}

export interface ConditionalExpr {
  readonly kind: "conditional";
  readonly condition: Expr;
  readonly then: Expr;
  readonly else: Expr;
  readonly span: Span;
}
