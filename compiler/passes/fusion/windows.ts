/**
 * Weights so large that a launch may have some pieces of them at hand (schedule/nest/windows.ts): a kernel wants one piece for each of
 * its points, and the same one of all that it reads so.
 */
import type { Computed, MapNode, Node, Read, Scalar } from "../../graph/node.ts";
import { boundNames, children, freeNames, key, readsOf, some, substitute } from "../../graph/scalar.ts";
import { expressionsOf } from "../../graph/walk.ts";
import { isLookedUp, type LargeRead, largeRead } from "../large-weights.ts";
import type { PassContext } from "../pass.ts";

/** Why a producer cannot be part of its readers where both are to keep to that; null where it can. */
export function windowObjection(
  n: Node,
  body: MapNode,
  readers: readonly Computed[],
  context: Pick<PassContext, "sizes" | "target">,
): string | null {
  const own = readsOf(body.body).flatMap((r) => largeRead(r, context) ?? []);
  if (own.length === 0) return null;
  // Beside sums, all of these would be computed anew for each window.
  if (own.some(isLookedUp) && !some(body.body, (e) => e.kind === "reduce" || e.kind === "fold"))
    return "rows of a table of which a launch may have a part";
  for (const reader of readers) {
    const ways = new Set<string>();
    const note = ({ at, count }: LargeRead): void => void ways.add(`${count} ${key(at)}`);
    for (const e of expressionsOf(reader)) {
      readsOf(e)
        .flatMap((r) => largeRead(r, context) ?? [])
        .forEach(note);
      const changes = eachRead(e, n, (r, bound) => {
        const by = new Map(body.domain.map((a, i) => [a.name, r.at[i] ?? body.body] as const));
        const here = own.map((p) => ({ ...p, at: substitute(p.at, by) }));
        here.forEach(note);
        return here.some(({ at }) => [...freeNames(at)].some((x) => bound.has(x)));
      });
      if (changes) return "a sum of it would go through weights of which a launch may have a part";
    }
    if (ways.size > 1) return "a launch may have other parts of its weights than of the reader's";
  }
  return null;
}

/** Whether the test holds of a read of the node, under the names that are bound around it. */
function eachRead(root: Scalar, n: Node, test: (r: Read, bound: ReadonlySet<string>) => boolean): boolean {
  let found = false;
  const visit = (e: Scalar, bound: ReadonlySet<string>): void => {
    if (e.kind === "read" && e.value === n && test(e, bound)) found = true;
    const own = boundNames(e);
    const inside = own.length === 0 ? bound : new Set([...bound, ...own]);
    for (const c of children(e)) visit(c, inside);
  };
  visit(root, new Set());
  return found;
}
