/** Concrete tree -> expressions and types. */
import type { CstNode, IToken } from "chevrotain";
import type {
  Arg,
  AxisNode,
  Expr,
  Param,
  Result,
  ScalarNode,
  StringLiteral,
  Subscript,
  TypeNode,
} from "../ast/nodes.ts";
import { coverSpans } from "../diagnostics/source.ts";
import { type BuildContext, node, nodes, token, tokens } from "./cst.ts";
import { type Operand, resolveChain } from "./operators.ts";

/** The first expression of a node, or an `error` expression at its end. */
export function buildExpr(context: BuildContext, parent: CstNode, index = 0): Expr {
  const read = nodes(parent, "expression")[index];
  return read === undefined ? context.missing(parent) : expression(context, read);
}

export function buildOptionalExpr(context: BuildContext, parent: CstNode): Expr | null {
  const read = node(parent, "expression");
  return read === null ? null : expression(context, read);
}

export function buildWhere(context: BuildContext, parent: CstNode): Expr | null {
  const read = node(parent, "where");
  return read === null ? null : buildExpr(context, read);
}

const allExprs = (context: BuildContext, parent: CstNode): readonly Expr[] =>
  nodes(parent, "expression").map((read) => expression(context, read));

/** `c ? a : d ? b : e` from the right. */
function expression(context: BuildContext, read: CstNode): Expr {
  const chains = nodes(read, "chain").map((part) => chain(context, part));
  const thens = allExprs(context, read);
  let built = chains.at(-1) ?? context.missing(read);
  for (let i = chains.length - 2; i >= 0; i--) {
    const condition = chains[i] ?? context.missing(read);
    const then = thens[i] ?? context.missing(read);
    built = { kind: "conditional", condition, then, else: built, span: coverSpans(condition.span, built.span) };
  }
  return built;
}

/** A rule of operands and operators: `chain` or `sum`. */
function chain(context: BuildContext, read: CstNode): Expr {
  const operands = nodes(read, "operand").map((part) => operand(context, part));
  if (operands.length === 0) return context.missing(read);
  return resolveChain(context, operands, tokens(read, "operator"));
}

function operand(context: BuildContext, read: CstNode): Operand {
  const places = nodes(read, "place");
  const first = places[0];
  const second = places[1];
  let value = first === undefined ? context.missing(read) : place(context, first);
  if (second !== undefined) {
    const fallback = place(context, second);
    value = { kind: "else", value, fallback, span: coverSpans(value.span, fallback.span) };
  }
  for (const cast of nodes(read, "scalar")) {
    const type = buildScalar(context, cast);
    value = { kind: "cast", value, type, span: coverSpans(value.span, type.span) };
  }
  return { prefixes: tokens(read, "Prefix"), value };
}

function place(context: BuildContext, read: CstNode): Expr {
  let built = primary(context, read);
  for (const suffix of nodes(read, "suffix")) {
    const end = context.nodeSpan(suffix, built.span.end);
    const span = coverSpans(built.span, end);
    if (suffix.name === "subscript") {
      built = { kind: "index", base: built, subscript: buildSubscript(context, suffix), span };
    } else if (suffix.name === "args") {
      built = { kind: "call", callee: built, args: nodes(suffix, "arg").map((arg) => argument(context, arg)), span };
    } else {
      built = { kind: "member", base: built, word: context.nameOf(suffix, "Word"), span };
    }
  }
  return built;
}

const literals: Readonly<Record<string, (context: BuildContext, read: IToken) => Expr>> = {
  Name: (context, read) => ({ kind: "name", text: read.image, span: context.tokenSpan(read) }),
  Number: number,
  String: (context, read) => context.string(read),
  Hole: (context, read) => ({ kind: "hole", span: context.tokenSpan(read) }),
  Root: (context, read) => ({ kind: "config-root", span: context.tokenSpan(read) }),
  Keyword_true: (context, read) => ({ kind: "boolean", value: true, span: context.tokenSpan(read) }),
  Keyword_false: (context, read) => ({ kind: "boolean", value: false, span: context.tokenSpan(read) }),
  Keyword_null: (context, read) => ({ kind: "null", span: context.tokenSpan(read) }),
};

function primary(context: BuildContext, read: CstNode): Expr {
  for (const [key, build] of Object.entries(literals)) {
    const found = token(read, key);
    if (found !== null) return build(context, found);
  }
  const bracketed = node(read, "group");
  if (bracketed !== null) return group(context, bracketed);
  const braced = node(read, "set");
  if (braced !== null) return set(context, braced);
  return context.missing(read);
}

