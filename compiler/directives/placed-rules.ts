/** Strategies for the nodes of one graph: rules by label of the definition that a node computes. */
import type { Graph, Node } from "../graph/node.ts";
import { isComputed, nodesOf } from "../graph/walk.ts";
import type { StrategyRule } from "./directives.ts";

/** What the text calls a node. */
export interface Labels {
  readonly pathOf: (label: string) => string;
  /** Labels of definitions that are no nodes of their own, and those of the nodes that hold their values. */
  readonly aliases: ReadonlyMap<string, string>;
}

/** Null for a node that the schedule says nothing of. */
export type StrategyOf = (label: string) => StrategyRule | null;
export const noStrategies: StrategyOf = () => null;

export interface PlacedRules {
  readonly of: StrategyOf;
  /** Rules whose definitions are nodes of the graph. */
  readonly met: ReadonlySet<StrategyRule>;
}

/** `phase`: the one of the model that the graph is made for. A rule of a phase goes before one for all. */
export function placeRules(
  rules: readonly StrategyRule[],
  phase: string | null,
  g: Graph,
  { pathOf, aliases }: Labels,
): PlacedRules {
  if (rules.length === 0) return { of: noStrategies, met: new Set() };
  const byPath = new Map<string, StrategyRule>();
  for (const rule of rules) if (rule.calls === null) byPath.set(rule.path, rule);
  for (const rule of rules) if (rule.calls !== null && rule.calls.phase === phase) byPath.set(rule.path, rule);
  const byLabel = new Map<string, StrategyRule>();
  const labels = new Set(nodesOf(g).flatMap((n: Node) => (isComputed(n) ? [n.name] : [])));
  for (const [label, node] of aliases) {
    const rule = byPath.get(pathOf(label));
    if (rule !== undefined && labels.has(node)) byLabel.set(node, rule);
  }
  for (const label of labels) {
    const rule = byPath.get(pathOf(label));
    if (rule !== undefined) byLabel.set(label, rule);
  }
  return { of: (label) => byLabel.get(label) ?? null, met: new Set(byLabel.values()) };
}
