/** Expressions of the text to values. What is known when compiling is computed; the rest waits for its positions. */
import type { Expr } from "../../dsl/ast/nodes.ts";
import { staticConstants } from "../../dsl/checker/builtins.ts";
import { ungroup } from "../../dsl/checker/keys.ts";
import type { Span } from "../../dsl/diagnostics/source.ts";
import type { Dim } from "../graph/dim.ts";
import { isWide } from "../graph/interpret/wide.ts";
import type { DType, Scalar } from "../graph/node.ts";
import { call, dimValue, num, reduce } from "../graph/scalar.ts";
import { isScalarFn } from "../ops/scalar-functions.ts";
import { binaryValue, commonType, elementwise, isIntegral, unaryMinus } from "./arithmetic.ts";
import { flat, flatten, layoutSize, type Members, type Position } from "./axis.ts";
import { ElaborationError, type Equation } from "./context.ts";
import { IndexVariable } from "./index-variable.ts";
import { around, bind, loopOver } from "./indices.ts";
import { joinLabels } from "./labels.ts";
import { materialize } from "./materialize.ts";
import { memberAt, slotOf } from "./members.ts";
import { axisNamed } from "./range.ts";
import { readValue } from "./read.ts";
import { membership, setFrom } from "./set.ts";
import { exactly } from "./static-table.ts";
import { asTensor, scalarTensor, sizeValue, staticValue, type Tensor, type Value } from "./value.ts";

export function evaluate(expr: Expr, eq: Equation): Value {
  const summed = eq.frame.info.body.sums.get(expr);
  if (summed === undefined) return plain(expr, eq);
  const variables = summed.filter((n) => !eq.indices.has(n)).map((n) => new IndexVariable(n));
  if (variables.length === 0) return plain(expr, eq);
  const inner = bind(eq, variables);
  const body = asTensor(plain(expr, inner));
  return {
    ...body,
    at: (positions) => {
      const loops = loopOver(variables, inner, () => body.at(positions));
      return reduce("sum", loops.axes, loops.body, loops.guard);
    },
  };
}

function plain(expr: Expr, eq: Equation): Value {
  const go = (e: Expr): Value => evaluate(e, eq);
  switch (expr.kind) {
    case "number":
      return staticValue(/^\d+$/.test(expr.text) ? BigInt(expr.text) : expr.value);
    case "string":
    case "boolean":
      return staticValue(expr.value);
    case "null":
      return staticValue(null);
    case "group":
      return go(expr.inner);
    case "name":
      return nameValue(expr.text, expr, eq);
    case "index":
      return readValue(go(expr.base), expr.subscript, eq).value;
    case "else":
      return readOrElse(expr, eq);
    case "join":
      return joined(expr.items.map(go), eq);
    case "set":
      return setFrom(expr, eq);
    case "call":
      return eq.frame.unit.rules.call(expr, eq);
    case "cast":
      return cast(go(expr.value), expr, eq);
    case "unary":
      return expr.op === "-" ? unaryMinus(go(expr.operand)) : negation(go(expr.operand));
    case "binary": {
      if (expr.op === "in") return membership(expr.left, expr.right, eq);
      if (expr.op === "??") {
        const left = go(expr.left);
        return left.kind === "static" && left.value === null ? go(expr.right) : left;
      }
      const [left, right] = [go(expr.left), go(expr.right)];
      const isStatic = left.kind === "static" && right.kind === "static";
      const [a, b] = isStatic ? [left, right] : [exactly(left, eq), exactly(right, eq)];
      return binaryValue(expr.op, a, b, eq.frame.unit.numbers);
    }
    case "conditional": {
      const condition = go(expr.condition);
      if (condition.kind === "static") return go(condition.value === true ? expr.then : expr.else);
      return choose(asTensor(condition), go(expr.then), go(expr.else), expr.span);
    }
    case "member":
    case "config-root": {
      const known = eq.frame.unit.config(expr);
      if (known === undefined) throw new ElaborationError("this is not known when compiling", expr.span);
      return staticValue(known);
    }
    case "hole":
    case "tuple":
    case "error":
      throw new ElaborationError("this stands for no value here", expr.span);
    default:
      return expr satisfies never;
  }
}

function nameValue(name: string, expr: Expr, eq: Equation): Value {
  const variable = eq.indices.get(name);
  if (variable !== undefined) {
    if (variable.known !== undefined) return staticValue(variable.known);
    return scalarTensor("i32", () => variable.at());
  }
  for (let frame: Equation["frame"] | null = eq.frame; frame !== null; frame = frame.outer) {
    const known = frame.known.get(name);
    if (known !== undefined) return staticValue(known);
    const given = frame.given.get(name);
    if (given !== undefined) return given;
    if (frame.blocks.has(name)) return staticValue(frame.blocks.get(name) === null ? null : name);
  }
  const axis = axisNamed(name, eq.frame);
  if (axis !== null) return sizeValue(layoutSize(axis.layout));
  const defined = eq.frame.unit.rules.define(name, eq.frame);
  if (defined !== null) return defined;
  const constant = staticConstants.get(name);
  if (constant !== undefined) return staticValue(constant);
  throw new ElaborationError(`\`${name}\` has no value`, expr.span);
}

function readOrElse(expr: Expr & { kind: "else" }, eq: Equation): Value {
  const target = ungroup(expr.value);
  const fallback = asTensor(evaluate(expr.fallback, eq));
  if (target.kind !== "index") return evaluate(expr.value, eq);
  const { value, inside } = readValue(evaluate(target.base, eq), target.subscript, eq, true);
  const read = asTensor(value);
  if (read.axes.some((axis) => axis.members !== null))
    throw new ElaborationError("`else` beside a restricted axis that stays open cannot be elaborated yet", expr.span);
  return {
    kind: "tensor",
    axes: read.axes,
    dtype: commonType(read.dtype, fallback.dtype),
    at: (positions) => {
      const condition = inside?.(positions) ?? null;
      const here = read.at(positions);
      if (condition === null) return here;
      return call("select", condition, here, fallback.at(fallback.axes.length === 0 ? [] : positions));
    },
  };
}

