/** What the names of a frame stand for: weights, states, and definitions made of equations. */
import type { Equation as EquationNode, Expr, Target, TypeNode } from "../../dsl/ast/nodes.ts";
import type { Entity } from "../../dsl/checker/context.ts";
import { ungroup } from "../../dsl/checker/keys.ts";
import { spanText } from "../../dsl/diagnostics/source.ts";
import { dim } from "../graph/dim.ts";
import type { Scalar } from "../graph/node.ts";
import { call, num } from "../graph/scalar.ts";
import { type Axis, flatten, type Layout, type Position, partsOf, plain, whole } from "./axis.ts";
import { ElaborationError, type Equation, type Frame } from "./context.ts";
import { IndexVariable, withPositions } from "./index-variable.ts";
import { bind } from "./indices.ts";
import { joinLabels, outside } from "./labels.ts";
import { materialize } from "./materialize.ts";
import { heldIn, narrowed } from "./narrowed.ts";
import { declaredLayouts, rangeOf } from "./range.ts";
import { isStep, recurrence, rowByRow, stepPlace, turnOf } from "./recurrence.ts";
import { stateValue } from "./state.ts";
import { asTensor, refill, regroup, type Tensor, type Value, within } from "./value.ts";
import { weightValue } from "./weight.ts";

/** The value of a name in a frame or around it; null where nothing of this name is defined. */
export function define(name: string, frame: Frame): Value | null {
  const known = frame.memo.get(name);
  if (known !== undefined) return known;
  const entity = frame.info.body.scope.names.get(name);
  if (entity === undefined) return frame.outer === null ? null : define(name, frame.outer);
  const value = valueOfEntity(entity, frame);
  if (value !== null) frame.memo.set(name, value);
  return value;
}

function valueOfEntity(entity: Entity, frame: Frame): Value | null {
  const { source } = entity;
  switch (source.kind) {
    case "weight":
      return weightValue(source.decl, frame);
    case "state":
      return stateValue(source.decl, frame);
    case "definition":
      return definition(entity.name, source.equations, source.declared?.type ?? null, frame);
    default:
      return null;
  }
}

const labelOf = (frame: Frame, name: string): string => joinLabels(frame.label, name);

function definition(
  name: string,
  equations: readonly EquationNode[],
  declared: TypeNode | null,
  frame: Frame,
): Value | null {
  const [first] = equations;
  if (first === undefined) return null;
  frame.unit.places.set(labelOf(frame, name), first.span);
  const layouts = declared?.axes == null ? null : declaredLayouts(declared.axes, outside(frame, name));
  const targets = equations.map((equation) => ({ equation, target: targetNamed(equation, name) }));
  const step = targets.find(({ target }) => isStep(target));
  if (step !== undefined) {
    const bases = targets.filter((t) => t !== step);
    return recurrence({
      name,
      frame,
      place: stepPlace(step.target),
      step: step.equation,
      base: (at) => base(name, bases, stepPlace(step.target), at, layouts, frame),
      next: (known) => targetValue(name, step.equation, step.target, layouts, frame, known),
    });
  }
  const turn = targets.length === 1 && layouts === null ? turnOf(name, first, frame) : null;
  if (turn !== null) {
    const row = (k: number): Value =>
      targetValue(name, first, targets[0]?.target as Target, null, frame, new Map([[turn, k]]));
    return rowByRow(row, first.span);
  }
  const value =
    targets.length === 1 && literalsOf(targets[0]?.target).size === 0
      ? targetValue(name, first, targets[0]?.target as Target, layouts, frame, new Map())
      : cases(name, targets, layouts, frame);
  return withLayouts(value, layouts);
}

/** The value on the axes of a declared type; `_` (null) leaves an axis as it is. */
export function withLayouts(value: Value, layouts: readonly (Layout | null)[] | null): Value {
  if (layouts === null || value.kind !== "tensor") return value;
  const known = layouts.filter((layout): layout is Layout => layout !== null);
  if (known.length === layouts.length) return regroup(value, known);
  if (layouts.length !== value.axes.length) return value;
  return regroup(
    value,
    layouts.map((layout, i) => layout ?? (value.axes[i] as Axis).layout),
  );
}

const targetNamed = (equation: EquationNode, name: string): Target =>
  (equation.targets.find((t) => t.name.text === name) ?? equation.targets[0]) as Target;

/** An item on the left, with the index it binds. */
type LeftItem =
  | { readonly kind: "index"; readonly variable: IndexVariable }
  | { readonly kind: "open" }
  | { readonly kind: "literal"; readonly value: number }
  | { readonly kind: "tuple"; readonly items: readonly LeftItem[] };

