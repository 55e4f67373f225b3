/**
 * The uniforms of a phase's steps, one block each, at multiples of what WebGPU lets them start at. Equal blocks are one. Those that are
 * the same in every call come first and are written once; a call writes what is behind them.
 */
import { behindStarts } from "../artifact/kernel-checks.ts";
import type { KernelDecl } from "../artifact/program.ts";
import type { ValueId } from "../calls/values.ts";

/** Bytes: `minUniformBufferOffsetAlignment` of every adapter. */
const blockAlignment = 256;

/** Bytes of a kernel's block, as it is bound. */
export const uniformBytes = ({ sizes, buffers }: Pick<KernelDecl, "sizes" | "buffers">): number =>
  Math.ceil((sizes.length + buffers.length + behindStarts().length) / 4) * 16;

export class UniformBuilder {
  readonly #known: (id: ValueId) => number | null;
  readonly #blocks: (readonly ValueId[])[] = [];
  readonly #byKey = new Map<string, number>();
  constructor(known: (id: ValueId) => number | null) {
    this.#known = known;
  }

  /** Ordinal of the block. */
  add(values: readonly ValueId[]): number {
    const key = values.join();
    const before = this.#byKey.get(key);
    if (before !== undefined) return before;
    const block = this.#blocks.push(values) - 1;
    this.#byKey.set(key, block);
    return block;
  }

  finish(): Uniforms {
    const fixed = (block: readonly ValueId[]): boolean => block.every((id) => this.#known(id) !== null);
    const order = [...this.#blocks.entries()].sort(([, a], [, b]) => Number(fixed(b)) - Number(fixed(a)));
    const offsets = this.#blocks.map(() => 0);
    const patches: UniformPatch[] = [];
    const numbers: number[] = [];
    let changing: number | null = null;
    for (const [i, block] of order) {
      offsets[i] = 4 * numbers.length;
      if (!fixed(block)) changing ??= 4 * numbers.length;
      for (const value of block) {
        const known = this.#known(value);
        if (known === null) patches.push({ at: numbers.length, value });
        numbers.push(known ?? 0);
      }
      while ((4 * numbers.length) % blockAlignment !== 0) numbers.push(0);
    }
    return { offsets, numbers: Int32Array.from(numbers), changing: changing ?? 4 * numbers.length, patches };
  }
}

interface UniformPatch {
  /** Ordinal among the numbers. */
  readonly at: number;
  readonly value: ValueId;
}
export interface Uniforms {
  /** Byte where each block starts. */
  readonly offsets: readonly number[];
  /** All blocks, as the last call has left them. */
  readonly numbers: Int32Array<ArrayBuffer>;
  /** Byte from which on there is something to write before a call. */
  readonly changing: number;
  readonly patches: readonly UniformPatch[];
}
