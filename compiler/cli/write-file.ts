import {
  chmodSync,
  closeSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { exitCodes } from "./exit-codes.ts";
import { Failure } from "./failure.ts";
import { reasonOf } from "./read-file.ts";

/**
 * Replaces a file in one step: a reader sees the old text or the new one, and a crash leaves one of them. Mode and
 * symbolic links stay. Null when it worked.
 */
export function replaceFile(path: string, shown: string, text: string): Failure | null {
  return guarded(shown, () => {
    const file = realpathSync(path);
    writeBeside(file, text, statSync(file).mode & 0o7777);
  });
}

/** Writes a result where there may be no file yet; one that is too long for a string comes in pieces. */
export function writeResult(path: string, shown: string, text: string | Iterable<string>): Failure | null {
  return guarded(shown, () => {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) writeBeside(path, text, null);
    else if (found.isFile()) writeBeside(realpathSync(path), text, found.mode & 0o7777);
    else writeAll(openSync(path, "w"), text);
  });
}

function guarded(shown: string, write: () => void): Failure | null {
  try {
    write();
    return null;
  } catch (error) {
    return new Failure(exitCodes.cannotReadOrWrite, `cannot write ${shown}: ${reasonOf(error)}`);
  }
}

function writeBeside(file: string, text: string | Iterable<string>, mode: number | null): void {
  const draft = join(dirname(file), `.dsc-${process.pid}-${Date.now().toString(36)}.tmp`);
  const descriptor = openSync(draft, "wx");
  try {
    writeAll(descriptor, text);
    if (mode !== null) chmodSync(draft, mode);
    renameSync(draft, file);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

function writeAll(descriptor: number, text: string | Iterable<string>): void {
  try {
    for (const piece of typeof text === "string" ? [text] : text) {
      const bytes = Buffer.from(piece, "utf8");
      for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
    }
    try {
      fsyncSync(descriptor);
    } catch {
      // not every kind of file can be synced; the text is written all the same
    }
  } finally {
    closeSync(descriptor);
  }
}