function leftItems(
  items: readonly Expr[],
  eq: Equation,
  layouts: readonly (Layout | null)[] | null,
  known: ReadonlyMap<string, number>,
): { readonly items: readonly LeftItem[]; readonly eq: Equation } {
  let inner = eq;
  const one = (item: Expr, layout: Layout | null): LeftItem => {
    const e = ungroup(item);
    if (e.kind === "hole") return { kind: "open" };
    if (e.kind === "number") return { kind: "literal", value: e.value };
    if (e.kind === "tuple") {
      const parts = layout?.kind === "merged" && layout.parts.length === e.items.length ? layout.parts : null;
      return { kind: "tuple", items: e.items.map((part, i) => one(part, parts?.[i] ?? null)) };
    }
    const ranged = e.kind === "binary" && e.op === "in";
    const subject = ranged ? ungroup(e.left) : e;
    if (subject.kind !== "name") throw new ElaborationError("an index is expected on the left", item.span);
    const variable = new IndexVariable(subject.text);
    if (ranged) variable.standsOn(rangeOf(e.right, inner));
    inner = bind(inner, [variable]);
    return { kind: "index", variable };
  };
  const out = items.map((item, i): LeftItem | null => {
    const e = ungroup(item);
    const subject = e.kind === "binary" && e.op === "in" ? ungroup(e.left) : e;
    // The step of a recurrence is known: it is no axis here.
    if (subject.kind === "binary" && subject.op === "+") {
      const name = ungroup(subject.left);
      if (name.kind === "name") {
        const variable = new IndexVariable(name.text, BigInt(known.get(name.text) ?? 0));
        inner = bind(inner, [variable]);
      }
      return null;
    }
    if (subject.kind === "name" && known.has(subject.text)) {
      inner = bind(inner, [new IndexVariable(subject.text, BigInt(known.get(subject.text) ?? 0))]);
      return null;
    }
    return one(item, layouts?.[i] ?? null);
  });
  return { items: out.filter((item): item is LeftItem => item !== null), eq: inner };
}

const variablesIn = (items: readonly LeftItem[]): readonly IndexVariable[] =>
  items.flatMap((item) =>
    item.kind === "index" ? [item.variable] : item.kind === "tuple" ? variablesIn(item.items) : [],
  );

/** One target of one equation; `known` are steps of recurrences. */
function targetValue(
  name: string,
  equation: EquationNode,
  target: Target,
  layouts: readonly (Layout | null)[] | null,
  frame: Frame,
  known: ReadonlyMap<string, number>,
): Value {
  const label = labelOf(frame, name);
  if (equation.targets.length > 1 && equation.separator === "|") {
    const one = piece(equation, target, frame, known);
    const isNarrow = one.kind === "tensor" && frame.unit.format(label) !== null;
    return isNarrow ? kept(name, narrowed(one, label, frame.unit), [], frame) : one;
  }
  const { items, eq } = leftItems(target.subscript?.items ?? [], outside(frame, name), layouts, known);
  const make = (): Value => {
    const right = frame.unit.rules.evaluate(equation.value, eq);
    settle(items, layouts);
    const one = (value: Value): Value => placed(items, target, typed(value, equation, eq), eq);
    return right.kind === "tuple" ? { kind: "tuple", values: right.values.map(one) } : one(right);
  };
  const all = known.size === 0 && areAlike(equation.targets) ? once(equation, frame, make) : make();
  const value = all.kind === "tuple" ? (all.values[equation.targets.indexOf(target)] ?? all) : all;
  if (value.kind !== "tensor") return value;
  const narrow = narrowed(value, label, frame.unit);
  return items.some(holdsLiteral) ? narrow : kept(name, narrow, items, frame);
}

const holdsLiteral = (item: LeftItem): boolean =>
  item.kind === "literal" || (item.kind === "tuple" && item.items.some(holdsLiteral));

/** The tensor as a node of the graph, unless there is nothing to compute. */
function kept(name: string, value: Tensor, items: readonly LeftItem[], frame: Frame): Tensor {
  const label = labelOf(frame, name);
  const bases = value.axes.map((_, i) => {
    const item = items[i];
    if (item === undefined) return "ijkl"[i - items.length] ?? "i";
    return item.kind === "index" ? item.variable.name : (variablesIn([item])[0]?.name ?? "i");
  });
  const { unit, around } = frame;
  const force = unit.keep(label) ? { inline: () => false } : {};
  const node = materialize(unit, {
    label,
    axes: value.axes,
    dtype: heldIn(label, value.dtype, unit),
    around,
    bases,
    at: value.at,
    ...force,
    ...(value.of === undefined ? {} : { of: value.of }),
  });
  return { ...node, dtype: value.dtype };
}

