/** Bytes from a GPU: copied by the commands that make them into a buffer that can be read, which is kept for the next time. */
import { forReading, usage } from "./flags.ts";
import type { GpuMemory } from "./gpu-memory.ts";
import type { Watch } from "./lost.ts";

export interface ReadStretch {
  readonly buffer: GPUBuffer;
  /** Bytes; multiples of 4. */
  readonly from: number;
  readonly bytes: number;
}

export interface Copied {
  readonly read: () => Promise<readonly ArrayBuffer[]>;
  readonly drop: () => void;
}

/** Kept when nobody uses them: the last results of a call are read while the next is prepared. */
const mostIdle = 2;

export class ReadBack {
  readonly #memory: GpuMemory;
  readonly #watch: Watch;
  #idle: readonly GPUBuffer[] = [];
  constructor(memory: GpuMemory, watch: Watch) {
    this.#memory = memory;
    this.#watch = watch;
  }

  /** Copies behind what is encoded; after `encoder` was submitted `read` gives the stretches, or `drop` gives up. */
  copy(encoder: GPUCommandEncoder, stretches: readonly ReadStretch[]): Copied {
    const total = stretches.reduce((n, s) => n + s.bytes, 0);
    const [target, ready] = this.#targetOf(Math.max(16, total));
    let at = 0;
    for (const { buffer, from, bytes } of stretches) {
      if (bytes > 0) encoder.copyBufferToBuffer(buffer, from, target, at, bytes);
      at += bytes;
    }
    return {
      drop: () => this.#keep(target),
      read: async () => {
        try {
          await ready;
          await this.#watch.until(target.mapAsync(forReading, 0, Math.max(16, total)));
          const mapped = target.getMappedRange(0, Math.max(16, total));
          let first = 0;
          const parts = stretches.map(({ bytes }) => {
            first += bytes;
            return mapped.slice(first - bytes, first);
          });
          target.unmap();
          this.#keep(target);
          return parts;
        } catch (error) {
          this.#memory.release([target]);
          throw error;
        }
      },
    };
  }

  #targetOf(bytes: number): readonly [GPUBuffer, Promise<void>] {
    const found = this.#idle.find((b) => b.size >= bytes);
    if (found !== undefined) {
      this.#idle = this.#idle.filter((b) => b !== found);
      return [found, Promise.resolve()];
    }
    const order = { what: "results of a call", bytes: 2 ** Math.ceil(Math.log2(bytes)) };
    const { buffers, ready } = this.#memory.allocate([order], usage.mapRead | usage.copyTarget);
    const [made] = buffers;
    if (made === undefined) throw new RangeError("no buffer was made");
    return [made, ready];
  }

  #keep(buffer: GPUBuffer): void {
    const all = [...this.#idle, buffer].sort((a, b) => a.size - b.size);
    this.#memory.release(all.slice(0, -mostIdle));
    this.#idle = all.slice(-mostIdle);
  }
}
