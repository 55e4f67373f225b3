import type { Data } from "../../compiler/kernel/interpret.ts";
import type { Kernel } from "../../compiler/kernel/kernel.ts";
import type { Expected } from "./tolerance.ts";

/** A kernel, its sizes and inputs, and what must come out. */
export interface KernelCase {
  readonly name: string;
  readonly kernel: Kernel;
  readonly sizes: Readonly<Record<string, number>>;
  readonly inputs: Readonly<Record<string, Data>>;
  /** By buffer that the kernel writes. */
  readonly expected: Readonly<Record<string, Expected>>;
}
