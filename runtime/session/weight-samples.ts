/** Tells weights apart by samples, cheaply: 64 lines of each, picked out of what goes by while they are loaded. */
import { type Hash, hashBytes } from "../artifact/hash.ts";

const lineBytes = 64;
const lines = 64;

export class WeightSamples {
  /** Bytes of each weight, and of the lines of it. */
  readonly #sizes: readonly number[];
  readonly #taken: readonly Uint8Array[];

  /** `sizes`: bytes of each weight; of one of none nothing is taken. */
  constructor(sizes: readonly number[]) {
    this.#sizes = sizes;
    this.#taken = sizes.map((bytes) => new Uint8Array(bytes <= lineBytes ? bytes : lines * lineBytes));
  }

  /** Bytes of a weight from its byte `from` on, as a device gets them; the same may come again. */
  take(weight: number, from: number, bytes: Uint8Array): void {
    const [size, taken] = [this.#sizes[weight] ?? 0, this.#taken[weight] ?? new Uint8Array(0)];
    for (let line = 0; line * lineBytes < taken.length; line += 1) {
      const at = startOf(line, size);
      const start = Math.max(at, from);
      const end = Math.min(at + lineBytes, size, from + bytes.length);
      if (start < end) taken.set(bytes.subarray(start - from, end - from), line * lineBytes + start - at);
    }
  }

  /** What was not taken counts as zeros. */
  hash(): Hash {
    let hash: Hash = [1, 2];
    for (const taken of this.#taken)
      for (let at = 0; at === 0 || at < taken.length; at += lineBytes)
        hash = hashBytes(taken.subarray(at, at + lineBytes), hash);
    return hash;
  }
}

/** Spread over all of it. */
const startOf = (line: number, size: number): number =>
  Math.floor((Math.max(0, size - lineBytes) * line) / (lines - 1));
