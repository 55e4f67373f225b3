/**
 * A file on a server of which chunks are kept: each is fetched once, by whichever tab is first, and believed only while its hash is
 * that of what came. What is interrupted goes on where it was.
 */
import { type ByteSource, type ReadOptions, readExactly } from "../weights/byte-source.ts";
import { readKept, readPartOfKept, writeKept } from "./kept-file.ts";
import type { Folder, Locks } from "./storage.ts";

/** As large as a request of weights from a server: small enough to lose, large enough for a server's latency. */
export const chunkBytes = 4 << 20;

export interface ChunkedParts {
  readonly name: string;
  readonly size: number;
  /** Of the chunks of this version of the file. */
  readonly folder: Folder;
  /** Name of the locks of its chunks. */
  readonly lock: string;
  readonly locks: Locks;
  /** The server, asked when something is missing. */
  readonly remote: (options: ReadOptions) => Promise<ByteSource>;
  readonly recent: RecentChunks;
  /** Writes if it can; what cannot be kept is no failure. */
  readonly keep: (write: () => Promise<void>) => Promise<void>;
  readonly count: (from: "kept" | "fetched", bytes: number) => void;
  readonly close: () => Promise<void>;
}

export function chunkedSource(parts: ChunkedParts): ByteSource {
  const { name, size, folder, lock, locks, remote, recent, keep, count, close } = parts;
  const whole = new Set<number>();
  const lengthOf = (i: number): number => Math.min(chunkBytes, size - i * chunkBytes);

  const chunk = async (i: number, { signal }: ReadOptions): Promise<Uint8Array> => {
    const key = `${lock}/${i}`;
    const known = recent.get(key);
    if (known !== undefined) return known;
    return locks.request(key, signal === undefined ? {} : { signal }, async () => {
      const bytes = recent.get(key) ?? (await kept(i)) ?? (await fetched(i, { signal }));
      whole.add(i);
      recent.set(key, bytes);
      return bytes;
    });
  };

  const kept = async (i: number): Promise<Uint8Array | null> => {
    const bytes = await readKept(folder, String(i), lengthOf(i));
    if (bytes !== null) count("kept", bytes.length);
    return bytes;
  };

  const fetched = async (i: number, { signal }: ReadOptions): Promise<Uint8Array> => {
    const source = await remote({ signal });
    const bytes = await readExactly(source, { offset: i * chunkBytes, length: lengthOf(i), signal });
    count("fetched", bytes.length);
    await keep(() => writeKept(folder, String(i), bytes));
    return bytes;
  };

  /** Bytes of one chunk, as offsets in the file. */
  const part = async (i: number, from: number, to: number, options: ReadOptions): Promise<Uint8Array> => {
    const [first, last] = [from - i * chunkBytes, to - i * chunkBytes];
    if (options.scattered !== true) return (await chunk(i, options)).subarray(first, last);
    const known = recent.get(`${lock}/${i}`)?.subarray(first, last);
    if (known !== undefined) return known;
    if (!whole.has(i) && (await readKept(folder, String(i), lengthOf(i))) !== null) whole.add(i);
    const kept = whole.has(i) ? await readPartOfKept(folder, String(i), first, last) : null;
    if (kept !== null) return kept;
    return readExactly(await remote(options), { offset: from, length: to - from, ...options });
  };

  return {
    name,
    size,
    read: async (offset, length, options = {}) => {
      const end = Math.min(size, offset + length);
      const out = new Uint8Array(Math.max(0, end - offset));
      for (let at = offset; at < end; ) {
        const i = Math.floor(at / chunkBytes);
        const to = Math.min(end, (i + 1) * chunkBytes);
        out.set(await part(i, at, to, options), at - offset);
        at = to;
      }
      return out;
    },
    close,
  };
}

/** Chunks that were wanted lately: neighbours in a file share one. At most `most` of them, of all files together. */
export class RecentChunks {
  readonly #chunks = new Map<string, Uint8Array>();
  readonly #most: number;
  constructor(most: number) {
    this.#most = most;
  }

  get(key: string): Uint8Array | undefined {
    const bytes = this.#chunks.get(key);
    if (bytes !== undefined) this.set(key, bytes);
    return bytes;
  }

  set(key: string, bytes: Uint8Array): void {
    this.#chunks.delete(key);
    this.#chunks.set(key, bytes);
    const [oldest] = this.#chunks.keys();
    if (this.#chunks.size > this.#most && oldest !== undefined) this.#chunks.delete(oldest);
  }

  clear(): void {
    this.#chunks.clear();
  }
}
