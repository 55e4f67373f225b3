/** Conditions that hold for all indices or for none go, and index arithmetic that undoes itself: see `rules/index-rules.ts`. */
import type { Facts } from "../../dsl/types/facts.ts";
import type { Builder } from "../graph/builder.ts";
import type { Computed } from "../graph/node.ts";
import { rewriteGraph } from "../graph/rewrite.ts";
import { allAxes } from "../graph/walk.ts";
import { factsOf, placeOf } from "./in-range.ts";
import type { Pass } from "./pass.ts";
import { indexRules } from "./rules/index-rules.ts";
import { type Rule, settle } from "./rules/rule.ts";

export const simplifyIndices: Pass = {
  name: "simplify-indices",
  exactness: "exact",
  run: (g, { builder, report }) => {
    const facts = factsOf(g);
    return rewriteGraph(builder, g, (n) => {
      const used = new Map<string, number>();
      const count = (rule: Rule): void => void used.set(rule.name, (used.get(rule.name) ?? 0) + 1);
      const done = simplified(builder, n, facts, count);
      for (const [decision, times] of used) {
        report({ pass: "simplify-indices", node: n.name, decision, why: "for all indices", numbers: { times } });
      }
      return done;
    });
  },
};

/**
 * The node with its index arithmetic simplified. Passes that put expressions at other indices end with this: a
 * concatenation read at one of its halves has a branch that nothing reaches, and whose reads may lie out of range.
 */
export function simplified(b: Builder, n: Computed, facts: Facts, used: (rule: Rule) => void = () => {}): Computed {
  const place = placeOf(facts, allAxes(n).values());
  const done = b.withBody(n, (e) => settle(e, indexRules, place, used));
  // A selection from all points of its axis.
  const always = done.kind === "top_k" && done.where?.kind === "const" && done.where.value !== 0;
  return always ? b.topK(done.name, done.domain, done.over, done.k, done.body) : done;
}
