/** Bytes to a GPU, in pieces, waiting so that no more than some are on their way. */
import type { FillBytes } from "../calls/model-device.ts";
import type { Watch } from "./lost.ts";

/** Bytes of one piece, and of all that are on their way. */
const mostBytes = 16 * 2 ** 20;

export class Upload {
  readonly #queue: GPUQueue;
  readonly #watch: Watch;
  /** Words of which a part was written: the GPU takes whole ones. By buffer, then by the byte where the word starts. */
  readonly #edges = new Map<GPUBuffer, Map<number, Uint8Array>>();
  #underWay = 0;
  constructor(queue: GPUQueue, watch: Watch) {
    this.#queue = queue;
    this.#watch = watch;
  }

  /** Bytes `at` … `at + count - 1` of a buffer, which nobody else writes. */
  async write(buffer: GPUBuffer, at: number, count: number, fill: FillBytes): Promise<void> {
    for (let done = 0; done < count; ) {
      const lead = (at + done) % 4;
      const some = Math.min(count - done, mostBytes - lead);
      const piece = new Uint8Array(Math.ceil((lead + some) / 4) * 4);
      fill(piece.subarray(lead, lead + some), done);
      this.#complete(buffer, at + done - lead, piece, lead, lead + some);
      this.#watch.check();
      this.#queue.writeBuffer(buffer, at + done - lead, piece);
      done += some;
      this.#underWay += some;
      if (this.#underWay >= mostBytes) await this.#arrived();
    }
  }

  async #arrived(): Promise<void> {
    this.#underWay = 0;
    this.#queue.submit([]);
    await this.#watch.until(this.#queue.onSubmittedWorkDone());
  }

  /** What is around bytes `from` … `to - 1` in the words of a piece is what was there before. */
  #complete(buffer: GPUBuffer, at: number, piece: Uint8Array, from: number, to: number): void {
    const words = new Set([...(from > 0 ? [0] : []), ...(to < piece.length ? [piece.length - 4] : [])]);
    for (const first of words) {
      const edges = this.#edges.get(buffer) ?? new Map<number, Uint8Array>();
      this.#edges.set(buffer, edges);
      const word = edges.get(at + first) ?? new Uint8Array(4);
      for (let i = 0; i < 4; i += 1) {
        const own = first + i >= from && first + i < to;
        if (own) word[i] = piece[first + i] ?? 0;
        else piece[first + i] = word[i] ?? 0;
      }
      edges.set(at + first, word);
    }
  }

  /** Resolves when all has arrived. No word is completed any more. */
  async end(): Promise<void> {
    this.#edges.clear();
    await this.#arrived();
  }
}
