/** The buffers of a device: all are counted, and each is asked whether there was room for it. */
import { OutOfMemoryError } from "../artifact/errors.ts";

export interface BufferOrder {
  /** For people: `weight layer.mlp.w`. */
  readonly what: string;
  readonly bytes: number;
}

export class GpuMemory {
  readonly #device: GPUDevice;
  readonly #live = new Set<GPUBuffer>();
  #bytes = 0;
  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** Of all buffers. */
  get bytes(): number {
    return this.#bytes;
  }

  /** All of them, or none: `ready` throws OutOfMemoryError where there is no room for one, and they are gone then. */
  allocate(
    orders: readonly BufferOrder[],
    usage: number,
  ): { readonly buffers: readonly GPUBuffer[]; readonly ready: Promise<void> } {
    const refused: Promise<OutOfMemoryError | null>[] = [];
    const buffers = orders.map(({ what, bytes }) => {
      this.#device.pushErrorScope("validation");
      this.#device.pushErrorScope("out-of-memory");
      const buffer = this.#device.createBuffer({ label: what, size: bytes, usage });
      for (const scope of [this.#device.popErrorScope(), this.#device.popErrorScope()])
        refused.push(scope.then((error) => (error === null ? null : new OutOfMemoryError(what, bytes, null))));
      this.#live.add(buffer);
      this.#bytes += bytes;
      return buffer;
    });
    const settled = async (): Promise<void> => {
      const error = (await Promise.all(refused)).find((e) => e !== null);
      if (error === undefined || error === null) return;
      this.release(buffers);
      throw error;
    };
    const ready = settled();
    ready.catch(() => undefined); // whoever waits for it is told
    return { buffers, ready };
  }

  release(buffers: readonly GPUBuffer[]): void {
    for (const buffer of buffers) {
      if (!this.#live.delete(buffer)) continue;
      this.#bytes -= buffer.size;
      buffer.destroy();
    }
  }

  dispose(): void {
    this.release([...this.#live]);
  }
}
