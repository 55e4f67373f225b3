/** Core functions, and reductions over indices. */
import type { Expr } from "../../dsl/ast/nodes.ts";
import { scalarFunctions as coreFunctions } from "../../dsl/checker/builtins.ts";
import type { Scalar } from "../graph/node.ts";
import { call as callFn, reduce } from "../graph/scalar.ts";
import { isMonoid, isScalarFn, type ScalarFn, scalarFunctions } from "../ops/scalar-functions.ts";
import { asNumber, asSize, commonType, elementwise, isIntegral } from "./arithmetic.ts";
import type { Members, Position } from "./axis.ts";
import { ElaborationError, type Equation } from "./context.ts";
import { type IndexVariable, withPositions } from "./index-variable.ts";
import { bind, binders, conjunction, loopOver } from "./indices.ts";
import { argmax } from "./set.ts";
import { asTensor, staticValue, type Tensor, type Value } from "./value.ts";

type CallNode = Expr & { readonly kind: "call" };

function argumentsOf(expr: CallNode, eq: Equation): readonly Value[] {
  return expr.args.flatMap((a) => (a.kind === "argument" ? [eq.frame.unit.rules.evaluate(a.value, eq)] : []));
}

const graphNames: Readonly<Record<string, ScalarFn>> = { min: "minimum", max: "maximum" };

/** `exp(x)`, `min(a, b, c)`: computed where all is known, else over open axes. */
export function core(name: string, expr: CallNode, eq: Equation): Value {
  const values = argumentsOf(expr, eq);
  const entry = coreFunctions.get(name);
  const fn = graphNames[name] ?? name;
  if (entry === undefined) throw new ElaborationError(`\`${name}\` is no function`, expr.span);
  const numbers = values.map((v) => asNumber(v, eq.frame.unit.numbers));
  if (numbers.every((n): n is number => n !== null)) {
    const evaluateGraph = isScalarFn(fn) && entry.variadic !== true ? scalarFunctions[fn].evaluate : null;
    const [x = Number.NaN, y = Number.NaN] = numbers;
    const result = evaluateGraph === null ? entry.evaluate(...numbers) : evaluateGraph(x, y, Number.NaN);
    const whole = entry.result === "integer" || (entry.result === "same" && values.every((v) => asSize(v) !== null));
    return staticValue(whole && Number.isSafeInteger(result) ? BigInt(result) : result);
  }
  const tensors = values.map(asTensor);
  const same = tensors.map((t) => t.dtype).reduce(commonType);
  const dtype = entry.result === "float" && isIntegral(same) ? "f32" : entry.result === "integer" ? "i32" : same;
  return elementwise(tensors, dtype, (xs) => {
    if (entry.variadic === true && isScalarFn(fn)) return xs.reduce((a, b) => callFn(fn, a, b));
    if (name === "ceil_div") return ceilDivision(xs[0] as Scalar, xs[1] as Scalar);
    if (!isScalarFn(fn)) throw new ElaborationError(`\`${name}\` cannot be computed at run time`, expr.span);
    return callFn(fn, ...xs);
  });
}

const ceilDivision = (a: Scalar, b: Scalar): Scalar => callFn("neg", callFn("floordiv", callFn("neg", a), b));

export function reduction(name: string, callee: Expr & { kind: "index" }, expr: CallNode, eq: Equation): Value {
  const variables = binders(callee.subscript.items, eq);
  const inner = bind(eq, variables);
  const [only] = expr.args;
  if (only?.kind !== "argument") throw new ElaborationError("a reduction takes one expression", expr.span);
  const condition =
    callee.subscript.where === null ? null : asTensor(eq.frame.unit.rules.evaluate(callee.subscript.where, inner));
  const body = asTensor(eq.frame.unit.rules.evaluate(only.value, inner));
  if (name === "argmax" || name === "argmin") return argReduction(name, { variables, body, condition, eq, expr });
  if (!isMonoid(name)) throw new ElaborationError(`no reduction \`${name}\``, expr.span);
  return {
    ...body,
    at: (positions) => {
      let where: Scalar | null = null;
      const loops = loopOver(variables, inner, () => {
        where = condition?.at([]) ?? null;
        return body.at(positions);
      });
      return reduce(name, loops.axes, loops.body, conjunction(loops.guard, where));
    },
  };
}

interface Reduced {
  readonly variables: readonly IndexVariable[];
  readonly body: Tensor;
  readonly condition: Tensor | null;
  readonly eq: Equation;
  readonly expr: CallNode;
}

function argReduction(name: "argmax" | "argmin", { variables, body, condition, eq, expr }: Reduced): Tensor {
  const [variable] = variables;
  if (variable?.axis == null || variables.length !== 1 || body.axes.length > 0)
    throw new ElaborationError(`\`${name}\` runs over one index`, expr.span);
  // A range that exists in part may be empty, so the checker refuses it: what exists is said by the condition alone.
  const { layout } = variable.axis;
  const inside = (p: Position, ask: Tensor): Scalar => withPositions([variable], [p], () => ask.at([]));
  const members: Members | null =
    condition === null ? null : { kind: "where", holds: (_, self) => inside(self, condition) };
  const row: Tensor = {
    kind: "tensor",
    axes: [{ layout, members }],
    dtype: body.dtype,
    at: ([p]) => inside(p as Position, body),
  };
  return { ...argmax(row, eq, expr, name === "argmax" ? 1 : -1), of: layout };
}
