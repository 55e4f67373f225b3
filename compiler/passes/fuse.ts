/**
 * Fusion is substitution with a price: a producer's body replaces the reads of it, and every node that is left is one
 * kernel. Producers are met last first, in two rounds: first what repeats nothing (epilogues, nodes read once), then by
 * cost. In one round a gated product would go into the next projection as a cheap prologue, and bar the projections before
 * it from taking it as their epilogue.
 *
 * A kernel may end in several reductions over different axes (picked experts, the shared one): strategies take several.
 */
import { DirectiveError } from "../directives/directive-error.ts";
import { evalDim } from "../graph/dim.ts";
import type { Computed, MapNode, Node, Repeat } from "../graph/node.ts";
import { some } from "../graph/scalar.ts";
import { expressionsOf, isComputed, regions } from "../graph/walk.ts";
import { extentsOf, isSorted } from "../target/cost.ts";
import { isCostlyFunction, isInReduction, isSharedInStep, losesOrder } from "./fusion/objections.ts";
import { copiesOf, depth, depthAround, type Price, priceOf, type Reader, sizeOf } from "./fusion/price.ts";
import { windowObjection } from "./fusion/windows.ts";
import { WorkGraph } from "./fusion/work-graph.ts";
import { isTransparent } from "./open.ts";
import type { Pass, PassContext, Report } from "./pass.ts";

export const fuse: Pass = {
  name: "fuse",
  exactness: "exact",
  run: (g, context) => {
    const work = new WorkGraph(context.builder, g);
    const roundsBetween = roundCounter(work.order, context);
    for (const round of [first, second]) {
      for (const n of [...work.order].reverse()) {
        const body = work.candidate(n);
        if (body === null) {
          if (round === first) mayStay(n, context);
          continue;
        }
        const readers = work
          .readersOf(n)
          .map(([original, present]): Reader => ({ node: present, rounds: roundsBetween(n, original) }));
        if (decide(n, body, readers, round, context)) work.inline(n);
      }
    }
    return work.finish();
  },
};

interface Round {
  /** How often an element may be computed at most. */
  readonly limit: number;
  /** Refusals are final, so they are worth a word. */
  readonly last: boolean;
}
/** Not exactly 1: a read of two halves of a tile is counted in floating point. */
const once = 1.001;
const first: Round = { limit: once, last: false };
const second: Round = { limit: Number.POSITIVE_INFINITY, last: true };

/** A node that has to be one cannot be part of others. */
function mayStay(n: Node, { strategy }: PassContext): void {
  const rule = isComputed(n) ? strategy(n.name) : null;
  if (rule?.strategy.kind !== "fused") return;
  const why = n.kind === "map" ? "it is a result, remembered, or carried from round to round" : "it is sorted";
  throw new DirectiveError(`${why}: it needs memory`, rule.at);
}

function decide(n: Node, body: MapNode, readers: readonly Reader[], round: Round, context: PassContext): boolean {
  const rule = context.strategy(n.name);
  if (rule !== null && rule.strategy.kind !== "fused") {
    if (round.last) report(n, "a kernel of its own", "the schedule says so", {}, context);
    return false;
  }
  const structural = structuralObjection(n, body, readers, context);
  if (rule !== null) {
    if (structural !== null) throw new DirectiveError(structural, rule.at);
    report(n, `into ${readers.map((r) => `%${r.node.name}`).join(", ")}`, "the schedule says so", {}, context);
    return true;
  }
  if (structural !== null) {
    if (round.last) report(n, "a kernel of its own", structural, {}, context);
    return false;
  }
  const price = priceOf(n, body, readers, context);
  const numbers = { "times computed": price.ratio, "seconds lost": price.cost, "seconds saved": price.gain };
  const why = priceObjection(body, price);
  if (why === null && price.ratio <= round.limit) {
    const names = readers.map((r) => `%${r.node.name}`).join(", ");
    report(n, `into ${names}`, "cheaper than a kernel of its own", numbers, context);
    return true;
  }
  if (round.last && why !== null) report(n, "a kernel of its own", why, numbers, context);
  return false;
}

/** Why a producer cannot be part of its readers, whatever it costs; null where it can. */
function structuralObjection(
  n: Node,
  body: MapNode,
  readers: readonly Reader[],
  { target, sizes }: PassContext,
): string | null {
  const apart = windowObjection(
    n,
    body,
    readers.map((r) => r.node),
    { target, sizes },
  );
  if (apart !== null) return apart;
  if (readers.some((r) => r.rounds > 1) && isCostlyFunction(body)) return "the same in every round of a loop";
  if (!isTransparent(body)) return "its values are of another kind than what they are computed from";
  if (isSorted(n)) return "its order is read off its structure";
  const nodes = readers.map((r) => r.node);
  if (nodes.some((c) => losesOrder(n, body, c))) return "its rows are sorted by what they select";
  const inside = (c: Computed): boolean => expressionsOf(c).some((e) => isInReduction(e, n));
  if (n.type.dtype === "i8" && nodes.some(inside)) return "numbers of 8 bits are multiplied as they lie in memory";
  if (some(body.body, (x) => x.kind === "fold") && nodes.some(inside)) return "a fold inside a reduction";
  const around = Math.max(...nodes.flatMap((c) => expressionsOf(c).map((e) => depthAround(e, n))));
  const own = depth(body.body);
  if (around + own > target.maxNesting) return "reductions nested too deep";
  if (own > 0 && nodes.some((c) => isSharedInStep(n, c, extentsOf(c, sizes)))) return "a reduction that outputs share";
  const longest = Math.max(...nodes.map((c) => sizeWith(c, n, body)));
  return longest > maxSize ? "the expression would be too long" : null;
}

function priceObjection(body: MapNode, price: Price): string | null {
  if (depth(body.body) > 0 && price.ratio > once) return "a reduction repeated";
  return price.cost > price.gain ? "computing it again costs more" : null;
}

/**
 * Stages that each read two elements of the stage before (a fast transform) repeat nothing one by one, and double the
 * expression each time. The longest expression of attention has 150 parts.
 */
const maxSize = 400;
const sizeWith = (reader: Computed, n: Node, body: MapNode): number =>
  expressionsOf(reader).reduce((sum, e) => sum + sizeOf(e) + copiesOf(e, n) * sizeOf(body.body), 0);

/** Product of the counts of the repeats that a reader stands in and its producer does not. */
function roundCounter(order: readonly Node[], { sizes }: PassContext): (producer: Node, reader: Node) => number {
  const region = regions(order);
  const around = (n: Node): readonly Repeat[] => {
    const r = region.get(n);
    return r === undefined ? [] : [r, ...around(r)];
  };
  return (producer, reader) => {
    const outside = new Set(around(producer));
    return around(reader).reduce((rounds, r) => (outside.has(r) ? rounds : rounds * evalDim(r.count, sizes)), 1);
  };
}

function report(n: Node, decision: string, why: string, numbers: Report["numbers"], context: PassContext): void {
  context.report({ pass: "fuse", node: n.name, decision, why, numbers });
}
