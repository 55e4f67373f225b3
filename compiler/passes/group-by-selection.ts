/**
 * Work over (t, j) that reads weights at pick[t, j] moves to p = K*t + j sorted by pick, where every expert's rows lie
 * together: the grouped contraction is the same map with another domain. Consumers read back through the inverse
 * permutation. The kernel needs one fact, that the index is sorted along p, and reads it off the structure (`isSorted`).
 * Chosen for each selection by cost: few rows hit few experts twice, and sorting takes launches.
 */
import { evalDim, type Sizes } from "../graph/dim.ts";
import type { Computed, Graph, Node, TopK } from "../graph/node.ts";
import { isComputed, nodesOf } from "../graph/walk.ts";
import { picksOf, timeOf } from "../target/cost.ts";
import type { CostTarget } from "../target/target.ts";
import { groupBy, isGroupable } from "./grouping/group-by.ts";
import type { Pass } from "./pass.ts";

export const groupBySelection: Pass = {
  name: "group-by-selection",
  exactness: "exact",
  run: (g, { builder, sizes, target, report }) => {
    let graph = g;
    for (const pick of selectionsOf(g)) {
      const here = nodesOf(graph).find((n) => n === pick);
      if (here === undefined || !isGroupable(graph, pick)) continue;
      const grouped = groupBy(builder, graph, pick);
      const { before, after } = changedTime(graph, grouped, sizes, target);
      const pays = after < before;
      report({
        pass: "group-by-selection",
        node: pick.name,
        decision: pays ? "rows sorted by what they select" : "rows in the order of tokens",
        why: pays ? "rows that select the same share its weights" : "few rows share what they select",
        numbers: { "seconds per row": before, "seconds grouped": after, rows: rowsOf(pick, sizes) },
      });
      if (pays) graph = grouped;
    }
    return graph;
  },
};

const selectionsOf = (g: Graph): readonly TopK[] =>
  nodesOf(g).flatMap((n) => (n.kind === "top_k" && n.type.dims.length === 2 ? [n] : []));

const rowsOf = (n: Node, sizes: Sizes): number => n.type.dims.reduce((p, d) => p * evalDim(d, sizes), 1);

/**
 * Time of what only one of two graphs computes. Where rows may begin anywhere, those that one token picks count as different, as they are;
 * where each begins a stream of its own, they do not (docs/performance.md, what was tried and left).
 */
function changedTime(a: Graph, b: Graph, sizes: Sizes, target: CostTarget): { before: number; after: number } {
  const picks = target.manyLanes ? (n: Node): number => picksOf(n, sizes) : undefined;
  const [x, y] = [nodesOf(a).filter(isComputed), nodesOf(b).filter(isComputed)];
  const only = (from: readonly Computed[], than: readonly Computed[]): number => {
    const shared = new Set(than);
    return from.reduce((sum, n) => (shared.has(n) ? sum : sum + timeOf(n, sizes, target, picks)), 0);
  };
  return { before: only(x, y), after: only(y, x) };
}
