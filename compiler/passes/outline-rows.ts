/**
 * sum[d](w[i, d] * table[ids[t], d])  ->  r[t, d] = table[ids[t], d] and sum[d](w[i, d] * r[t, d]), of tables so large that a launch may have
 * a part of them: whoever reads rows has another one for each of its points, and would be computed anew for each part.
 */
import type { Facts } from "../../dsl/types/facts.ts";
import type { Builder } from "../graph/builder.ts";
import type { Axis, MapNode, Read, Scalar } from "../graph/node.ts";
import { rewriteGraph } from "../graph/rewrite.ts";
import { axis, freeNames, mapChildren, name, read, substitute } from "../graph/scalar.ts";
import { allAxes } from "../graph/walk.ts";
import { factsOf, placeOf, staysInRange } from "./in-range.ts";
import { isLookedUp, largeRead } from "./large-weights.ts";
import { isReal } from "./open.ts";
import type { Pass, PassContext } from "./pass.ts";

export const outlineRows: Pass = {
  name: "outline-rows",
  exactness: "exact",
  run: (g, context) => {
    const { builder, target } = context;
    if (target.windowElements === null) return g;
    const facts = factsOf(g);
    return rewriteGraph(builder, g, (n) => {
      if (n.kind !== "map" || !isReal(n) || n.body.kind === "read") return n;
      const outlined = (e: Scalar): Scalar =>
        e.kind === "read" ? (rowOf(builder, n, e, facts, context) ?? e) : mapChildren(e, outlined);
      return builder.withBody(n, outlined);
    });
  },
};

/** Null for what is no row of such a table. */
function rowOf(b: Builder, n: MapNode, r: Read, facts: Facts, context: PassContext): Read | null {
  const large = largeRead(r, context);
  if (large === null || !isLookedUp(large) || large.piece.length > 1) return null;
  const axes = allAxes(n);
  const used: readonly Axis[] = [...new Set(r.at.flatMap((x) => [...freeNames(x)]))].flatMap((x) => axes.get(x) ?? []);
  // It is computed at all points, where no guard or branch protects it.
  if (!staysInRange(r, placeOf(facts, used))) return null;
  // Under names of their own, so that all who want the same rows have one node of them.
  const own = used.map((a, i) => axis(`i${i}`, a.size));
  const by = new Map(used.map((a, i) => [a.name, name(`i${i}`)] as const));
  const body = read(
    r.value,
    r.at.map((x) => substitute(x, by)),
  );
  const dtype = n.type.dtype === "f64" ? "f64" : "f32";
  const made = b.map(`${r.value.name}.rows`, own, body, dtype);
  const why = "a launch may have a part of the table";
  context.report({ pass: "outline-rows", node: n.name, decision: `%${made.name} apart`, why, numbers: {} });
  return read(
    made,
    used.map((a) => name(a.name)),
  );
}
