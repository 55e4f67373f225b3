/**
 * Checkpoints from servers, kept on the machine of whoever loads them. A checkpoint is a folder of the cache, by its URL without what
 * comes behind `?`; in it a record for each file, and a folder of chunks for each that is read in ranges.
 *
 * Several tabs may use one cache: who reads a checkpoint holds a shared lock on it, who removes it an exclusive one, and a chunk is
 * fetched under a lock of its own.
 */
import { CacheError } from "../artifact/errors.ts";
import { hashBytes, hashText } from "../artifact/hash.ts";
import { WeightsError } from "../formats/weights-error.ts";
import type { ByteSource, ReadOptions } from "../weights/byte-source.ts";
import { type HttpSource, openHttpSource } from "../weights/http-source.ts";
import { chunkBytes, chunkedSource, RecentChunks } from "./chunked-source.ts";
import { type FileRecord, readJson, readRecord, writeJson } from "./records.ts";
import type { CacheHost, Folder } from "./storage.ts";
import type { CacheStatistics, KeptCheckpoint, WeightsCache } from "./weights-cache.ts";

const folderName = "dsc-weights";
const about = "checkpoint.json";
const record = ".json";
/** Three tensors are read at one time. */
const recentChunks = 4;

const keyOf = (text: string): string => hashText(hashBytes(new TextEncoder().encode(text)));

function placeOf(url: URL): URL {
  const place = new URL(".", url);
  place.search = "";
  place.hash = "";
  return place;
}

const nameOf = (url: URL): string => url.pathname.split("/").at(-1) ?? "";

export class KeptWeights implements WeightsCache {
  readonly #host: CacheHost;
  readonly #root: Folder;
  readonly #recent = new RecentChunks(recentChunks);
  #statistics: CacheStatistics = { kept: 0, fetched: 0 };
  #problem: CacheError | null = null;

  private constructor(host: CacheHost, root: Folder) {
    this.#host = host;
    this.#root = root;
  }

  /** Throws CacheError. */
  static async open(host: CacheHost): Promise<KeptWeights> {
    try {
      return new KeptWeights(host, await host.root.getDirectoryHandle(folderName, { create: true }));
    } catch (cause) {
      throw new CacheError("no-storage", "weights cannot be kept: the browser gives this page no folder", cause);
    }
  }

  get statistics(): CacheStatistics {
    return this.#statistics;
  }

  get problem(): CacheError | null {
    return this.#problem;
  }

  async room(): Promise<{ readonly used: number; readonly most: number } | null> {
    const { usage, quota } = await this.#host.estimate().catch(() => ({ usage: undefined, quota: undefined }));
    return usage === undefined || quota === undefined ? null : { used: usage, most: quota };
  }

  async list(): Promise<readonly KeptCheckpoint[]> {
    const found: KeptCheckpoint[] = [];
    for await (const name of this.#root.keys()) {
      const folder = await this.#root.getDirectoryHandle(name).catch(() => null);
      const url: unknown = folder === null ? null : await readJson(folder, about);
      if (folder === null || typeof url !== "string") continue;
      const sizes = await sizesIn(folder);
      // Of an address without a checkpoint there is no more than that it was asked for.
      if (sizes.kept > 0) found.push({ url, ...sizes });
    }
    return found.sort((a, b) => (a.url < b.url ? -1 : 1));
  }

