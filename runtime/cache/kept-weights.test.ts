import { describe, expect, test } from "vitest";
import type { ByteSource } from "../weights/byte-source.ts";
import type { Fetch } from "../weights/http-source.ts";
import { chunkBytes } from "./chunked-source.ts";
import { KeptWeights } from "./kept-weights.ts";
import type { CacheHost, FileHandle, Folder, Locks } from "./storage.ts";

const fault = (name: string): DOMException => new DOMException(name, name);

/** More bytes at once may fail with another error than what is wrong, as in Chromium. */
const pipe = 512 << 10;

/** A private file system in memory, of `room` bytes. Writers that are not closed leave nothing. */
class Disk {
  room = Number.POSITIVE_INFINITY;
  readonly files = new Map<string, Uint8Array>();
  readonly folders = new Set<string>();

  used(): number {
    return [...this.files.values()].reduce((n, bytes) => n + bytes.length, 0);
  }

  folder(path = ""): Folder {
    const at = (name: string): string => `${path}/${name}`;
    const inside = (name: string) => (other: string) => other === at(name) || other.startsWith(`${at(name)}/`);
    return {
      getDirectoryHandle: async (name, { create = false } = {}) => {
        if (create) this.folders.add(at(name));
        if (!this.folders.has(at(name))) throw fault("NotFoundError");
        return this.folder(at(name));
      },
      getFileHandle: async (name, { create = false } = {}) => {
        if (path !== "" && !this.folders.has(path)) throw fault("NotFoundError");
        if (create && !this.files.has(at(name))) this.files.set(at(name), new Uint8Array(0));
        if (!this.files.has(at(name))) throw fault("NotFoundError");
        return this.#handle(at(name));
      },
      removeEntry: async (name, { recursive = false } = {}) => {
        const all = [...this.files.keys(), ...this.folders].filter(inside(name));
        if (all.length === 0) throw fault("NotFoundError");
        if (all.length > 1 && !recursive) throw fault("InvalidModificationError");
        for (const entry of all) if (!this.files.delete(entry)) this.folders.delete(entry);
      },
      keys: async function* (this: Disk) {
        const names = [...this.files.keys(), ...this.folders].filter((entry) => entry.startsWith(`${path}/`));
        yield* new Set(names.map((entry) => entry.slice(path.length + 1).split("/")[0] ?? ""));
      }.bind(this),
    };
  }

  #handle(path: string): FileHandle {
    return {
      getFile: async () => new Blob([this.files.get(path)?.slice() ?? new Uint8Array(0)]),
      createWritable: async () => {
        const draft: Uint8Array[] = [];
        return {
          write: async (bytes) => {
            if (bytes.length > pipe) throw fault("AbortError");
            draft.push(bytes.slice());
            const length = draft.reduce((n, piece) => n + piece.length, 0);
            if (this.used() + length > this.room) throw fault("QuotaExceededError");
          },
          close: async () => {
            this.files.set(path, new Uint8Array(Buffer.concat(draft)));
          },
          abort: async () => undefined,
        };
      },
    };
  }
}

/** Web Locks as far as they are asked for, in the order of the questions. */
function newLocks(): Locks {
  const held: { readonly name: string; readonly shared: boolean }[] = [];
  const waiting: (() => void)[] = [];
  return {
    request: async (name, { mode = "exclusive", ifAvailable = false, signal }, work) => {
      const shared = mode === "shared";
      const free = (): boolean => !held.some((lock) => lock.name === name && !(shared && lock.shared));
      if (ifAvailable && !free()) return work(null);
      while (!free()) {
        await new Promise<void>((resolve) => waiting.push(resolve));
        signal?.throwIfAborted();
      }
      const lock = { name, shared };
      held.push(lock);
      try {
        return await work(lock);
      } finally {
        held.splice(held.indexOf(lock), 1);
        for (const go of waiting.splice(0)) go();
      }
    },
  };
}

/** A server of files in ranges, that counts the bytes it sends. */
class Site {
  readonly files = new Map<string, { bytes: Uint8Array<ArrayBuffer>; tag: string | null }>();
  online = true;
  sent = 0;
  asked: string[] = [];
  /** Called before an answer is sent. */
  before: (range: string) => void | Promise<void> = () => undefined;

