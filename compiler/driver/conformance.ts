/**
 * A conformance suite's answers: what was run on a backend, held against the reference, and how far apart they were. The
 * suite itself stands above all backends; commands and reports know it by these types.
 */

/** `unsupported`: the backend says that it has no way; `skipped`: not tried here, `note` says why. */
export type Outcome = "passed" | "failed" | "unsupported" | "skipped";

export interface Row {
  /** What kind of thing was run: `primitive`, `block`, `model`, `program`. */
  readonly kind: string;
  /** Which one: `exp`, `std/norm rms_norm`, `models/deepseek-v3.ds`. */
  readonly subject: string;
  /** How numbers are kept: `f32`, `bf16 weights`. */
  readonly dtype: string;
  /** Sizes by name: `T=3 D=17`. */
  readonly sizes: string;
  readonly outcome: Outcome;
  /** Largest difference, as a share of what the tolerance allows: more than 1 fails. Null where nothing was compared. */
  readonly error: number | null;
  readonly seconds: number;
  /** Of a failure, what differs; else what one should know. */
  readonly note: string | null;
}

export interface ConformanceOptions {
  /** Only subjects whose name contains this text. */
  readonly only?: string;
  /** All shapes and more random programs; without it what a minute has room for. */
  readonly full?: boolean;
  readonly signal?: AbortSignal;
}
