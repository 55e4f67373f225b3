/**
 * sum[f](w[d, f] * silu(g[t, f]) * u[t, f])  ->  a[t, f] = silu(g[t, f]) * u[t, f] and sum[f](w[d, f] * a[t, f]).
 * A factor that is computed from contractions and that some outputs share (a has no d) becomes a node: it is computed
 * once, and the contractions that it reads can take it as their epilogue. Re-association sees one factor in its place.
 */
import type { Facts } from "../../dsl/types/facts.ts";
import type { Builder } from "../graph/builder.ts";
import type { Axis, MapNode, Node, Reduce, Scalar } from "../graph/node.ts";
import { factors, productFrom } from "../graph/product.ts";
import { rewriteGraph } from "../graph/rewrite.ts";
import { freeNames, mapChildren, name, read, readsOf, some } from "../graph/scalar.ts";
import { allAxes } from "../graph/walk.ts";
import { factsOf, placeOf, staysInRange } from "./in-range.ts";
import { hasReduction, isReal } from "./open.ts";
import type { Pass, Report } from "./pass.ts";

export const outlineFactors: Pass = {
  name: "outline-factors",
  exactness: "rounds-differently",
  run: (g, { builder, report }) => {
    const facts = factsOf(g);
    return rewriteGraph(builder, g, (n) => {
      if (n.kind !== "map" || !isReal(n)) return n;
      return builder.withBody(n, (e) => outerSums(e, (sum) => outline(builder, n, sum, facts, report)));
    });
  },
};

/** `f` of the sums that stand in no other reduction. */
function outerSums(e: Scalar, f: (sum: Reduce) => Scalar): Scalar {
  if (e.kind === "reduce") return e.monoid === "sum" ? f(e) : e;
  return e.kind === "fold" ? e : mapChildren(e, (c) => outerSums(c, f));
}

function outline(b: Builder, n: MapNode, sum: Reduce, facts: Facts, report: (r: Report) => void): Scalar {
  const list = factors(sum.body);
  const seed = list.find((f) => f.kind === "call" && readsContraction(f) && isShared(f, n, sum));
  if (seed === undefined) return sum;
  const names = namesOf(seed);
  const group = list.filter((f) => f.kind !== "const" && namesOf(f) === names);
  const axes = allAxes(n);
  const domain: readonly Axis[] = [...freeNames(seed)].flatMap((x) => axes.get(x) ?? []);
  const place = placeOf(facts, axes.values());
  // The node is computed at all points, where no guard or branch protects its reads.
  const reaches = (f: Scalar): boolean => some(f, (x) => x.kind === "read" && !staysInRange(x, place));
  if (domain.length !== freeNames(seed).size || group.length === list.length || group.some(reaches)) return sum;
  // Only what n itself computes is of a format below f32.
  const made = b.map(`${n.name}.factor`, domain, productFrom(group), n.type.dtype === "f64" ? "f64" : "f32");
  report({
    pass: "outline-factors",
    node: n.name,
    decision: `%${made.name} computed apart`,
    why: "outputs share it, and it is computed from contractions",
    numbers: {},
  });
  const at = read(
    made,
    domain.map((a) => name(a.name)),
  );
  const rest = list.filter((f) => !group.includes(f));
  return { ...sum, body: productFrom([...rest, at]) };
}

const namesOf = (f: Scalar): string => [...freeNames(f)].sort().join(",");

/** It varies along what is summed, and not along some axis of the output. */
const isShared = (f: Scalar, n: MapNode, sum: Reduce): boolean =>
  sum.axes.some((a) => freeNames(f).has(a.name)) && n.domain.some((a) => !freeNames(f).has(a.name));

const readsContraction = (f: Scalar): boolean => readsOf(f).some((r) => isContracted(r.value));
const isContracted = (n: Node): boolean => n.kind === "map" && hasReduction(n.body);
