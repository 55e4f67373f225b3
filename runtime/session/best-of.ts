/** The best tokens that a call tells of, by row. */
import { bestTokens, greedyTokens } from "../artifact/best-tokens.ts";
import type { CallResults, ResultArray } from "../calls/model-device.ts";
import type { BestLogits } from "../sampling/best-logits.ts";

interface Rows {
  readonly ids: Int32Array;
  readonly logits: Float32Array;
  /** Of parts. */
  readonly totals: Float32Array;
}

/** The last `wanted` of the `rows` that there are; none where the call was asked for all logits. */
export function bestOf(results: CallResults, rows: number, wanted: number, vocabulary: number): readonly BestLogits[] {
  const of = (ids: string, logits: string, totals: string): Rows | null =>
    found(results.get(ids), results.get(logits), results.get(totals));
  const best = of(bestTokens.ids, bestTokens.logits, bestTokens.weights);
  const greedy = of(greedyTokens.ids, greedyTokens.logits, greedyTokens.numbers);
  const all = best ?? greedy;
  if (all === null) return [];
  return Array.from({ length: wanted }, (_, i): BestLogits => {
    const row = rows - wanted + i;
    const one = {
      ids: rowOf(all.ids, row, rows),
      logits: rowOf(all.logits, row, rows),
      total: rowOf(all.totals, row, rows).reduce((n: number, x: number) => n + x, 0),
      vocabulary,
    };
    return best === null ? bestPart(one) : one;
  });
}

/** Of the best of parts the best one; of equal ones the first has the lowest id. */
function bestPart({ ids, logits, total, vocabulary }: BestLogits): BestLogits {
  const at = logits.reduce((best, l, i) => (l > (logits[best] ?? 0) ? i : best), 0);
  const id = ids[at] ?? -1;
  // Where no logit equals the greatest, something is no number.
  const isThere = id >= 0 && id < vocabulary;
  return {
    ids: ids.slice(at, at + 1),
    logits: logits.slice(at, at + 1),
    total: isThere ? total : Number.NaN,
    vocabulary,
  };
}

function found(ids?: ResultArray, logits?: ResultArray, totals?: ResultArray): Rows | null {
  const is = ids instanceof Int32Array && logits instanceof Float32Array && totals instanceof Float32Array;
  return is ? { ids, logits, totals } : null;
}
function rowOf<A extends Int32Array | Float32Array>(values: A, row: number, rows: number): A {
  const width = values.length / rows;
  return values.subarray(row * width, (row + 1) * width) as A;
}