/** Whether `a[t], b[t] := …` has one left side but for the names: then all of it is looked at together. */
function areAlike(targets: readonly Target[]): boolean {
  const texts = targets.map(({ subscript }) => (subscript === null ? "" : spanText(subscript.span)));
  return texts.length > 1 && texts.every((text) => text === texts[0]);
}

/** The values of an equation with several targets; made again for each, calls in calls would double with each level. */
function once(equation: EquationNode, frame: Frame, make: () => Value): Value {
  const key = equation.targets.map((t) => t.name.text).join(",");
  const value = frame.memo.get(key) ?? make();
  frame.memo.set(key, value);
  return value;
}

const typed = (value: Value, { type }: EquationNode, eq: Equation): Value =>
  type?.axes == null ? value : withLayouts(value, declaredLayouts(type.axes, eq));

/** An index that stands on no axis takes its range from the declared type. */
function settle(items: readonly LeftItem[], layouts: readonly (Layout | null)[] | null): void {
  const visit = (item: LeftItem, layout: Layout | null): void => {
    if (item.kind === "index" && item.variable.axis === null && layout !== null) item.variable.standsOn(whole(layout));
    if (item.kind === "tuple" && layout?.kind === "merged")
      for (const [i, part] of item.items.entries()) visit(part, layout.parts[i] ?? null);
  };
  for (const [i, item] of items.entries()) visit(item, layouts?.[i] ?? null);
}

/** The axes of a target: those of its items, then what the right side leaves open. */
function placed(items: readonly LeftItem[], target: Target, value: Value, eq: Equation): Value {
  if (items.length === 0 && (value.kind === "static" || value.kind === "size" || value.kind === "rows")) return value;
  const right = value.kind === "set" ? value : asTensor(value);
  const open = [...right.axes];
  const condition =
    target.subscript?.where == null ? null : asTensor(eq.frame.unit.rules.evaluate(target.subscript.where, eq));

  const axisOf = (item: LeftItem): Axis => {
    switch (item.kind) {
      case "index":
        if (item.variable.axis === null)
          throw new ElaborationError(`the range of \`${item.variable.name}\` is not known`, target.span);
        return item.variable.axis;
      case "open": {
        const next = open.shift();
        if (next === undefined) throw new ElaborationError("nothing is open on the right", target.span);
        return next;
      }
      case "literal":
        return whole(plain(dim(1)));
      case "tuple":
        return whole({ kind: "merged", parts: item.items.map((part) => axisOf(part).layout) });
      default:
        return item satisfies never;
    }
  };
  const own = items.map(axisOf);
  const rest = open;
  /** Binds the indices of the left, then asks with the places on the axes that the right side left open. */
  const run = <X>(before: readonly Position[], ask: (rest: readonly Position[]) => X): X => {
    const places = new Map<IndexVariable, Position>();
    const holes: Position[] = [];
    const visit = (item: LeftItem, p: Position | undefined, layout: Layout | undefined): void => {
      if (p === undefined) return;
      if (item.kind === "index") places.set(item.variable, p);
      if (item.kind === "open") holes.push(p);
      if (item.kind === "tuple" && layout?.kind === "merged") {
        const parts = partsOf(p, layout);
        for (const [i, part] of item.items.entries()) visit(part, parts[i], layout.parts[i]);
      }
    };
    for (const [i, item] of items.entries()) visit(item, before[i], own[i]?.layout);
    const list = [...places.keys()];
    return withPositions(
      list,
      list.map((v) => places.get(v) ?? null),
      () => ask([...holes, ...before.slice(items.length)]),
    );
  };
  const axes: Axis[] = own.map((axis, i) => ({
    layout: axis.layout,
    members:
      condition !== null && i === own.length - 1
        ? {
            kind: "where",
            holds: (before, self) => run([...before, self], () => condition.at([])),
          }
        : within(axis.members, (before, ask) => run(before, () => ask([]))),
  }));
  for (const axis of rest) axes.push({ layout: axis.layout, members: within(axis.members, run) });
  if (right.kind === "set") return { ...right, axes, members: within(right.members, run) ?? right.members };
  const at = (positions: readonly Position[]): Scalar => run(positions, (left) => right.at(left));
  return { kind: "tensor", axes, dtype: right.dtype, ...(right.of === undefined ? {} : { of: right.of }), at };
}

