/** A read replaced by what it stands for, and the names that such a copy must avoid. */
import { isWide } from "../graph/interpret/wide.ts";
import type { Computed, Fold, MapNode, Node, Read, Reduce, Scalar } from "../graph/node.ts";
import { allNames, children, instantiate, num, some } from "../graph/scalar.ts";
import { axesOf, expressionsOf } from "../graph/walk.ts";

/** Names bound or used anywhere in a node. Passes keep them different from each other, so an axis is known by its name. */
export function namesIn(n: Computed): Set<string> {
  const taken = new Set(axesOf(n).map((a) => a.name));
  for (const e of expressionsOf(n)) allNames(e, taken);
  return taken;
}

/** The body of a map at the indices of a read; what it binds avoids `taken` and is added to it. */
export const openAt = (n: MapNode, at: readonly Scalar[], taken: Set<string>): Scalar =>
  instantiate(n.body, new Map(n.domain.map((a, i) => [a.name, at[i] ?? num(Number.NaN)])), taken);

export const hasReduction = (e: Scalar): boolean => some(e, (x) => x.kind === "reduce" || x.kind === "fold");

/** Reductions that stand in no other. */
export function outerReductions(e: Scalar): readonly (Reduce | Fold)[] {
  if (e.kind === "reduce" || e.kind === "fold") return [e];
  return children(e).flatMap(outerReductions);
}

/**
 * A read of the map and its body are one number. They are not where a map narrows or widens: i64 arithmetic wraps, and
 * whether an expression is i64 follows from what it reads.
 */
export const isTransparent = (n: MapNode): boolean => isWide(n.body) === (n.type.dtype === "i64");

/** A map without reductions. Maps of whole numbers are index maps: they stay nodes, where what they say can be found. */
export const isElementwise = (n: Node): n is MapNode => n.kind === "map" && isReal(n) && !hasReduction(n.body);

/** Values that are no whole numbers by type. */
export const isReal = (n: MapNode): boolean => n.type.dtype !== "i32" && n.type.dtype !== "i64" && !isWide(n.body);

/** A map that only reads another tensor at other indices: half of a joined axis, a transposition. */
export const isView = (n: Node): n is MapNode & { readonly body: Read } =>
  n.kind === "map" && n.body.kind === "read" && n.body.value.type.dtype === n.type.dtype;
