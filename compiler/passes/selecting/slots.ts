/**
 * Where the slots of a selection go: `near[t, j]` names the j-th best of row t, and tensors over its slots hold something of
 * each. As long as every such tensor is read slot by slot, and in the end reduced over the slots that are filled, it is
 * nobody's business in which slot a point stands: the slots are a set.
 */
import { affineKey } from "../../graph/affine.ts";
import { type Place, within } from "../../graph/index-range.ts";
import type { Computed, Graph, Node, Read, Scalar, TopK } from "../../graph/node.ts";
import {
  boundAxes,
  call,
  children,
  dimValue,
  freeNames,
  key,
  name,
  num,
  same,
  substitute,
} from "../../graph/scalar.ts";
import { axesOf, expressionsOf, isComputed, nodesOf, operandsOf } from "../../graph/walk.ts";
import { decide } from "../in-range.ts";
import { openAt } from "../open.ts";

/** A tensor one of whose axes runs over the slots. */
export interface SlotTensor {
  /** Which. */
  readonly axis: number;
  /** The row of the selection, over the names of the other axes. */
  readonly row: readonly Scalar[];
}
/** An axis of a node that runs over the slots of a row. */
export interface SlotAxis {
  readonly name: string;
  readonly row: readonly Scalar[];
}

/** Whether it does not matter to a graph in which slot a point stands. */
export function isSet(g: Graph, pick: TopK, place: Place): boolean {
  const tensors = new Map<Node, SlotTensor>();
  const isOfSlots = (n: Node): boolean => n === pick || tensors.has(n);
  for (const n of nodesOf(g)) {
    if (!operandsOf(n).some(isOfSlots)) continue;
    const axes = isComputed(n) ? slotAxes(n, pick, tensors, place) : null;
    if (axes === null) return false;
    const made = slotTensor(n, axes);
    if (made === "several") return false;
    if (made !== null) tensors.set(n, made);
  }
  return !g.results.some(isOfSlots);
}

/** What a node is of its own axes over slots; null where it has none. */
export function slotTensor(n: Node, axes: ReadonlyMap<string, SlotAxis>): SlotTensor | "several" | null {
  const own = isComputed(n) ? axesOf(n) : [];
  const [slots, ...more] = own.flatMap((a) => axes.get(a.name) ?? []);
  if (slots === undefined) return null;
  const others = new Set(own.flatMap((a) => (a.name === slots.name ? [] : [a.name])));
  const isOutside = slots.row.every((x) => [...freeNames(x)].every((i) => others.has(i)));
  if (n.kind !== "map" || more.length > 0 || !isOutside) return "several";
  return { axis: own.findIndex((a) => a.name === slots.name), row: slots.row };
}

/** A read of the selection or of a tensor over its slots: the index at the slots, and the row. */
interface SlotRead {
  readonly slot: Scalar | undefined;
  readonly row: readonly Scalar[];
}
function slotRead(r: Read, pick: Node, tensors: ReadonlyMap<Node, SlotTensor>): SlotRead | null {
  if (r.value === pick) return { slot: r.at.at(-1), row: r.at.slice(0, -1) };
  const of = tensors.get(r.value);
  if (of === undefined || r.value.kind !== "map") return null;
  const by = new Map(r.value.domain.map((a, i) => [a.name, r.at[i] ?? num(Number.NaN)]));
  return { slot: r.at[of.axis], row: of.row.map((x) => substitute(x, by)) };
}

