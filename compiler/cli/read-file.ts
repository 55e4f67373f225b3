import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { exitCodes } from "./exit-codes.ts";
import { Failure } from "./failure.ts";

const mebibyte = 1024 * 1024;

/** No text is read beyond these sizes: a path may name anything. Half of `corpus` is what a string holds at most. */
export const sizeLimits = { source: 8 * mebibyte, json: 64 * mebibyte, corpus: 256 * mebibyte } as const;

/** `path` is what to open, `shown` what to call it. Text that is not UTF-8 is refused, so that nothing is lost silently. */
export const readText = (path: string, shown: string, limit: number): string | Failure =>
  decode(shown, limit, () => openSync(path, "r"));

function decode(shown: string, limit: number, open: () => number): string | Failure {
  try {
    const bytes = readBytes(open(), limit);
    if (bytes === null) return cannotRead(shown, `it is larger than ${limit / mebibyte} MiB`);
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    return cannotRead(shown, reasonOf(error));
  }
}

export const readStandardInput = (limit: number): string | Failure => decode("standard input", limit, () => 0);

/** Null when there is more than the limit; a device or pipe tells no size beforehand. */
function readBytes(file: number, limit: number): Buffer | null {
  try {
    const { size } = fstatSync(file);
    if (size > limit) return null;
    let buffer = Buffer.alloc(Math.min(limit, Math.max(size, 1 << 16)) + 1);
    let length = 0;
    for (;;) {
      const read = readSync(file, buffer, length, buffer.length - length, null);
      if (read === 0) return buffer.subarray(0, length);
      length += read;
      if (length > limit) return null;
      if (length === buffer.length)
        buffer = Buffer.concat([buffer, Buffer.alloc(Math.min(buffer.length, limit + 1 - length))]);
    }
  } finally {
    closeSync(file);
  }
}

const cannotRead = (shown: string, reason: string): Failure =>
  new Failure(exitCodes.cannotReadOrWrite, `cannot read ${shown}: ${reason}`);

const reasons = new Map([
  ["ENOENT", "there is no such file"],
  ["ENOTDIR", "there is no such file"],
  ["EISDIR", "it is a folder"],
  ["EACCES", "permission denied"],
  ["EPERM", "permission denied"],
  ["EROFS", "the file system is read-only"],
  ["ENOSPC", "no space is left on the device"],
  ["EDQUOT", "no space is left of what is allowed"],
  ["EFBIG", "a file would be larger than is allowed"],
  ["EMFILE", "too many open files"],
  ["ELOOP", "its links form a circle"],
  ["ENAMETOOLONG", "the name is too long"],
  ["ERR_ENCODING_INVALID_ENCODED_DATA", "it is not UTF-8 text"],
  ["ERR_INVALID_ARG_VALUE", "the name holds a character that no file name has"],
]);

/** The operating system's refusal in words. An error without a code is none: it is thrown on, as a bug. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") throw error;
  return reasons.get(error.code) ?? error.code;
}
