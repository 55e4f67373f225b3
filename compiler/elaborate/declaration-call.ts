/** Entering a declaration for a call: arguments evaluated, scalars lifted, results handed back. */
import type { Expr } from "../../dsl/ast/nodes.ts";
import type { DeclInfo } from "../../dsl/checker/context.ts";
import type { Axis } from "./axis.ts";
import { ElaborationError, type Equation, type Frame, type Stack } from "./context.ts";
import { enter, type Given, type Setting } from "./enter.ts";
import { IndexVariable, withPositions } from "./index-variable.ts";
import { around } from "./indices.ts";
import { outside } from "./labels.ts";
import { hasReduction, isAlias, materialize } from "./materialize.ts";
import { asTensor, type Tensor, type Value } from "./value.ts";

type CallNode = Expr & { readonly kind: "call" };

interface Placement {
  readonly label: string;
  readonly prefix: string;
  readonly stacks: readonly Stack[];
  /** Parameters that the block value fills, and the frame in which they mean something. */
  readonly settings: ReadonlyMap<string, Setting>;
  readonly home: Frame | null;
  /** Of a `fn f(x) = …`. */
  readonly expression: Expr | null;
  readonly carried?: { readonly argument: number; readonly value: Tensor };
}

/** The results of a declaration for these arguments. A scalar parameter lifts over the open axes of its argument. */
export function callDeclaration(info: DeclInfo, expr: CallNode, eq: Equation, place: Placement): Value {
  const { header } = info;
  if (header === null) throw new ElaborationError("a header that could not be read", expr.span);
  const given = new Map<string, Value>();
  let position = 0;
  let lifted: readonly Axis[] | null = null;
  const lifts: IndexVariable[] = [];
  for (const [i, arg] of expr.args.entries()) {
    if (arg.kind !== "argument") continue;
    const param = header.params.find((p) => p.name === (arg.name?.text ?? header.params[position]?.name));
    if (arg.name === null) position += 1;
    if (param === undefined) continue;
    const value = place.carried?.argument === i ? place.carried.value : eq.frame.unit.rules.evaluate(arg.value, eq);
    given.set(param.name, value);
    const liftsHere = value.kind === "tensor" && param.type.axes.length === 0 && value.axes.length > 0;
    if (liftsHere && lifted === null) {
      lifted = value.axes;
      for (const axis of value.axes) {
        const variable = new IndexVariable("i");
        variable.standsOn(axis);
        lifts.push(variable);
      }
    }
  }
  const inside: Given = {
    values: new Map(
      [...given].map(([name, value]) => {
        const param = header.params.find((p) => p.name === name);
        const lift = value.kind === "tensor" && param?.type.axes.length === 0 && value.axes.length > 0;
        const scalar: Value = lift ? { ...value, axes: [], at: () => value.at(lifts.map((v) => v.here)) } : value;
        return [name, shared(scalar, `${place.label}.${name}`, eq, lifts)];
      }),
    ),
    settings: place.settings,
    home: place.home,
  };
  const frame = enter(info, inside, {
    unit: eq.frame.unit,
    label: place.label,
    prefix: place.prefix,
    stacks: place.stacks,
    around: [...around(eq), ...lifts],
    span: expr.span,
  });
  const results =
    place.expression !== null
      ? [frame.unit.rules.evaluate(place.expression, outside(frame))]
      : header.results.map((r) => {
          const value = frame.unit.rules.define(r.name, frame);
          if (value === null) throw new ElaborationError(`result \`${r.name}\` has no value`, expr.span);
          return value;
        });
  const out = results.map((value) => (lifted === null ? value : liftResult(value, lifted, lifts)));
  return out.length === 1 ? (out[0] as Value) : { kind: "tuple", values: out };
}

function liftResult(value: Value, axes: readonly Axis[], lifts: readonly IndexVariable[]): Value {
  const scalar = asTensor(value);
  return { ...scalar, axes, at: (positions) => withPositions(lifts, positions, () => scalar.at([])) };
}

/** An argument that takes a reduction to compute is computed once, however often it is used. */
function shared(value: Value, label: string, eq: Equation, lifts: readonly IndexVariable[]): Value {
  if (value.kind !== "tensor") return value;
  const single = value.axes.length === 0;
  return materialize(eq.frame.unit, {
    label,
    axes: value.axes,
    dtype: value.dtype,
    around: [...around(eq), ...lifts],
    bases: value.axes.map((_, i) => "ijkl"[i] ?? "i"),
    at: value.at,
    inline: (body) => isAlias(body) || (single && !hasReduction(body)),
    ...(value.of === undefined ? {} : { of: value.of }),
  });
}
