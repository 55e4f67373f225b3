/**
 * y[t, pick[t, j], d]  ->  y'[t, j, d] with y' computed at the selected points only, and so on for what y' reads.
 * Done where nobody wants y whole, and where every index of the selection but its last is an index of the read too: then
 * the points of y' are as many as are asked for. Slots that a guard leaves out read index 0, which is in range.
 */
import type { Builder } from "../graph/builder.ts";
import { evalDim, oneDim, type Sizes } from "../graph/dim.ts";
import type { Axis, Graph, MapNode, Node, Read, Scalar } from "../graph/node.ts";
import { rewriteGraph } from "../graph/rewrite.ts";
import { allNames, fresh, instantiate, key, mapChildren, name, read, readsOf } from "../graph/scalar.ts";
import { expressionsOf, nodesOf } from "../graph/walk.ts";
import type { Pass, Report } from "./pass.ts";

export const restrictToDemand: Pass = {
  name: "restrict-to-demand",
  exactness: "exact",
  run: (g, { builder, sizes, report }) => {
    const whole = wantedWhole(g);
    const made = new Map<string, MapNode>();
    return rewriteGraph(builder, g, (n, { was }) => {
      const state: Restricting = { builder, sizes, made, isWhole: (p) => whole.has(was(p)), report };
      return builder.withBody(n, (e) => restrict(e, state));
    });
  },
};

interface Restricting {
  readonly builder: Builder;
  readonly sizes: Sizes;
  /** By node, axis and selection: two readers of the same points share them. */
  readonly made: Map<string, MapNode>;
  readonly isWhole: (n: Node) => boolean;
  readonly report: (r: Report) => void;
}

/** An index that is itself looked up. */
const isSelection = (e: Scalar | undefined): e is Read =>
  e?.kind === "read" && e.at.length > 0 && (e.value.type.dtype === "i32" || e.value.type.dtype === "i64");

function restrict(e: Scalar, s: Restricting): Scalar {
  const x = mapChildren(e, (c) => restrict(c, s));
  if (x.kind !== "read" || !isRestrictable(x.value) || s.isWhole(x.value)) return x;
  const producer = x.value;
  const selection = x.at.flatMap((i, along) => selectionAt(x, i, along) ?? [])[0];
  if (selection === undefined) return x;
  const { along, pick, slot, shared } = selection;

  const taken = new Set([...producer.domain.map((a) => a.name), ...allNames(producer.body)]);
  const j = fresh("j", taken);
  const through = read(pick, [...shared.map((position) => name(producer.domain[position]?.name ?? "")), name(j)]);
  const id = `${producer.id}/${along}/${key(through)}`;
  const size = pick.type.dims.at(-1) ?? oneDim;
  const numbers = { slots: evalDim(size, s.sizes), rows: evalDim(producer.type.dims[along] ?? oneDim, s.sizes) };
  // More slots than rows: computing every row once is less.
  if (numbers.slots > numbers.rows) return x;
  const known = s.made.get(id);
  const to = known ?? restricted(producer, { along, through, axis: { name: j, size }, taken }, s);
  if (known === undefined) s.report(reportOf(producer, pick, numbers));
  s.made.set(id, to);
  return read(
    to,
    x.at.map((i, position) => (position === along ? slot : i)),
  );
}

interface Through {
  readonly along: number;
  readonly through: Read;
  readonly axis: Axis;
  readonly taken: Set<string>;
}
/** The producer with one axis running over the slots of a selection. */
function restricted(n: MapNode, { along, through, axis, taken }: Through, s: Restricting): MapNode {
  const by = new Map(n.domain.flatMap((a, i) => (i === along ? [[a.name, through] as const] : [])));
  const domain = n.domain.map((a, i) => (i === along ? axis : a));
  return s.builder.map(n.name, domain, restrict(instantiate(n.body, by, taken), s), n.type.dtype);
}

interface Selection {
  readonly along: number;
  readonly pick: Node;
  readonly slot: Scalar;
  /** Where the other indices of the selection stand among the indices of the read. */
  readonly shared: readonly number[];
}
/** The selection at one index of a read; null where there is none, or where it repeats points for an index of its own. */
function selectionAt(x: Read, i: Scalar, along: number): Selection | null {
  if (!isSelection(i)) return null;
  const slot = i.at.at(-1);
  const positions = new Map(x.at.map((other, position) => [key(other), position]));
  const shared = i.at.slice(0, -1).map((other) => positions.get(key(other)) ?? -1);
  return slot === undefined || shared.includes(-1) ? null : { along, pick: i.value, slot, shared };
}

/** Index maps stay whole: they are small, and what they say about order is read off their structure. */
const isRestrictable = (n: Node): n is MapNode => n.kind === "map" && n.type.dtype !== "i32" && n.type.dtype !== "i64";

/**
 * Nodes of which somebody wants more than selected points. They are computed in full anyway, so they are only gathered:
 * without this the router's scores, whole for the selection itself, would be computed again for what it selects.
 */
function wantedWhole(g: Graph): ReadonlySet<Node> {
  const whole = new Set<Node>(g.results);
  /** Axes of a node along which its reader asks for selected points only. */
  const selectedAxes = new Map<Node, Set<string>>();
  for (const c of nodesOf(g).toReversed()) {
    if (c.kind === "repeat") for (const n of [c.init, c.body]) whole.add(n);
    if (c.kind === "append") whole.add(c.rows);
    for (const r of expressionsOf(c).flatMap(readsOf)) {
      const passesOn = (i: Scalar): boolean =>
        i.kind === "name" && !whole.has(c) && (selectedAxes.get(c)?.has(i.name) ?? false);
      const along = r.at.findIndex((i, position) => selectionAt(r, i, position) !== null || passesOn(i));
      const selected = r.value.kind === "map" ? r.value.domain[along] : undefined;
      if (selected === undefined) whole.add(r.value);
      else selectedAxes.set(r.value, (selectedAxes.get(r.value) ?? new Set()).add(selected.name));
    }
  }
  return whole;
}

const reportOf = (n: MapNode, pick: Node, numbers: Report["numbers"]): Report => ({
  pass: "restrict-to-demand",
  node: n.name,
  decision: `computed where %${pick.name} points`,
  why: "nobody reads it elsewhere",
  numbers,
});