  async remove(url: string): Promise<void> {
    const key = keyOf(placeOf(new URL(url)).href);
    await this.#host.locks.request(lockOf(key), { ifAvailable: true }, async (lock) => {
      if (lock === null)
        throw new CacheError(
          "in-use",
          `the weights of ${url} are being read: unload them here and in other tabs first`,
        );
      this.#recent.clear();
      await this.#root.removeEntry(key, { recursive: true }).catch((cause: unknown) => {
        if (nameOfError(cause) !== "NotFoundError")
          throw new CacheError("not-written", `the weights of ${url} cannot be removed: ${String(cause)}`, cause);
      });
    });
  }

  async file(url: URL, { signal }: ReadOptions = {}): Promise<ByteSource> {
    const place = placeOf(url).href;
    const key = keyOf(place);
    const release = await this.#hold(key, signal);
    const close = async (): Promise<void> => release();
    try {
      const name = nameOf(url);
      const folder = await this.#placeFolder(key, place);
      const known = folder === null ? null : await readRecord(folder, keyOf(name) + record);
      const ask = (options: ReadOptions): Promise<HttpSource> =>
        openHttpSource(url.href, { fetch: this.#host.fetch, name, ...options });
      const answer = await ask({ signal }).catch(async (error: unknown) => {
        const code = error instanceof WeightsError ? error.code : null;
        if (code === "not-found" && folder !== null)
          await this.#keep(() => writeJson(folder, keyOf(name) + record, { kind: "absent", name }));
        if (code !== "read-failed" || known?.name !== name || known.kind === "text") throw error;
        return known;
      });
      if ("kind" in answer) {
        if (answer.kind === "absent") throw absent(name);
        if (folder === null) throw absent(name);
        return await this.#chunked({ key, folder, record: answer, ask, answered: null, close });
      }
      const { version, size } = answer;
      if (version === null) this.#note(new CacheError("no-version", noVersion(name)));
      if (version === null || folder === null) return closing(answer, close);
      const entry: ChunksRecord = {
        kind: "chunks",
        name,
        size,
        version,
        folder: keyOf(`${name}\n${version}\n${size}`),
      };
      await this.#replace(folder, known, entry);
      return await this.#chunked({ key, folder, record: entry, ask, answered: answer, close });
    } catch (error) {
      release();
      throw error;
    }
  }

  async text(url: URL, read: () => Promise<string | null>): Promise<string | null> {
    const [place, name] = [placeOf(url).href, nameOf(url)];
    const key = keyOf(place);
    const folder = await this.#placeFolder(key, place);
    try {
      const text = await read();
      const entry: FileRecord = text === null ? { kind: "absent", name } : { kind: "text", name, text };
      if (folder !== null) await this.#keep(() => writeJson(folder, keyOf(name) + record, entry));
      return text;
    } catch (error) {
      const known = folder === null ? null : await readRecord(folder, keyOf(name) + record);
      if (known?.name === name && known.kind === "text") return known.text;
      if (known?.name === name && known.kind === "absent") return null;
      throw error;
    }
  }

  async #chunked({ key, folder, record, ask, answered, close }: ChunkedOrder): Promise<ByteSource> {
    const { name, size, version } = record;
    const chunks = await folder.getDirectoryHandle(record.folder, { create: true });
    let remote: Promise<ByteSource> | null = answered === null ? null : Promise.resolve(answered);
    return chunkedSource({
      ...{ name, size, folder: chunks, close, recent: this.#recent, locks: this.#host.locks },
      lock: `${lockOf(key)}/${record.folder}`,
      remote: (options) => {
        remote ??= ask(options).then((source) => {
          if (source.version === version && source.size === size) return source;
          throw changed(name);
        });
        remote.catch(() => {
          remote = null; // a server may answer the next time
        });
        return remote;
      },
      keep: (write) => this.#keep(write),
      count: (from, bytes) => {
        this.#statistics = { ...this.#statistics, [from]: this.#statistics[from] + bytes };
      },
    });
  }

  /** Of a checkpoint; null where it cannot be made. */
  async #placeFolder(key: string, url: string): Promise<Folder | null> {
    const there = await this.#root.getDirectoryHandle(key).catch(() => null);
    if (there !== null && (await readJson(there, about)) === url) return there;
    let made: Folder | null = null;
    await this.#keep(async () => {
      const folder = await this.#root.getDirectoryHandle(key, { create: true });
      await writeJson(folder, about, url);
      made = folder;
    });
    return made;
  }

  /** Chunks of another version are of no use any more. */
  async #replace(folder: Folder, known: FileRecord | null, entry: ChunksRecord): Promise<void> {
    if (known?.kind === "chunks" && known.folder === entry.folder) return;
    if (known?.kind === "chunks") await folder.removeEntry(known.folder, { recursive: true }).catch(() => undefined);
    await this.#keep(() => writeJson(folder, keyOf(entry.name) + record, entry));
  }

  /** What cannot be kept is read all the same, and told. Where there was no room there is none for what follows. */
  async #keep(write: () => Promise<void>): Promise<void> {
    if (this.#problem?.fault === "full") return;
    try {
      await write();
    } catch (cause) {
      const full = nameOfError(cause) === "QuotaExceededError";
      this.#note(
        full
          ? new CacheError("full", noRoom, cause)
          : new CacheError("not-written", `weights are not kept: ${String(cause)}`, cause),
      );
    }
  }

  #note(problem: CacheError): void {
    if (this.#problem === null || problem.fault === "full") this.#problem = problem;
  }

  /** A shared lock, until what is given is called. */
  #hold(key: string, signal: AbortSignal | undefined): Promise<() => void> {
    return new Promise((resolve, reject) => {
      const wish = { mode: "shared" as const, ...(signal === undefined ? {} : { signal }) };
      const held = (): Promise<void> => new Promise((release) => resolve(release));
      this.#host.locks.request(lockOf(key), wish, held).catch(reject);
    });
  }
}

type ChunksRecord = Extract<FileRecord, { readonly kind: "chunks" }>;

interface ChunkedOrder {
  readonly key: string;
  readonly folder: Folder;
  readonly record: ChunksRecord;
  readonly ask: (options: ReadOptions) => Promise<HttpSource>;
  /** Its answer; null where none came. */
  readonly answered: HttpSource | null;
  readonly close: () => Promise<void>;
}

const lockOf = (key: string): string => `${folderName}/${key}`;

const closing = (source: ByteSource, close: () => Promise<void>): ByteSource => ({
  ...source,
  close: async () => {
    await source.close();
    await close();
  },
});

async function sizesIn(folder: Folder): Promise<{ readonly kept: number; readonly size: number }> {
  let [kept, size] = [0, 0];
  for await (const name of folder.keys()) {
    if (!name.endsWith(record)) continue;
    const known = await readRecord(folder, name);
    if (known?.kind === "text") {
      kept += known.text.length;
      size += known.text.length;
    }
    if (known?.kind !== "chunks") continue;
    size += known.size;
    const chunks = await folder.getDirectoryHandle(known.folder).catch(() => null);
    if (chunks === null) continue;
    for await (const i of chunks.keys())
      if (/^\d+$/.test(i)) kept += Math.max(0, Math.min(chunkBytes, known.size - Number(i) * chunkBytes));
  }
  return { kept, size };
}

const nameOfError = (error: unknown): string => (error instanceof Error ? error.name : "");

const absent = (file: string): WeightsError =>
  new WeightsError({ code: "not-found", file, message: "the server did not have it when it last answered" });

const changed = (file: string): WeightsError =>
  new WeightsError({ code: "file-changed", file, message: "the server has another version of it now: load it again" });

const noRoom =
  "not all weights are kept, since the browser gives this page no more room: remove others, or free the disk";

const noVersion = (file: string): string =>
  `${file} is not kept: the server does not say which version it is (ETag or Last-Modified)`;