  readonly fetch: Fetch = async (url, { headers, signal }) => {
    const range = headers["Range"] ?? "";
    this.asked.push(`${new URL(url).pathname} ${range}`);
    await this.before(range);
    signal?.throwIfAborted();
    if (!this.online) throw new TypeError("Failed to fetch");
    const file = this.files.get(new URL(url).pathname);
    if (file === undefined) return new Response(null, { status: 404 });
    const [, from = 0, to = 0] = (/^bytes=(\d+)-(\d+)$/.exec(range) ?? []).map(Number);
    const part = file.bytes.slice(from, to + 1);
    this.sent += part.length;
    const tag = file.tag === null ? {} : { etag: file.tag };
    return new Response(part, {
      status: 206,
      headers: { "content-range": `bytes ${from}-${to}/${file.bytes.length}`, ...tag },
    });
  };
}

/** Two chunks and a bit. */
const content = Uint8Array.from({ length: 2 * chunkBytes + 1000 }, (_, i) => (i * 7 + (i >> 8)) % 251);
const url = new URL("https://example.org/m/model.safetensors?token=secret");

interface World {
  readonly disk: Disk;
  readonly site: Site;
  readonly host: CacheHost;
}

function world(): World {
  const [disk, site] = [new Disk(), new Site()];
  site.files.set("/m/model.safetensors", { bytes: content, tag: '"1"' });
  const estimate = async () => ({ usage: disk.used(), quota: disk.room });
  return { disk, site, host: { root: disk.folder(), locks: newLocks(), fetch: site.fetch, estimate } };
}

const open = async ({ host }: World): Promise<KeptWeights> => KeptWeights.open(host);
async function readAll(source: ByteSource, piece = 1_000_000): Promise<boolean> {
  for (let at = 0; at < source.size; at += piece) {
    const bytes = await source.read(at, piece);
    if (Buffer.compare(bytes, content.subarray(at, at + piece)) !== 0) return false;
  }
  return true;
}

