/** A fold as plain reductions: each accumulator is the reduction that gives its final value. */
import type { Fold, FoldStep, Reduce, Scalar } from "../../graph/node.ts";
import { allNames, bottomUp, fresh, name, substitute } from "../../graph/scalar.ts";

/**
 * Correct by the meaning of a fold (graph/node.ts): a step sees the final values of those before it. Each reduction has an
 * index of its own, as they stand inside of each other.
 */
export function unfold(e: Fold): Scalar {
  const taken = allNames(e);
  const by = new Map<string, Scalar>();
  for (const s of e.steps) by.set(s.name, s.how === "let" ? substitute(s.body, by) : reduction(e, s, by, taken));
  return substitute(e.result, by);
}

function reduction({ axis, where }: Fold, s: FoldStep, by: ReadonlyMap<string, Scalar>, taken: Set<string>): Reduce {
  const own = fresh(axis.name, taken);
  const at = new Map([[axis.name, name(own)]]);
  // What stands for an earlier accumulator has an index of its own and does not mention the axis.
  const body = substitute(substitute(s.body, by), at);
  return {
    kind: "reduce",
    monoid: s.how === "let" ? "sum" : s.how,
    axes: [{ name: own, size: axis.size }],
    where: where === null ? null : substitute(where, at),
    body,
  };
}

export const unfoldAll = (e: Scalar): Scalar => bottomUp(e, (x) => (x.kind === "fold" ? unfold(x) : x));
