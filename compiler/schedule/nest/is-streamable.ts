/** Folds that nests keep, as there is a strategy for them. */
import { constantOf } from "../../graph/dim.ts";
import type { Fold } from "../../graph/node.ts";

/** One with a running maximum, of more than one place. */
export const isStreamable = (e: Fold): boolean => e.steps.some((s) => s.how === "max") && constantOf(e.axis.size) !== 1;
