/** Definitions as nodes of the graph: one node each, over the formal places of the indices around it and its own axes. */
import type { DType, Axis as GraphAxis, Node, Scalar } from "../graph/node.ts";
import { boundNames, freeNames, fresh, mapChildren, name, read, same } from "../graph/scalar.ts";
import type { ScalarFn } from "../ops/scalar-functions.ts";
import { type Axis, allLeaves, axisLoops, type Layout, type Position } from "./axis.ts";
import type { Unit } from "./context.ts";
import { baseName, type IndexVariable, withPositions } from "./index-variable.ts";
import type { Tensor } from "./value.ts";

export interface Blueprint {
  readonly label: string;
  readonly axes: readonly Axis[];
  readonly dtype: DType;
  readonly of?: Layout;
  readonly around: readonly IndexVariable[];
  /** Names for the loops over each axis. */
  readonly bases?: readonly string[];
  readonly at: (positions: readonly Position[]) => Scalar;
  /** Whether a body is rather repeated where it is read than kept in a node. */
  readonly inline?: (body: Scalar) => boolean;
}

/** A read, or arithmetic of indices, sizes and numbers alone: nothing to keep. */
export const isAlias = (body: Scalar): boolean => body.kind === "read" || isArithmetic(body);
const isArithmetic = (e: Scalar): boolean =>
  e.kind === "const" ||
  e.kind === "dim" ||
  e.kind === "name" ||
  (e.kind === "call" && indexFunctions.has(e.fn) && e.args.every(isArithmetic));
const indexFunctions: ReadonlySet<ScalarFn> = new Set<ScalarFn>(["add", "sub", "mul", "floordiv", "mod"]);

/** Whether it takes a reduction to compute. */
export const hasReduction = (e: Scalar): boolean =>
  e.kind === "reduce" || e.kind === "fold" || (e.kind === "call" && e.args.some(hasReduction));

/** The tensor as a node, made when it is first read. */
export function materialize(unit: Unit, plan: Blueprint): Tensor {
  let made: { readonly node: Node; readonly formals: readonly { readonly here: () => Scalar }[] } | "inline" | null =
    null;
  return {
    kind: "tensor",
    axes: plan.axes,
    dtype: plan.dtype,
    ...(plan.of === undefined ? {} : { of: plan.of }),
    at: (positions) => {
      made ??= make(unit, plan);
      if (made === "inline") return plan.at(positions);
      const own = allLeaves(positions, plan.axes);
      return read(made.node, [...made.formals.map((f) => f.here()), ...own]);
    },
  };
}

function make(unit: Unit, plan: Blueprint) {
  const formal = plan.around.map((v) => (v.axis === null ? null : v.formal(unit.names).position));
  return withPositions(plan.around, formal, () => {
    const loops: GraphAxis[] = [];
    const positions: Position[] = [];
    plan.axes.forEach((axis, i) => {
      const own = axisLoops(axis, positions, plan.bases?.[i] ?? "i", unit.names.fresh);
      loops.push(...own.axes);
      positions.push(own.position);
    });
    const body = plan.at(positions);
    if ((plan.inline ?? isAlias)(body)) {
      if (body.kind === "read") unit.aliases.set(plan.label, body.value.name);
      return "inline" as const;
    }
    const free = freeNames(body);
    const formals = unit.names.formalsAmong(free);
    const domain = [...formals.map((f) => f.axis), ...loops];
    const node = prettyMap(unit, plan.label, domain, body, plan.dtype);
    if (node.name !== plan.label) unit.aliases.set(plan.label, node.name);
    return { node, formals };
  });
}

/** The same node with readable names: those of the text, numbered only where two would be equal. */
function prettyMap(unit: Unit, label: string, domain: readonly GraphAxis[], body: Scalar, dtype: DType): Node {
  const { axes, rename } = prettyAxes(domain);
  return unit.builder.map(label, axes, rename(body), dtype);
}

export interface PrettyAxes {
  readonly axes: readonly GraphAxis[];
  readonly rename: (e: Scalar) => Scalar;
}

export function prettyAxes(domain: readonly GraphAxis[]): PrettyAxes {
  const taken = new Set<string>();
  const outer = new Map<string, string>();
  const axes = domain.map((a) => {
    const to = fresh(baseName(a.name), taken);
    outer.set(a.name, to);
    return { name: to, size: a.size };
  });
  return { axes, rename: (e) => renameAll(e, outer, taken) };
}

function renameAll(e: Scalar, by: ReadonlyMap<string, string>, taken: Set<string>): Scalar {
  if (e.kind === "name") return name(by.get(e.name) ?? e.name);
  const bound = boundNames(e);
  if (bound.length === 0) return mapChildren(e, (c) => renameAll(c, by, taken));
  const inner = new Map(by);
  for (const n of bound) inner.set(n, fresh(baseName(n), taken));
  const copy = mapChildren(e, (c) => renameAll(c, inner, taken));
  const to = (n: string): string => inner.get(n) ?? n;
  if (copy.kind === "reduce") return { ...copy, axes: copy.axes.map((a) => ({ ...a, name: to(a.name) })) };
  return copy;
}

/** The node that holds a tensor which hangs on no index around it. */
export function nodeOf(unit: Unit, label: string, tensor: Tensor): Node {
  const whole = wholeRead(tensor);
  if (whole !== null && whole.type.dtype === tensor.dtype) return whole;
  const forced = materialize(unit, {
    label,
    axes: tensor.axes,
    dtype: tensor.dtype,
    around: [],
    bases: tensor.axes.map((_, i) => "tijkl"[i] ?? "i"),
    at: tensor.at,
    inline: () => false,
  });
  const node = wholeRead(forced);
  if (node === null) throw new Error(`${label} is no tensor of its own`);
  return node;
}

/** The node, where every element of the tensor is the element of that node at the same place. */
function wholeRead(tensor: Tensor): Node | null {
  let count = 0;
  const loops = tensor.axes.map((axis) => axisLoops(axis, [], "w", (b) => `${b}#w${count++}`));
  const body = tensor.at(loops.map((l) => l.position));
  const places = allLeaves(
    loops.map((l) => l.position),
    tensor.axes,
  );
  if (body.kind !== "read" || body.at.length !== places.length) return null;
  // A part from the beginning of a node is read at the same places, and is not the whole of it.
  const sizes = loops.flatMap((l) => l.axes.map((a) => a.size.key));
  const { dims } = body.value.type;
  if (sizes.length !== dims.length || dims.some((d, i) => d.key !== sizes[i])) return null;
  return body.at.every((x, i) => same(x, places[i] as Scalar)) ? body.value : null;
}
