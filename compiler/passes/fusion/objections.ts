/** What a reader would break, whatever it costs: facts of its structure that a kernel depends on. */
import type { Computed, Fold, MapNode, Node, Read, Scalar } from "../../graph/node.ts";
import { boundNames, children, freeNames, readsOf, some } from "../../graph/scalar.ts";
import { axesOf, expressionsOf } from "../../graph/walk.ts";
import { scalarFunctions } from "../../ops/scalar-functions.ts";
import { isSorted } from "../../target/cost.ts";

/**
 * Computes an exponential, a sine, a power, … What hangs on no round of a loop (angles of positions, frequencies of the
 * config) is then worth a kernel before it: how much of it each round would share is up to the schedule, and a price in
 * operations a second does not show what such a function costs.
 */
export const isCostlyFunction = (body: MapNode): boolean =>
  some(body.body, (e) => e.kind === "call" && scalarFunctions[e.fn].flops >= costly);
const costly = 8;

/** The node is read below some reduction. */
export function isInReduction(root: Scalar, p: Node): boolean {
  const visit = (e: Scalar, inside: boolean): boolean =>
    (e.kind === "read" && e.value === p && inside) ||
    children(e).some((c) => visit(c, inside || boundNames(e).length > 0));
  return visit(root, false);
}

/**
 * A producer whose rows are sorted by what they select, read in another order: its kernel reads the selected weights once
 * for all their rows, and would read them once a row.
 */
export function losesOrder(producer: Node, body: MapNode, reader: Computed): boolean {
  const sortedAxes = new Set(
    readsOf(body.body).flatMap((r) => (isSorted(r.value) ? r.at.flatMap((x) => [...freeNames(x)]) : [])),
  );
  if (sortedAxes.size === 0) return false;
  const inOrder = (r: Read): boolean =>
    body.domain.every((a, i) => !sortedAxes.has(a.name) || r.at[i]?.kind === "name");
  return !expressionsOf(reader)
    .flatMap(readsOf)
    .every((r) => r.value !== producer || inOrder(r));
}

/**
 * A reduction inside of one accumulating step, shared by outputs along some axis. The scores of a fold are shared by the
 * outputs along other axes; for both to be computed once, a work unit would have to hold the outputs along all of them.
 */
export function isSharedInStep(producer: Node, reader: Computed, extent: (axis: string) => number): boolean {
  const outputs = axesOf(reader).filter((a) => extent(a.name) > 1);
  const isShared = (r: Read): boolean => {
    const names = new Set(r.at.flatMap((x) => [...freeNames(x)]));
    return r.value === producer && outputs.some((a) => !names.has(a.name));
  };
  const steps = expressionsOf(reader)
    .flatMap(foldsIn)
    .flatMap((f) => f.steps.filter((s) => s.how !== "let"));
  return steps.some((s) => readsOf(s.body).some(isShared));
}
function foldsIn(e: Scalar): readonly Fold[] {
  const inner = children(e).flatMap(foldsIn);
  return e.kind === "fold" ? [e, ...inner] : inner;
}
