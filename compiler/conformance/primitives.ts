/** A case for every primitive of the graph: scalar functions, reductions, folds, selections, sorts, memory and repeats. */
import type { GraphCase } from "./graph-case.ts";
import { memory } from "./primitives/memory.ts";
import { selections } from "./primitives/orders.ts";
import { scalarCases } from "./primitives/scalars.ts";
import { contractions, folds, reductions } from "./primitives/sums.ts";
import { textCase } from "./primitives/text-case.ts";
import { wideNumbers } from "./primitives/wide-numbers.ts";

export const primitiveCases = (full: boolean): readonly GraphCase[] =>
  [
    ...scalarCases(),
    ...reductions(full),
    ...contractions(full),
    ...folds(full),
    ...selections(full),
    ...wideNumbers(),
    ...memory(full),
  ].map(textCase);
