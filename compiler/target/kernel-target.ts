import type { Transcendental } from "../kernel/ops.ts";

/** What schedules and lowering ask of a target: numbers and abilities, never a name. Each backend exports its own. */
export interface KernelTarget {
  readonly name: string;
  /** Lanes of a work item that a schedule should use. 1: a CPU core, a work item is a turn of its loop. */
  readonly lanes: number;
  /** Lanes that an item may have where it has the machine to itself. */
  readonly mostLanes: number;
  /** Lanes that exchange values without memory: the guaranteed range, powers of two. */
  readonly subgroup: { readonly min: number; readonly max: number } | null;
  /** f32 lanes of one value: the width of loads and arithmetic. */
  readonly vector: number;
  /** Vector registers that a lane can keep live in an inner loop. */
  readonly registers: number;
  /** Far-apart sequential reads that one lane wants in flight: on a CPU rows, on a GPU the lanes are the streams. */
  readonly streams: number;
  /** Work items that a kernel should have at least, so that each thread has a share. */
  readonly workers: number;
  /** Bytes that memory moves in the time from one kernel to the next: what a second kernel has to save. */
  readonly launchBytes: number;
  /** Buffers that one launch may bind; null: kernels are launched one by one. */
  readonly mostBuffers: number | null;
  /** A buffer of as many elements or more is bound in pieces: 2^31 where indices are i32 and nothing else limits a binding. */
  readonly mostElements: number;
  /**
   * Bytes of a binding: a weight that is larger is in pieces, of which a launch has as many as the machine's own limit has room for; null:
   * all of a weight is always at hand.
   */
  readonly windowBytes: number | null;
  /** Of one work item. */
  readonly sharedBytes: number;
  /** Keys of a row that a selection from memory of any length holds; a multiple of 128. */
  readonly keysAtOnce: number;
  /** Whether tiles of operands are copied to shared memory, or panels are read in place through the cache. */
  readonly stageTiles: boolean;
  /** Products of a contraction from which on they are: one of fewer takes no longer than its launch. */
  readonly stagedFrom: number;
  /** Those functions that the target has at the accuracy of `ops`; lowering writes out the others. */
  readonly native: readonly Transcendental[];
  /** The best exact integer dot: products it sums, what the activations are stored as, rows side by side in a panel. */
  readonly dot: {
    readonly group: 2 | 4;
    readonly activation: "i16" | "i8" | "u7";
    readonly panelRows: 1 | 4;
  };
  /** Whether it computes with whole numbers of 64 bits. */
  readonly i64: boolean;
  readonly matrixUnit: { readonly m: number; readonly n: number; readonly k: number; readonly elem: "bf16" } | null;
  /** Whether unrolled loops are expanded here, or left to the next compiler. */
  readonly unroll: "expand" | "keep";
}
