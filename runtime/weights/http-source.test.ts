import { describe, expect, test } from "vitest";
import { type TensorData, writeSafetensors } from "../formats/write-safetensors.ts";
import type { ByteSource } from "./byte-source.ts";
import { type Fetch, openHttpSource } from "./http-source.ts";
import { openSafetensors } from "./open-safetensors.ts";

const content = Uint8Array.from({ length: 100 }, (_, i) => i);

interface Server {
  readonly fetch: Fetch;
  readonly asked: string[];
  /** Bodies that were sent and not read to their end, nor cancelled. */
  open: number;
}

/** A server over `bytes`; `bend` changes its answers, by the number of the question. */
function server(bytes: Uint8Array, bend: (answer: Answer, question: number) => Answer = (answer) => answer): Server {
  const self: Server = {
    asked: [],
    open: 0,
    fetch: async (_url, { headers, signal }) => {
      signal?.throwIfAborted();
      const range = headers["Range"] ?? "";
      self.asked.push(range);
      const [, from = 0, to = 0] = (/^bytes=(\d+)-(\d+)$/.exec(range) ?? []).map(Number);
      const last = Math.min(to, bytes.length - 1);
      const honest: Answer =
        from >= bytes.length
          ? { status: 416, headers: { "content-range": `bytes */${bytes.length}` }, body: new Uint8Array(0) }
          : {
              status: 206,
              headers: { "content-range": `bytes ${from}-${last}/${bytes.length}` },
              body: bytes.slice(from, last + 1),
            };
      const { status, headers: sent, body } = bend(honest, self.asked.length - 1);
      self.open += 1;
      const stream = new ReadableStream<Uint8Array>({
        start: (controller) => {
          if (body !== "endless") for (const byte of body) controller.enqueue(Uint8Array.of(byte));
          if (body !== "endless") controller.close();
        },
        pull: (controller) => controller.enqueue(new Uint8Array(64)),
        cancel: () => {
          self.open -= 1;
        },
      });
      return new Response(stream, { status, headers: sent });
    },
  };
  return self;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | "endless";
}

const opened = (fetch: Fetch): Promise<ByteSource> =>
  openHttpSource("https://example.org/m/a.safetensors?token=secret", { fetch });

