/** Memory of a machine that has none of its own: bytes that grow. */
export class GrowingMemory {
  #bytes = new Uint8Array(1 << 16);
  #top = 64;

  reserve(bytes: number): number {
    const at = this.#top;
    this.#top = Math.ceil((at + bytes) / 64) * 64 + 64;
    if (this.#top > this.#bytes.length) {
      const grown = new Uint8Array(2 * this.#top);
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    return at;
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }
}
