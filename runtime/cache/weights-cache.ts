/** Checkpoints from servers that are kept on the machine of whoever loads them. */
import type { CacheError } from "../artifact/errors.ts";
import type { ByteSource, ReadOptions } from "../weights/byte-source.ts";

export interface KeptCheckpoint {
  /** Of its folder on the server; ends with `/`. */
  readonly url: string;
  /** Bytes that are kept, of the files that were asked for, and all bytes of these. */
  readonly kept: number;
  readonly size: number;
}

export interface CacheStatistics {
  /** Bytes of weights that were here, and that came from a server, since the cache was opened. */
  readonly kept: number;
  readonly fetched: number;
}

export interface WeightsCache {
  readonly statistics: CacheStatistics;
  /** Why something that was loaded since the cache was opened is not kept; null where all is. */
  readonly problem: CacheError | null;
  /** Bytes that the site keeps, and may keep; null where the browser does not say. */
  readonly room: () => Promise<{ readonly used: number; readonly most: number } | null>;
  /** What is kept, by URL. */
  readonly list: () => Promise<readonly KeptCheckpoint[]>;
  /** Throws CacheError `in-use` while a tab reads it. What is not kept counts as removed. */
  readonly remove: (url: string) => Promise<void>;
  /**
   * A file of a server, of which chunks are kept as they are read. Without an answer of the server it is what it was when it was
   * last asked. Throws WeightsError: of the request, and of what is read.
   */
  readonly file: (url: URL, options?: ReadOptions) => Promise<ByteSource>;
  /**
   * A text of a server as a whole, by `read`: null where there is none. Where that fails, the one that was read before; what is not
   * kept fails as `read` does.
   */
  readonly text: (url: URL, read: () => Promise<string | null>) => Promise<string | null>;
}
