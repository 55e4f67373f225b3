/** What the value of an expression depends on, as slots of the environment. */
import type { Scalar } from "../node.ts";
import { freeNames, some } from "../scalar.ts";
import type { Scope } from "./code.ts";

/** Slots of the free names, and those that streamed names depend on; `except` is the axis that is streamed along. */
export function slotsOf(e: Scalar, scope: Scope, except: string | null = null): readonly number[] {
  const out = new Set<number>();
  for (const n of freeNames(e)) {
    const bound = scope.get(n);
    if (n === except || bound === undefined) continue;
    if (typeof bound === "number") out.add(bound);
    else for (const s of bound.slots) out.add(s);
  }
  return [...out].sort((a, b) => a - b);
}

/** Whether a name in it has all its values along an axis, rather than one in a slot. */
export const usesStreams = (e: Scalar, scope: Scope): boolean =>
  [...freeNames(e)].some((n) => typeof scope.get(n) === "object");

export const isHeavy = (e: Scalar): boolean => some(e, (x) => x.kind === "reduce" || x.kind === "fold");
export const hasReads = (e: Scalar): boolean => some(e, (x) => x.kind === "read");