describe("ranges of a file on a server", () => {
  test("the size comes from the first answer, the bytes from their own", async () => {
    const { fetch, asked } = server(content);
    const source = await opened(fetch);
    expect([source.name, source.size]).toEqual(["a.safetensors", 100]);
    expect(await source.read(10, 5)).toEqual(content.slice(10, 15));
    expect(await source.read(95, 20)).toEqual(content.slice(95));
    expect(await source.read(100, 20)).toEqual(new Uint8Array(0));
    expect(asked).toEqual(["bytes=0-0", "bytes=10-14", "bytes=95-99"]);
  });

  test("a server that takes an end of 0 for none says the size all the same, and what it sends is not read", async () => {
    const bent = server(content, (answer, question) =>
      question === 0 ? { ...answer, headers: { "content-range": "bytes 0-99/100" }, body: content } : answer,
    );
    const source = await opened(bent.fetch);
    expect(source.size).toBe(100);
    expect(bent.open).toBe(0);
    expect(await source.read(10, 5)).toEqual(content.slice(10, 15));
  });

  test("a page instead of the file is no file", async () => {
    for (const status of [200, 206]) {
      const headers = { "content-type": "text/html; charset=utf-8", "content-range": "bytes 0-0/100" };
      const bent = server(content, (answer) => ({ ...answer, status, headers }));
      await expect(opened(bent.fetch)).rejects.toMatchObject({ code: "not-found" });
      expect(bent.open).toBe(0);
    }
  });

  test("an empty file", async () => {
    expect((await opened(server(new Uint8Array(0)).fetch)).size).toBe(0);
  });

  test("weights", async () => {
    const data: TensorData = { name: "a", dtype: "U8", shape: [50], data: () => [content.subarray(0, 50)] };
    const chunks: Uint8Array[] = [];
    for await (const chunk of writeSafetensors([data])) chunks.push(chunk);
    const weights = await openSafetensors(await opened(server(Buffer.concat(chunks)).fetch), { pieceBytes: 16 });
    expect([...(await weights.read("a"))]).toEqual([...content.subarray(0, 50)]);
  });

  test.each<[string, string, (answer: Answer) => Answer]>([
    ["no such file", "not-found", (a) => ({ ...a, status: 404 })],
    ["forbidden", "bad-response", (a) => ({ ...a, status: 403 })],
    ["a server without ranges", "bad-response", (a) => ({ ...a, status: 200, body: "endless" })],
    ["no Content-Range", "bad-response", (a) => ({ ...a, headers: {} })],
    ["a size that is not said", "bad-response", (a) => ({ ...a, headers: { "content-range": "bytes 0-0/*" } })],
    [
      "a size beyond 2^53",
      "bad-response",
      (a) => ({ ...a, headers: { "content-range": "bytes 0-0/9999999999999999" } }),
    ],
    ["another range", "bad-response", (a) => ({ ...a, headers: { "content-range": "bytes 1-1/100" } })],
    ["a refusal without reason", "bad-response", (a) => ({ ...a, status: 416 })],
  ])("opening: %s", async (_name, code, bend) => {
    const bent = server(content, bend);
    const error = await opened(bent.fetch).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code, file: "a.safetensors", byte: code === "not-found" ? null : 0 });
    expect(String(error)).not.toContain("secret");
    if (bend({ status: 206, headers: {}, body: new Uint8Array(0) }).body === "endless") expect(bent.open).toBe(0);
  });

  test.each<[string, string, (answer: Answer) => Answer]>([
    ["another size", "file-changed", (a) => ({ ...a, headers: { "content-range": "bytes 10-14/101" } })],
    ["another version", "file-changed", (a) => ({ ...a, headers: { ...a.headers, etag: '"2"' } })],
    ["shorter than the range", "file-changed", (a) => ({ ...a, status: 416 })],
    ["gone", "not-found", (a) => ({ ...a, status: 410 })],
    ["all of it", "bad-response", (a) => ({ ...a, status: 200 })],
    ["compressed", "bad-response", (a) => ({ ...a, headers: { ...a.headers, "content-encoding": "br" } })],
    ["a longer range", "bad-response", (a) => ({ ...a, headers: { "content-range": "bytes 10-15/100" } })],
    ["an earlier range", "bad-response", (a) => ({ ...a, headers: { "content-range": "bytes 9-14/100" } })],
    ["several ranges", "bad-response", (a) => ({ ...a, headers: { "content-type": "multipart/byteranges" } })],
    ["a body without end", "bad-response", (a) => ({ ...a, body: "endless" })],
  ])("reading: %s", async (_name, code, bend) => {
    const bent = server(content, (answer, question) =>
      question === 0 ? { ...answer, headers: { ...answer.headers, etag: '"1"' } } : bend(answer),
    );
    const source = await opened(bent.fetch);
    bent.open = 0;
    await expect(source.read(10, 5)).rejects.toMatchObject({
      code,
      file: "a.safetensors",
      byte: code === "not-found" ? null : 10,
    });
    if (bend({ status: 206, headers: {}, body: new Uint8Array(0) }).body === "endless") expect(bent.open).toBe(0);
  });

  test("what changes with the content is its tag, else its date", async () => {
    const date = "Thu, 01 Jan 1970 00:00:00 GMT";
    const version = async (headers: Answer["headers"]) => {
      const { fetch } = server(content, (answer) => ({ ...answer, headers: { ...answer.headers, ...headers } }));
      return (await openHttpSource("https://example.org/a", { fetch })).version;
    };
    expect(await version({ etag: '"1"', "last-modified": date })).toBe('"1"');
    expect(await version({ etag: 'W/"1"', "last-modified": date })).toBe(date);
    expect(await version({})).toBeNull();
    const { fetch } = server(content, (answer, question) => ({
      ...answer,
      headers: { ...answer.headers, "last-modified": question === 0 ? date : date.replace("01", "02") },
    }));
    await expect((await opened(fetch)).read(10, 5)).rejects.toMatchObject({ code: "file-changed" });
  });

  test("a weak tag says nothing; a missing size is no other size", async () => {
    const { fetch } = server(content, (answer, question) => ({
      ...answer,
      headers: {
        "content-range": question === 0 ? "bytes 0-0/100" : "bytes 10-14/*",
        etag: question === 0 ? 'W/"1"' : 'W/"2"',
      },
    }));
    expect(await (await opened(fetch)).read(10, 5)).toEqual(content.slice(10, 15));
  });

  test("a body cut short", async () => {
    const { fetch } = server(content, (answer, question) =>
      question === 0 || answer.body === "endless" ? answer : { ...answer, body: answer.body.subarray(0, 3) },
    );
    await expect(openSafetensors(await opened(fetch))).rejects.toMatchObject({ code: "short-read", byte: 3 });
  });

  test("no answer", async () => {
    const cause = new TypeError("fetch failed");
    await expect(opened(() => Promise.reject(cause))).rejects.toMatchObject({ code: "read-failed", cause });
  });

  test("an abort while the body comes", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const { fetch } = server(content);
    const source = await opened(async (url, init) => {
      const response = await fetch(url, init);
      if (init.headers["Range"] !== "bytes=0-0") controller.abort(reason);
      return response;
    });
    await expect(source.read(0, 50, { signal: controller.signal })).rejects.toBe(reason);
    await expect(source.read(0, 50, { signal: controller.signal })).rejects.toBe(reason);
  });
});
