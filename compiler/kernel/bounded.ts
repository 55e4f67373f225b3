/**
 * Loops that go through what a model has so many of, most of them the terms of a sum: a call may end all of them early, so that a kernel is tried
 * by sums of a few terms. Where they begin does not matter, what is left behind a whole number of tiles is no such loop.
 */
import type { Kernel, Loop } from "./kernel.ts";
import { walkStmts } from "./walk.ts";

/** Where such a loop ends at the earliest. */
export const leastBound = 64;

export const isBounded = ({ mode, from, to }: Loop): boolean =>
  mode === "serial" && to.kind === "const" && to.value > leastBound && (from.kind !== "const" || from.value <= 0);

/** The least by which each of them has two turns, on every lane that shares it; null where none would be ended. */
export function boundOfTwoTurns({ body, parts }: Kernel): number | null {
  const loops: Loop[] = [];
  for (const all of parts?.map((p) => p.kernel.body) ?? [body])
    walkStmts(all, (s) => {
      if (s.kind === "loop" && isBounded(s)) loops.push(s);
    });
  const bound = Math.max(leastBound, ...loops.map((s) => 2 * s.step));
  return loops.some(({ to }) => to.kind === "const" && to.value > bound) ? bound : null;
}
