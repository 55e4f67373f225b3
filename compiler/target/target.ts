/** What the cost model asks of a target; what schedules and lowering ask stands in kernel-target.ts. */
export interface CostTarget {
  readonly name: string;
  /** Arithmetic operations a second of a contraction that is fed in time. */
  readonly flopsPerSecond: number;
  /** Bytes a second between memory and compute units. */
  readonly bytesPerSecond: number;
  /** Seconds from one kernel to the next. */
  readonly launchSeconds: number;
  /** A weight of as many elements may be larger than what a kernel can be given of it at a time; null: no weight is. */
  readonly windowElements: number | null;
  /**
   * Whether a work unit has many lanes: arithmetic goes on while memory is waited for, a row is shared out among them, and it costs no
   * more to begin rows in many places. Of a core that does one thing after the other, all of that is paid for.
   */
  readonly manyLanes: boolean;
  /** How many outputs along one axis a work unit holds: what they share is computed once for that many. */
  readonly tile: number;
  /** The same for a fold with a running maximum, whose work unit keeps its outputs in memory of its own. */
  readonly foldTile: number;
  /** How deep reductions may nest in one kernel: 2 is attention, a contraction inside a fold. */
  readonly maxNesting: number;
}

/** Time of work whose arithmetic and traffic overlap: the slower of the two. */
export const roofline = (t: CostTarget, flops: number, bytes: number): number =>
  Math.max(flops / t.flopsPerSecond, bytes / t.bytesPerSecond);
