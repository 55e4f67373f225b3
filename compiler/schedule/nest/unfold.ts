/** A fold as plain reductions: each accumulator is the reduction that gives its final value. */
import type { Fold, FoldStep, Reduce, Scalar } from "../../graph/node.ts";
import { allNames, bottomUp, fresh, name, some, substitute } from "../../graph/scalar.ts";
import { mergeAxes } from "./merge-axes.ts";
import type { Nest } from "./nest.ts";

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

/** All folds but those that are kept. */
export const unfoldAll = (e: Scalar, keep: (f: Fold) => boolean = () => false): Scalar =>
  bottomUp(e, (x) => (x.kind === "fold" && !keep(x) ? unfold(x) : x));

/** The nest without folds; itself where there is none. */
export function unfoldedNest(nest: Nest): Nest {
  const folds = [nest.body, ...(nest.where === null ? [] : [nest.where])].some((e) =>
    some(e, (x) => x.kind === "fold"),
  );
  if (!folds) return nest;
  const where = nest.where === null ? null : unfoldAll(nest.where);
  return { ...nest, ...mergeAxes(nest.axes, unfoldAll(nest.body), where) };
}
