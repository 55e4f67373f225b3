/**
 * The tensors of one or several open safetensors files. Headers are in memory, data is not: it is read when it is asked
 * for, in pieces of bounded size, and decoded straight into the caller's array.
 */
import { type Dtype, type DtypeName, decodeBigInts, findDtype } from "../formats/dtypes.ts";
import type { StoredTensor } from "../formats/safetensors-header.ts";
import { WeightsError, type WeightsErrorCode } from "../formats/weights-error.ts";
import { type ByteSource, defaultPieceBytes, type ReadOptions, readPieces } from "./byte-source.ts";

export interface TensorInfo {
  readonly name: string;
  readonly dtype: DtypeName;
  /** Outermost axis first; `[]` is a scalar. */
  readonly shape: readonly number[];
  /** Name of the file that holds it. */
  readonly file: string;
  /** Size of its data. */
  readonly bytes: number;
}

export interface ReadTensorOptions extends ReadOptions {
  /** Indices of the first axis, `end` excluded; all of them if left out. */
  readonly rows?: { readonly start: number; readonly end: number };
}

/**
 * Where a tensor is read to; its type says what is wanted. Float64Array and Float32Array: numbers (rounded to f32 in the
 * latter). BigInt64Array: the exact integers of an I64 tensor. Uint8Array: the bytes as they are stored.
 */
export type Destination = Float64Array | Float32Array | BigInt64Array | Uint8Array;

export interface Weights {
  /** By name, in the order of the files and of their data. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** What the files' `__metadata__` says, by file name. */
  readonly metadata: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** Tensors that lie in a shard although the index does not list them; they cannot be read. */
  readonly unlisted: readonly TensorInfo[];
  /** `metadata.total_size` of the index, as it is stated; null without one. */
  readonly statedSize: number | null;
  /** Error: unknown-tensor. */
  readonly tensor: (name: string) => TensorInfo;
  /**
   * All elements as doubles, row-major. Errors: unknown-tensor, bad-rows, not-decodable (C64, F6, FNUZ), not-exact (a 64-bit
   * integer beyond ±(2^53 - 1)), bad-boolean, short-read, read-failed, closed; and `signal.reason` after an abort.
   */
  readonly read: (name: string, options?: ReadTensorOptions) => Promise<Float64Array>;
  /**
   * Fills `destination`, whose length must be the number of elements (of bytes, for a Uint8Array) exactly. After an error its
   * contents are unspecified. Errors: those of `read`, and bad-destination.
   */
  readonly readInto: (name: string, destination: Destination, options?: ReadTensorOptions) => Promise<void>;
  /** The stored bytes. Errors: those of `read` that do not concern numbers. */
  readonly readBytes: (name: string, options?: ReadTensorOptions) => Promise<Uint8Array>;
  /** The stored bytes in order, in pieces of at most the piece size; every piece but the last is a multiple of 8 bytes. */
  readonly pieces: (name: string, options?: ReadTensorOptions) => AsyncGenerator<Uint8Array, void, undefined>;
  /** Closes all files; reading afterwards is the error `closed`. A second call does nothing. */
  readonly close: () => Promise<void>;
}

export interface OpenFile {
  readonly source: ByteSource;
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: readonly StoredTensor[];
}

export interface WeightsParts {
  readonly files: readonly OpenFile[];
  readonly unlisted: readonly TensorInfo[];
  readonly statedSize: number | null;
  /** Most bytes that one read asks for. */
  readonly pieceBytes: number | undefined;
}

interface Located {
  readonly info: TensorInfo;
  readonly dtype: Dtype;
  readonly begin: number;
  readonly source: ByteSource;
}

/** The part of a tensor that is to be read: bytes in the file, and elements. */
interface Extent extends Located {
  readonly offset: number;
  readonly length: number;
  readonly elements: number;
  readonly signal: AbortSignal | undefined;
  readonly scattered: boolean | undefined;
}

