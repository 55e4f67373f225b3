/** What runs kernels one at a time: a backend's own machine, or the kernel interpreter. */
import type { Kernel } from "../kernel/kernel.ts";
import type { KernelTarget } from "../target/kernel-target.ts";
import type { CostTarget } from "../target/target.ts";
import type { Arithmetic } from "./rounding.ts";

export interface Machine {
  readonly name: string;
  readonly cost: CostTarget;
  readonly kernel: KernelTarget;
  /** What its language promises less of than f32 is; nothing without it. */
  readonly arithmetic?: Arithmetic;
  /** A memory of its own with these kernels, lowered. */
  readonly open: (kernels: readonly Kernel[]) => Promise<KernelMemory>;
}
export interface KernelMemory {
  /** Bytes at an address that is a multiple of 64; they may hold anything. */
  readonly reserve: (bytes: number) => number;
  /** All of the memory as it is now: not to be kept over a call. */
  readonly bytes: () => Uint8Array<ArrayBuffer>;
  /** Addresses by buffer and sizes by name; waited for before anything else is done. Throws what goes wrong, or rejects with it. */
  readonly call: (
    kernel: Kernel,
    at: Readonly<Record<string, number>>,
    sizes: Readonly<Record<string, number>>,
  ) => void | Promise<void>;
}
