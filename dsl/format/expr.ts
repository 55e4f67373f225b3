/** Expressions and types as text that can break. */
import type { Arg, AxisNode, Expr, Name, Param, Result, ScalarNode, Subscript, TypeNode } from "../ast/nodes.ts";
import { binaryPrecedence, unaryPrecedence } from "../parser/operators.ts";
import {
  alignHere,
  concat,
  type Doc,
  either,
  fill,
  flatText,
  group,
  hardLine,
  line,
  nest,
  separated,
  sequence,
  softLine,
} from "./doc.ts";
import type { Pen } from "./pen.ts";

const castRank = 11;
const elseRank = 12;
const placeRank = 13;
const sumRank = 7;

/** How tightly an expression holds together; what is looser than its place needs parentheses. */
function rank(expr: Expr): number {
  switch (expr.kind) {
    case "conditional":
      return 0;
    case "binary":
      return binaryPrecedence(expr.op);
    case "unary":
      return unaryPrecedence(expr.op);
    case "cast":
      return castRank;
    case "else":
      return elseRank;
    default:
      return placeRank;
  }
}

/** `expr` in a place for expressions of at least `least`; a parsed tree never needs the parentheses. */
function within(pen: Pen, expr: Expr, least: number): Doc {
  const doc = exprDoc(pen, expr);
  return rank(expr) >= least ? doc : concat("(", doc, ")");
}

export function quote(value: string): string {
  const escaped = value.replace(/[\\"\n\t\r]/g, (char) => {
    if (char === "\n") return "\\n";
    if (char === "\t") return "\\t";
    return char === "\r" ? "\\r" : `\\${char}`;
  });
  return `"${escaped}"`;
}

export function exprDoc(pen: Pen, expr: Expr): Doc {
  const start = expr.span.start;
  switch (expr.kind) {
    case "number":
    case "name":
      return pen.text(expr.text, start);
    case "string":
      return pen.text(quote(expr.value), start);
    case "boolean":
      return pen.text(expr.value ? "true" : "false", start);
    case "null":
      return pen.text("null", start);
    case "hole":
      return pen.text("_", start);
    case "config-root":
      return pen.text("$", start);
    case "error":
      return pen.text("", start);
    case "group":
      return bracketed(pen, expr, "(", [exprDoc(pen, expr.inner)], "", ")");
    case "tuple":
      return listInBrackets(pen, expr, expr.items, false);
    case "join":
      return joinDoc(pen, expr);
    case "set":
      return setDoc(pen, expr);
    case "index":
      return concat(within(pen, expr.base, placeRank), subscriptDoc(pen, expr.subscript));
    case "call":
      return callDoc(pen, expr);
    case "member":
      return concat(within(pen, expr.base, placeRank), ".", nameDoc(pen, expr.word));
    case "else":
      return concat(within(pen, expr.value, placeRank), " else ", within(pen, expr.fallback, placeRank));
    case "cast":
      return concat(within(pen, expr.value, castRank), " as ", scalarDoc(pen, expr.type));
    case "unary": {
      const sign = pen.text(expr.op === "not" ? "not " : "-", start);
      return concat(sign, within(pen, expr.operand, unaryPrecedence(expr.op)));
    }
    case "binary":
      return binaryDoc(pen, expr);
    case "conditional":
      return conditionalDoc(pen, expr);
    default:
      return expr satisfies never;
  }
}

export const nameDoc = (pen: Pen, name: Name): Doc => pen.text(name.text, name.span.start);

export const namesDoc = (pen: Pen, names: readonly Name[]): Doc =>
  sequence(
    separated(
      names.map((name) => nameDoc(pen, name)),
      ", ",
    ),
  );

type Spanned = Pick<Expr, "span">;

function bracketed(pen: Pen, at: Spanned, open: string, items: readonly Doc[], comma: string, close: string): Doc {
  const last = at.span.end - 1;
  return group(pen.text(open, at.span.start), nest(softLine, fill(separated(items, comma)), pen.text(close, last)));
}

/** Without breaks: `[…]` and `(…)` of indices; a space after commas only where an item holds a space. */
function listInBrackets(pen: Pen, at: Spanned, items: readonly Expr[], inSubscript: boolean): Doc {
  const open = pen.text("(", at.span.start);
  const docs = items.map((item) => (inSubscript ? indexDoc(pen, item) : exprDoc(pen, item)));
  if (inSubscript) return concat(open, sequence(separated(docs, commaFor(docs))), pen.text(")", at.span.end - 1));
  return group(open, nest(fill(separated(docs, ","))), pen.text(")", at.span.end - 1));
}

const commaFor = (docs: readonly Doc[]): string =>
  docs.some((doc) => flatText(doc)?.includes(" ") !== false) ? ", " : ",";

