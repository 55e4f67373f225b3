/** How a package is to be loaded: what the caller says, checked and completed. */
import { ContextLengthError, OptionError } from "../artifact/errors.ts";
import type { Program } from "../artifact/program.ts";
import { usualChunk, usualContext, usualLogitsChunk } from "../artifact/usual-sizes.ts";
import type { WeightsCache } from "../cache/weights-cache.ts";
import type { CallSizes } from "../calls/played-program.ts";
import type { Progress } from "../session/load-weights.ts";
import type { Residency } from "../session/tables/row-table.ts";
import type { WeightsSource } from "./open-source.ts";

export interface LoadOptions {
  /** Where the checkpoint is: see `WeightsSource`. */
  readonly weights: WeightsSource;
  /** What plays the package. */
  readonly backend?: "wasm" | "webgpu";
  /** For WebGPU where the host has no `navigator.gpu`: `create([])` of the npm package `webgpu`, which has to outlive the model. */
  readonly gpu?: GpuLike;
  /** For WebGPU: which adapter is asked for where a machine has several; without it the fast one. */
  readonly power?: "high-performance" | "low-power";
  /**
   * Threads, the caller's included. Without it half of the cores, at most 4, where the caller may wait for others: in Node and in
   * workers of a page that is isolated from other origins; else 1. More threads than cores make a model slow, not fast.
   */
  readonly threads?: number;
  /** Tokens that a session remembers at most; without it the model's own number, at most 4096. */
  readonly context?: number;
  /**
   * Tokens of a prompt that are computed at one time at most: more is faster and takes more memory. Without it 256, and 64 where
   * the logits of all of them are asked for.
   */
  readonly chunk?: number;
  /** `auto` takes the newer instructions where the engine has them; results may differ in the last bits. */
  readonly simd?: "auto" | "baseline" | "relaxed";
  /**
   * Where tables are whose rows token ids decide: in `memory`, or where they are in the checkpoint (`source`): a file, a server. Without
   * it in memory up to 1 GiB of all of them together.
   */
  readonly tables?: Residency;
  /** Lets numbers of the checkpoint lose precision where the model stores them narrower. */
  readonly narrow?: boolean;
  /** `false` leaves out what drafts tokens, and its memory: `generate` then gives them one by one. */
  readonly draft?: boolean;
  /** Keeps what is read from servers, of `openWeightsCache`: what was read before is not asked for again. */
  readonly cache?: WeightsCache | undefined;
  /**
   * The package's folder, where a bundler has moved its scripts to another: a URL that ends with /. program.json, kernels/ and, for
   * threads, runtime/worker.js are read from there.
   */
  readonly base?: URL | string;
  /** The script of workers, where it is not in the package's folder. */
  readonly worker?: URL | string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** A `GPU` of the specification. */
export interface GpuLike {
  requestAdapter(options?: object): Promise<object | null>;
}

/** What hangs on the program alone. Throws OptionError and ContextLengthError. */
export function checkedLoad(options: LoadOptions, program: Program): CallSizes {
  const { target = "wasm" } = program;
  const { backend = target } = options;
  if (backend !== target) throw new OptionError(`backend ${JSON.stringify(backend)}: this package is for ${target}`);
  if (options.tables !== undefined && options.tables !== "memory" && options.tables !== "source")
    throw new OptionError(`tables ${JSON.stringify(options.tables)}: there is memory, and source`);
  const context = wholeOption("context", options.context ?? Math.min(program.context, usualContext), 2 ** 31 - 1);
  if (context > program.context) throw new ContextLengthError(context, program.context, program.context);
  const longest = Math.max(...program.phases.map((p) => p.to));
  const chunk = Math.min(wholeOption("chunk", options.chunk ?? usualChunk(program.phases), 2 ** 24), longest, context);
  const logitsChunk = options.chunk === undefined ? Math.min(usualLogitsChunk, chunk) : chunk;
  return { context, chunk, logitsChunk };
}

/** Throws OptionError for what is no integer in 1 … `most`. */
export function wholeOption(name: string, value: number, most: number): number {
  if (Number.isSafeInteger(value) && value >= 1 && value <= most) return value;
  throw new OptionError(`${name} ${value} is no integer in 1 … ${most}`);
}
