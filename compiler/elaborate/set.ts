/** Sets of indices: by condition, by image, written out, and the greatest of a row. */
import type { CallExpr, Expr, SetExpr } from "../../dsl/ast/nodes.ts";
import type { Static } from "../../dsl/checker/context.ts";
import { ungroup } from "../../dsl/checker/keys.ts";
import type { Axis as GraphAxis, Node, Scalar } from "../graph/node.ts";
import { call, freeNames, name, num, read, reduce, substitute } from "../graph/scalar.ts";
import { asSize } from "./arithmetic.ts";
import { type Axis, flat, layoutDims, layoutSize, type Members, type Position } from "./axis.ts";
import { ElaborationError, type Equation, type Unit } from "./context.ts";
import { withPositions } from "./index-variable.ts";
import { atFormals, bind, binders } from "./indices.ts";
import { labelIn } from "./labels.ts";
import { prettyAxes } from "./materialize.ts";
import { countOf, filledGuard, memberAt } from "./members.ts";
import { asTensor, type SetValue, scalarTensor, staticValue, type Tensor, type Value } from "./value.ts";

const oneSet = (layout: Axis["layout"], members: Members): SetValue => ({ kind: "set", axes: [], of: layout, members });

/** `{ s in S where c }`, `{ f(j) for j in K }`, `{1, 14}` */
export function setFrom(expr: SetExpr, eq: Equation): Value {
  const [only] = expr.items;
  const ranged = only !== undefined && ungroup(only).kind === "binary" ? (ungroup(only) as { op?: string }) : null;
  if (expr.binder === null && only !== undefined && ranged?.op === "in") {
    const [variable] = binders([only], eq);
    if (variable?.axis == null) throw new ElaborationError("a set says over what it runs", expr.span);
    const { axis } = variable;
    if (expr.where === null) return oneSet(axis.layout, axis.members ?? everywhere);
    const condition = asTensor(eq.frame.unit.rules.evaluate(expr.where, bind(eq, [variable])));
    const holds = (_: readonly Position[], self: Position): Scalar =>
      withPositions([variable], [self], () => condition.at([]));
    return oneSet(axis.layout, { kind: "where", holds });
  }
  if (expr.binder !== null && only !== undefined) return image(only, expr.binder, expr, eq);
  const items = expr.items.map((item) => eq.frame.unit.rules.evaluate(item, eq));
  const known = items.flatMap((v): Static[] => (v.kind === "static" ? [v.value] : []));
  if (known.length !== items.length) throw new ElaborationError("a set of run-time numbers", expr.span);
  return staticValue({ kind: "set", items: known });
}

const everywhere: Members = { kind: "where", holds: () => num(1) };

function image(of: Expr, binder: Expr, expr: SetExpr, eq: Equation): SetValue {
  const [variable] = binders([binder], eq);
  if (variable?.axis == null || variable.axis.members !== null)
    throw new ElaborationError("the image of a whole range is expected", expr.span);
  const { unit } = eq.frame;
  const value = asTensor(unit.rules.evaluate(of, bind(eq, [variable])));
  const size = layoutSize(variable.axis.layout);
  const at = (slot: Scalar): Scalar => withPositions([variable], [flat(slot)], () => value.at([]));
  /** A set has no duplicates: of equal values the first counts. */
  const isFirst = (_: readonly Position[], slot: Scalar): Scalar => {
    const earlier = unit.names.fresh("j");
    const repeats = reduce(
      "any",
      [{ name: earlier, size }],
      call("eq", at(name(earlier)), at(slot)),
      call("lt", name(earlier), slot),
    );
    return call("not", repeats);
  };
  return oneSet(
    // the axis that the values are indices of, not the one that they are listed along
    value.of ?? { kind: "plain", size },
    {
      kind: "slots",
      count: size,
      member: (_, slot) => flat(at(slot)),
      filled: isFirst,
    },
  );
}

/** `x in set`, `x in {…}` of what is known when compiling. */
export function membership(left: Expr, right: Expr, eq: Equation): Value {
  const { evaluate } = eq.frame.unit.rules;
  const member = evaluate(left, eq);
  const set = evaluate(right, eq);
  if (set.kind === "static" && typeof set.value === "object" && set.value?.kind === "set") {
    const { items } = set.value;
    if (member.kind === "static") {
      const same = (a: Static): boolean => a === member.value || (isNumber(a) && Number(a) === Number(member.value));
      return staticValue(items.some(same));
    }
    const x = asTensor(member);
    return scalarTensor("bool", () =>
      items.reduce<Scalar>((known, item) => call("or", known, call("eq", x.at([]), num(Number(item)))), num(0)),
    );
  }
  if (set.kind !== "set") throw new ElaborationError("membership in what is no set", right.span);
  const x = asTensor(member);
  return scalarTensor("bool", () => memberAt(set.members, [], flat(x.at([])), eq.frame.unit.names.fresh) ?? num(1));
}
const isNumber = (v: Static): boolean => typeof v === "number" || typeof v === "bigint";

