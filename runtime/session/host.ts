/** What the runtime asks of the world around: a page, a worker of one, or Node. */
import type { StartThread } from "../device/threads.ts";
import type { ReadOptions } from "../weights/byte-source.ts";
import type { Weights } from "../weights/weights.ts";

/** Weights with the files beside them. */
export interface OpenedWeights {
  readonly weights: Weights;
  /** The text of a file beside the weights; null where there is none. */
  readonly readText: (name: string) => Promise<string | null>;
}

export interface Host {
  /** A file of the package; null where there is none. */
  readonly readFile: (url: URL, options: ReadOptions) => Promise<Uint8Array<ArrayBuffer> | null>;
  /** A file, or a folder, of this machine, by path or `file:` URL; null where there are no files. */
  readonly openPath: ((path: string | URL, options: ReadOptions) => Promise<OpenedWeights>) | null;
  readonly startThread: StartThread;
  /** Milliseconds until a worker that does not come to a barrier counts as dead. */
  readonly patience: number;
  readonly cores: number;
  /** Bytes of memory that can be had; null where nobody says. */
  readonly available: () => number | null;
  /** Bytes that one memory may have, for tests: 4 GiB without it. */
  readonly memoryBytes?: number;
  /** Elements that a submit to a GPU may touch, for tests: as many as it takes little time for without it. */
  readonly submitWork?: number;
  /** Lets events be handled. */
  readonly pause: () => Promise<void>;
}
