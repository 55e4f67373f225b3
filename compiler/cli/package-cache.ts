/**
 * Packages that were compiled for a run, kept for the next. An entry appears in one step, by a rename, and says of each of its files
 * what it holds; whatever is not as it says is made anew. Nothing is forced to the disk: what a crash loses is found out.
 */
import { createHash, randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { PackageFile } from "../package/package-file.ts";
import { reasonOf } from "./read-file.ts";

/** Packages beyond these, those not used for longest, are removed. */
const kept = 20;
/** Milliseconds after which a folder that was never finished is removed: nothing is compiled for so long. */
const abandoned = 24 * 3600 * 1000;

/** What an entry holds, written last: lines of `sha256sum`. */
const listing = "SHA256SUMS";

const hashOf = (content: string | Uint8Array): string => createHash("sha256").update(content).digest("hex");

/** The folder of a package that is there and as it was written; null otherwise. */
export function keptPackage(cache: string, key: string): string | null {
  const folder = join(cache, key);
  if (!isWhole(folder)) return null;
  noteUse(cache, key);
  return folder;
}

function isWhole(folder: string): boolean {
  try {
    const lines = readFileSync(join(folder, listing), "utf8").split("\n").slice(0, -1);
    return (
      lines.length > 0 &&
      lines.every((line) => hashOf(readFileSync(join(folder, line.slice(66)))) === line.slice(0, 64))
    );
  } catch {
    return false;
  }
}

export interface Stored {
  readonly folder: string;
  /** Why it is in a folder that goes when the process ends; null where it is kept. */
  readonly unkept: string | null;
}

/** Throws what the system says where there is no room for it anywhere. */
export function storePackage(cache: string, key: string, files: readonly PackageFile[]): Stored {
  try {
    const draft = join(cache, `.${key}-${process.pid}-${randomBytes(4).toString("hex")}`);
    try {
      writeEntry(draft, files);
      const folder = join(cache, key);
      takePlace(draft, folder);
      noteUse(cache, key);
      return { folder, unkept: null };
    } finally {
      rmSync(draft, { recursive: true, force: true });
    }
  } catch (error) {
    const unkept = reasonOf(error);
    const folder = mkdtempSync(join(tmpdir(), "dsc-"));
    process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
    writeEntry(folder, files);
    return { folder, unkept };
  }
}

function writeEntry(folder: string, files: readonly PackageFile[]): void {
  makeFolder(folder);
  for (const { name, content } of files) {
    const path = join(folder, name);
    makeFolder(dirname(path));
    writeFileSync(path, content);
  }
  writeFileSync(join(folder, listing), files.map(({ name, content }) => `${hashOf(content)}  ${name}\n`).join(""));
}

/** With those around it. What Node does for that calls a read-only disk a missing file, and has no end below /proc. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    if (code === "EEXIST") return;
    if (code !== "ENOENT" || dirname(path) === path) throw error;
    makeFolder(dirname(path));
    mkdirSync(path);
  }
}

/** Another process may have put the same package there meanwhile, and may be loading it: that one stays. */
function takePlace(draft: string, folder: string): void {
  if (existsSync(folder) && !isWhole(folder)) setAside(folder);
  try {
    renameSync(draft, folder);
  } catch (error) {
    if (!isWhole(folder)) throw error;
  }
}

/** In one step, so that nobody finds half of it. */
function setAside(folder: string): void {
  const old = join(dirname(folder), `.old-${process.pid}-${randomBytes(4).toString("hex")}`);
  try {
    renameSync(folder, old);
  } catch (error) {
    if (existsSync(folder)) throw error; // else another process has done it
  }
  rmSync(old, { recursive: true, force: true });
}

/** Says that a package was used, and removes those that were not for longest. A cache that cannot be written to is used all the same. */
function noteUse(cache: string, key: string): void {
  try {
    const now = new Date();
    utimesSync(join(cache, key), now, now);
    const found = readdirSync(cache).map((name) => ({
      name,
      at: statSync(join(cache, name), { throwIfNoEntry: false })?.mtimeMs ?? 0,
    }));
    const entries = found.filter(({ name }) => /^[0-9a-f]{32}$/.test(name)).sort((a, b) => b.at - a.at);
    const drafts = found.filter(({ name, at }) => name.startsWith(".") && now.getTime() - at > abandoned);
    for (const { name } of [...entries.slice(kept), ...drafts])
      rmSync(join(cache, name), { recursive: true, force: true });
  } catch {
    // it is found again by what it holds, not by when it was used
  }
}
