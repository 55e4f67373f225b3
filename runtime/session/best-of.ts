/** The best tokens that a call tells of, by row. */
import { bestTokens } from "../artifact/best-tokens.ts";
import type { CallResults } from "../calls/model-device.ts";
import type { BestLogits } from "../sampling/best-logits.ts";

/** The last `rows` of them. */
export function bestOf(results: CallResults, rows: number, vocabulary: number): readonly BestLogits[] {
  const [ids, logits, totals] = [bestTokens.ids, bestTokens.logits, bestTokens.weights].map((n) => results.get(n));
  if (!(ids instanceof Int32Array && logits instanceof Float32Array && totals !== undefined)) return [];
  const width = ids.length / totals.length;
  const of = (row: number): BestLogits => ({
    ids: ids.subarray(row * width, (row + 1) * width),
    logits: logits.subarray(row * width, (row + 1) * width),
    total: totals[row] ?? Number.NaN,
    vocabulary,
  });
  return Array.from({ length: rows }, (_, i) => of(totals.length - rows + i));
}
