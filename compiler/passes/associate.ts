/**
 * Σ a·(Σ b·c)  ->  the cheapest order of the same contractions, at the sizes of one phase. A sum of products is expanded
 * through the contractions that it reads into one flat term, and the cheapest binary tree over its factors is built.
 * Absorbed latent attention is what this finds while queries are few; nothing here knows of attention.
 */
import type { Facts } from "../../dsl/types/facts.ts";
import { isWide } from "../graph/interpret/wide.ts";
import type { Computed, Graph, Node, Reduce, Scalar } from "../graph/node.ts";
import { factors, productFrom } from "../graph/product.ts";
import { type Before, rewriteGraph } from "../graph/rewrite.ts";
import { bottomUp, freeNames, some } from "../graph/scalar.ts";
import { allAxes, nodesOf, regions } from "../graph/walk.ts";
import { emitTree, printTree } from "./contraction/emit.ts";
import { planTerm } from "./contraction/plan.ts";
import { expandTerm, isFlat, type Term } from "./contraction/term.ts";
import type { Tree } from "./contraction/tree.ts";
import { factsOf, hasPoints, placeOf, staysInRange } from "./in-range.ts";
import { namesIn } from "./open.ts";
import type { Pass, PassContext } from "./pass.ts";

export interface AssociateOptions {
  /**
   * May weights be multiplied with each other when they are loaded? The product is read on every call from then on, and
   * that is priced; quantised weights are left alone whatever this says.
   */
  readonly premultiply: boolean;
}

export const associateWith = (options: AssociateOptions): Pass => ({
  name: "associate",
  exactness: "rounds-differently",
  run: (g, context) => {
    const facts = factsOf(g);
    const sameRegion = regionTest(g);
    return rewriteGraph(context.builder, g, (n, before) => {
      // A shared node that also scales is no product of the factors that stay in the term: it could not be kept.
      const isScaled = (p: Node): boolean => p.kind === "map" && factors(p.body).some((f) => f.kind === "const");
      const mayOpen = (p: Node): boolean =>
        sameRegion(before.was(p), before.was(n)) && !(before.uses(p) > 1 && isScaled(p));
      const owner: Owner = { node: n, before, facts, mayOpen };
      return context.builder.withBody(n, (e) =>
        bottomUp(e, (x) =>
          x.kind === "reduce" && x.monoid === "sum" && !isWide(x) ? contract(x, owner, context, options) : x,
        ),
      );
    });
  },
});
export const associate: Pass = associateWith({ premultiply: false });

interface Owner {
  readonly node: Computed;
  readonly before: Before;
  readonly facts: Facts;
  readonly mayOpen: (n: Node) => boolean;
}

/** 3^8 = 6,561 steps; the longest term of the models here has 6. */
const maxFactors = 8;

function contract(e: Reduce, owner: Owner, context: PassContext, options: AssociateOptions): Scalar {
  const own = factors(e.body);
  if (own.length < 3 && isFlat(own)) return e; // most sums, and cheaper to see than to expand
  const taken = namesIn(owner.node);
  for (const n of freeNames(e)) taken.add(n);
  const term = expandTerm(e, { taken, mayOpen: owner.mayOpen });
  if (term.factors.length < 3 || term.factors.length > maxFactors) return e;
  const axes = new Map(allAxes(owner.node));
  for (const a of [...e.axes, ...term.axes]) axes.set(a.name, a);
  const summed = new Set(term.axes.map((a) => a.name));
  const isInner = (f: Scalar): boolean => [...freeNames(f)].some((x) => summed.has(x));
  const inner = term.factors.map((f, i) => ({ f, i })).filter(({ f }) => isInner(f));
  const outer = term.factors.filter((f) => !isInner(f));
  const place = placeOf(owner.facts, axes.values());
  if (
    inner.length < 2 ||
    !isMovable(
      term,
      inner.map((x) => x.f),
    )
  )
    return e;
  const known = (f: Scalar): boolean => [...freeNames(f)].every((x) => axes.has(x));
  if (!term.factors.every(known) || !term.guards.every(known)) return e;
  // Factors move into nodes of their own, where no guard or branch protects their reads.
  const unprotected = (f: Scalar): boolean => !some(f, (x) => x.kind === "read" && !staysInRange(x, place));
  if (!inner.every(({ f }) => unprotected(f)) || !outer.every(unprotected)) return e;
  const [where] = term.guards;
  const mayBeEmpty = where !== undefined && !(term.guards.length === 1 && hasPoints(term.axes, where, place));
  if (mayBeEmpty && outer.some((f) => f.kind !== "const" && f.kind !== "read")) return e; // 0 · (1/0) is not 0

  const plan = planTerm(term, {
    inner: inner.map((x) => x.i),
    axes,
    isShared: (n) => owner.before.uses(n) > 1,
    premultiply: options.premultiply,
    context,
  });
  if (plan === null || !hasNewIntermediate(plan.tree)) return e;
  context.report({
    pass: "associate",
    node: owner.node.name,
    decision: printTree(plan),
    why: "cheapest order of its contractions",
    numbers: { seconds: plan.cost },
  });
  return productFrom([...outer, emitTree(plan, context.builder, owner.node)]);
}

/**
 * A guard is applied where the first of its summed indices is summed. That needs all its indices open there, which one
 * factor holding them all makes sure of; and each summed axis must be an index of some factor.
 */
function isMovable(term: Term, inner: readonly Scalar[]): boolean {
  const names = inner.map(freeNames);
  const hosted = term.guards.every((g) => names.some((held) => [...freeNames(g)].every((x) => held.has(x))));
  return hosted && term.axes.every((a) => names.some((held) => held.has(a.name)));
}

/** Two nodes that are computed equally often. */
function regionTest(g: Graph): (a: Node, b: Node) => boolean {
  const region = regions(nodesOf(g));
  return (a, b) => region.get(a) === region.get(b);
}

/**
 * The plan computes something that was not computed before. One that does not only merges sums, moving a factor from the
 * result of a contraction to its operand: no fewer operations, and a node less that could be restricted or grouped.
 */
function hasNewIntermediate(tree: Tree, isRoot = true): boolean {
  if (tree.kind !== "contract") return false;
  return (
    (!isRoot && tree.closes !== 0) || hasNewIntermediate(tree.left, false) || hasNewIntermediate(tree.right, false)
  );
}
