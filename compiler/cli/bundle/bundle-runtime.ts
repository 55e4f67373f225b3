/**
 * The runtime as files that any host loads as they are: ES modules without bare imports, made once when dsc is built. What a
 * host may not need (tokenizer and template libraries, file access of Node) are chunks that are imported when asked for.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Metafile, Plugin } from "esbuild";
import type { PackageFile } from "../../package/package-file.ts";
import { licensesOf } from "./licenses.ts";
import { runtimeTypes } from "./runtime-types.ts";
import { usedParts } from "./used-parts.ts";

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

/** What `runtime/package/parts.ts` imports: files that a package may do without. */
const parts = {
  formats: "runtime/session/stored/formats.ts",
  tables: "runtime/session/tables/tables.ts",
  drafting: "runtime/session/drafting.ts",
  tokenizer: "runtime/text/texts.ts",
  chat: "runtime/text/chat.ts",
  cache: "runtime/cache/open-kept-weights.ts",
  node: "runtime/node/node-host.ts",
};
/** By target: the files that others load by name, and what they are made of; the rest are chunks. */
const entries: Readonly<
  Record<string, Readonly<Record<"runtime", string> & Partial<Record<"worker" | "windows", string>>>>
> = {
  wasm: { runtime: "runtime/package/entry.ts", worker: "runtime/package/worker.ts", ...parts },
  webgpu: { runtime: "runtime/package/webgpu-entry.ts", ...parts, windows: "runtime/webgpu/windows.ts" },
};
/** Targets that there is a runtime for. */
export const runtimeNames: readonly string[] = Object.keys(entries);

/** `folder`: that of dsc, with sources and installed packages. */
export async function bundleRuntime(folder: string, target: string): Promise<Bundle> {
  const files = entries[target];
  if (files === undefined) throw new Error(`nothing plays packages for ${target}`);
  const { build } = await import("esbuild");
  const { outputFiles, metafile } = await build({
    absWorkingDir: folder,
    entryPoints: { ...files },
    outdir: "out",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "browser",
    target: "es2023",
    external: ["node:*"],
    conditions: ["browser", "import"],
    minify: true,
    lineLimit: 500, // Node shows the line of an error that nobody catches
    legalComments: "none", // licences stand in a file of their own
    chunkNames: "[name]-[hash]",
    charset: "utf8",
    define: { "Number.POSITIVE_INFINITY": "Infinity", "Number.MAX_SAFE_INTEGER": "9007199254740991" },
    write: false,
    metafile: true,
    logLevel: "silent",
    plugins: [usedParts, partsOfPackage(folder)],
  });
  const scripts = outputFiles.map(({ path, contents }) => ({ name: nameOf(path), content: contents }));
  const sources = [...new Set([...Object.keys(metafile.inputs), ...typedSources(folder)])].sort();
  const all = [
    ...scripts,
    textFile("runtime.d.ts", await runtimeTypes(folder, files.runtime)),
    textFile("LICENSES", licensesOf(folder, sources)),
  ];
  return { files: all.sort((a, b) => (a.name < b.name ? -1 : 1)), inputs: hashesOf(folder, sources), metafile };
}

/** Each package has a `parts.js` of its own, instead of this one file: others may have that name too. */
const partsOfPackage = (folder: string): Plugin => ({
  name: "parts-of-package",
  setup(build) {
    const own = join(folder, "runtime/package/parts.ts");
    build.onResolve({ filter: /\/parts\.ts$/ }, ({ path, resolveDir }) =>
      join(resolveDir, path) === own ? { path: "./parts.js", external: true, sideEffects: false } : null,
    );
  },
});

/** A file of types alone leaves no trace in a bundle, but in its declarations. */
const typedSources = (folder: string): readonly string[] =>
  readdirSync(join(folder, "runtime"), { recursive: true, encoding: "utf8" })
    .map((path) => `runtime/${path.replaceAll("\\", "/")}`)
    .filter((path) => path.endsWith(".ts") && !path.endsWith(".test.ts") && !path.startsWith("runtime/page/"));

const nameOf = (path: string): string => path.replaceAll("\\", "/").split("/").at(-1) ?? path;
const textFile = (name: string, text: string): BundleFile => ({ name, content: new TextEncoder().encode(text) });

export const hashesOf = (folder: string, sources: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(sources.map((path) => [path, hashOf(readFileSync(join(folder, path)))]));

export const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
