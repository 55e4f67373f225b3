/** Running over indices: binding them for a part of an expression, and looping over what they range over. */
import type { Expr } from "../../dsl/ast/nodes.ts";
import { ungroup } from "../../dsl/checker/keys.ts";
import type { Axis as GraphAxis, Scalar } from "../graph/node.ts";
import { call } from "../graph/scalar.ts";
import type { Position } from "./axis.ts";
import type { Equation } from "./context.ts";
import { IndexVariable, withPositions } from "./index-variable.ts";
import { rangeOf } from "./range.ts";

/** The equation with more indices bound, hiding those of the same name. */
export function bind(eq: Equation, variables: readonly IndexVariable[]): Equation {
  const indices = new Map(eq.indices);
  for (const v of variables) indices.set(v.name, v);
  return { ...eq, indices, all: [...eq.all, ...variables] };
}

/** Binders of a reduction or a set: `i`, `i in range`. */
export function binders(items: readonly Expr[], eq: Equation): readonly IndexVariable[] {
  return items.flatMap((item) => {
    const inner = ungroup(item);
    const ranged = inner.kind === "binary" && inner.op === "in";
    const name = ranged ? ungroup(inner.left) : inner;
    if (name.kind !== "name") return [];
    const variable = new IndexVariable(name.text);
    if (ranged) variable.standsOn(rangeOf(inner.right, eq));
    return [variable];
  });
}

export interface Looped {
  readonly axes: readonly GraphAxis[];
  readonly guard: Scalar | null;
  readonly body: Scalar;
}

/** Loops over indices in order, the later inside the earlier, and what `body` gives inside of them. */
export function loopOver(variables: readonly IndexVariable[], eq: Equation, body: () => Scalar): Looped {
  const axes: GraphAxis[] = [];
  let guard: Scalar | null = null;
  const visit = (k: number): Scalar => {
    const variable = variables[k];
    if (variable === undefined) return body();
    const loops = variable.loops(eq.frame.unit.names);
    axes.push(...loops.axes);
    guard = conjunction(guard, loops.guard);
    return withPositions([variable], [loops.position], () => visit(k + 1));
  };
  const inside = visit(0);
  return { axes, guard, body: inside };
}

export const conjunction = (a: Scalar | null, b: Scalar | null): Scalar | null =>
  a === null ? b : b === null ? a : call("and", a, b);

/** Every index around a place, outermost first. */
export const around = (eq: Equation): readonly IndexVariable[] => [...new Set([...eq.frame.around, ...eq.all])];

/** Runs with every index around at its formal place. */
export function atFormals<X>(eq: Equation, f: () => X): X {
  const variables = around(eq);
  const places = variables.map((v): Position | null =>
    v.axis === null ? null : v.formal(eq.frame.unit.names).position,
  );
  return withPositions(variables, places, f);
}
