/** Small files that are believed only if they are whole: their bytes, then their hash. */
import { hashBytes } from "../artifact/hash.ts";
import type { Folder } from "./storage.ts";

const hashLength = 8;
/**
 * In bytes. Chromium takes them through a pipe, which it closes when there is no more room: who is still writing then is told AbortError
 * (of 1,500 files of 4 MiB one in five), who wrote less than the pipe holds is told QuotaExceededError (all 1,500). As fast as all at once.
 */
const writtenAtOnce = 256 << 10;

/** Null where there is none, or where it is damaged. `length`: of the bytes, where it is known. */
export async function readKept(folder: Folder, name: string, length?: number): Promise<Uint8Array | null> {
  try {
    const file = await (await folder.getFileHandle(name)).getFile();
    if (file.size < hashLength || (length !== undefined && file.size !== length + hashLength)) return null;
    const whole = new Uint8Array(await file.slice(0, file.size).arrayBuffer());
    const bytes = whole.subarray(0, whole.length - hashLength);
    return sameHash(whole.subarray(bytes.length), bytes) ? bytes : null;
  } catch {
    return null; // not there, or removed while it was read: it is fetched again
  }
}

/** A part of one that was found whole before; null where it is gone. */
export async function readPartOfKept(
  folder: Folder,
  name: string,
  from: number,
  to: number,
): Promise<Uint8Array | null> {
  try {
    const file = await (await folder.getFileHandle(name)).getFile();
    const bytes = new Uint8Array(await file.slice(from, to).arrayBuffer());
    return bytes.length === to - from ? bytes : null;
  } catch {
    return null;
  }
}

/** Leaves nothing behind where it throws. */
export async function writeKept(folder: Folder, name: string, bytes: Uint8Array): Promise<void> {
  const handle = await folder.getFileHandle(name, { create: true });
  try {
    const writer = await handle.createWritable();
    try {
      const whole = new Uint8Array(bytes.length + hashLength);
      whole.set(bytes);
      whole.set(hashOf(bytes), bytes.length);
      for (let at = 0; at < whole.length; at += writtenAtOnce)
        await writer.write(whole.subarray(at, at + writtenAtOnce));
      await writer.close();
    } catch (error) {
      await writer.abort().catch(() => undefined);
      throw error;
    }
  } catch (error) {
    await folder.removeEntry(name).catch(() => undefined);
    throw error;
  }
}

function hashOf(bytes: Uint8Array): Uint8Array {
  const view = new DataView(new ArrayBuffer(hashLength));
  for (const [i, word] of hashBytes(bytes).entries()) view.setUint32(4 * i, word);
  return new Uint8Array(view.buffer);
}

const sameHash = (stored: Uint8Array, bytes: Uint8Array): boolean =>
  hashOf(bytes).every((byte, i) => byte === stored[i]);