/** Side by side along the first open axis; what exists of it is what exists of each piece. */
function joined(values: readonly Value[], eq: Equation): Value {
  const pieces = values.map(asTensor);
  const [first] = pieces;
  const own = pieces.flatMap((piece) => piece.axes.slice(0, 1));
  const parts = own.map((axis) => axis.layout);
  const layout = { kind: "joined" as const, parts };
  const { fresh } = eq.frame.unit.names;
  /** Asks the piece that a position is on, by comparing with the borders where the position does not say it. */
  const onPiece = (p: Position, ask: (which: number, inner: Position) => Scalar): Scalar => {
    if (p.kind === "piece") return ask(p.which, p.inner);
    const at = flatten(p, layout);
    const start = (which: number): Dim => layoutSize({ kind: "joined", parts: parts.slice(0, which) });
    const asked = (which: number): Scalar => ask(which, flat(call("sub", at, dimValue(start(which)))));
    return parts
      .slice(0, -1)
      .reduceRight<Scalar>(
        (after, _, which) => call("select", call("lt", at, dimValue(start(which + 1))), asked(which), after),
        asked(parts.length - 1),
      );
  };
  const holds = (_: readonly Position[], self: Position): Scalar =>
    onPiece(self, (which, inner) => memberAt(own[which]?.members ?? null, [], inner, fresh) ?? num(1));
  const members: Members | null = own.some((axis) => axis.members !== null) ? { kind: "where", holds } : null;
  const at = ([p, ...rest]: readonly Position[]): Scalar => {
    if (p === undefined) throw new Error("a join without a position");
    return onPiece(p, (which, inner) =>
      (pieces[which] as Tensor).at([slotOf(own[which]?.members ?? null, [], inner, fresh), ...rest]),
    );
  };
  const dtype = pieces.map((p) => p.dtype).reduce(commonType);
  return { kind: "tensor", axes: [{ layout, members }, ...(first?.axes.slice(1) ?? [])], dtype, at };
}

function choose(condition: Tensor, yes: Value, no: Value, span: Span): Value {
  if (yes.kind === "set" || no.kind === "set")
    throw new ElaborationError("a choice between sets while running cannot be elaborated yet", span);
  const [a, b] = [asTensor(yes), asTensor(no)];
  return elementwise([condition, a, b], commonType(a.dtype, b.dtype), ([c, x, y]) =>
    call("select", c as Scalar, x as Scalar, y as Scalar),
  );
}

function negation(value: Value): Value {
  if (value.kind === "static") return staticValue(value.value !== true);
  return elementwise([asTensor(value)], "bool", ([x]) => call("not", x as Scalar));
}

const integerTypes: ReadonlyMap<string, DType> = new Map([
  ["i32", "i32"],
  ["i64", "i64"],
  ["i8", "i8"],
  ["u8", "u8"],
  ["int", "i32"],
  ["dim", "i32"],
]);

/** Casts round to the format; `as in A` and `real` only say what the value is. */
function cast(value: Value, expr: Expr & { kind: "cast" }, eq: Equation): Value {
  const { type } = expr;
  if (type.kind !== "word") return value;
  const word = type.word.text;
  if (value.kind === "static" && word === "real") return value;
  const integer = integerTypes.get(word);
  const tensor = asTensor(exactly(value, eq));
  if (integer === "i64") return widened(tensor, eq);
  if (integer === "i8" && !isIntegral(tensor.dtype))
    return elementwise([tensor], "i8", ([x]) => call("to_i8", x as Scalar));
  if (integer !== undefined) return wrapped(tensor, integer);
  if (word === "real") return { ...tensor, dtype: "f32" };
  const fn = `to_${word}`;
  if (word === "f64") return { ...tensor, dtype: "f64" };
  if (!isScalarFn(fn)) throw new ElaborationError(`no cast to ${word}`, expr.span);
  return elementwise([tensor], "f32", ([x]) => call(fn, x as Scalar));
}

/** Bits of a whole number, and the least of them. */
const integerRanges: { readonly [T in DType]?: { readonly bits: number; readonly least: number } } = {
  bool: { bits: 1, least: 0 },
  u8: { bits: 8, least: 0 },
  i8: { bits: 8, least: -(2 ** 7) },
  i32: { bits: 32, least: -(2 ** 31) },
  i64: { bits: 64, least: -(2 ** 63) },
};

/** Modulo 2^bits, where the type is one that does not hold what it is made of. */
function wrapped(tensor: Tensor, dtype: DType): Tensor {
  const [from, to] = [integerRanges[tensor.dtype], integerRanges[dtype]];
  if (from === undefined || to === undefined || from === to) return { ...tensor, dtype };
  if (from.bits < to.bits && from.least >= to.least) return { ...tensor, dtype };
  const { bits, least } = to;
  return elementwise([tensor], dtype, ([x]) =>
    call("add", call("mod", call("sub", x as Scalar, num(least)), num(2 ** bits)), num(least)),
  );
}

/** As a node of that type: what is computed with 64 bits follows from the nodes that an expression reads. */
function widened(tensor: Tensor, eq: Equation): Tensor {
  const { unit, label } = eq.frame;
  return materialize(unit, {
    ...tensor,
    label: joinLabels(label, eq.label, "wide"),
    dtype: "i64",
    around: around(eq),
    inline: isWide,
  });
}