/** Takes over the sources: `close` closes them. The files have different names and different tensors; the caller saw to that. */
export function makeWeights({ files, unlisted, statedSize, pieceBytes }: WeightsParts): Weights {
  const piece = checkedPieceBytes(pieceBytes);
  const located = new Map<string, Located>();
  for (const { source, tensors } of files)
    for (const stored of tensors) located.set(stored.name, locate(stored, source));
  let open = true;

  const find = (name: string): Located => {
    const found = located.get(name);
    if (found !== undefined) return found;
    const file = files.length === 1 ? (files[0]?.source.name ?? "") : "weights";
    throw new WeightsError({ code: "unknown-tensor", file, tensor: name, message: "there is no such tensor" });
  };

  async function* pieces(extent: Extent): AsyncGenerator<Uint8Array, void, undefined> {
    const { source, offset, length, info, signal, scattered } = extent;
    const range = { offset, length, tensor: info.name, signal, scattered };
    for await (const bytes of readPieces(source, range, piece)) {
      yield bytes;
      if (!open) throw fault(extent, "closed", "the weights were closed while it was read");
    }
  }

  const extentOf = (name: string, options: ReadTensorOptions): Extent => {
    const found = find(name);
    if (!open) throw fault(found, "closed", "the weights are closed");
    return cutRows(found, options);
  };

  const readBytes = async (extent: Extent, into: Uint8Array): Promise<void> => {
    let at = 0;
    for await (const bytes of pieces(extent)) {
      into.set(bytes, at);
      at += bytes.length;
    }
  };

  const readIntegers = async (extent: Extent, into: BigInt64Array): Promise<void> => {
    let at = 0;
    for await (const bytes of pieces(extent)) {
      decodeBigInts(bytes, into, at);
      at += bytes.length / 8;
    }
  };

  const readNumbers = async (extent: Extent, into: Float64Array | Float32Array): Promise<void> => {
    const { dtype } = extent;
    const { decode, bits } = dtype;
    if (decode === null)
      throw fault(extent, "not-decodable", `numbers of type ${dtype.name} can be read as bytes only`);
    let done = 0;
    for await (const bytes of pieces(extent)) {
      const bad = decode(bytes, into, (done * 8) / bits);
      if (bad >= 0) throw inexact(extent, extent.offset + done + (bad * bits) / 8);
      done += bytes.length;
    }
  };

  const readInto = async (extent: Extent, destination: Destination): Promise<void> => {
    const isBytes = destination instanceof Uint8Array;
    const wanted = isBytes ? extent.length : extent.elements;
    if (destination.length !== wanted)
      throw fault(extent, "bad-destination", `the destination has ${destination.length} places for ${wanted}`);
    if (isBytes) return readBytes(extent, destination);
    if (!(destination instanceof BigInt64Array)) return readNumbers(extent, destination);
    if (extent.dtype.name === "I64") return readIntegers(extent, destination);
    throw fault(extent, "bad-destination", `only I64 is read as big integers, and this is ${extent.dtype.name}`);
  };

  return {
    tensors: new Map([...located].map(([name, { info }]) => [name, info])),
    metadata: new Map(files.map(({ source, metadata }) => [source.name, metadata])),
    unlisted,
    statedSize,
    tensor: (name) => find(name).info,
    read: async (name, options = {}) => {
      const extent = extentOf(name, options);
      const numbers = new Float64Array(extent.elements);
      await readNumbers(extent, numbers);
      return numbers;
    },
    readInto: async (name, destination, options = {}) => readInto(extentOf(name, options), destination),
    readBytes: async (name, options = {}) => {
      const extent = extentOf(name, options);
      const bytes = new Uint8Array(extent.length);
      await readBytes(extent, bytes);
      return bytes;
    },
    pieces: async function* (name, options = {}) {
      yield* pieces(extentOf(name, options));
    },
    close: async () => {
      open = false;
      await closeAll(files.map(({ source }) => source));
    },
  };
}

/** Closes every source even if one cannot be closed; then throws what the first such one threw. */
export async function closeAll(sources: readonly Pick<ByteSource, "close">[]): Promise<void> {
  const results = await Promise.allSettled(sources.map((source) => source.close()));
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

export const infoOf = ({ name, dtype, shape, begin, end }: StoredTensor, file: string): TensorInfo => ({
  name,
  dtype,
  shape,
  file,
  bytes: end - begin,
});

function checkedPieceBytes(pieceBytes = defaultPieceBytes): number {
  if (!Number.isSafeInteger(pieceBytes) || pieceBytes < 8 || pieceBytes % 8 !== 0)
    throw new RangeError(`pieceBytes must be a positive multiple of 8, not ${pieceBytes}`);
  return pieceBytes;
}

function locate(stored: StoredTensor, source: ByteSource): Located {
  const dtype = findDtype(stored.dtype);
  if (dtype === null) throw new TypeError(`no dtype ${stored.dtype}`);
  return { info: infoOf(stored, source.name), dtype, begin: stored.begin, source };
}

function fault({ info }: Located, code: WeightsErrorCode, message: string, byte: number | null = null): WeightsError {
  return new WeightsError({ code, file: info.file, tensor: info.name, byte, message });
}

function inexact(extent: Extent, byte: number): WeightsError {
  return extent.dtype.name === "BOOL"
    ? fault(extent, "bad-boolean", "a boolean is stored as neither 0 nor 1", byte)
    : fault(extent, "not-exact", "an integer is beyond ±(2^53 - 1), which no double holds exactly", byte);
}

function cutRows(located: Located, { rows, signal, scattered }: ReadTensorOptions): Extent {
  const { info, dtype, begin } = located;
  const asked = { ...located, signal, scattered };
  if (rows === undefined)
    return { ...asked, offset: begin, length: info.bytes, elements: (info.bytes * 8) / dtype.bits };
  const { start, end } = rows;
  const [count, ...inner] = info.shape;
  if (count === undefined) throw fault(located, "bad-rows", "it is a scalar and has no rows");
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || start > end || end > count)
    throw fault(located, "bad-rows", `rows ${start} to ${end} are not within its ${count} rows`);
  // Without rows the other axes may be as large as they like, and their product beyond any number: there is nothing to read.
  const rowElements = start === end ? 0 : inner.reduce((product, axis) => product * axis, 1);
  const startBits = start * rowElements * dtype.bits;
  const lengthBits = (end - start) * rowElements * dtype.bits;
  if (startBits % 8 !== 0 || lengthBits % 8 !== 0)
    throw fault(located, "bad-rows", `rows ${start} to ${end} do not begin and end at whole bytes`);
  return {
    ...asked,
    offset: begin + startBits / 8,
    length: lengthBits / 8,
    elements: (end - start) * rowElements,
  };
}
