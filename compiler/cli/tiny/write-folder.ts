/** Writes a folder's files so that it has all of them or none. */
import { type FileHandle, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";

export interface FileToWrite {
  readonly name: string;
  readonly chunks: () => AsyncIterable<Uint8Array>;
}

/**
 * A folder that is not there or empty appears in one step. In a folder that has other files all texts are complete before
 * the first takes its place; a crash between two of these renames is the one thing that leaves them mixed. `check` sees all of
 * them while they are in a folder of their own; where it throws, nothing is left of them.
 */
export async function writeFolder(
  folder: string,
  files: readonly FileToWrite[],
  check: (draft: string) => Promise<void> = async () => undefined,
): Promise<void> {
  const present = await readdir(folder).catch(() => []);
  // A folder may be all that one may write in, and another disk than the one around it.
  const around = present.length === 0 ? dirname(folder) : folder;
  const draft = join(around, `.dsc-${process.pid}-${Date.now().toString(36)}.tmp`);
  await mkdir(around, { recursive: true });
  await mkdir(draft);
  try {
    for (const { name, chunks } of files) await writeFile(join(draft, name), chunks());
    await check(draft);
    if (present.length === 0) {
      await rename(draft, folder);
      return;
    }
    for (const { name } of files) await rename(join(draft, name), join(folder, name));
    await rm(draft, { recursive: true });
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
}

async function writeFile(path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const file = await open(path, "wx");
  try {
    for await (const chunk of chunks) await writeAll(file, chunk);
    await file.sync().catch(() => undefined); // not every kind of file can be synced; it is written all the same
  } finally {
    await file.close();
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten;
}