describe("a file of a server", () => {
  test("is fetched once, whatever is read of it and by whom", async () => {
    const here = world();
    const first = await open(here);
    const source = await first.file(url);
    expect([source.name, source.size]).toEqual(["model.safetensors", content.length]);
    expect(await Promise.all([readAll(source), readAll(source, 1_234_567)])).toEqual([true, true]);
    expect(first.statistics).toEqual({ kept: 0, fetched: content.length });
    await source.close();
    const second = await open(here);
    expect(await readAll(await second.file(url))).toBe(true);
    expect(second.statistics).toEqual({ kept: content.length, fetched: 0 });
    expect(here.site.sent).toBe(content.length + 2); // a byte to learn the size, each time it is opened
    expect(first.problem ?? second.problem).toBeNull();
  });

  test("two tabs that load it at one time share the work", async () => {
    const here = world();
    const tabs = await Promise.all([open(here), open(here)]);
    const read = tabs.map(async (tab) => readAll(await tab.file(url)));
    expect(await Promise.all(read)).toEqual([true, true]);
    expect(tabs.reduce((n, { statistics }) => n + statistics.fetched, 0)).toBe(content.length);
  });

  test("an interrupted download goes on where it was", async () => {
    const here = world();
    const abort = new AbortController();
    const source = await (await open(here)).file(url, { signal: abort.signal });
    here.site.before = (range) => {
      if (range.startsWith(`bytes=${chunkBytes}-`)) abort.abort(new Error("enough"));
    };
    const read = async () => {
      for (let at = 0; at < source.size; at += chunkBytes) await source.read(at, chunkBytes, { signal: abort.signal });
    };
    await expect(read()).rejects.toThrow("enough");
    await source.close();
    here.site.before = () => undefined;
    const again = await open(here);
    expect(await again.list()).toEqual([{ url: "https://example.org/m/", kept: chunkBytes, size: content.length }]);
    expect(await readAll(await again.file(url))).toBe(true);
    expect(again.statistics).toEqual({ kept: chunkBytes, fetched: content.length - chunkBytes });
  });

  test("a chunk that is damaged, cut off or gone is fetched again", async () => {
    const here = world();
    const source = await (await open(here)).file(url);
    await readAll(source);
    await source.close();
    const chunks = [...here.disk.files].filter(([path]) => /\/\d+$/.test(path)).sort(([a], [b]) => (a < b ? -1 : 1));
    expect(chunks.map(([path]) => path.split("/").at(-1))).toEqual(["0", "1", "2"]);
    const [damaged, cut, gone] = chunks;
    if (damaged === undefined || cut === undefined || gone === undefined) throw new Error("there are three chunks");
    damaged[1][123_456] = (damaged[1][123_456] ?? 0) ^ 1;
    here.disk.files.set(cut[0], cut[1].slice(0, 1_000));
    here.disk.files.delete(gone[0]);
    const again = await open(here);
    expect(await readAll(await again.file(url))).toBe(true);
    expect(again.statistics).toEqual({ kept: 0, fetched: content.length });
  });

  test("another version replaces the one before; whoever still reads that is told", async () => {
    const here = world();
    const old = await (await open(here)).file(url);
    await old.read(0, 10);
    const bytes = content.slice(0, 5000).map((x) => 255 - x);
    here.site.files.set("/m/model.safetensors", { bytes, tag: '"2"' });
    const now = await open(here);
    const source = await now.file(url);
    expect(source.size).toBe(5000);
    expect(await source.read(0, 5000)).toEqual(bytes);
    expect(await now.list()).toEqual([{ url: "https://example.org/m/", kept: 5000, size: 5000 }]);
    await expect(old.read(chunkBytes, 10)).rejects.toMatchObject({ name: "WeightsError", code: "file-changed" });
  });

  test("without an answer of the server, what is here is read, and what is not is told", async () => {
    const here = world();
    const source = await (await open(here)).file(url);
    await source.read(0, 10);
    await source.close();
    here.site.online = false;
    const offline = await open(here);
    const kept = await offline.file(url);
    expect(await kept.read(5, 10)).toEqual(content.slice(5, 15));
    await expect(kept.read(chunkBytes, 10)).rejects.toMatchObject({ code: "read-failed" });
    here.site.online = true;
    expect(await readAll(kept)).toBe(true);
  });

  test("a file that is not there is a file that is not there, offline too", async () => {
    const here = world();
    const missing = new URL("https://example.org/m/other.safetensors");
    await expect((await open(here)).file(missing)).rejects.toMatchObject({ code: "not-found" });
    here.site.online = false;
    await expect((await open(here)).file(missing)).rejects.toMatchObject({ code: "not-found" });
    const unknown = new URL("https://example.org/n/model.safetensors");
    await expect((await open(here)).file(unknown)).rejects.toMatchObject({ code: "read-failed" });
  });

  test("an answer that breaks off is told and not kept", async () => {
    const here = world();
    const source = await (await open(here)).file(url);
    const whole = here.site.files.get("/m/model.safetensors");
    here.site.before = () => {
      here.site.files.set("/m/model.safetensors", { bytes: content.slice(0, 100), tag: '"1"' });
    };
    await expect(source.read(0, 10)).rejects.toMatchObject({ name: "WeightsError", code: "file-changed" });
    here.site.before = () => undefined;
    if (whole !== undefined) here.site.files.set("/m/model.safetensors", whole);
    expect(await readAll(source)).toBe(true);
  });

  test("rows of a table are read without what is around them, and from here once it is here", async () => {
    const here = world();
    const source = await (await open(here)).file(url);
    const before = here.site.sent;
    expect(await source.read(chunkBytes - 4, 8, { scattered: true })).toEqual(
      content.slice(chunkBytes - 4, chunkBytes + 4),
    );
    expect(here.site.sent - before).toBe(8);
    await source.read(0, 1);
    await source.read(chunkBytes, 1);
    const after = here.site.sent;
    const again = await (await open(here)).file(url);
    for (const at of [chunkBytes - 4, 17])
      expect(await again.read(at, 8, { scattered: true })).toEqual(content.slice(at, at + 8));
    expect(here.site.sent - after).toBe(1);
  });

  test("a server that does not say which version it sends is read, and nothing is kept", async () => {
    const here = world();
    here.site.files.set("/m/model.safetensors", { bytes: content, tag: null });
    const cache = await open(here);
    expect(await readAll(await cache.file(url))).toBe(true);
    expect(cache.problem).toMatchObject({ code: "cache", fault: "no-version" });
    expect([...here.disk.files.keys()].filter((path) => /\/\d+$/.test(path))).toEqual([]);
  });
});

