/** States: the rows of earlier calls followed by those of this call. */
import type { Equation as EquationNode, Expr, State } from "../../dsl/ast/nodes.ts";
import { ungroup } from "../../dsl/checker/keys.ts";
import type { Dim } from "../graph/dim.ts";
import type { Append, Axis as GraphAxis, Scalar } from "../graph/node.ts";
import { call, dimValue, freeNames, name, read, same } from "../graph/scalar.ts";
import { allLeaves, axisLoops, type Layout, layoutDims, layoutSize, type Position, whole } from "./axis.ts";
import { ElaborationError, type Equation, type Frame, type Memory } from "./context.ts";
import { IndexVariable, withPositions } from "./index-variable.ts";
import { bind } from "./indices.ts";
import { joinLabels, outside } from "./labels.ts";
import { nodeOf } from "./materialize.ts";
import { heldIn, narrowed } from "./narrowed.ts";
import { declaredLayouts } from "./range.ts";
import { asTensor, heldAs, regroup, type Tensor } from "./value.ts";

export function stateValue(decl: State, frame: Frame): Tensor {
  const { unit } = frame;
  const eq: Equation = outside(frame, decl.name.text);
  const layouts = declaredLayouts(decl.type.axes ?? [], eq) as readonly Layout[];
  const [memory, ...row] = layouts;
  const size = memory === undefined ? null : layoutSize(memory);
  const known = size === null ? undefined : unit.memories.find((m) => m.size.key === size.key);
  if (memory === undefined || known === undefined)
    throw new ElaborationError("only states with one row a token can be elaborated", decl.span);
  const write = frame.info.body.writes.get(decl.name.text);
  if (write === undefined) throw new ElaborationError("a state is never written", decl.span);
  const label = joinLabels(frame.label, decl.name.text);
  const lead = frame.stacks.map((s) => s.size);
  const dims = row.flatMap(layoutDims);
  const dtype = heldAs(decl.type.scalar);
  const stored = heldIn(label, dtype, unit);
  const node = unit.builder.state(label, [...lead, known.before, ...dims], stored);
  let append: Append | null = null;
  const made = (): Append => {
    if (append !== null) return append;
    const rows = writtenRows(write, row, known, frame);
    const source = nodeOf(unit, `${label}.rows`, { ...narrowed({ ...rows, dtype }, label, unit), dtype: stored });
    const at = frame.stacks.map((s) => s.at());
    append = unit.builder.append(label, node, at, source, known.size);
    // A call with several results is looked at once for each of them, and all write the same.
    const effects = unit.effects.at(-1) ?? [];
    if (effects.includes(append)) return append;
    if (effects.some((e) => e.state === node && at.every((x, i) => same(x, e.at[i] as Scalar))))
      throw new ElaborationError("a call writes each row of a state once, and here is a second write", write.span);
    effects.push(append);
    return append;
  };
  unit.pending.push(() => void made());
  const axes = layouts.map(whole);
  return {
    kind: "tensor",
    axes,
    dtype,
    at: (positions) => read(made(), allLeaves(positions, axes)),
  };
}

/** What is written, one row a token of the call: [T, row axes…]. */
function writtenRows(write: EquationNode, row: readonly Layout[], memory: Memory, frame: Frame): Tensor {
  const [target] = write.targets;
  if (target === undefined || write.where !== null)
    throw new ElaborationError("a row that is written only under a condition cannot be elaborated yet", write.span);
  const items = target.subscript?.items ?? [];
  const [position, ...others] = items;
  if (position === undefined) throw new ElaborationError("a state is written at a position", target.span);
  const { variables, eq } = writeIndices(position, others, row, outside(frame, target.name.text));
  const place = asTensor(frame.unit.rules.evaluate(position, eq));
  const given = asTensor(frame.unit.rules.evaluate(write.value, eq));
  const [token] = variables;
  if (token === undefined) throw new ElaborationError("a state is written at the position of a token", target.span);
  if (token.axis === null) token.standsOn(whole({ kind: "plain", size: memory.token }));
  checkPosition(place, token, memory.before, frame, position);
  const own = variables.slice(1);
  const open = row.slice(others.length);
  // The declared type of a state regroups an axis as that of a definition does.
  const value = given.axes.length === open.length ? asTensor(regroup(given, open)) : given;
  const axes = [whole(token.layout), ...row.map(whole)];
  return {
    kind: "tensor",
    axes,
    dtype: value.dtype,
    at: (positions) => {
      const [t, ...rest] = positions;
      return withPositions([token, ...own], [t ?? null, ...rest.slice(0, own.length)], () =>
        value.at(rest.slice(own.length)),
      );
    },
  };
}

function writeIndices(
  position: Expr,
  others: readonly Expr[],
  row: readonly Layout[],
  start: Equation,
): { readonly variables: readonly IndexVariable[]; readonly eq: Equation } {
  const at = ungroup(position);
  const variables: IndexVariable[] = [];
  if (at.kind === "index") {
    for (const item of at.subscript.items) {
      const inner = ungroup(item);
      if (inner.kind === "name") variables.push(new IndexVariable(inner.text));
    }
  }
  for (const [i, item] of others.entries()) {
    const inner = ungroup(item);
    if (inner.kind !== "name") throw new ElaborationError("an index is expected", item.span);
    const variable = new IndexVariable(inner.text);
    variable.standsOn(whole(row[i] as Layout));
    variables.push(variable);
  }
  return { variables, eq: bind(start, variables) };
}

/** Token t of a call is row t + (rows before): what appending relies on. */
function checkPosition(place: Tensor, token: IndexVariable, before: Dim, frame: Frame, expr: Expr): void {
  const loops: { readonly axes: readonly GraphAxis[]; readonly position: Position } = axisLoops(
    whole(token.layout),
    [],
    token.name,
    frame.unit.names.fresh,
  );
  const [axis] = loops.axes;
  const found: Scalar = withPositions([token], [loops.position], () => place.at([]));
  const expected = axis === undefined ? null : call("add", name(axis.name), dimValue(before));
  if (expected !== null && same(found, expected) && freeNames(found).size === 1) return;
  throw new ElaborationError("a state is written at the positions of the call's tokens only", expr.span);
}