/** `a | b := e`: pieces of the first open axis; the whole is made once, where it is worth a node. */
function piece(equation: EquationNode, target: Target, frame: Frame, known: ReadonlyMap<string, number>): Value {
  const name = equation.targets.map((t) => t.name.text).join("_");
  const memo = `${name}|`;
  let joined = frame.memo.get(memo);
  if (joined === undefined) {
    const single: EquationNode = { ...equation, targets: [target], separator: null };
    joined = targetValue(name, single, target, null, frame, known);
    frame.memo.set(memo, joined);
  }
  const split = (target.subscript?.items ?? []).length;
  const tensor = asTensor(joined);
  const axis = tensor.axes[split];
  if (axis?.layout.kind !== "joined") throw new ElaborationError("a split of what is no join", target.span);
  const which = equation.targets.indexOf(target);
  const layout = axis.layout.parts[which] as Layout;
  const inWhole = (positions: readonly Position[]): readonly Position[] =>
    positions.map((p, i): Position => (i === split ? { kind: "piece", which, inner: p } : p));
  const { members } = axis;
  const own: Axis =
    members?.kind === "where"
      ? {
          layout,
          members: {
            kind: "where",
            holds: (before, self) => members.holds(before, { kind: "piece", which, inner: self }),
          },
        }
      : whole(layout);
  return {
    ...tensor,
    axes: tensor.axes.map((a, i) => (i === split ? own : { ...a, members: refill(a.members, inWhole) })),
    at: (positions) => tensor.at(inWhole(positions)),
  } satisfies Tensor;
}

/** Literal subscripts by place, `1.0` inside parentheses. */
function literalsOf(target: Target | undefined): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  const visit = (item: Expr, place: string): void => {
    const e = ungroup(item);
    if (e.kind === "number") found.set(place, e.value);
    if (e.kind === "tuple") for (const [i, part] of e.items.entries()) visit(part, `${place}.${i}`);
  };
  for (const [i, item] of (target?.subscript?.items ?? []).entries()) visit(item, String(i));
  return found;
}

type Case = { readonly equation: EquationNode; readonly target: Target };

/** Several equations with literal subscripts: a choice by the places where the literals stand. */
function cases(
  name: string,
  targets: readonly Case[],
  layouts: readonly (Layout | null)[] | null,
  frame: Frame,
): Value {
  const literals = targets.map(({ target }) => literalsOf(target));
  const values = targets.map(({ equation, target }) =>
    asTensor(targetValue(name, equation, target, layouts, frame, new Map())),
  );
  const first = values[0] as Tensor;
  const places = [...new Set(literals.flatMap((l) => [...l.keys()]))];
  const sizeAt = (place: string): number => 1 + Math.max(...literals.map((l) => l.get(place) ?? 0));
  const axes = first.axes.map((axis, i) => ({ ...axis, layout: sized(axis.layout, String(i), places, sizeAt) }));
  const at = (positions: readonly Position[]): Scalar =>
    values
      .slice(0, -1)
      .reduceRight<Scalar>(
        (rest, value, i) =>
          call("select", matches(positions, axes, literals[i] ?? new Map()), value.at(positions), rest),
        (values.at(-1) as Tensor).at(positions),
      );
  const label = labelOf(frame, name);
  const node = materialize(frame.unit, {
    label,
    axes,
    dtype: heldIn(label, first.dtype, frame.unit),
    around: frame.around,
    bases: axes.map((_, i) => "ijkl"[i] ?? "i"),
    at,
  });
  return { ...node, dtype: first.dtype };
}

function sized(layout: Layout, place: string, places: readonly string[], size: (place: string) => number): Layout {
  if (places.includes(place)) return plain(dim(size(place)));
  if (layout.kind !== "merged") return layout;
  return { kind: "merged", parts: layout.parts.map((part, i) => sized(part, `${place}.${i}`, places, size)) };
}

function matches(positions: readonly Position[], axes: readonly Axis[], literals: ReadonlyMap<string, number>): Scalar {
  const conditions = [...literals].map(([place, value]) => {
    const [i, ...inner] = place.split(".").map(Number);
    let p = positions[i as number] as Position;
    let layout = (axes[i as number] as Axis).layout;
    for (const k of inner) {
      if (layout.kind !== "merged") break;
      p = partsOf(p, layout)[k] as Position;
      layout = layout.parts[k] as Layout;
    }
    return call("eq", flatten(p, layout), num(value));
  });
  return conditions.reduce((a, b) => call("and", a, b));
}

/** The start of a recurrence: the case whose step place is `at`. */
function base(
  name: string,
  bases: readonly Case[],
  place: number,
  at: number,
  layouts: readonly (Layout | null)[] | null,
  frame: Frame,
): Value | null {
  const found = bases.find(({ target }) => literalsOf(target).get(String(place)) === at);
  if (found === undefined) return null;
  const without = layouts === null ? null : layouts.filter((_, i) => i !== place);
  const items = found.target.subscript?.items.filter((_, i) => i !== place) ?? [];
  const target: Target =
    found.target.subscript === null
      ? found.target
      : { ...found.target, subscript: { ...found.target.subscript, items } };
  return targetValue(name, found.equation, target, without, frame, new Map());
}
