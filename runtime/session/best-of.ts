/** The best tokens that a call tells of, by row. */
import { bestTokens } from "../artifact/best-tokens.ts";
import type { CallResults } from "../calls/model-device.ts";
import type { BestLogits } from "../sampling/best-logits.ts";

/** The last `wanted` of the `rows` that there are. */
export function bestOf(results: CallResults, rows: number, wanted: number, vocabulary: number): readonly BestLogits[] {
  const [ids, logits, totals] = [bestTokens.ids, bestTokens.logits, bestTokens.weights].map((n) => results.get(n));
  if (!(ids instanceof Int32Array && logits instanceof Float32Array)) return [];
  if (!(totals instanceof Float32Array)) return [];
  const of = <A extends Int32Array | Float32Array>(values: A, row: number): A => {
    const width = values.length / rows;
    return values.subarray(row * width, (row + 1) * width) as A;
  };
  const best = (row: number): BestLogits => ({
    ids: of(ids, row),
    logits: of(logits, row),
    total: of(totals, row).reduce((n: number, x: number) => n + x, 0),
    vocabulary,
  });
  return Array.from({ length: wanted }, (_, i) => best(rows - wanted + i));
}
