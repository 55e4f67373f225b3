/** Reads: what a subscript leaves of a value, and where it stands. */
import type { Expr, Subscript } from "../../dsl/ast/nodes.ts";
import { ungroup } from "../../dsl/checker/keys.ts";
import type { Scalar } from "../graph/node.ts";
import { call, dimValue, num } from "../graph/scalar.ts";
import { asSize } from "./arithmetic.ts";
import { type Axis, flat, flatten, type Layout, layoutKey, layoutSize, type Position, whole } from "./axis.ts";
import type { Equation } from "./context.ts";
import type { IndexVariable } from "./index-variable.ts";
import { conjunction } from "./indices.ts";
import { memberAt, slotOf } from "./members.ts";
import { rangeOf } from "./range.ts";
import { constantTable } from "./static-table.ts";
import { asTensor, refill, type Tensor, type Value } from "./value.ts";

type Fresh = (base: string) => string;

/** What one subscript does to its axis: the axes it leaves open, and the place it reads, given places on those. */
interface Place {
  readonly open: readonly Axis[];
  /** `before` are the places on axes that are open before its own. */
  readonly at: (open: readonly Position[], before: readonly Position[]) => Position;
  /** Whether the place lies on the axis and exists there, for a read with `else`; null: always. */
  readonly inside: ((open: readonly Position[], before: readonly Position[]) => Scalar | null) | null;
}

export interface Read {
  readonly value: Value;
  /** Whether the read lies inside; null: always. For `else`. */
  readonly inside: ((positions: readonly Position[]) => Scalar | null) | null;
}

export function readValue(base: Value, subscript: Subscript, eq: Equation, fallback = false): Read {
  const items = subscript.items;
  if (base.kind === "rows") {
    const row = rowRead(base, items, eq);
    if (row !== null) return readValue(row, { ...subscript, items: items.slice(1) }, eq, fallback);
    return readAxes(base.whole(), items, eq, fallback);
  }
  if (base.kind === "static" && typeof base.value === "object" && base.value !== null) {
    const listed = readList(base, items, eq);
    if (listed !== null) return { value: listed, inside: null };
    return readAxes(constantTable(base.value, eq), items, eq, fallback);
  }
  if (base.kind === "set" || base.kind === "tensor") return readAxes(base, items, eq, fallback);
  if (items.length === 0) return { value: base, inside: null };
  return readAxes(asTensor(base), items, eq, fallback);
}

/** The row that a subscript reads, where it is known when compiling. */
function rowRead(base: Value & { kind: "rows" }, [first]: readonly Expr[], eq: Equation): Value | null {
  const subject = first === undefined ? null : ungroup(first);
  if (subject === null || subject.kind === "hole" || (subject.kind === "binary" && subject.op === "in")) return null;
  const at = wholeNumber(eq.frame.unit.rules.evaluate(subject, eq), eq);
  return at === null ? null : base.row(at);
}

/** The number of a whole number known when compiling. */
export function wholeNumber(value: Value, eq: Equation): number | null {
  const size = asSize(value);
  return size === null ? null : eq.frame.unit.number(size);
}

function readList(base: Value & { kind: "static" }, items: readonly Expr[], eq: Equation): Value | null {
  let at = base.value;
  for (const item of items) {
    const i = wholeNumber(eq.frame.unit.rules.evaluate(item, eq), eq);
    if (i === null || typeof at !== "object" || at === null || at.kind !== "list") return null;
    at = at.items[i] ?? null;
  }
  return { kind: "static", value: at };
}

function readAxes(
  base: Value & { kind: "tensor" | "set" },
  items: readonly Expr[],
  eq: Equation,
  fallback: boolean,
): Read {
  const places: Place[] = [];
  const starts: number[] = [];
  let count = 0;
  /** Of places on the open axes, those on its own and those before. */
  const shareOf = (p: Place, i: number, open: readonly Position[]): [readonly Position[], readonly Position[]] => {
    const start = starts[i] ?? 0;
    return [open.slice(start, start + p.open.length), open.slice(0, start)];
  };
  /** Places on the first `n` axes of the base, from places on the open axes. */
  const upTo = (n: number, open: readonly Position[]): readonly Position[] =>
    places.slice(0, n).map((p, i) => p.at(...shareOf(p, i, open)));
  base.axes.forEach((axis, k) => {
    const here: Axis = { layout: axis.layout, members: refill(axis.members, (before) => upTo(k, before)) };
    const item = items[k];
    const place = item === undefined ? openPlace(here) : placeOf(item, here, eq, fallback);
    starts.push(count);
    places.push(place);
    count += place.open.length;
  });
  const axes = places.flatMap((p) => p.open);
  const all = (open: readonly Position[]): readonly Position[] => upTo(places.length, open);
  const checks = places.filter((p) => p.inside !== null);
  const inside = (open: readonly Position[]): Scalar | null =>
    places.reduce<Scalar | null>((known, p, i) => {
      const own = p.inside?.(...shareOf(p, i, open)) ?? null;
      return conjunction(known, own);
    }, null);
  const value: Value =
    base.kind === "set"
      ? { ...base, axes, members: refill(base.members, all) ?? base.members }
      : ({ ...base, axes, at: (open) => base.at(all(open)) } satisfies Tensor);
  return { value, inside: checks.length === 0 ? null : inside };
}

