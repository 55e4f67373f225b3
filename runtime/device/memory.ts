/** A memory of a model: what is fixed, and behind it blocks that sessions take and give back. */
import { OutOfMemoryError } from "../artifact/errors.ts";
import { mostBytes } from "./layout.ts";

const pageBytes = 65_536;
/** What modules declare: 4 GiB. */
const maximumPages = 65_536;

interface Block {
  readonly at: number;
  readonly bytes: number;
}

export class DeviceMemory {
  readonly memory: WebAssembly.Memory;
  #bytes: Uint8Array;
  #top: number;
  #free: readonly Block[] = [];
  readonly #most: number;

  /** `fixed`: bytes that are there from the start, `most`: that there may be. Throws OutOfMemoryError. */
  constructor(fixed: number, shared: boolean, most = mostBytes) {
    this.#most = most;
    const initial = Math.ceil(fixed / pageBytes);
    try {
      this.memory = new WebAssembly.Memory({ initial, maximum: maximumPages, shared });
    } catch {
      throw new OutOfMemoryError("the model", fixed, null);
    }
    this.#bytes = new Uint8Array(this.memory.buffer);
    this.#top = fixed;
  }

  /** All of it, as large as it is now: not to be kept while something may be allocated. */
  bytes(): Uint8Array {
    const { buffer } = this.memory;
    if (this.#bytes.buffer !== buffer || this.#bytes.length !== buffer.byteLength) this.#bytes = new Uint8Array(buffer);
    return this.#bytes;
  }

  /** Zeros, at a multiple of 64. Throws OutOfMemoryError. */
  allocate(bytes: number, what: string): number {
    const size = Math.ceil(bytes / 64) * 64;
    const free = this.#free.filter((b) => b.bytes >= size).sort((a, b) => a.bytes - b.bytes)[0];
    if (free !== undefined) {
      const rest = { at: free.at + size, bytes: free.bytes - size };
      this.#free = [...this.#free.filter((b) => b !== free), ...(rest.bytes > 0 ? [rest] : [])];
      this.bytes().fill(0, free.at, free.at + size);
      return free.at;
    }
    const at = Math.ceil(this.#top / 64) * 64;
    this.#growTo(at + size, size, what);
    this.#top = at + size;
    return at;
  }

  release(at: number, bytes: number): void {
    const size = Math.ceil(bytes / 64) * 64;
    if (size === 0) return;
    const merged: Block[] = [];
    for (const block of [...this.#free, { at, bytes: size }].sort((a, b) => a.at - b.at)) {
      const last = merged.at(-1);
      if (last !== undefined && last.at + last.bytes === block.at)
        merged.splice(-1, 1, { at: last.at, bytes: last.bytes + block.bytes });
      else merged.push(block);
    }
    this.#free = merged;
  }

  #growTo(end: number, needed: number, what: string): void {
    if (end > this.#most) throw new OutOfMemoryError(what, needed, Math.max(0, this.#most - this.#top));
    const missing = Math.ceil(end / pageBytes) - this.memory.buffer.byteLength / pageBytes;
    if (missing <= 0) return;
    try {
      this.memory.grow(missing);
    } catch {
      throw new OutOfMemoryError(what, needed, null);
    }
  }
}
