/** Invariant 4: the index of an access of w elements is a multiple of w, and so is the size of pieces. */
import { multipleOf } from "./multiples.ts";
import type { Problems } from "./problem.ts";
import type { Access } from "./symbolic.ts";

export function alignmentProblems(accesses: readonly Access[], problems: Problems): void {
  for (const a of accesses) {
    if (a.width === 1 || a.matrix !== null) continue;
    const report = (what: string, known: number): void => {
      if (known % a.width !== 0)
        problems.report(4, `${a.kind} ${a.text}: ${what} is a multiple of ${known} only, of ${a.width} elements`);
    };
    report("the index", multipleOf(a.index));
    if (a.piece !== null) report("the size of a piece", multipleOf(a.extent));
  }
}
