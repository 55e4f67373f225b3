/** Invariant 4: the index of an access of w elements is a multiple of w. */
import { multipleOf } from "./multiples.ts";
import type { Problems } from "./problem.ts";
import type { Access } from "./symbolic.ts";

export function alignmentProblems(accesses: readonly Access[], problems: Problems): void {
  for (const a of accesses) {
    if (a.width === 1 || a.matrix !== null) continue;
    const known = multipleOf(a.index);
    if (known % a.width !== 0)
      problems.report(4, `${a.kind} ${a.text}: the index is a multiple of ${known} only, of ${a.width} elements`);
  }
}
