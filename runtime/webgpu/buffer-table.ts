/** The GPUBuffers of a model, before there are any. */
import type { BufferOrder } from "./gpu-memory.ts";

/** What of a buffer is bound: bytes, `from` a multiple of 256 and `bytes` of 16. */
export interface BoundRange {
  /** Whether each session has such a buffer of its own. */
  readonly session: boolean;
  /** Ordinal among those of all sessions, or of one. */
  readonly buffer: number;
  readonly from: number;
  readonly bytes: number;
}

/** What a kernel is called with; equal ones are one. */
export interface BindingSet {
  readonly kernel: number;
  readonly ranges: readonly BoundRange[];
  /** Bytes of the uniform behind them. */
  readonly uniform: number;
  readonly session: boolean;
}

export class BufferTable {
  readonly orders: BufferOrder[] = [];
  readonly sets: BindingSet[] = [];
  readonly #setsByKey = new Map<string, number>();

  /** Bound as a whole. */
  add(what: string, bytes: number): BoundRange {
    const size = sizeOf(bytes);
    return { session: false, buffer: this.orders.push({ what, bytes: size }) - 1, from: 0, bytes: size };
  }

  /** Ordinal of the set. */
  set(kernel: number, ranges: readonly BoundRange[], uniform: number): number {
    const key = `${kernel} ${uniform} ${ranges.map((r) => `${r.session} ${r.buffer} ${r.from} ${r.bytes}`).join()}`;
    const before = this.#setsByKey.get(key);
    if (before !== undefined) return before;
    const set = this.sets.push({ kernel, ranges, uniform, session: ranges.some((r) => r.session) }) - 1;
    this.#setsByKey.set(key, set);
    return set;
  }
}

/** What kernels load at a time is no more than 16 bytes, and nothing is bound of none. */
export const sizeOf = (bytes: number): number => Math.max(16, Math.ceil(bytes / 16) * 16);
