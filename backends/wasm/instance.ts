/** Kernels in a memory of their own: places buffers, checks what a call is given, calls. */
import { elems } from "../../compiler/kernel/elem.ts";
import type { AnyData } from "../../compiler/kernel/interpret.ts";
import type { Kernel } from "../../compiler/kernel/kernel.ts";
import { extentOf } from "./extent.ts";
import { lowestAddress, sharedLayout } from "./pointers.ts";
import { WasmError } from "./wasm-error.ts";

const pageBytes = 65_536;
/** Between buffers: no power of two, so that streams from several do not meet in the same cache sets. */
const gap = 320;

/** Runs work items begin … end - 1; all of them without. */
export type Run = (begin?: number, end?: number) => void;

export class WasmInstance {
  readonly memory: WebAssembly.Memory;
  readonly #exports: WebAssembly.Exports;
  readonly #maximum: number;
  #top = lowestAddress;
  private constructor(memory: WebAssembly.Memory, exports: WebAssembly.Exports, maximum: number) {
    this.memory = memory;
    this.#exports = exports;
    this.#maximum = maximum;
  }
  /** The memory grows with what is placed, to at most `maximum` pages of 64 KiB; it is shared where the module's is. */
  static async open(bytes: Uint8Array, maximum: number, shared = false): Promise<WasmInstance> {
    const memory = new WebAssembly.Memory({ initial: 1, maximum, shared });
    const { instance } = await WebAssembly.instantiate(new Uint8Array(bytes), { env: { memory } });
    return new WasmInstance(memory, instance.exports, maximum);
  }

  /** Bytes at an address that is a multiple of 64. */
  reserve(bytes: number): number {
    const at = this.#top;
    const top = Math.ceil((at + bytes) / 64) * 64 + gap;
    const pages = Math.ceil(top / pageBytes);
    if (pages > this.#maximum)
      throw new WasmError("out-of-memory", null, `${bytes} bytes more than the ${this.#maximum} pages of memory hold`);
    const missing = pages - this.memory.buffer.byteLength / pageBytes;
    try {
      if (missing > 0) this.memory.grow(missing);
    } catch {
      throw new WasmError("out-of-memory", null, `the system gives no ${missing} pages more`);
    }
    this.#top = top;
    return at;
  }
  /** Copies numbers in. */
  place(data: AnyData): number {
    const at = this.reserve(data.byteLength);
    const from = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    new Uint8Array(this.memory.buffer).set(from, at);
    return at;
  }
  /** Copies numbers out, as many as `into` has. */
  read(at: number, into: AnyData): void {
    const to = new Uint8Array(into.buffer, into.byteOffset, into.byteLength);
    to.set(new Uint8Array(this.memory.buffer, at, into.byteLength));
  }

  /** A kernel with its sizes, and the addresses of its buffers. What it may touch is checked here, once. */
  bind(k: Kernel, buffers: Readonly<Record<string, number>>, sizes: Readonly<Record<string, number>>): Run {
    const call = this.#exports[k.name];
    if (typeof call !== "function") throw new WasmError("bad-call", k.name, "the module has no such kernel");
    checkSizes(k, sizes);
    const limit = this.memory.buffer.byteLength;
    const addresses = k.buffers.map((b) => {
      const at = buffers[b.name] ?? Number.NaN;
      const size = elems[b.elem].bytes;
      const pieces = b.pieces === undefined ? 1 : extentOf(k, b.pieces, sizes);
      const bytes = pieces * extentOf(k, b.extent, sizes) * size;
      if (!(at >= lowestAddress) || at % size !== 0)
        throw new WasmError(
          "bad-call",
          k.name,
          `buffer ${b.name} at ${at}: from ${lowestAddress} on, a multiple of ${size}`,
        );
      if (!(bytes >= 0 && at + bytes <= limit))
        throw new WasmError("out-of-memory", k.name, `buffer ${b.name} of ${bytes} bytes at ${at}, of ${limit}`);
      return at;
    });
    const items = k.grid.reduce((n, g) => n * Math.max(0, extentOf(k, g.extent, sizes)), 1);
    if (items > 0xffffffff) throw new WasmError("bad-call", k.name, `${items} work items`);
    const rest = [this.reserve(sharedLayout(k).bytes), ...addresses, ...k.sizes.map((s) => sizes[s.name] ?? 0)];
    return (begin = 0, end = items) => call(begin, Math.min(end, items), ...rest);
  }
}

function checkSizes(k: Kernel, sizes: Readonly<Record<string, number>>): void {
  for (const s of k.sizes) {
    const value = sizes[s.name] ?? Number.NaN;
    if ((value | 0) !== value || value < s.minimum || value % s.multiple !== 0)
      throw new WasmError(
        "bad-call",
        k.name,
        `${s.name} is ${value}: from ${s.minimum} on, a multiple of ${s.multiple}`,
      );
  }
}
