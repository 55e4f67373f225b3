/**
 * A file on a server that answers range requests (RFC 9110, section 14). Nothing is believed of an answer: its status,
 * its `Content-Range` and its length must be those of the question, and the file must stay the one that was opened.
 *
 * A page of another origin sees `Content-Range` only if the server lists it in `Access-Control-Expose-Headers`.
 */
import { WeightsError, type WeightsErrorCode } from "../formats/weights-error.ts";
import type { ByteSource, ReadOptions } from "./byte-source.ts";

/** The part of `fetch` that is used; pass `globalThis.fetch`, or one that adds credentials. */
export type Fetch = (
  url: string,
  init: { readonly headers: Readonly<Record<string, string>>; readonly signal: AbortSignal | null },
) => Promise<Response>;

export interface HttpOptions extends ReadOptions {
  readonly fetch: Fetch;
  /** In errors; the last part of the URL's path if it is left out, so that no query with a token gets into a message. */
  readonly name?: string;
}

export interface HttpSource extends ByteSource {
  /** Another text when the content is another: its strong entity tag, else when it was last changed; null where the server says neither. */
  readonly version: string | null;
}

/**
 * Asks for the first byte to learn the size. Errors: not-found for 404 and 410; bad-response for a server without ranges or
 * with a wrong answer; read-failed when no answer came.
 */
export async function openHttpSource(url: string, options: HttpOptions): Promise<HttpSource> {
  const { fetch, name = nameOf(url), signal } = options;
  const answer = await request({ fetch, url, name, signal }, { offset: 0, length: 1 });
  const { size, version } = await orCancel(answer, async () => factsOf(answer));
  await answer.response.body?.cancel();
  return {
    name,
    size,
    version,
    read: (offset, length, { signal } = {}) =>
      readRange({ fetch, url, name, signal, size, version }, { offset, length: Math.min(length, size - offset) }),
    close: async () => undefined,
  };
}

interface Facts {
  readonly size: number;
  readonly version: string | null;
}

function factsOf(answer: Answer): Facts {
  const { response, fault } = answer;
  // An empty file has no first byte: the only range it can refuse truthfully.
  const size = response.status === 416 ? sizeOfRefusal(answer) : sizeByRange(answer, Number.POSITIVE_INFINITY);
  if (size === null || !Number.isSafeInteger(size))
    throw fault("bad-response", "the server does not say how large the file is");
  return { size, version: versionOf(response) };
}

/** An answer that is not wanted must not go on arriving. */
async function orCancel<T>({ response }: Answer, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await response.body?.cancel().catch(() => undefined);
    throw error;
  }
}

interface Target {
  readonly fetch: Fetch;
  readonly url: string;
  readonly name: string;
  readonly signal: AbortSignal | undefined;
}

interface Asked {
  readonly offset: number;
  readonly length: number;
}

interface Answer extends Asked {
  readonly response: Response;
  readonly fault: (code: WeightsErrorCode, message: string) => WeightsError;
}

async function request({ fetch, url, name, signal }: Target, { offset, length }: Asked): Promise<Answer> {
  signal?.throwIfAborted();
  const headers = { Range: `bytes=${offset}-${offset + length - 1}` };
  const response = await fetch(url, { headers, signal: signal ?? null }).catch((cause: unknown) => {
    signal?.throwIfAborted();
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new WeightsError({ code: "read-failed", file: name, byte: offset, message: `no answer came: ${why}`, cause });
  });
  const fault = (code: WeightsErrorCode, message: string): WeightsError =>
    new WeightsError({ code, file: name, byte: code === "not-found" ? null : offset, message });
  const page = isPage(response);
  if (!page && (response.status === 206 || response.status === 416)) return { response, offset, length, fault };
  await response.body?.cancel();
  if (page || response.status === 404 || response.status === 410)
    throw fault("not-found", "the server has no such file");
  if (response.status === 200)
    throw fault("bad-response", "the server ignores range requests and would send the whole file");
  throw fault("bad-response", `the server answered with status ${response.status}`);
}

async function readRange(target: Target & Facts, asked: Asked): Promise<Uint8Array> {
  if (asked.length <= 0) return new Uint8Array(0);
  const answer = await request(target, asked);
  return orCancel(answer, async () => {
    checkAnswer(answer, target);
    return readBody(answer, target.signal);
  });
}

function checkAnswer(answer: Answer, { size, version }: Facts): void {
  const { response, fault } = answer;
  if (response.status === 416) throw fault("file-changed", "the file has become shorter since it was opened");
  const encoding = response.headers.get("content-encoding") ?? "identity";
  if (encoding !== "identity") throw fault("bad-response", `the server sent the range encoded as ${encoding}`);
  const sizeNow = sizeByRange(answer);
  if (sizeNow !== null && sizeNow !== size)
    throw fault("file-changed", `the file had ${size} bytes when it was opened and has ${sizeNow} now`);
  const versionNow = versionOf(response);
  if (version !== null && versionNow !== null && isTag(version) === isTag(versionNow) && versionNow !== version)
    throw fault("file-changed", "the server has another version of the file than the one opened");
}

/**
 * Size of the file by the answer's `Content-Range`; null for `*`. The range must be the one asked for, or a longer one of at most `most`
 * bytes: where nothing is read of an answer it may have more. Servers on sirv, as Vite's, take an end of 0 for none.
 */
function sizeByRange({ response, offset, length, fault }: Answer, most = length): number | null {
  const header = response.headers.get("content-range");
  if (header === null)
    throw fault("bad-response", "the answer has no Content-Range, or the server hides it from other origins");
  const match = /^bytes (\d{1,16})-(\d{1,16})\/(\d{1,16}|\*)$/i.exec(header.trim());
  const given = match === null ? 0 : Number(match[2]) - offset + 1;
  if (match === null || Number(match[1]) !== offset || given < length || given > most)
    throw fault(
      "bad-response",
      `bytes ${offset} to ${offset + length - 1} were asked for; the answer has another Content-Range`,
    );
  return match[3] === "*" ? null : Number(match[3]);
}

function sizeOfRefusal({ response, fault }: Answer): number {
  if (/^bytes \*\/0$/i.test(response.headers.get("content-range")?.trim() ?? "")) return 0;
  throw fault("bad-response", "the server refuses a range that the file must have");
}

/** Sites of one page answer with it whatever they do not have; nothing of a checkpoint or a package is HTML. */
export const isPage = ({ ok, headers }: Response): boolean =>
  ok && headers.get("content-type")?.startsWith("text/html") === true;

const isTag = (version: string): boolean => version.startsWith('"');

/** A weak tag stands for several contents. */
function versionOf({ headers }: Response): string | null {
  const tag = headers.get("etag");
  return tag === null || tag.startsWith("W/") ? headers.get("last-modified") : tag;
}

/** At most `length` bytes of the body: an answer without end is left before it fills the memory. */
async function readBody({ response, length, fault }: Answer, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  const reader = response.body?.getReader();
  if (reader === undefined) return bytes.subarray(0, 0);
  let at = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      signal?.throwIfAborted();
      if (done) return bytes.subarray(0, at);
      if (at + value.length > length)
        throw fault("bad-response", `the server sent more than the ${length} bytes asked for`);
      bytes.set(value, at);
      at += value.length;
    }
  } finally {
    // Lets `orCancel` end the stream.
    reader.releaseLock();
  }
}

function nameOf(url: string): string {
  const path = url.replace(/[?#].*$/s, "");
  return path.slice(path.lastIndexOf("/") + 1) || "weights";
}
