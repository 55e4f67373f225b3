/**
 * The runtime as files that any host loads as they are: ES modules without bare imports, made once when dsc is built. What a
 * host may not need (tokenizer and template libraries, file access of Node) are chunks that are imported when asked for.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Metafile } from "esbuild";
import type { PackageFile } from "../../package/package-file.ts";
import { licensesOf } from "./licenses.ts";
import { runtimeTypes } from "./runtime-types.ts";

/** `runtime.js`, `chunk-….js`. */
export interface BundleFile extends PackageFile {
  readonly content: Uint8Array;
}
export interface Bundle {
  /** By name. */
  readonly files: readonly BundleFile[];
  /** SHA-256 of each source that went in, by path inside of the package of dsc. */
  readonly inputs: Readonly<Record<string, string>>;
  readonly metafile: Metafile;
}

/** Names of the files that others load by name; the rest are chunks. */
export const runtimeEntries = { runtime: "runtime/package/entry.ts", worker: "runtime/package/worker.ts" } as const;

/** `folder`: that of dsc, with sources and installed packages. */
export async function bundleRuntime(folder: string): Promise<Bundle> {
  const { build } = await import("esbuild");
  const { outputFiles, metafile } = await build({
    absWorkingDir: folder,
    entryPoints: { ...runtimeEntries },
    outdir: "out",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "browser",
    target: "es2023",
    external: ["node:*"],
    conditions: ["browser", "import"],
    minify: true,
    legalComments: "none", // licences stand in a file of their own
    chunkNames: "[name]-[hash]",
    charset: "utf8",
    write: false,
    metafile: true,
    logLevel: "silent",
  });
  const scripts = outputFiles.map(({ path, contents }) => ({ name: nameOf(path), content: contents }));
  const sources = [...new Set([...Object.keys(metafile.inputs), ...typedSources(folder)])].sort();
  const files = [
    ...scripts,
    textFile("runtime.d.ts", await runtimeTypes(folder, runtimeEntries.runtime)),
    textFile("LICENSES", licensesOf(folder, sources)),
  ];
  return { files: files.sort((a, b) => (a.name < b.name ? -1 : 1)), inputs: hashesOf(folder, sources), metafile };
}

/** A file of types alone leaves no trace in a bundle, but in its declarations. */
const typedSources = (folder: string): readonly string[] =>
  readdirSync(join(folder, "runtime"), { recursive: true, encoding: "utf8" })
    .map((path) => `runtime/${path.replaceAll("\\", "/")}`)
    .filter((path) => path.endsWith(".ts") && !path.endsWith(".test.ts"));

const nameOf = (path: string): string => path.replaceAll("\\", "/").split("/").at(-1) ?? path;
const textFile = (name: string, text: string): BundleFile => ({ name, content: new TextEncoder().encode(text) });

const hashesOf = (folder: string, sources: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(sources.map((path) => [path, hashOf(readFileSync(join(folder, path)))]));

export const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
