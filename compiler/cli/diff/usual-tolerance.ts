/** How far a backend may be from the reference where nobody says: as a share of a definition's largest value. */
import { narrowFormat } from "../../elaborate/narrowed.ts";
import type { Graph } from "../../graph/node.ts";
import { nodesOf } from "../../graph/walk.ts";

/**
 * Sums in another order differ by parts of a millionth; beside a tie that tips a rounding to bf16 or f16, and both neighbours are right. What
 * is computed from them differs as they do.
 */
export function usualTolerance(graphs: readonly Graph[]): number {
  const formats = new Set(graphs.flatMap(nodesOf).map(narrowFormat));
  return formats.has("bf16") ? 2 ** -7 : formats.has("f16") ? 2 ** -10 : 1e-4;
}
