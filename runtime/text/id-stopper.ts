/** When ids end that nothing makes a text of. */
import type { StopOptions, Stopper, StopReason } from "./stopping.ts";

export function newIdStopper({
  endIds = [],
  maxTokens = Number.POSITIVE_INFINITY,
}: Pick<StopOptions, "endIds" | "maxTokens">): Stopper {
  let count = 0;
  const stopAt = (id: number): StopReason | null => {
    if (endIds.includes(id)) return { kind: "end-of-text", id };
    return count >= maxTokens ? { kind: "max-tokens", count } : null;
  };
  return {
    push: (id) => {
      count += 1;
      return { text: "", pieces: [], stop: stopAt(id) };
    },
    end: () => [],
  };
}
