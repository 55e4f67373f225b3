/** Which reductions over an axis of a given size hide behind elementwise nodes; each node is looked at once. */
import type { Axis, Fold, MapNode, Node, Read, Reduce, Scalar } from "../../graph/node.ts";
import { freeNames, readsOf } from "../../graph/scalar.ts";
import { isReal, outerReductions } from "../open.ts";

export interface Hidden {
  /** The node is computed from reductions over one axis of that size alone, perhaps behind elementwise nodes. */
  readonly leadsTo: (n: Node, over: Axis) => boolean;
  /** Opening the read along the axis brings out a read of such a reduction that does not vary along it. */
  readonly isBehind: (r: Read, over: Axis) => boolean;
}

/** `before`: what nodes that are folds by now were. */
export function hiddenReductions(before: ReadonlyMap<Node, MapNode>): Hidden {
  const known = new Map<string, boolean>();
  const once = (key: string, find: () => boolean): boolean => {
    const found = known.get(key);
    if (found !== undefined) return found;
    const made = find();
    known.set(key, made);
    return made;
  };
  const leadsTo = (at: Node, over: Axis): boolean => {
    const n = before.get(at) ?? at;
    if (n.kind !== "map") return false;
    return once(`${n.id}:${over.size.key}`, () => {
      if (!isReal(n)) return false;
      const outer = outerReductions(n.body);
      return outer.length > 0
        ? outer.every((x) => isOver(x, over))
        : readsOf(n.body).some((r) => leadsTo(r.value, over));
    });
  };
  /** With the axes that the indices of the read make vary. */
  const isBehindAlong = (r: Read, varying: ReadonlySet<string>, over: Axis): boolean => {
    const n = r.value;
    if (n.kind !== "map" || !isReal(n)) return false;
    const along = n.domain.filter((_, i) => [...namesAt(r, i)].some((x) => varying.has(x))).map((a) => a.name);
    if (along.length === 0) return false;
    return once(`${n.id}:${over.size.key}:${along.join(",")}`, () => {
      const inner = new Set(along);
      const isFixed = (e: Scalar): boolean => ![...freeNames(e)].some((name) => inner.has(name));
      const outer = outerReductions(n.body);
      if (outer.length > 0) return outer.every((x) => isOver(x, over) && isFixed(x));
      return readsOf(n.body).some((x) => {
        return isFixed(x) ? leadsTo(x.value, over) : isBehindAlong(x, inner, over);
      });
    });
  };
  return { leadsTo, isBehind: (r, over) => isBehindAlong(r, new Set([over.name]), over) };
}
const isOver = (x: Reduce | Fold, over: Axis): boolean =>
  x.kind === "reduce" && x.axes.length === 1 && x.axes[0]?.size.key === over.size.key;
const namesAt = (r: Read, i: number): ReadonlySet<string> => {
  const index = r.at[i];
  return index === undefined ? new Set() : freeNames(index);
};
