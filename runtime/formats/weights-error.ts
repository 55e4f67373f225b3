/** What is wrong with a weight file, said to the person who has the file. */

/**
 * Stable: tests and callers compare these. Of a file: from `file-too-small` to `trailing-bytes`, in the order of checking.
 * Of an index and its shards: `bad-index` to `duplicate-tensor`. Of opening: `not-found` to `bad-response`. Of reading:
 * `unknown-tensor` to `closed`. Of packing: `not-finite`.
 */
export type WeightsErrorCode =
  | "file-too-small"
  | "header-too-large"
  | "header-past-end"
  | "bad-utf8"
  | "bad-json"
  | "nested-too-deeply"
  | "bad-header"
  | "duplicate-name"
  | "bad-metadata"
  | "unknown-dtype"
  | "bad-shape"
  | "size-overflow"
  | "misaligned"
  | "bad-offsets"
  | "size-mismatch"
  | "past-end"
  | "overlap"
  | "gap"
  | "trailing-bytes"
  | "bad-index"
  | "index-too-large"
  | "bad-file-name"
  | "missing-shard"
  | "missing-tensor"
  | "wrong-shard"
  | "duplicate-tensor"
  | "not-found"
  | "ambiguous"
  | "missing-index"
  | "pickle"
  | "unknown-format"
  | "bad-response"
  | "unknown-tensor"
  | "bad-rows"
  | "bad-destination"
  | "not-decodable"
  | "not-exact"
  | "bad-boolean"
  | "short-read"
  | "file-changed"
  | "read-failed"
  | "closed"
  | "not-finite";

export interface WeightsFault {
  readonly code: WeightsErrorCode;
  /** The file's name as it was given, without machine-dependent additions. */
  readonly file: string;
  readonly tensor?: string | null;
  /** Offset in the file where the mistake is seen. */
  readonly byte?: number | null;
  /** What is wrong, as a sentence without file, tensor and byte: these are put around it. */
  readonly message: string;
  readonly cause?: unknown;
}

/** Thrown by everything that reads or writes weights; the message names file, tensor and byte as far as they are known. */
export class WeightsError extends Error {
  override readonly name = "WeightsError";
  readonly code: WeightsErrorCode;
  readonly file: string;
  readonly tensor: string | null;
  readonly byte: number | null;

  constructor({ code, file, tensor = null, byte = null, message, cause }: WeightsFault) {
    const where = `${file}: ${tensor === null ? "" : `tensor ${quoted(tensor)}: `}`;
    super(`${where}${message}${byte === null ? "" : ` (byte ${byte})`}`, cause === undefined ? {} : { cause });
    this.code = code;
    this.file = file;
    this.tensor = tensor;
    this.byte = byte;
  }
}

/** A text from a file, fit for a message: control characters escaped, cut when it is long. */
export function quoted(text: string): string {
  const most = 120;
  return JSON.stringify(text.length <= most ? text : `${text.slice(0, most)}…`);
}
