/** Orders and questions over the nodes of a graph. */
import type { Axis, Computed, Graph, Node, Repeat, Scalar } from "./node.ts";
import { boundAxes, readsOf, walk } from "./scalar.ts";

export const isComputed = (n: Node): n is Computed => n.kind === "map" || n.kind === "top_k" || n.kind === "argsort";

/** All expressions that stand in a node. */
export function expressionsOf(n: Node): readonly Scalar[] {
  switch (n.kind) {
    case "map":
    case "argsort":
      return [n.body];
    case "top_k":
      return n.where === null ? [n.body] : [n.where, n.body];
    case "append":
      return n.at;
    default:
      return [];
  }
}

/** The axes that a computed node itself binds: its domain, and what it selects or sorts over. */
export const axesOf = (n: Computed): readonly Axis[] =>
  n.kind === "map" ? n.domain : n.kind === "top_k" ? [...n.domain, n.over] : [n.over];

const axesMemo = new WeakMap<Computed, ReadonlyMap<string, Axis>>();
/** Every axis bound anywhere in a node, by name. */
export function allAxes(n: Computed): ReadonlyMap<string, Axis> {
  const known = axesMemo.get(n) ?? findAxes(n);
  axesMemo.set(n, known);
  return known;
}
function findAxes(n: Computed): ReadonlyMap<string, Axis> {
  const out = new Map(axesOf(n).map((a) => [a.name, a]));
  const note = (x: Scalar): void => {
    for (const a of boundAxes(x)) out.set(a.name, a);
  };
  for (const e of expressionsOf(n)) walk(e, note);
  return out;
}

const operandsMemo = new WeakMap<Node, readonly Node[]>();
/** What a node is computed from, each once. */
export function operandsOf(n: Node): readonly Node[] {
  const known = operandsMemo.get(n);
  if (known !== undefined) return known;
  const found = findOperands(n);
  operandsMemo.set(n, found);
  return found;
}
function findOperands(n: Node): readonly Node[] {
  const read = new Set(expressionsOf(n).flatMap((e) => readsOf(e).map((r) => r.value)));
  if (n.kind === "repeat") return [n.init, n.carry, n.index, n.body, ...n.effects];
  if (n.kind === "append") return [...new Set([n.state, n.rows, ...read])];
  return [...read];
}

export const rootsOf = (g: Graph): readonly Node[] => [...g.results, ...g.effects];

/** Operands before users; everything that the roots need, once. Graphs may be deeper than a stack of calls. */
export function topological(roots: readonly Node[]): Node[] {
  const seen = new Set<Node>();
  const order: Node[] = [];
  const open: { readonly node: Node; readonly rest: Iterator<Node> }[] = [];
  const enter = (node: Node): void => {
    if (seen.has(node)) return;
    seen.add(node);
    open.push({ node, rest: operandsOf(node)[Symbol.iterator]() });
  };
  for (const root of roots) {
    enter(root);
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      const next = top.rest.next();
      if (next.done !== true) enter(next.value);
      else {
        open.pop();
        order.push(top.node);
      }
    }
  }
  return order;
}
const nodesMemo = new WeakMap<Graph, readonly Node[]>();
export function nodesOf(g: Graph): readonly Node[] {
  const known = nodesMemo.get(g) ?? topological(rootsOf(g));
  nodesMemo.set(g, known);
  return known;
}

/** How many nodes (or results) use each node. */
export function useCounts(g: Graph): Map<Node, number> {
  const uses = new Map<Node, number>();
  const count = (n: Node): void => void uses.set(n, (uses.get(n) ?? 0) + 1);
  for (const n of g.results) count(n);
  for (const n of nodesOf(g)) for (const o of operandsOf(n)) count(o);
  return uses;
}

/** The innermost repeat whose carry or index a node depends on. What is not in the map is the same in every round. */
export function regions(order: readonly Node[]): Map<Node, Repeat> {
  const out = new Map<Node, Repeat>();
  for (const r of order) {
    if (r.kind !== "repeat") continue;
    const depends = new Set<Node>([r.carry, r.index]);
    for (const n of topological([r.body, ...r.effects])) if (operandsOf(n).some((o) => depends.has(o))) depends.add(n);
    for (const n of depends) if (!out.has(n)) out.set(n, r);
  }
  return out;
}
