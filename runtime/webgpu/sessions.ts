/** The rows of sessions: buffers of their own, read and written where a session is saved and taken up. */
import { elemBytes } from "../artifact/elems.ts";
import { statesOf } from "../artifact/entry-states.ts";
import { DisposedError } from "../artifact/errors.ts";
import type { FillBytes, SessionPlace, TakeBytes } from "../calls/model-device.ts";
import { usage } from "./flags.ts";
import type { OpenedGpu } from "./opened-gpu.ts";

export interface SessionBuffers {
  readonly buffers: readonly GPUBuffer[];
  /** Throws OutOfMemoryError. */
  readonly ready: Promise<void>;
  /** By ordinal of the set, as far as they were wanted. */
  readonly groups: (GPUBindGroup | undefined)[];
}

/** Bytes that are read at one time. */
const mostBytes = 16 * 2 ** 20;

export class Sessions {
  readonly #gpu: OpenedGpu;
  readonly #all = new Map<number, SessionBuffers>();
  #next = 0;
  constructor(gpu: OpenedGpu) {
    this.#gpu = gpu;
  }

  allocate(): SessionPlace {
    const { memory, plan } = this.#gpu;
    const made = memory.allocate(plan.states.orders, usage.storage | usage.copyTarget | usage.copySource);
    const place = this.#next;
    this.#next += 1;
    this.#all.set(place, { ...made, groups: [] });
    return [place];
  }

  release([place = -1]: SessionPlace): void {
    this.#gpu.memory.release(this.#all.get(place)?.buffers ?? []);
    this.#all.delete(place);
  }

  /** Throws DisposedError. */
  of([place = -1]: SessionPlace): SessionBuffers {
    const session = this.#all.get(place);
    if (session === undefined) throw new DisposedError("session");
    return session;
  }

  async read({ buffers, ready }: SessionBuffers, length: number, take: TakeBytes): Promise<void> {
    const { device, readBack, watch } = this.#gpu;
    await ready;
    for (const { range, at, bytes } of this.#rows(length))
      for (let from = 0; from < bytes; from += mostBytes) {
        watch.check();
        const buffer = buffers[range];
        if (buffer === undefined) throw new RangeError(`no buffer ${range}`);
        const some = Math.min(mostBytes, bytes - from);
        const encoder = device.createCommandEncoder();
        const { read } = readBack.copy(encoder, [{ buffer, from: at + from, bytes: Math.ceil(some / 4) * 4 }]);
        device.queue.submit([encoder.finish()]);
        const [found] = await read();
        take(new Uint8Array(found ?? new ArrayBuffer(0), 0, some));
      }
  }

  async write({ buffers, ready }: SessionBuffers, length: number, rows: Uint8Array): Promise<void> {
    const { upload, watch } = this.#gpu;
    await ready;
    let first = 0;
    for (const { range, at, bytes } of this.#rows(length)) {
      const from = first;
      const buffer = buffers[range];
      watch.check();
      const fill: FillBytes = (into, i) => into.set(rows.subarray(from + i, from + i + into.length));
      if (buffer !== undefined) await upload.write(buffer, at, bytes, fill);
      first += bytes;
    }
    await upload.end();
  }

  /** The first `length` rows of each state of the program's entry, and copy: the session's buffer, bytes. */
  #rows(length: number): readonly { readonly range: number; readonly at: number; readonly bytes: number }[] {
    const { program, states } = this.#gpu.plan;
    const own = statesOf(program, program.entry);
    return program.states.flatMap(({ elem, row }, s) =>
      (own.has(s) ? (states.states[s]?.parts ?? []) : []).flatMap(({ copies, range }) =>
        Array.from({ length: copies }, (_, copy) => ({
          range: range.buffer,
          at: copy * (states.states[s]?.copyElements ?? 0) * elemBytes[elem],
          bytes: length * row * elemBytes[elem],
        })),
      ),
    );
  }
}