const indexDoc = (pen: Pen, item: Expr): Doc =>
  item.kind === "tuple" ? listInBrackets(pen, item, item.items, true) : exprDoc(pen, item);

export function subscriptDoc(pen: Pen, subscript: Subscript): Doc {
  const open = pen.text("[", subscript.span.start);
  const docs = subscript.items.map((item) => indexDoc(pen, item));
  const items = sequence(separated(docs, commaFor(docs)));
  const where = subscript.where === null ? "" : concat(" where ", exprDoc(pen, subscript.where));
  return concat(open, items, where, pen.text("]", subscript.span.end - 1));
}

function joinDoc(pen: Pen, expr: Extract<Expr, { kind: "join" }>): Doc {
  const open = pen.text("(", expr.span.start);
  const docs = expr.items.map((item, i) => (i === 0 ? exprDoc(pen, item) : concat("| ", exprDoc(pen, item))));
  return group(open, nest(fill(docs)), pen.text(")", expr.span.end - 1));
}

function setDoc(pen: Pen, expr: Extract<Expr, { kind: "set" }>): Doc {
  const open = pen.text("{", expr.span.start);
  const items = fill(
    separated(
      expr.items.map((item) => exprDoc(pen, item)),
      ",",
    ),
  );
  const space = expr.binder === null && expr.where === null ? "" : " ";
  const binder = expr.binder === null ? "" : concat(" for ", exprDoc(pen, expr.binder));
  const where = expr.where === null ? "" : concat(" where ", exprDoc(pen, expr.where));
  return group(open, space, nest(items, binder, where), space, pen.text("}", expr.span.end - 1));
}

function callDoc(pen: Pen, expr: Extract<Expr, { kind: "call" }>): Doc {
  const callee = within(pen, expr.callee, placeRank);
  const open = pen.sign("(", expr.callee.span.end);
  const args = separated(
    expr.args.map((arg) => argDoc(pen, arg)),
    ",",
  );
  const close = pen.text(")", expr.span.end - 1);
  if (args.length === 0) return concat(callee, open, close);
  return concat(callee, group(open, nest(softLine, fill(args), close)));
}

function argDoc(pen: Pen, arg: Arg): Doc {
  if (arg.kind === "spread") return pen.text("..", arg.span.start);
  if (arg.name === null) return exprDoc(pen, arg.value);
  return concat(nameDoc(pen, arg.name), ": ", exprDoc(pen, arg.value));
}

type Binary = Extract<Expr, { kind: "binary" }>;

/** `a + b - c` breaks before each operator of its loosest level. */
function binaryDoc(pen: Pen, expr: Binary): Doc {
  const level = binaryPrecedence(expr.op);
  if (expr.op === "^")
    return concat(within(pen, expr.left, castRank), "^", within(pen, expr.right, unaryPrecedence("-")));
  const steps: Binary[] = [expr];
  let first: Expr = expr.left;
  while (isChain(level) && first.kind === "binary" && binaryPrecedence(first.op) === level) {
    steps.unshift(first);
    first = first.left;
  }
  // comparisons and ranges do not chain: a left operand of their own level needs parentheses
  const leftLeast = isChain(level) ? level : level + 1;
  const head = within(pen, first, leftLeast);
  const rest = steps.map((step): Doc => {
    const right = within(pen, step.right, level + 1);
    if (step.op === ".." && isTight(step.left) && isTight(step.right)) return concat("..", right);
    return concat(line, step.op, " ", right);
  });
  return group(head, nest(...rest));
}

const isTight = (expr: Expr): boolean => rank(expr) >= unaryPrecedence("-");
const isChain = (level: number): boolean => level !== binaryPrecedence("==") && level !== binaryPrecedence("..");

type Conditional = Extract<Expr, { kind: "conditional" }>;

/** A chain stands one case to a line where it does not fit, or where the author broke it. */
function conditionalDoc(pen: Pen, expr: Conditional): Doc {
  const conditions: Doc[] = [];
  const values: Doc[] = [];
  let broken = false;
  let rest: Expr = expr;
  while (rest.kind === "conditional") {
    conditions.push(within(pen, rest.condition, 1));
    values.push(within(pen, rest.then, 0));
    broken ||= pen.broken(rest.then.span.end, rest.else.span.start);
    rest = rest.else;
  }
  const last = exprDoc(pen, rest);
  const between = broken ? hardLine : line;
  const first = conditions[0] ?? "";
  if (conditions.length === 1) {
    return group(first, " ", alignHere(0, "? ", values[0] ?? "", between, ": ", last));
  }
  const cases = conditions.map((condition, i) => concat(condition, " ? ", values[i] ?? ""));
  const padded = padConditions(conditions, values) ?? cases;
  const flat = flatText(concat(...cases.flatMap((part, i) => (i === 0 ? [part] : [" : ", part])), " : ", last));
  if (!broken && flat !== null) {
    return chainGroup(flat, padded, last);
  }
  return alignHere(-2, ...caseLines(padded, last));
}

