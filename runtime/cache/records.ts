/** What a cache knows of a file of a checkpoint. Read without trust: what is no record counts as none. */
import { readKept, writeKept } from "./kept-file.ts";
import type { Folder } from "./storage.ts";

export type FileRecord =
  /** The server has no such file. */
  | { readonly kind: "absent"; readonly name: string }
  /** A text, as a whole. */
  | { readonly kind: "text"; readonly name: string; readonly text: string }
  /** Kept in chunks, which lie in `folder`. */
  | {
      readonly kind: "chunks";
      readonly name: string;
      readonly size: number;
      readonly version: string;
      readonly folder: string;
    };

const encoder = new TextEncoder();

export const writeJson = (folder: Folder, file: string, value: unknown): Promise<void> =>
  writeKept(folder, file, encoder.encode(JSON.stringify(value)));

export async function readJson(folder: Folder, file: string): Promise<unknown> {
  const bytes = await readKept(folder, file);
  try {
    return bytes === null ? null : JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}

export async function readRecord(folder: Folder, file: string): Promise<FileRecord | null> {
  const value = await readJson(folder, file);
  return isRecord(value) ? value : null;
}

function isRecord(x: unknown): x is FileRecord {
  if (typeof x !== "object" || x === null || !("kind" in x) || !("name" in x) || typeof x.name !== "string")
    return false;
  switch (x.kind) {
    case "absent":
      return true;
    case "text":
      return "text" in x && typeof x.text === "string";
    case "chunks":
      return (
        ["size", "version", "folder"].every((key) => key in x) &&
        "size" in x &&
        Number.isSafeInteger(x.size) &&
        "version" in x &&
        typeof x.version === "string" &&
        "folder" in x &&
        typeof x.folder === "string"
      );
    default:
      return false;
  }
}
