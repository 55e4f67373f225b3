/**
 * Reductions over one axis become one fold. A sum whose terms use results of earlier reductions over the same axis under
 * the same guard joins them in one pass, if each such use is a factor that does not vary along the axis (it moves out), or
 * a factor exp(x - max) (it is rescaled). Streamed attention, softmax denominators, the norm before a matrix product: one
 * rule. The law of folds decides what is legal, cost what is worth it.
 *
 * Not priced here: a schedule may split the axis over work units, and then does once a piece what has moved out of the fold.
 */
import type { Computed, MapNode, Node, Scalar } from "../graph/node.ts";
import { rewriteGraph } from "../graph/rewrite.ts";
import { bottomUp, children, key } from "../graph/scalar.ts";
import { operandsOf } from "../graph/walk.ts";
import { bytes, elementsOf, tiledFlops } from "../target/cost.ts";
import { bytesOf } from "../target/storage.ts";
import { type Definitions, foldSum, type SingleSum } from "./folding/fold-sum.ts";
import { hiddenReductions } from "./folding/hidden.ts";
import { factsOf } from "./in-range.ts";
import type { Pass, PassContext } from "./pass.ts";
import { simplified } from "./simplify-indices.ts";

export const foldReductions: Pass = {
  name: "fold-reductions",
  exactness: "rounds-differently",
  run: (g, context) => {
    // Operands come first, so a denominator is a fold already when its consumer comes: look at what it was before.
    const before = new Map<Node, MapNode>();
    const hidden = hiddenReductions(before);
    const facts = factsOf(g);
    return rewriteGraph(context.builder, g, (n) => {
      if (n.kind !== "map") return n;
      const opened = context.builder.withBody(n, () => foldedBody(n, { before, facts, hidden }));
      if (opened === n) return n;
      const folded = simplified(context.builder, opened, facts);
      if (folded.kind !== "map" || !pays(n, folded, context)) return n;
      before.set(folded, n);
      return folded;
    });
  },
};

/** One sum: the fold is the whole body, and what stands around the sum may use its accumulators. Several: each its own. */
function foldedBody(n: MapNode, definitions: Definitions): Scalar {
  const sums = sumsOf(n.body);
  const [only] = sums.values();
  if (only !== undefined && sums.size === 1 && only.always) return foldSum(n, only.sum, n.body, definitions) ?? n.body;
  const by = new Map<string, Scalar>();
  for (const [k, { sum }] of sums) {
    const fold = foldSum(n, sum, sum.itself, definitions);
    if (fold !== null) by.set(k, fold);
  }
  return by.size === 0 ? n.body : bottomUp(n.body, (x) => (x.kind === "reduce" ? (by.get(key(x)) ?? x) : x));
}

interface Found {
  readonly sum: SingleSum;
  /** Computed whatever the indices are: not in a branch. */
  readonly always: boolean;
}
/** Sums over one axis that stand in no other reduction, each once. */
function sumsOf(e: Scalar): ReadonlyMap<string, Found> {
  const found = new Map<string, Found>();
  const visit = (x: Scalar, always: boolean): void => {
    if (x.kind === "reduce" || x.kind === "fold") {
      const [axis] = x.kind === "reduce" ? x.axes : [];
      if (x.kind !== "reduce" || x.monoid !== "sum" || x.axes.length !== 1 || axis === undefined) return;
      const known = found.get(key(x));
      found.set(key(x), {
        sum: { axis, where: x.where, body: x.body, itself: x },
        always: always || known?.always === true,
      });
      return;
    }
    const branches = x.kind === "call" && x.fn === "select";
    children(x).forEach((c, i) => {
      visit(c, always && !(branches && i > 0));
    });
  };
  visit(e, true);
  return found;
}

/** Extra work that is not done while memory is waited for, once an output tile, against one round trip of every intermediate that is read no more. */
function pays(before: MapNode, after: Computed, { sizes, target, report }: PassContext): boolean {
  const kept = new Set(operandsOf(after));
  const gone = operandsOf(before).filter((o) => !kept.has(o));
  const saved = gone.reduce((sum, o) => sum + 2 * bytesOf[o.type.dtype] * elementsOf(o, sizes), 0);
  const flops = [after, before].map((x) => tiledFlops(x, sizes, target));
  const hidden = target.manyLanes ? (bytes(before, sizes) / target.bytesPerSecond) * target.flopsPerSecond : 0;
  const [most = 0, least = 0] = flops.map((f) => Math.max(f, hidden));
  const cost = Math.max(0, most - least) / target.flopsPerSecond;
  const gain = saved / target.bytesPerSecond + target.launchSeconds;
  const worth = cost <= gain;
  report({
    pass: "fold-reductions",
    node: before.name,
    decision: worth ? `one pass instead of reading ${gone.map((o) => `%${o.name}`).join(", ")}` : "kept apart",
    why: worth ? "reductions over one axis" : "the accumulators would be computed again for every tile of outputs",
    numbers: { "seconds lost": cost, "seconds saved": gain },
  });
  return worth;
}