function number(context: BuildContext, read: IToken): Expr {
  const value = Number(read.image);
  const span = context.tokenSpan(read);
  if (!Number.isFinite(value)) {
    context.error("DS0004", "number out of range", span, "greater than any 64-bit floating-point number", "inf");
  }
  return { kind: "number", value, text: read.image, span };
}

function group(context: BuildContext, read: CstNode): Expr {
  const items = allExprs(context, read);
  const span = context.nodeSpan(read);
  if (token(read, "Bar") !== null) return { kind: "join", items, span };
  if (items.length > 1) return { kind: "tuple", items, span };
  return { kind: "group", inner: items[0] ?? context.missing(read), span };
}

function set(context: BuildContext, read: CstNode): Expr {
  const all = allExprs(context, read);
  const bound = token(read, "Keyword_for") !== null;
  return {
    kind: "set",
    items: bound ? all.slice(0, -1) : all,
    binder: bound ? (all.at(-1) ?? null) : null,
    where: buildWhere(context, read),
    span: context.nodeSpan(read),
  };
}

function argument(context: BuildContext, read: CstNode): Arg {
  const span = context.nodeSpan(read);
  if (token(read, "Spread") !== null) return { kind: "spread", span };
  const name = token(read, "Name");
  return {
    kind: "argument",
    name: name === null ? null : context.name(name),
    value: buildExpr(context, read),
    span,
  };
}

export function buildSubscript(context: BuildContext, read: CstNode): Subscript {
  return { items: allExprs(context, read), where: buildWhere(context, read), span: context.nodeSpan(read) };
}

/** The type of a node; where it is missing, one that nothing is known of. */
export function buildType(context: BuildContext, parent: CstNode): TypeNode {
  const read = node(parent, "type");
  if (read === null) {
    const span = context.endSpan(parent);
    return { kind: "type", axes: null, scalar: null, nullable: null, span };
  }
  const scalar = node(read, "scalar");
  const choice = node(read, "choice");
  const nullable = token(read, "Question");
  return {
    kind: "type",
    axes: token(read, "LeftSquare") === null ? null : nodes(read, "axis").map((part) => axis(context, part)),
    scalar: choice !== null ? buildChoice(context, choice) : scalar === null ? null : buildScalar(context, scalar),
    nullable: nullable === null ? null : context.tokenSpan(nullable),
    span: context.nodeSpan(read),
  };
}

function axis(context: BuildContext, read: CstNode): AxisNode {
  const of = token(read, "Keyword_of") === null ? null : buildExpr(context, read, 1);
  return { size: buildExpr(context, read), of, span: context.nodeSpan(read) };
}

const buildChoice = (context: BuildContext, read: CstNode): ScalarNode => ({
  kind: "choice-type",
  choices: context.strings(read),
  span: context.nodeSpan(read),
});

function buildScalar(context: BuildContext, read: CstNode): ScalarNode {
  const span = context.nodeSpan(read);
  const scalarWord = token(read, "ScalarWord");
  if (scalarWord !== null) return { kind: "word", word: context.name(scalarWord), span };
  if (token(read, "Keyword_block") !== null) {
    const nullable = token(read, "Question");
    return {
      kind: "block-type",
      nullable: nullable === null ? null : context.tokenSpan(nullable),
      params: buildParams(context, read),
      results: buildResults(context, read),
      span,
    };
  }
  const sum = node(read, "sum");
  const over = sum === null ? context.missing(read) : chain(context, sum);
  return { kind: token(read, "Keyword_in") === null ? "set-type" : "index-type", axis: over, span };
}

export function buildParams(context: BuildContext, parent: CstNode): readonly Param[] {
  const list = node(parent, "params");
  if (list === null) return [];
  return nodes(list, "param").map((read) => {
    const span = context.nodeSpan(read);
    return {
      kind: "parameter",
      names: buildNames(context, read),
      type: buildType(context, read),
      default: buildOptionalExpr(context, read),
      doc: context.doc(span),
      span,
    };
  });
}

export function buildResults(context: BuildContext, parent: CstNode): readonly Result[] {
  const list = node(parent, "outs");
  if (list === null) return [];
  return nodes(list, "out").map((read) => ({
    kind: "result",
    name: context.nameOf(read),
    type: buildType(context, read),
    span: context.nodeSpan(read),
  }));
}

export function buildNames(context: BuildContext, parent: CstNode): Param["names"] {
  const list = node(parent, "names");
  return list === null ? [] : context.names(list);
}

export const buildOptionalString = (context: BuildContext, parent: CstNode): StringLiteral | null =>
  token(parent, "String") === null ? null : context.stringOf(parent);