const openPlace = (axis: Axis): Place => ({
  open: [axis],
  at: ([p]) => p as Position,
  inside: null,
});

function placeOf(item: Expr, axis: Axis, eq: Equation, fallback: boolean): Place {
  const inner = ungroup(item);
  if (inner.kind === "hole") return openPlace(axis);
  if (inner.kind === "tuple") return tuplePlace(inner.items, axis, eq, fallback);
  const ranged = inner.kind === "binary" && inner.op === "in";
  const subject = ranged ? ungroup(inner.left) : inner;
  const variable = subject.kind === "name" ? eq.indices.get(subject.text) : undefined;
  if (variable !== undefined && variable.known === undefined) {
    if (ranged) variable.standsOn(rangeOf(inner.right, eq));
    // With `else` an index of its own range may leave the axis; without, it stands on it.
    const own = variable.axis;
    if (own === null || (own.members === null && !fallback)) variable.standsOn(fallback ? whole(axis.layout) : axis);
    return variablePlace(variable, axis, fallback ? eq.frame.unit.names.fresh : null);
  }
  return valuePlace(eq.frame.unit.rules.evaluate(subject, eq), axis, fallback ? eq.frame.unit.names.fresh : null);
}

/** `fresh` makes names for a search where the read has an `else`; null: it has none. */
function variablePlace(variable: IndexVariable, axis: Axis, fresh: Fresh | null): Place {
  const at = (): Position => {
    const p = variable.here;
    const own = variable.layout;
    if (layoutKey(own) === layoutKey(axis.layout)) return p;
    return p.kind === "slot" && axis.members?.kind === "slots" ? p : flat(flatten(p, own));
  };
  if (fresh === null) return { open: [], at, inside: null };
  const { members } = axis;
  const inside: Place["inside"] = (_, before) => {
    const sameSize = layoutSize(variable.layout).key === layoutSize(axis.layout).key;
    const bounds = sameSize ? null : inBounds(flatten(at(), variable.layout), axis.layout);
    return conjunction(bounds, memberAt(members, before, at(), fresh));
  };
  return { open: [], at: (_, before) => slotOf(members, before, at(), fresh), inside };
}

function valuePlace(value: Value, axis: Axis, fresh: Fresh | null): Place {
  const tensor = asTensor(value);
  const at = (open: readonly Position[]): Position => flat(tensor.at(open));
  if (fresh === null) return { open: tensor.axes, at, inside: null };
  const { layout, members } = axis;
  return {
    open: tensor.axes,
    at: (open, before) => slotOf(members, before, at(open), fresh),
    inside: (open, before) =>
      conjunction(inBounds(tensor.at(open), layout), memberAt(members, before, at(open), fresh)),
  };
}

function tuplePlace(items: readonly Expr[], axis: Axis, eq: Equation, fallback: boolean): Place {
  const { layout } = axis;
  if (layout.kind !== "merged") throw new Error("indices in parentheses on an axis without parts");
  const places = items.map((item, i) => placeOf(item, whole(layout.parts[i] as Layout), eq, fallback));
  const share = (open: readonly Position[]): readonly (readonly Position[])[] => {
    let from = 0;
    return places.map((p) => {
      const own = open.slice(from, from + p.open.length);
      from += p.open.length;
      return own;
    });
  };
  const at = (open: readonly Position[]): Position => {
    const shares = share(open);
    return { kind: "tuple", parts: places.map((p, i) => p.at(shares[i] ?? [], [])) };
  };
  const checks = places.some((p) => p.inside !== null) || (fallback && axis.members !== null);
  const inside: Place["inside"] = (open, before) => {
    const shares = share(open);
    const parts = places.reduce<Scalar | null>(
      (known, p, i) => conjunction(known, p.inside?.(shares[i] ?? [], []) ?? null),
      null,
    );
    return conjunction(parts, fallback ? memberAt(axis.members, before, at(open), eq.frame.unit.names.fresh) : null);
  };
  return { open: places.flatMap((p) => p.open), at, inside: checks ? inside : null };
}

const inBounds = (at: Scalar, layout: Layout): Scalar =>
  call("and", call("le", num(0), at), call("lt", at, dimValue(layoutSize(layout))));