function padConditions(conditions: readonly Doc[], values: readonly Doc[]): readonly Doc[] | null {
  const texts = conditions.map(flatText);
  const widths = texts.map((text) => text?.length ?? Number.POSITIVE_INFINITY);
  const widest = Math.max(...widths);
  if (widest > 60) return null;
  return conditions.map((condition, i) => {
    const pad = " ".repeat(widest - (widths[i] ?? widest));
    return concat(condition, `${pad} ? `, values[i] ?? "");
  });
}

const caseLines = (cases: readonly Doc[], last: Doc): readonly Doc[] => [
  ...cases.map((part, i) => (i === 0 ? part : concat(hardLine, ": ", part))),
  hardLine,
  ": ",
  last,
];

/** On one line if it fits, else a case a line; the padding of the second form must not show in the first. */
const chainGroup = (flat: string, cases: readonly Doc[], last: Doc): Doc =>
  either(flat, alignHere(-2, ...caseLines(cases, last)));

export function typeDoc(pen: Pen, type: TypeNode): Doc {
  const parts: Doc[] = [];
  if (type.axes !== null) {
    parts.push(pen.text("[", type.span.start));
    const axes = type.axes.map((axis) => axisDoc(pen, axis));
    parts.push(sequence(separated(axes, ", ")));
    const last = type.axes.at(-1)?.span.end ?? type.span.start + 1;
    parts.push(pen.sign("]", last));
    if (type.scalar !== null) parts.push(" ");
  }
  if (type.scalar !== null) parts.push(scalarDoc(pen, type.scalar));
  if (type.nullable !== null) parts.push(pen.text("?", type.nullable.start));
  return concat(...parts);
}

function axisDoc(pen: Pen, axis: AxisNode): Doc {
  const size = exprDoc(pen, axis.size);
  return axis.of === null ? size : concat(size, " of ", exprDoc(pen, axis.of));
}

function scalarDoc(pen: Pen, scalar: ScalarNode): Doc {
  const start = scalar.span.start;
  switch (scalar.kind) {
    case "word":
      return nameDoc(pen, scalar.word);
    case "index-type":
      return concat(pen.text("in ", start), within(pen, scalar.axis, sumRank));
    case "set-type":
      return concat(pen.text("set of ", start), within(pen, scalar.axis, sumRank));
    case "block-type": {
      const word = pen.text("block", start);
      const mark = scalar.nullable === null ? "" : pen.text("?", scalar.nullable.start);
      const params = paramsDoc(pen, scalar.params, scalar.nullable?.end ?? start + "block".length);
      return concat(word, mark, params, resultsDoc(pen, scalar.results, false));
    }
    case "choice-type": {
      const texts = scalar.choices.map(({ value, span }) => pen.text(quote(value), span.start));
      return nest(fill(separated(texts, " |")));
    }
    default:
      return scalar satisfies never;
  }
}

/** `from`: an offset before the parentheses, with nothing but comments between. */
export function paramsDoc(pen: Pen, params: readonly Param[], from: number): Doc {
  const open = pen.sign("(", from);
  const docs = params.map((param, i) => {
    const doc = paramDoc(pen, param);
    return i + 1 < params.length ? concat(doc, pen.comma(param.span.end)) : doc;
  });
  const close = pen.sign(")", params.at(-1)?.span.end ?? from);
  if (docs.length === 0) return concat(open, close);
  return group(open, nest(softLine, fill(docs), close));
}

function paramDoc(pen: Pen, param: Param): Doc {
  const head = concat(namesDoc(pen, param.names), ": ", typeDoc(pen, param.type));
  return param.default === null ? head : concat(head, " = ", exprDoc(pen, param.default));
}

/** ` -> y: T` or ` -> (a: T, b: U)`; `mayBreak` before the arrow. */
export function resultsDoc(pen: Pen, results: readonly Result[], mayBreak: boolean): Doc {
  const docs = results.map((result) => concat(nameDoc(pen, result.name), ": ", typeDoc(pen, result.type)));
  const only = docs[0];
  const arrow = mayBreak ? concat(line, "-> ") : " -> ";
  if (docs.length === 1 && only !== undefined) return mayBreak ? group(nest(arrow, only)) : concat(arrow, only);
  const close = pen.sign(")", results.at(-1)?.span.end ?? 0);
  const list = group("(", nest(fill(separated(docs, ",")), close));
  return mayBreak ? group(nest(arrow, list)) : concat(arrow, list);
}
