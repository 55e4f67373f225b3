/**
 * Regrouping: the same elements in the same row-major order under other axes. Allowed only where a type is declared.
 * A structure may be merged, split or flattened, but not read as another structure in one step: `(2, J)` to `(J, 2)`
 * is refused, since the layout is what tells rotary halves from pairs.
 */
import { type Axis, matchAxes, sizeOf, wholeAxis } from "./axis.ts";
import type { Facts } from "./facts.ts";
import { mul, one, type Poly } from "./poly.ts";
import { compare } from "./prove.ts";

export type Regrouping = "same" | "regrouped" | "size" | "layout" | "restriction";

/** Axes without merges: `(A, B)` is two leaves; a join is one leaf, a restricted axis too. */
function leavesOf(axes: readonly Axis[]): readonly Axis[] {
  return axes.flatMap((axis) => (axis.kind === "merged" && axis.restriction === null ? leavesOf(axis.parts) : [axis]));
}

/** Product of the sizes of all leaves; null when one is unknown. */
function elements(leaves: readonly Axis[]): Poly | null {
  let total = one;
  for (const leaf of leaves) {
    const size = sizeOf(leaf);
    if (size === null) return null;
    total = mul(total, size);
  }
  return total;
}

export function regroup(from: readonly Axis[], to: readonly Axis[], facts: Facts): Regrouping {
  if (from.length === to.length) {
    const matches = from.map((axis, i) => matchAxes(axis, to[i] ?? axis, facts));
    if (matches.every((match) => match === "equal")) return "same";
  }
  const a = leavesOf(from);
  const b = leavesOf(to);
  if (a.some((axis) => axis.restriction !== null)) return "restriction";
  const totalA = elements(a);
  const totalB = elements(b);
  if (totalA === null || totalB === null) return "same";
  if (compare(totalA, totalB, facts) !== "equal") return "size";
  return alignLeaves(a, b, 0, 0, facts) ? "regrouped" : "layout";
}

/**
 * Cuts both lists into chunks of equally many elements in which one side is a single leaf. Backtracks; lists are short.
 * Leaves of size 1 may stand alone on either side.
 */
function alignLeaves(a: readonly Axis[], b: readonly Axis[], i: number, j: number, facts: Facts): boolean {
  if (i === a.length && j === b.length) return true;
  const equalFrom = (whole: Axis, run: readonly Axis[]): boolean => {
    const size = sizeOf(whole);
    const total = elements(run);
    return size !== null && total !== null && compare(size, total, facts) === "equal";
  };
  const first = a[i];
  const second = b[j];
  if (first !== undefined) {
    for (let end = j; end <= b.length; end += 1) {
      const run = b.slice(j, end);
      const only = run.length === 1 ? run[0] : undefined;
      if (only !== undefined && first.kind === "joined" && only.kind === "joined") {
        if (matchAxes(wholeAxis(first), wholeAxis(only), facts) === "equal" && alignLeaves(a, b, i + 1, end, facts))
          return true;
      } else if (equalFrom(first, run) && alignLeaves(a, b, i + 1, end, facts)) {
        return true;
      }
    }
  }
  if (second !== undefined) {
    for (let end = i; end <= a.length; end += 1) {
      if (end === i + 1) continue; // tried above
      if (equalFrom(second, a.slice(i, end)) && alignLeaves(a, b, end, j + 1, facts)) return true;
    }
  }
  return false;
}
