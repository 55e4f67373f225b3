import type { Annotation } from "../../dsl/checker/result.ts";

export interface Insertion {
  readonly at: number;
  readonly text: string;
}

/**
 * Annotations as insertions in text order. Where several meet, what closes comes before what opens, and the brackets
 * nest: the inner closes first, the outer opens first.
 */
export function insertionsOf(annotations: readonly Annotation[]): readonly Insertion[] {
  const placed = annotations.flatMap(({ span, before, after }) => [
    { at: span.start, text: before, closes: 0, reach: -span.end },
    { at: span.end, text: after, closes: -1, reach: -span.start },
  ]);
  return placed
    .filter(({ text }) => text !== "")
    .sort((a, b) => a.at - b.at || a.closes - b.closes || a.reach - b.reach)
    .map(({ at, text }) => ({ at, text }));
}
