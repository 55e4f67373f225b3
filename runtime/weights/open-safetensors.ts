/**
 * Opens weights: one safetensors file, or an index and its shards. Opening succeeds wholly, or throws and leaves every
 * source closed, those it was given included.
 */
import type { StoredTensor } from "../formats/safetensors-header.ts";
import { longestIndex, parseSafetensorsIndex, type SafetensorsIndex } from "../formats/safetensors-index.ts";
import { quoted, WeightsError } from "../formats/weights-error.ts";
import { type ByteSource, defaultPieceBytes, type ReadOptions, readWhole } from "./byte-source.ts";
import { readSafetensorsHeader } from "./read-header.ts";
import { closeAll, infoOf, makeWeights, type OpenFile, type TensorInfo, type Weights } from "./weights.ts";

export interface OpenOptions extends ReadOptions {
  /** Most bytes that one read asks for, a multiple of 8; 1 MiB if left out. */
  readonly pieceBytes?: number;
}

/** The shard of a plain file name, beside the index; null when there is none. */
export type OpenShard = (file: string, options: ReadOptions) => Promise<ByteSource | null>;

/** One file. Takes over the source. Errors: those of the header, short-read, read-failed. */
export async function openSafetensors(source: ByteSource, options: OpenOptions = {}): Promise<Weights> {
  return orClose([source], async () => {
    const file = await openFile(source, options);
    return makeWeights({ files: [file], unlisted: [], statedSize: null, pieceBytes: options.pieceBytes });
  });
}

/**
 * An index and the shards it names. Takes over the index's source and closes it. Errors besides those of every shard's
 * header: those of the index, index-too-large, missing-shard, missing-tensor (in none of the shards), wrong-shard (in another
 * one than the index says), duplicate-tensor (in two shards).
 */
export async function openShardedSafetensors(
  indexSource: ByteSource,
  openShard: OpenShard,
  options: OpenOptions = {},
): Promise<Weights> {
  const index = await orClose([indexSource], async () => {
    const parsed = await readIndex(indexSource, options);
    await indexSource.close();
    return parsed;
  });
  const sources: ByteSource[] = [];
  return orClose(sources, async () => {
    const open = async (shard: string): Promise<OpenFile> => {
      const source = await openShard(shard, { signal: options.signal });
      if (source === null) throw missingShard(indexSource.name, index, shard);
      sources.push(source);
      return openFile(source, options);
    };
    const files = await inBatches(index.shards, open, options);
    return joinShards(indexSource.name, index, files, options);
  });
}

/** What `work` gives; if it throws, all of `sources` are closed first, and what it threw is thrown on. */
async function orClose<T>(sources: readonly ByteSource[], work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await closeAll(sources).catch(() => undefined);
    throw error;
  }
}

async function openFile(source: ByteSource, { signal }: OpenOptions): Promise<OpenFile> {
  const { metadata, tensors } = await readSafetensorsHeader(source, { signal });
  return { source, metadata, tensors: [...tensors.values()] };
}

async function readIndex(source: ByteSource, { signal }: OpenOptions): Promise<SafetensorsIndex> {
  if (source.size > longestIndex) {
    const message = `an index has at most ${longestIndex} bytes, this one has ${source.size}`;
    throw new WeightsError({ code: "index-too-large", file: source.name, message });
  }
  const json = await readWhole(source, { offset: 0, length: source.size, signal }, defaultPieceBytes);
  return parseSafetensorsIndex(json, source.name);
}

/** Shards that are opened at one time: enough to hide a server's latency. */
const batch = 8;

/**
 * Results in order. Every started piece of work ends before an error is thrown, so that no source opens after the others were
 * closed; the error is that of the first shard that has one, whichever came first.
 */
async function inBatches(
  shards: readonly string[],
  open: (shard: string) => Promise<OpenFile>,
  { signal }: OpenOptions,
): Promise<readonly OpenFile[]> {
  const files: OpenFile[] = [];
  for (let from = 0; from < shards.length; from += batch) {
    signal?.throwIfAborted();
    const results = await Promise.allSettled(shards.slice(from, from + batch).map(open));
    for (const result of results) {
      if (result.status === "rejected") throw result.reason;
      files.push(result.value);
    }
  }
  return files;
}

function missingShard(file: string, { weightMap }: SafetensorsIndex, shard: string): WeightsError {
  const tensor = [...weightMap].find(([, name]) => name === shard)?.[0] ?? null;
  const message = `the index says it is in ${quoted(shard)}, which is not there`;
  return new WeightsError({ code: "missing-shard", file, tensor, message });
}

/** Holds index and shards against each other, tensor by tensor. */
function joinShards(
  indexFile: string,
  { weightMap, shards, totalSize }: SafetensorsIndex,
  files: readonly OpenFile[],
  { pieceBytes }: OpenOptions,
): Weights {
  const home = new Map<string, string>();
  const unlisted: TensorInfo[] = [];
  const listed = files.map((file, i): OpenFile => {
    const shard = shards[i] ?? "";
    const kept: StoredTensor[] = [];
    for (const tensor of file.tensors) {
      const other = home.get(tensor.name);
      if (other !== undefined) throw duplicate(tensor, shard, other);
      home.set(tensor.name, shard);
      if (weightMap.has(tensor.name)) kept.push(tensor);
      else unlisted.push(infoOf(tensor, file.source.name));
    }
    return { ...file, tensors: kept };
  });
  for (const [tensor, shard] of weightMap) {
    const actual = home.get(tensor);
    if (actual === shard) continue;
    const where = actual === undefined ? "and it is in no shard" : `but it is in ${quoted(actual)}`;
    throw new WeightsError({
      code: actual === undefined ? "missing-tensor" : "wrong-shard",
      file: indexFile,
      tensor,
      message: `the index says it is in ${quoted(shard)}, ${where}`,
    });
  }
  return makeWeights({ files: listed, unlisted, statedSize: totalSize, pieceBytes });
}

function duplicate({ name, begin }: StoredTensor, shard: string, other: string): WeightsError {
  const message = `it is in ${quoted(other)} as well`;
  return new WeightsError({ code: "duplicate-tensor", file: shard, tensor: name, byte: begin, message });
}
