/** Weights from wherever the caller has them. */
import { OptionError } from "../artifact/errors.ts";
import type { WeightsCache } from "../cache/weights-cache.ts";
import { WeightsError } from "../formats/weights-error.ts";
import type { Host, OpenedWeights } from "../session/host.ts";
import { type ByteSource, blobSource } from "../weights/byte-source.ts";
import { extraFile, withExtra } from "../weights/extra-tensors.ts";
import { openHttpSource } from "../weights/http-source.ts";
import { type OpenOptions, openSafetensors, openShardedSafetensors } from "../weights/open-safetensors.ts";
import type { Weights } from "../weights/weights.ts";
import { readUrl } from "./web-host.ts";

/**
 * A folder or file by path (Node), a URL of a file, an index or a folder that ends with `/`, a file that the user chose, or several
 * of them: shards with their index, and the tokenizer's files.
 */
export type WeightsSource = string | URL | Blob | readonly File[];

const single = ".safetensors";
const index = ".safetensors.index.json";
/** Of one request: a server's latency costs more than memory here. */
const httpPieceBytes = 4 << 20;

export interface SourceOptions extends OpenOptions {
  /** Whether a checkpoint is not all that is wanted: a server is asked for what is beside it only then. */
  readonly lacks: (weights: Weights) => boolean;
  /** Keeps what comes from servers. */
  readonly cache?: WeightsCache | undefined;
}

/** With the tensors of `extraFile` beside it. */
export async function openSource(source: WeightsSource, host: Host, options: SourceOptions): Promise<OpenedWeights> {
  if (typeof source === "string") {
    if (/^[a-z][a-z0-9+.-]+:\/\//i.test(source)) return openUrl(new URL(source), host, options);
    if (host.openPath !== null) return host.openPath(source, options);
    return openUrl(new URL(source, globalThis.location?.href), host, options);
  }
  if (source instanceof URL) return openUrl(source, host, options);
  if (source instanceof Blob) return openFiles([named(source)], options);
  if (Array.isArray(source)) return openFiles(source.map(named), options);
  throw new OptionError("weights: expected a path, a URL, a Blob or a list of files");
}

async function openUrl(url: URL, host: Host, options: SourceOptions): Promise<OpenedWeights> {
  if (url.protocol === "file:" && host.openPath !== null) return host.openPath(url, options);
  const given = { ...options, pieceBytes: httpPieceBytes };
  const { cache, signal } = options;
  const readText = (name: string): Promise<string | null> => {
    const at = beside(url, name);
    const read = async (): Promise<string | null> => {
      const bytes = await readUrl(at, {});
      return bytes === null ? null : new TextDecoder().decode(bytes);
    };
    return cache === undefined ? read() : cache.text(at, read);
  };
  const open = (at: URL): Promise<ByteSource> =>
    cache === undefined
      ? openHttpSource(at.href, { fetch: (u, init) => fetch(u, init), signal })
      : cache.file(at, { signal });
  const openAt = async (at: URL) => {
    const source = await open(at);
    return at.pathname.endsWith(index)
      ? openShardedSafetensors(source, (shard) => orMissing(open(beside(at, shard))), given)
      : openSafetensors(source, given);
  };
  const openIn = async (folder: URL): Promise<Weights> => {
    const whole = await orMissing(openAt(beside(folder, `model${single}`)));
    return whole ?? openAt(beside(folder, `model${index}`));
  };
  const weights = await (url.pathname.endsWith("/") ? openIn(url) : openAt(url));
  const extra = async (): Promise<ByteSource | null> =>
    options.lacks(weights) ? orMissing(open(beside(url, extraFile))) : null;
  return { weights: await extended(weights, extra, given), readText };
}

async function extended(
  weights: Weights,
  find: () => Promise<ByteSource | null>,
  options: OpenOptions,
): Promise<Weights> {
  try {
    const source = await find();
    return source === null ? weights : await withExtra(weights, await openSafetensors(source, options));
  } catch (error) {
    await weights.close();
    throw error;
  }
}

/** A file in the folder of another; what comes behind `?` may be a token, and stays. */
function beside(url: URL, name: string): URL {
  const other = new URL(encodeURIComponent(name), url);
  other.search = url.search;
  return other;
}

async function orMissing<T>(work: Promise<T>): Promise<T | null> {
  return work.catch((error: unknown) => {
    if (error instanceof WeightsError && error.code === "not-found") return null;
    throw error;
  });
}

interface NamedBlob {
  readonly name: string;
  readonly blob: Blob;
}

const named = (blob: Blob): NamedBlob => ({
  name: "name" in blob && typeof blob.name === "string" ? blob.name : `weights${single}`,
  blob,
});

async function openFiles(files: readonly NamedBlob[], options: OpenOptions): Promise<OpenedWeights> {
  const find = (name: string): NamedBlob | undefined => files.find((f) => f.name === name);
  const readText = async (name: string): Promise<string | null> => (await find(name)?.blob.text()) ?? null;
  const open = async (name: string): Promise<ByteSource | null> => {
    const file = find(name);
    return file === undefined ? null : blobSource(name, file.blob);
  };
  const extra = (): Promise<ByteSource | null> => open(extraFile);
  const indexes = files.filter((f) => f.name.endsWith(index));
  const wholes = files.filter((f) => f.name.endsWith(single) && f.name !== extraFile);
  const [listing] = indexes;
  if (indexes.length === 1 && listing !== undefined) {
    const source = blobSource(listing.name, listing.blob);
    return { weights: await extended(await openShardedSafetensors(source, open, options), extra, options), readText };
  }
  const [whole] = files.length === 1 ? files : wholes;
  if (whole === undefined || wholes.length > 1 || indexes.length > 1)
    throw new OptionError(
      `weights: of these files one has to be ${single}, or an index (${index}) with its shards: ${files.map((f) => f.name).join(", ")}`,
    );
  const weights = await openSafetensors(blobSource(whole.name, whole.blob), options);
  return { weights: files.length === 1 ? weights : await extended(weights, extra, options), readText };
}
