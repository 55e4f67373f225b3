/** A file of this machine as a `ByteSource`. */
import { type FileHandle, open } from "node:fs/promises";
import { basename } from "node:path";
import { WeightsError } from "../formats/weights-error.ts";
import type { ByteSource } from "../weights/byte-source.ts";

/** Opens the file for reading. Errors: not-found; read-failed with its cause (a folder, no permission). */
export async function openFileSource(path: string): Promise<ByteSource> {
  const file = basename(path);
  const handle = await open(path, "r").catch((cause: unknown) => {
    throw isMissing(cause)
      ? new WeightsError({ code: "not-found", file, message: "there is no such file", cause })
      : unreadable(file, cause);
  });
  try {
    const { size } = await statFile(handle, file);
    return {
      name: file,
      size,
      read: (offset, length) => readFrom(handle, offset, length),
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

export const isMissing = (error: unknown): boolean =>
  error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");

export function unreadable(file: string, cause: unknown): WeightsError {
  const why = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
  return new WeightsError({ code: "read-failed", file, message: `it cannot be opened: ${why}`, cause });
}

async function statFile(handle: FileHandle, file: string): Promise<{ readonly size: number }> {
  const stat = await handle.stat();
  if (stat.isFile()) return stat;
  throw new WeightsError({ code: "read-failed", file, message: "it is not a file that can be read at any place" });
}

/** A read may give fewer bytes than asked without being at the end; only an empty one says that the file ends. */
async function readFrom(handle: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let at = 0;
  while (at < length) {
    const { bytesRead } = await handle.read(bytes, at, length - at, offset + at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return at === length ? bytes : bytes.subarray(0, at);
}