/** The axes of a node that run over slots, by name; null where somebody asks in which slot a point stands. */
export function slotAxes(
  n: Computed,
  pick: TopK,
  tensors: ReadonlyMap<Node, SlotTensor>,
  place: Place,
): ReadonlyMap<string, SlotAxis> | null {
  const found = new Map<string, SlotAxis>();
  const own = new Set(axesOf(n).map((a) => a.name));
  /** False where something else than the point of a slot is asked for. */
  const note = (e: Scalar): boolean => {
    if (e.kind !== "read") return children(e).every(note);
    const r = slotRead(e, pick, tensors);
    if (r !== null) {
      if (r.slot?.kind !== "name") return false;
      const known = found.get(r.slot.name);
      if (known !== undefined && !sameRow(known.row, r.row)) return false;
      if (r.row.some((x) => freeNames(x).has(r.slot?.kind === "name" ? r.slot.name : ""))) return false;
      found.set(r.slot.name, { name: r.slot.name, row: r.row });
    }
    return e.at.every(note);
  };
  if (!expressionsOf(n).every(note)) return null;
  const settled = (e: Scalar, bound: ReadonlySet<string>): boolean => {
    if (e.kind === "name") return !found.has(e.name);
    if (e.kind === "read") {
      const slot = slotRead(e, pick, tensors)?.slot;
      return e.at.every((x) => x === slot || settled(x, bound));
    }
    if (isFilled(e, pick, found, place) !== null) return true;
    const inner = new Set([...bound, ...boundAxes(e).map((a) => a.name)]);
    for (const a of boundAxes(e)) {
      const slots = found.get(a.name);
      if (slots === undefined) continue;
      // Slots that hold nothing are left out, and nothing that changes inside says which row it is.
      const where = e.kind === "reduce" || e.kind === "fold" ? e.where : null;
      if (where === null || !conjuncts(where).some((c) => isFilled(c, pick, found, place)?.name === a.name))
        return false;
      if (slots.row.some((x) => [...freeNames(x)].some((i) => !bound.has(i)))) return false;
    }
    return children(e).every((c) => settled(c, inner));
  };
  return expressionsOf(n).every((e) => settled(e, own)) ? found : null;
}

const sameRow = (a: readonly Scalar[], b: readonly Scalar[]): boolean =>
  a.length === b.length && a.every((x, i) => key(x) === key(b[i] ?? num(Number.NaN)));

const conjuncts = (e: Scalar): readonly Scalar[] =>
  e.kind === "call" && e.fn === "and" ? e.args.flatMap(conjuncts) : [e];

/** The axis whose slots a condition says to be filled: it is below the number of points of the row. */
export function isFilled(e: Scalar, pick: TopK, axes: ReadonlyMap<string, SlotAxis>, place: Place): SlotAxis | null {
  const [a, b] = e.kind === "call" && (e.fn === "lt" || e.fn === "le") ? e.args : [];
  if (e.kind !== "call" || a === undefined || b === undefined) return null;
  for (const slots of axes.values()) {
    if (!freeNames(e).has(slots.name)) continue;
    const count = countOfRow(pick, slots.row, b, place);
    if (count === null) continue;
    // j + 1 <= count, in either way to write it.
    const said = call("sub", call("sub", b, a), e.fn === "lt" ? num(1) : num(0));
    const meant = call("sub", call("sub", count, name(slots.name)), num(1));
    if (affineKey(said) === affineKey(meant)) return slots;
  }
  return null;
}

/** How many points a row of the selection chooses from; `said`: what may be a count of them by a node of its own. */
function countOfRow(pick: TopK, row: readonly Scalar[], said: Scalar, place: Place): Scalar | null {
  const by = new Map(pick.domain.map((a, i) => [a.name, row[i] ?? num(Number.NaN)]));
  const { where, over } = pick;
  if (where === null) return dimValue(over.size);
  const [i, last] = where.kind === "call" && where.fn === "le" ? where.args : [];
  const upTo = i?.kind === "name" && i.name === over.name && last !== undefined && !freeNames(last).has(over.name);
  if (upTo) {
    const end = call("add", last, num(1));
    const inside = decide(call("le", end, dimValue(over.size)), within(place, pick.domain)) === true;
    return inside ? substitute(end, by) : null;
  }
  if (said.kind !== "read" || said.value.kind !== "map") return null;
  const counted: Scalar = { kind: "reduce", monoid: "sum", axes: [over], where, body: num(1) };
  return same(openAt(said.value, said.at, new Set()), substitute(counted, by)) ? said : null;
}
