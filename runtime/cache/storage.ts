/** What a cache asks of the browser: a private folder (the File System Standard), locks between tabs, requests. */
import { CacheError } from "../artifact/errors.ts";
import type { Fetch } from "../weights/http-source.ts";

export interface StoredFile {
  readonly size: number;
  readonly slice: (from: number, to: number) => { readonly arrayBuffer: () => Promise<ArrayBuffer> };
}

export interface FileHandle {
  /** As it is when it is asked for. */
  getFile(): Promise<StoredFile>;
  /** What is written appears as a whole with `close`. */
  createWritable(): Promise<{
    write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
    close(): Promise<void>;
    abort(): Promise<void>;
  }>;
}

export interface Folder {
  getDirectoryHandle(name: string, options?: { readonly create?: boolean }): Promise<Folder>;
  getFileHandle(name: string, options?: { readonly create?: boolean }): Promise<FileHandle>;
  removeEntry(name: string, options?: { readonly recursive?: boolean }): Promise<void>;
  keys(): AsyncIterable<string>;
}

interface LockWish {
  readonly mode?: "exclusive" | "shared";
  /** The work gets null where somebody else has the lock. */
  readonly ifAvailable?: boolean;
  readonly signal?: AbortSignal;
}

/** Locks that all tabs of a site share; those of a tab that is closed are given back. */
export interface Locks {
  request<T>(name: string, wish: LockWish, work: (lock: unknown) => Promise<T>): Promise<T>;
}

export interface CacheHost {
  readonly root: Folder;
  readonly locks: Locks;
  readonly fetch: Fetch;
  /** In bytes, of all that the site keeps. */
  readonly estimate: () => Promise<{ readonly usage?: number; readonly quota?: number }>;
}

/** Throws CacheError. */
export async function browserStorage(): Promise<CacheHost> {
  const { storage, locks } = globalThis.navigator ?? {};
  if (typeof storage?.getDirectory !== "function" || locks === undefined)
    throw new CacheError(
      "no-storage",
      "weights cannot be kept: there is no private file system here (pages need https)",
    );
  const root: Folder = await storage.getDirectory().catch((cause: unknown) => {
    throw new CacheError("no-storage", "weights cannot be kept: the browser gives this page no file system", cause);
  });
  return {
    root,
    locks: { request: (name, wish, work) => locks.request(name, wish, work) },
    // What is kept here is not to be kept a second time.
    fetch: (url, init) => fetch(url, { ...init, cache: "no-store" }),
    estimate: () => storage.estimate(),
  };
}
