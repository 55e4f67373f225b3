/**
 * A sum of a product as one flat term Σ_axes f1·f2·… under guards: reads of nodes that are contractions themselves are
 * replaced by what they stand for. What is not a contraction, a softmax say, stops the expansion and is one factor.
 */
import type { Axis, MapNode, Node, Read, Reduce, Scalar } from "../../graph/node.ts";
import { factors } from "../../graph/product.ts";
import { isReal, isView, openAt } from "../open.ts";

export interface Term {
  readonly factors: readonly Scalar[];
  readonly axes: readonly Axis[];
  readonly guards: readonly Scalar[];
  readonly origins: readonly Origin[];
}

/** A node that was expanded: a run of factors that may be chosen to stay that node. */
export interface Origin {
  readonly read: Read;
  /** Factors `from` <= i < `to` are its own. */
  readonly from: number;
  readonly to: number;
  /** Axes that it has summed. */
  readonly axes: readonly string[];
}

export interface Expanding {
  /** Names to avoid; grows. */
  readonly taken: Set<string>;
  /** Nodes that may be taken apart here: not those that are computed once outside of a repeat. */
  readonly mayOpen: (n: Node) => boolean;
}

/** Whether a sum is its own flat term: none of its factors stands for others. */
export const isFlat = (list: readonly Scalar[]): boolean =>
  !list.some((f) => isSum(f) || (f.kind === "read" && (isView(f.value) || isContraction(f.value))));

export function expandTerm(e: Reduce, options: Expanding): Term {
  const list: Scalar[] = [];
  const axes: Axis[] = [];
  const guards: Scalar[] = [];
  const origins: Origin[] = [];
  const expand = (x: Scalar): void => {
    for (const f of factors(x)) {
      if (f.kind === "reduce" && f.monoid === "sum") {
        axes.push(...f.axes);
        if (f.where !== null) guards.push(f.where);
        expand(f.body);
      } else if (f.kind === "read" && isView(f.value) && options.mayOpen(f.value)) {
        expand(openAt(f.value, f.at, options.taken));
      } else if (f.kind === "read" && isContraction(f.value) && options.mayOpen(f.value)) {
        const [from, summed] = [list.length, axes.length];
        expand(openAt(f.value, f.at, options.taken));
        origins.push({ read: f, from, to: list.length, axes: axes.slice(summed).map((a) => a.name) });
      } else list.push(f);
    }
  };
  expand(e);
  return { factors: list, axes, guards, origins };
}

/** A product of reads, constants and at least one sum. */
export const isContraction = (n: Node): n is MapNode =>
  n.kind === "map" &&
  isReal(n) &&
  factors(n.body).some(isSum) &&
  factors(n.body).every((f) => f.kind === "read" || f.kind === "const" || isSum(f));
const isSum = (e: Scalar): boolean => e.kind === "reduce" && e.monoid === "sum";