describe("room", () => {
  test.each([0, 100, chunkBytes + 2_000])(
    "where there are %s bytes, all is read, and the rest is told",
    async (room) => {
      const here = world();
      here.disk.room = room;
      const cache = await open(here);
      const source = await cache.file(url);
      expect(await readAll(source)).toBe(true);
      await source.close();
      expect(cache.problem).toMatchObject({
        code: "cache",
        fault: "full",
        message: expect.stringContaining("no more room"),
      });
      expect(here.disk.used()).toBeLessThanOrEqual(room);
      const whole = [...here.disk.files].filter(
        ([path, bytes]) => /\/\d+$/.test(path) && bytes.length !== chunkBytes + 8,
      );
      expect(whole).toEqual([]);
      here.disk.room = Number.POSITIVE_INFINITY;
      const again = await open(here);
      expect(await readAll(await again.file(url))).toBe(true);
      expect(again.problem).toBeNull();
      expect(again.statistics.fetched).toBe(content.length - (room > chunkBytes ? chunkBytes : 0));
    },
  );

  test("is told as the browser tells it", async () => {
    const here = world();
    here.disk.room = 10_000_000;
    const cache = await open(here);
    expect(await cache.room()).toEqual({ used: 0, most: 10_000_000 });
    await (await cache.file(url)).read(0, 1);
    expect((await cache.room())?.used).toBeGreaterThan(chunkBytes);
  });
});

describe("removing", () => {
  test("is refused while a tab reads, and leaves nothing afterwards", async () => {
    const here = world();
    const [one, other] = [await open(here), await open(here)];
    const source = await one.file(url);
    await readAll(source);
    await expect(other.remove("https://example.org/m/")).rejects.toMatchObject({ code: "cache", fault: "in-use" });
    await source.close();
    await other.remove("https://example.org/m/");
    expect(here.disk.used()).toBe(0);
    expect(await other.list()).toEqual([]);
    await other.remove("https://example.org/m/");
  });

  test("a file that could not be opened holds nothing", async () => {
    const here = world();
    const cache = await open(here);
    await expect(cache.file(new URL("https://example.org/m/none"))).rejects.toMatchObject({ code: "not-found" });
    expect(await cache.list()).toEqual([]);
    await cache.remove("https://example.org/m/");
    expect(await cache.list()).toEqual([]);
  });
});

describe("texts beside weights", () => {
  const at = new URL("https://example.org/m/config.json?token=secret");
  const offline = async (): Promise<never> => {
    throw new TypeError("Failed to fetch");
  };
  test("are as the server has them, and offline as it last had them", async () => {
    const here = world();
    const cache = await open(here);
    expect(await cache.text(at, async () => "old")).toBe("old");
    expect(await cache.text(at, async () => "new")).toBe("new");
    expect(await (await open(here)).text(at, offline)).toBe("new");
    expect(await cache.text(at, async () => null)).toBeNull();
    expect(await cache.text(at, offline)).toBeNull();
    await expect(cache.text(new URL("https://example.org/m/other"), offline)).rejects.toThrow("Failed to fetch");
    for (const bytes of here.disk.files.values()) expect(Buffer.from(bytes).toString()).not.toContain("secret");
  });
});

test("a place that is no cache counts as empty", async () => {
  const here = world();
  const source = await (await open(here)).file(url);
  await readAll(source);
  await source.close();
  for (const path of here.disk.files.keys()) here.disk.files.set(path, Uint8Array.of(1, 2, 3));
  const cache = await open(here);
  expect(await cache.list()).toEqual([]);
  expect(await readAll(await cache.file(url))).toBe(true);
  expect(cache.statistics.fetched).toBe(content.length);
});
