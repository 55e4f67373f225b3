/**
 * Writes a package's folder so that it has all files of one compilation or none of it. A folder that is not there or empty
 * appears in one step; that of an earlier package is put aside, replaced, and removed.
 */
import { mkdir, open, readdir, readFile, rename, rm, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { PackageFile } from "../package/package-file.ts";
import { exitCodes } from "./exit-codes.ts";
import { Failure } from "./failure.ts";
import { reasonOf } from "./read-file.ts";

/** What is at a place: nothing to keep, a package of dsc, or something that is not ours to replace. */
type Present = { readonly kind: "nothing" } | { readonly kind: "package" } | { readonly kind: "other"; why: string };

/** Asked before anything is compiled. Null where a package may be written. */
export async function refusedPlace(folder: string, shown: string): Promise<Failure | null> {
  try {
    const present = await whatIsAt(folder);
    if (present.kind !== "other") return null;
    return new Failure(
      exitCodes.cannotReadOrWrite,
      `${shown} is not replaced: ${present.why}`,
      "--out DIR: a new or empty folder, or that of an earlier package",
    );
  } catch (error) {
    return cannotWrite(shown, error);
  }
}

/** Null when it worked; otherwise the place is as it was. */
export async function writePackage(
  folder: string,
  shown: string,
  files: readonly PackageFile[],
): Promise<Failure | null> {
  const refused = await refusedPlace(folder, shown);
  if (refused !== null) return refused;
  const beside = join(dirname(folder), `.dsc-${process.pid}-${Date.now().toString(36)}`);
  const [draft, old] = [`${beside}.tmp`, `${beside}.old`];
  try {
    await mkdir(dirname(folder), { recursive: true });
    await mkdir(draft);
    for (const file of files) await writeFile(draft, file);
    await takePlace(draft, folder, old);
    return null;
  } catch (error) {
    return cannotWrite(shown, error);
  } finally {
    await rm(draft, { recursive: true, force: true });
    await rm(old, { recursive: true, force: true });
  }
}

async function takePlace(draft: string, folder: string, old: string): Promise<void> {
  if ((await whatIsAt(folder)).kind !== "package") {
    await rmdir(folder).catch(() => undefined);
    await rename(draft, folder);
    return;
  }
  await rename(folder, old);
  try {
    await rename(draft, folder);
  } catch (error) {
    await rename(old, folder);
    throw error;
  }
}

async function writeFile(folder: string, { name, content }: PackageFile): Promise<void> {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, "wx");
  try {
    await file.writeFile(content);
    await file.sync().catch(() => undefined); // not every kind of file can be synced; it is written all the same
  } finally {
    await file.close();
  }
}

async function whatIsAt(folder: string): Promise<Present> {
  let names: readonly string[];
  try {
    names = await readdir(folder, { recursive: true });
  } catch (error) {
    if (codeOf(error) === "ENOENT") return { kind: "nothing" };
    if (codeOf(error) === "ENOTDIR") return { kind: "other", why: "it is a file" };
    throw error;
  }
  if (names.length === 0) return { kind: "nothing" };
  const own = await ownFiles(join(folder, "package.json"));
  if (own === null) return { kind: "other", why: "the folder holds something else than a package of dsc" };
  const foreign = names.find((name) => !own.some((file) => file === name || isWithin(file, name)));
  return foreign === undefined
    ? { kind: "package" }
    : { kind: "other", why: `${foreign} in it is not part of a package` };
}

const isWithin = (file: string, folder: string): boolean => file.startsWith(`${folder.replaceAll("\\", "/")}/`);

/** The files that a package.json of ours lists, itself included; null for any other. */
async function ownFiles(path: string): Promise<readonly string[] | null> {
  const text = await readFile(path, "utf8").catch(() => null);
  if (text === null) return null;
  try {
    const about: unknown = JSON.parse(text);
    if (typeof about !== "object" || about === null || !("dsc" in about) || !("files" in about)) return null;
    return Array.isArray(about.files) ? ["package.json", ...about.files.map(String)] : null;
  } catch {
    return null;
  }
}

const codeOf = (error: unknown): unknown => (error instanceof Error && "code" in error ? error.code : null);

const cannotWrite = (shown: string, error: unknown): Failure =>
  new Failure(exitCodes.cannotReadOrWrite, `cannot write ${shown}: ${reasonOf(error)}`);
