/**
 * The driver of passes: rebuilds a graph operands first, through one function a computed node, into repeat bodies and
 * effects. A pass that changes nothing gives back the graph it got.
 */
import type { Builder } from "./builder.ts";
import type { Append, Computed, Graph, Node, Scalar } from "./node.ts";
import { mapChildren, read } from "./scalar.ts";
import { isComputed, nodesOf, operandsOf, useCounts } from "./walk.ts";

/**
 * What a pass may ask about a node it meets: facts of the graph as it was *before* the pass. Nodes are rebuilt while it
 * runs, so a count taken from the nodes it sees would count what the pass itself has just stranded or doubled.
 */
export interface Before {
  /** The node that a rebuilt one came from; itself where it is new or unchanged. */
  readonly was: (n: Node) => Node;
  /** How many nodes and results used the node. A node that is new counts as used once. */
  readonly uses: (n: Node) => number;
}

export type Rewrite = (n: Computed, before: Before) => Node;

export function rewriteGraph(b: Builder, g: Graph, f: Rewrite): Graph {
  const done = new Map<Node, Node>();
  const old = new Map<Node, Node>();
  const counts = useCounts(g);
  const was = (n: Node): Node => old.get(n) ?? n;
  const before: Before = { was, uses: (n) => counts.get(was(n)) ?? 1 };
  const now = (n: Node): Node => done.get(n) ?? n;
  for (const n of nodesOf(g)) {
    const to = rebuilt(b, n, now);
    if (!old.has(to)) old.set(to, n);
    const result = isComputed(to) ? f(to, before) : to;
    if (!old.has(result)) old.set(result, n);
    done.set(n, result);
  }
  const results = g.results.map(now);
  const effects = g.effects.map((e) => asAppend(now(e)));
  const same = results.every((r, i) => r === g.results[i]) && effects.every((e, i) => e === g.effects[i]);
  return same ? g : keepingEffects(g, { ...g, results, effects });
}

/**
 * The rewritten graph; the old one where some repeat that leaves rows behind is read no more. Such a repeat is reached
 * through its value alone, so a rewrite that finds the value useless (a read of the other half of a concatenation) would
 * lose what it remembers.
 */
export function keepingEffects(before: Graph, after: Graph): Graph {
  const left = new Set(remembering(after));
  return remembering(before).every((carry) => left.has(carry)) ? after : before;
}
/** Repeats that append, by their carry: that is the same before and after a rewrite. */
const remembering = (g: Graph): readonly Node[] =>
  nodesOf(g).flatMap((n) => (n.kind === "repeat" && n.effects.length > 0 ? [n.carry] : []));

/** A node with its operands replaced; itself where none is. */
export function rebuilt(b: Builder, n: Node, now: (n: Node) => Node): Node {
  if (operandsOf(n).every((o) => now(o) === o)) return n; // most nodes, in most passes
  const moved = (e: Scalar): Scalar => replaceOperands(e, now);
  switch (n.kind) {
    case "map":
    case "top_k":
    case "argsort":
      return b.withBody(n, moved);
    case "append": {
      const [remembered] = n.type.dims;
      if (remembered === undefined) throw new Error(`%${n.name} appends to nothing`);
      return b.append(n.name, n.state, n.at.map(moved), now(n.rows), remembered);
    }
    case "repeat":
      return b.repeat(n.name, {
        count: n.count,
        init: now(n.init),
        carry: n.carry,
        index: n.index,
        body: now(n.body),
        effects: n.effects.map((e) => asAppend(now(e))),
      });
    case "input":
    case "weight":
    case "state":
    case "carry":
    case "loop_index":
      return n;
    default:
      return n satisfies never;
  }
}

/** The expression reading other nodes at the same indices. */
export function replaceOperands(e: Scalar, now: (n: Node) => Node): Scalar {
  const x = mapChildren(e, (c) => replaceOperands(c, now));
  if (x.kind !== "read") return x;
  const value = now(x.value);
  return value === x.value ? x : read(value, x.at);
}

/** Effects happen whether something reads them or not, so no pass may turn one into anything else. */
function asAppend(n: Node): Append {
  if (n.kind !== "append") throw new Error(`%${n.name}: an effect is an append, not a ${n.kind}`);
  return n;
}
