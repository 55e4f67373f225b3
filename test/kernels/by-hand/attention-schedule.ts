/** What streamed attention is asked for, and the numbers by which it is done. */
import type { KernelTarget } from "../../../compiler/target/kernel-target.ts";

export interface Attention {
  readonly name: string;
  /** Of queries, keys and values; a multiple of the target's vector. */
  readonly headDim: number;
  readonly scale: number;
}
export interface AttentionSchedule {
  readonly queries: number;
  /** Keys of a tile. */
  readonly keys: number;
  readonly lanes: number;
  readonly vector: number;
  /** Keys whose scores one lane sums at once. */
  readonly keysAtOnce: number;
  /** Vectors of o that a lane keeps in registers; with more, o stands in shared memory. */
  readonly resident: number;
}
export function chooseAttention(a: Attention, t: KernelTarget): AttentionSchedule {
  if (t.lanes === 1) return { queries: 4, keys: 64, lanes: 1, vector: t.vector, keysAtOnce: 4, resident: 8 };
  const lanes = 64;
  // Each lane owns at least one vector of o.
  const queries = Math.max(8, lanes / (a.headDim / t.vector));
  return { queries, keys: 32, lanes, vector: t.vector, keysAtOnce: 1, resident: 8 };
}
