/** Random access to the bytes of one file, wherever it is. */
import { WeightsError } from "../formats/weights-error.ts";

export interface ReadOptions {
  /** When it aborts, the operation throws `signal.reason` as soon as it can. */
  readonly signal?: AbortSignal | undefined;
  /** A few of many places that will be read: what lies around is not wanted. */
  readonly scattered?: boolean | undefined;
}

export interface ByteSource {
  /** For messages: a file name, without the folders of the machine. */
  readonly name: string;
  /** In bytes, as it was when the source was opened. */
  readonly size: number;
  /** `length` bytes from `offset` on; fewer only where the file ends. The caller owns the array. */
  readonly read: (offset: number, length: number, options?: ReadOptions) => Promise<Uint8Array>;
  /** Frees what the source holds; a second call does nothing. */
  readonly close: () => Promise<void>;
}

/** A file that is in memory already. `read` copies. */
export function memorySource(name: string, bytes: Uint8Array): ByteSource {
  return {
    name,
    size: bytes.length,
    read: async (offset, length) => bytes.slice(offset, offset + length),
    close: async () => undefined,
  };
}

/** A `Blob`, or a `File` that the user chose: the browser reads the slices that are asked for. */
export function blobSource(name: string, blob: Blob): ByteSource {
  return {
    name,
    size: blob.size,
    read: async (offset, length) => new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer()),
    close: async () => undefined,
  };
}

export interface Range extends ReadOptions {
  readonly offset: number;
  readonly length: number;
  /** Named in errors. */
  readonly tensor?: string | null;
}

/** Exactly the bytes of the range. Errors: short-read with the byte at which the file ended; read-failed with its cause. */
export async function readExactly(source: ByteSource, range: Range): Promise<Uint8Array> {
  const { offset, length, tensor = null, signal } = range;
  signal?.throwIfAborted();
  const bytes = await readOrExplain(source, range);
  signal?.throwIfAborted();
  if (bytes.length !== length)
    throw new WeightsError({
      code: "short-read",
      file: source.name,
      tensor,
      byte: offset + Math.min(bytes.length, length),
      message: `${length} bytes from ${offset} on were asked for, ${bytes.length} came: has the file changed since it was opened?`,
    });
  return bytes;
}

async function readOrExplain(
  source: ByteSource,
  { offset, length, tensor = null, signal, scattered }: Range,
): Promise<Uint8Array> {
  try {
    return await source.read(offset, length, { signal, scattered });
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof WeightsError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new WeightsError({
      code: "read-failed",
      file: source.name,
      tensor,
      byte: offset,
      message: `the file cannot be read: ${why}`,
      cause,
    });
  }
}

/** A range in pieces of at most `pieceBytes`, in order: what streams a tensor without holding it. */
export async function* readPieces(
  source: ByteSource,
  { offset, length, ...rest }: Range,
  pieceBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let done = 0; done < length; done += pieceBytes)
    yield await readExactly(source, { ...rest, offset: offset + done, length: Math.min(pieceBytes, length - done) });
}

/** A range gathered into one array, read in pieces so that an abort does not wait for all of it. */
export async function readWhole(source: ByteSource, range: Range, pieceBytes: number): Promise<Uint8Array> {
  const whole = new Uint8Array(range.length);
  let at = 0;
  for await (const piece of readPieces(source, range, pieceBytes)) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** 1 MiB: large enough that the calls cost nothing beside the bytes, small beside any model. */
export const defaultPieceBytes = 1 << 20;
