/**
 * Axes of values while a model is elaborated, and positions along them. A merged axis `(A, B)` becomes several axes of
 * the graph, a joined one `(A | B)` a single axis whose pieces lie at offsets.
 */
import { addDim, type Dim, oneDim, productOf, zeroDim } from "../graph/dim.ts";
import type { Axis as GraphAxis, Scalar } from "../graph/node.ts";
import { add, call, dimValue, mul, name, num } from "../graph/scalar.ts";

export type Layout =
  | { readonly kind: "plain"; readonly size: Dim }
  | { readonly kind: "merged"; readonly parts: readonly Layout[] }
  | { readonly kind: "joined"; readonly parts: readonly Layout[] };

/**
 * Which indices of an axis exist. `before` are the positions on the axes that stand before it in the value.
 * A `where` set is kept as a guard, a `slots` set as a list: slot j holds `member(j)`, where `filled(j)` (null: always).
 */
export type Members =
  | { readonly kind: "where"; readonly holds: (before: readonly Position[], self: Position) => Scalar }
  | {
      readonly kind: "slots";
      readonly count: Dim;
      readonly member: (before: readonly Position[], slot: Scalar) => Position;
      readonly filled: (before: readonly Position[], slot: Scalar) => Scalar | null;
    };

export interface Axis {
  readonly layout: Layout;
  readonly members: Members | null;
}

/** Where something stands on an axis. */
export type Position =
  | { readonly kind: "flat"; readonly at: Scalar }
  | { readonly kind: "tuple"; readonly parts: readonly Position[] }
  | { readonly kind: "piece"; readonly which: number; readonly inner: Position }
  | { readonly kind: "slot"; readonly slot: Scalar; readonly member: Position };

export const plain = (size: Dim): Layout => ({ kind: "plain", size });
export const whole = (layout: Layout): Axis => ({ layout, members: null });
export const flat = (at: Scalar): Position => ({ kind: "flat", at });

export function layoutSize(layout: Layout): Dim {
  switch (layout.kind) {
    case "plain":
      return layout.size;
    case "merged":
      return productOf(layout.parts.map(layoutSize));
    case "joined":
      return layout.parts.map(layoutSize).reduce(addDim, zeroDim);
    default:
      return layout satisfies never;
  }
}

/** Sizes of the graph's axes that hold a layout. */
export const layoutDims = (layout: Layout): readonly Dim[] =>
  layout.kind === "merged" ? layout.parts.flatMap(layoutDims) : [layoutSize(layout)];
export const layoutKey = (layout: Layout): string =>
  layout.kind === "plain"
    ? layout.size.key
    : `(${layout.parts.map(layoutKey).join(layout.kind === "merged" ? "," : "|")})`;

const offsetOf = (parts: readonly Layout[], which: number): Dim =>
  parts.slice(0, which).map(layoutSize).reduce(addDim, zeroDim);

/** The position as one number, row-major. */
export function flatten(p: Position, layout: Layout): Scalar {
  switch (p.kind) {
    case "flat":
      return p.at;
    case "slot":
      return flatten(p.member, layout);
    case "piece": {
      const part = layout.kind === "joined" ? layout.parts[p.which] : undefined;
      if (layout.kind !== "joined" || part === undefined) throw new Error("a piece of an axis that is no join");
      return add(flatten(p.inner, part), dimValue(offsetOf(layout.parts, p.which)));
    }
    case "tuple": {
      if (layout.kind !== "merged") throw new Error("a tuple on an axis without parts");
      return layout.parts.reduce<Scalar | null>((total, part, i) => {
        const inner = p.parts[i];
        if (inner === undefined) throw new Error("a tuple shorter than its axis");
        const at = flatten(inner, part);
        return total === null ? at : add(mul(total, dimValue(layoutSize(part))), at);
      }, null) as Scalar;
    }
    default:
      return p satisfies never;
  }
}

/** The position on each part of a merged axis. */
export function partsOf(p: Position, layout: Layout & { readonly kind: "merged" }): readonly Position[] {
  if (p.kind === "slot") return partsOf(p.member, layout);
  if (p.kind === "tuple") return p.parts;
  const at = flatten(p, layout);
  return layout.parts.map((part, i) => {
    const inner = productOf(layout.parts.slice(i + 1).map(layoutSize));
    const above = inner.key === oneDim.key ? at : call("floordiv", at, dimValue(inner));
    return flat(i === 0 ? above : call("mod", above, dimValue(layoutSize(part))));
  });
}

/** One number for each axis of the graph that holds the layout. */
export function leaves(p: Position, layout: Layout): readonly Scalar[] {
  if (layout.kind !== "merged") return [flatten(p, layout)];
  return partsOf(p, layout).flatMap((part, i) => leaves(part, layout.parts[i] as Layout));
}

/** The same for a value's axis; on a set kept as a list it is the slot. */
function axisLeaves(p: Position, axis: Axis): readonly Scalar[] {
  if (axis.members?.kind !== "slots") return leaves(p, axis.layout);
  if (p.kind === "slot") return [p.slot];
  throw new Error("a set kept as a list is read at an index that is none of its slots");
}

/** Leaves of one position an axis, in the order of the axes: where a node over them is read. */
export const allLeaves = (positions: readonly Position[], axes: readonly Axis[]): readonly Scalar[] =>
  positions.flatMap((p, i) => axisLeaves(p, axes[i] as Axis));

/** The same element on an axis of another layout and equal size. */
export function convert(p: Position, from: Layout, to: Layout): Position {
  if (layoutKey(from) === layoutKey(to)) return p;
  if (p.kind === "slot") return { ...p, member: convert(p.member, from, to) };
  if (from.kind === "merged" && to.kind === "merged" && p.kind === "tuple" && from.parts.length === to.parts.length) {
    const equal = from.parts.every((part, i) => layoutSize(part).key === layoutSize(to.parts[i] as Layout).key);
    if (equal) {
      return {
        kind: "tuple",
        parts: p.parts.map((x, i) => convert(x, from.parts[i] as Layout, to.parts[i] as Layout)),
      };
    }
  }
  return flat(flatten(p, from));
}

export interface Loops {
  readonly axes: readonly GraphAxis[];
  readonly position: Position;
  /** Where the position exists; null: everywhere. */
  readonly guard: Scalar | null;
}

/** Axes of the graph that run over a layout. `fresh` gives names that nothing else has. */
export function layoutLoops(layout: Layout, base: string, fresh: (base: string) => string): Loops {
  if (layout.kind !== "merged") {
    const n = fresh(base);
    const size = layoutSize(layout);
    // The only index of an axis of one is 0, whatever it is called.
    return { axes: [{ name: n, size }], position: flat(size.key === oneDim.key ? num(0) : name(n)), guard: null };
  }
  const parts = layout.parts.map((part) => layoutLoops(part, base, fresh));
  return {
    axes: parts.flatMap((part) => part.axes),
    position: { kind: "tuple", parts: parts.map((part) => part.position) },
    guard: null,
  };
}

/** Axes of the graph that run over what exists of a value's axis. */
export function axisLoops(
  axis: Axis,
  before: readonly Position[],
  base: string,
  fresh: (base: string) => string,
): Loops {
  const { members } = axis;
  if (members?.kind === "slots") {
    const n = fresh("j");
    const slot = name(n);
    return {
      axes: [{ name: n, size: members.count }],
      position: { kind: "slot", slot, member: members.member(before, slot) },
      guard: members.filled(before, slot),
    };
  }
  const loops = layoutLoops(axis.layout, base, fresh);
  return members === null ? loops : { ...loops, guard: members.holds(before, loops.position) };
}
