/**
 * A choice of k points from an axis that has no more than k is all of it: `near[t, j]` becomes j, the axis over slots the axis of
 * the points, and "the slot is filled" what the choice says of its points. Nothing is scored and nothing is gathered. It holds
 * for calls of certain sizes, which the graph of a phase says (`bounds`), and where the slots are a set (`selecting/slots.ts`).
 */
import type { Builder } from "../graph/builder.ts";
import type { Place } from "../graph/index-range.ts";
import type { Axis, Computed, Graph, Node, Scalar, TopK } from "../graph/node.ts";
import { rewriteGraph } from "../graph/rewrite.ts";
import { instantiate, mapChildren, name, num } from "../graph/scalar.ts";
import { nodesOf } from "../graph/walk.ts";
import { atLeast, factsOf, placeOf } from "./in-range.ts";
import { namesIn } from "./open.ts";
import type { Pass } from "./pass.ts";
import { isFilled, isSet, type SlotAxis, type SlotTensor, slotAxes, slotTensor } from "./selecting/slots.ts";
import { simplified } from "./simplify-indices.ts";

export const selectAll: Pass = {
  name: "select-all",
  exactness: "rounds-differently",
  run: (g, { builder, report }) => {
    const place = placeOf(factsOf(g), []);
    const left = new Set<Node>();
    for (let graph = g; ; ) {
      const pick = nodesOf(graph).find(
        (n): n is TopK => n.kind === "top_k" && !left.has(n) && atLeast(n.k, n.over.size, place),
      );
      if (pick === undefined) return graph;
      left.add(pick);
      if (!isSet(graph, pick, place)) continue;
      graph = rewritten(builder, graph, pick, place);
      report({
        pass: "select-all",
        node: pick.name,
        decision: `all of ${pick.over.name}`,
        why: "it has no more points than are chosen",
        numbers: {},
      });
    }
  },
};

/** Choices of which it does not matter in which order they list what they choose. */
export function choicesOf(g: Graph): readonly TopK[] {
  const place = placeOf(factsOf(g), []);
  return nodesOf(g).filter((n): n is TopK => n.kind === "top_k" && isSet(g, n, place));
}

function rewritten(b: Builder, g: Graph, pick: TopK, place: Place): Graph {
  const tensors = new Map<Node, SlotTensor>();
  const facts = factsOf(g);
  return rewriteGraph(b, g, (n, { was }) => {
    if (was(n) === pick) return n;
    const axes = slotAxes(n, pick, tensors, place);
    if (axes === null || axes.size === 0) return n;
    const done = simplified(b, overPoints(b, n, pick, axes, place), facts);
    const made = slotTensor(n, axes);
    if (made !== null && made !== "several") tensors.set(done, made);
    return done;
  });
}

/** The node with the axes of slots running over the points. */
function overPoints(b: Builder, n: Computed, pick: TopK, axes: ReadonlyMap<string, SlotAxis>, place: Place): Computed {
  const taken = namesIn(n);
  const resized = (a: Axis): Axis => (axes.has(a.name) ? { ...a, size: pick.over.size } : a);
  const moved = (e: Scalar): Scalar => {
    const slots = isFilled(e, pick, axes, place);
    if (slots !== null) return isChosen(pick, slots, taken);
    if (e.kind === "read" && e.value === pick) return e.at.at(-1) ?? num(Number.NaN);
    const x = mapChildren(e, moved);
    if (x.kind === "reduce") return { ...x, axes: x.axes.map(resized) };
    return x.kind === "fold" ? { ...x, axis: resized(x.axis) } : x;
  };
  if (n.kind !== "map") return b.withBody(n, moved);
  return b.map(n.name, n.domain.map(resized), moved(n.body), n.type.dtype);
}

/** What the choice says of the point that an axis of slots now stands for. */
function isChosen({ where, over, domain }: TopK, slots: SlotAxis, taken: Set<string>): Scalar {
  if (where === null) return num(1);
  const rows = domain.map((a, i) => [a.name, slots.row[i] ?? num(Number.NaN)] as const);
  return instantiate(where, new Map([...rows, [over.name, name(slots.name)]]), taken);
}