/** `top(row, k)`: a node that lists the members, best first. */
export function top(expr: CallExpr, eq: Equation): Value {
  const args = expr.args.flatMap((a) => (a.kind === "argument" ? [eq.frame.unit.rules.evaluate(a.value, eq)] : []));
  const [first, second] = args;
  const k = second === undefined ? null : asSize(second);
  if (first === undefined || k === null) throw new ElaborationError("`top` takes a row and a number", expr.span);
  const row = asTensor(first);
  const [axis] = row.axes;
  if (axis === undefined || row.axes.length !== 1) throw new ElaborationError("`top` chooses from one row", expr.span);
  const chosen = selection(row, axis, eq, expr, (over, body, where, domain, label) =>
    eq.frame.unit.builder.topK(label, domain, over, k, body, where),
  );
  return oneSet(axis.layout, {
    kind: "slots",
    count: k,
    member: (_, slot) => chosen().member(slot),
    filled: (_, slot) => filledGuard(slot, k, chosen().count(), eq.frame.unit.number),
  });
}

/** The index of the greatest (or least) of a row, the first where several are equal. */
export function argmax(row: Tensor, eq: Equation, expr: CallExpr, sign: 1 | -1): Tensor {
  const [axis] = row.axes as readonly [Axis];
  const chosen = selection(row, axis, eq, expr, (over, body, where, domain, label) =>
    eq.frame.unit.builder.topK(label, domain, over, 1, sign === 1 ? body : call("neg", body), where),
  );
  return scalarTensor("i32", () => {
    const p = chosen().member(num(0));
    return p.kind === "flat" ? p.at : num(0);
  });
}

interface Selection {
  readonly member: (slot: Scalar) => Position;
  readonly count: () => Scalar;
}

type MakeNode = (
  over: GraphAxis,
  body: Scalar,
  where: Scalar | null,
  domain: readonly GraphAxis[],
  label: string,
) => Node;

/** A node over one axis, made when it is first asked for, with the indices around it at their formal places. */
function selection(row: Tensor, axis: Axis, eq: Equation, expr: CallExpr, make: MakeNode): () => Selection {
  const { unit } = eq.frame;
  const label = labelIn(eq);
  let made: Selection | null = null;
  return () => {
    made ??= atFormals(eq, (): Selection => {
      const slots = axis.members?.kind === "slots" ? axis.members : null;
      if (slots === null && layoutDims(axis.layout).length !== 1)
        throw new ElaborationError("a choice from an axis of several parts", expr.span);
      const n = unit.names.fresh(slots === null ? "s" : "j");
      const over: GraphAxis = { name: n, size: slots?.count ?? layoutSize(axis.layout) };
      const at: Position =
        slots === null ? flat(name(n)) : { kind: "slot", slot: name(n), member: slots.member([], name(n)) };
      const guard =
        slots !== null ? slots.filled([], name(n)) : axis.members?.kind === "where" ? axis.members.holds([], at) : null;
      const body = row.at([at]);
      const free = new Set([...freeNames(body), ...(guard === null ? [] : freeNames(guard))]);
      const formals = unit.names.formalsAmong(free);
      const { axes, rename } = prettyAxes([...formals.map((f) => f.axis), over]);
      const node = make(
        axes.at(-1) as GraphAxis,
        rename(body),
        guard === null ? null : rename(guard),
        axes.slice(0, -1),
        label,
      );
      const here = (): readonly Scalar[] => formals.map((f) => f.here());
      const sizeOf = (index: string) => formals.find((f) => f.axis.name === index)?.axis.size ?? null;
      const count = countOf(n, over.size, guard, sizeOf) ?? counted(unit, label, over, guard);
      return {
        member: (slot) => {
          const found = read(node, [...here(), slot]);
          return slots === null ? flat(found) : slots.member([], found);
        },
        count: () => atHere(count, formals),
      };
    });
    return made;
  };
}

/** How many points satisfy a guard, counted once: a node over the formal places that the guard hangs on. */
function counted(unit: Unit, label: string, over: GraphAxis, guard: Scalar | null): Scalar {
  const body = reduce("sum", [over], num(1), guard);
  const formals = unit.names.formalsAmong(freeNames(body));
  const { axes, rename } = prettyAxes(formals.map((f) => f.axis));
  const node = unit.builder.map(`${label}.count`, axes, rename(body), "i32");
  return read(
    node,
    formals.map((f) => name(f.axis.name)),
  );
}

/** An expression over formal names, with the places of the moment for them. */
function atHere(e: Scalar, formals: readonly { readonly axis: GraphAxis; readonly here: () => Scalar }[]): Scalar {
  return substitute(e, new Map(formals.map((f) => [f.axis.name, f.here()])));
}
