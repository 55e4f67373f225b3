/** Tables of a checkpoint, as they are to be looked up in. */
import type { Weights } from "../../weights/weights.ts";
import type { PlayDecoder } from "../stored/decode-tensor.ts";
import { type Residency, RowTable, type TableSource } from "./row-table.ts";

export interface OpenTables {
  /** What the caller asks for. */
  readonly wanted: Residency | undefined;
  readonly decode: PlayDecoder;
  readonly signal: AbortSignal | undefined;
}

/** Of all tables together: more stays where it is. */
const usualMemory = 2 ** 30;
/** Rows of a table that are kept as numbers: hashes of text come again and again. */
const cacheBytes = 32 * 2 ** 20;

/** Throws WeightsError and `signal.reason`. */
export async function openTables(
  sources: readonly TableSource[],
  weights: Weights,
  { wanted, decode, signal }: OpenTables,
): Promise<readonly RowTable[]> {
  const bytes = sources.reduce(
    (n, { tensor, stored }) => n + (stored?.parts.reduce((m, p) => m + p.tensor.bytes, 0) ?? tensor.bytes),
    0,
  );
  const residency = wanted ?? (bytes <= usualMemory ? "memory" : "source");
  const tables: RowTable[] = [];
  for (const source of sources)
    tables.push(await RowTable.open(source, weights, { residency, cacheBytes, decode, signal }));
  return tables;
}
