/** The change of domain (t, j) -> p by the permutation that sorts a selection. Exact: each element is computed as before. */
import type { Builder } from "../../graph/builder.ts";
import { type Dim, dim, mulDim } from "../../graph/dim.ts";
import type { Axis, Graph, MapNode, Node, Read, Scalar, TopK } from "../../graph/node.ts";
import { rewriteGraph } from "../../graph/rewrite.ts";
import {
  add,
  axis,
  call,
  dimValue,
  fresh,
  instantiate,
  mapChildren,
  mul,
  name,
  read,
  readsOf,
} from "../../graph/scalar.ts";
import { nodesOf, operandsOf } from "../../graph/walk.ts";
import { hasReduction, namesIn } from "../open.ts";

/** Some node over the points of the selection contracts with weights that the selection names. */
export const isGroupable = (g: Graph, pick: TopK): boolean => nodesOf(g).some((n) => readsSelectedWeights(n, pick));

export function groupBy(b: Builder, g: Graph, pick: TopK): Graph {
  const sorted = sortedOrder(b, pick);
  const moved = new Map<Node, MapNode>();
  return rewriteGraph(b, g, (n) => {
    const readsMoved = operandsOf(n).some((o) => moved.has(o));
    const pair = n.kind === "map" ? pairOf(n, pick) : null;
    if (n.kind === "map" && pair !== null && (readsMoved || readsSelectedWeights(n, pick))) {
      moved.set(n, movedNode(b, n, pair, { pick, sorted, moved }));
      return n; // dead once its readers have moved, or read in token order by one that cannot
    }
    if (!readsMoved) return n;
    return b.withBody(n, (e) => replaceReads(e, (r) => inTokenOrder(r, moved, sorted)));
  });
}

interface SortedOrder {
  readonly rows: Dim;
  readonly slots: Dim;
  /** At p of the sorted order: the token and the slot it came from, and what it selects. */
  readonly token: MapNode;
  readonly slot: MapNode;
  readonly group: MapNode;
  /** Position in the sorted order of K*t + j. */
  readonly inverse: Node;
}

function sortedOrder(b: Builder, pick: TopK): SortedOrder {
  const [tokens, slots] = [pick.type.dims[0] ?? dim(1), pick.type.dims[1] ?? dim(1)];
  const rows = mulDim(tokens, slots);
  const p = axis("p", rows);
  const tokenOf = (e: Scalar): Scalar => call("floordiv", e, dimValue(slots));
  const slotOf = (e: Scalar): Scalar => call("mod", e, dimValue(slots));
  const chosen = (e: Scalar): Scalar => read(pick, [tokenOf(e), slotOf(e)]);
  const label = (what: string): string => `${pick.name}_${what}`;
  const order = b.argsort(label("order"), p, chosen(name("p")));
  const from = read(order, [name("p")]);
  const index = (what: string, e: Scalar): MapNode => b.map(label(what), [p], e, "i32");
  return {
    rows,
    slots,
    token: index("token", tokenOf(from)),
    slot: index("slot", slotOf(from)),
    group: index("group", chosen(from)),
    inverse: b.argsort(label("inverse"), p, from),
  };
}

interface Moving {
  readonly pick: TopK;
  readonly sorted: SortedOrder;
  readonly moved: ReadonlyMap<Node, MapNode>;
}
type Pair = readonly [Axis, Axis];

/** The first two axes of a node, where they run over the points of the selection. */
function pairOf(n: MapNode, pick: TopK): Pair | null {
  const [t, j] = n.domain;
  const [tokens, slots] = pick.type.dims;
  if (t === undefined || j === undefined || n.type.dtype === "i32") return null;
  return t.size.key === tokens?.key && j.size.key === slots?.key ? [t, j] : null;
}

const isAt = (r: Read, [t, j]: Pair): boolean => {
  const [x, y] = r.at;
  return x?.kind === "name" && x.name === t.name && y?.kind === "name" && y.name === j.name;
};

/** The node over p: reads at (t, j) of what has moved too are at p, all others go through the token and slot of p. */
function movedNode(b: Builder, n: MapNode, pair: Pair, { pick, sorted, moved }: Moving): MapNode {
  const taken = namesIn(n);
  const p = fresh("p", taken);
  const here = [name(p)];
  const body = replaceReads(n.body, (r) => {
    if (!isAt(r, pair)) return inTokenOrder(r, moved, sorted);
    const to = moved.get(r.value);
    if (to !== undefined) return read(to, [...here, ...r.at.slice(2)]);
    return r.value === pick ? read(sorted.group, here) : null;
  });
  const [t, j] = pair;
  const by = new Map([
    [t.name, read(sorted.token, here)],
    [j.name, read(sorted.slot, here)],
  ]);
  const domain = [axis(p, sorted.rows), ...n.domain.slice(2)];
  return b.map(n.name, domain, instantiate(body, by, taken), n.type.dtype);
}

/** A read of a moved node from anywhere else. */
function inTokenOrder(r: Read, moved: ReadonlyMap<Node, MapNode>, { slots, inverse }: SortedOrder): Scalar | null {
  const to = moved.get(r.value);
  const [t, j, ...rest] = r.at;
  if (to === undefined || t === undefined || j === undefined) return null;
  return read(to, [read(inverse, [add(mul(dimValue(slots), t), j)]), ...rest]);
}

function replaceReads(e: Scalar, f: (r: Read) => Scalar | null): Scalar {
  const x = mapChildren(e, (c) => replaceReads(c, f));
  return x.kind === "read" ? (f(x) ?? x) : x;
}

/** Contracts a weight at the row that pick[t, j] names. */
function readsSelectedWeights(n: Node, pick: TopK): boolean {
  if (n.kind !== "map" || !hasReduction(n.body)) return false;
  const pair = pairOf(n, pick);
  if (pair === null) return false;
  const selects = (i: Scalar): boolean => i.kind === "read" && i.value === pick && isAt(i, pair);
  return readsOf(n.body).some((r) => r.value.kind === "weight" && r.at.some(selects));
}
