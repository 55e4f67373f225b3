/**
 * The command line as few files: `main.js`, the worker that makes modules, and a chunk for what commands load when they are asked for.
 * Its hundreds of modules, and the 640 files of a library, take longer to find and read than to run.
 */
import { type Bundle, type BundleFile, hashesOf } from "./bundle-runtime.ts";
import { licensesOf } from "./licenses.ts";

const entries = { main: "compiler/cli/main.ts", "module-worker": "compiler/cli/compile/module-worker.ts" };

/** What is imported where it is installed: large and one file already, not of ES modules, of the machine, or for builds alone. */
const outside = [
  "binaryen",
  "vscode-languageserver",
  "vscode-languageserver-textdocument",
  "webgpu",
  "esbuild",
  "ts-morph",
];

/** `folder`: that of dsc, with sources and installed packages. */
export async function bundleCommandLine(folder: string): Promise<Bundle> {
  const { build } = await import("esbuild");
  const { outputFiles, metafile } = await build({
    absWorkingDir: folder,
    entryPoints: entries,
    outdir: "dist/bundle/cli", // sources of maps are told from there
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    external: outside,
    legalComments: "none", // licences stand in a file of their own
    chunkNames: "[name]-[hash]",
    charset: "utf8",
    sourcemap: "linked",
    sourcesContent: false,
    write: false,
    metafile: true,
    logLevel: "silent",
  });
  const sources = Object.keys(metafile.inputs).sort();
  const nameOf = (path: string): string => path.replaceAll("\\", "/").split("/").at(-1) ?? path;
  const files: readonly BundleFile[] = [
    ...outputFiles.map(({ path, contents }) => ({ name: nameOf(path), content: contents })),
    { name: "LICENSES", content: new TextEncoder().encode(licensesOf(folder, sources)) },
  ];
  return { files: files.toSorted((a, b) => (a.name < b.name ? -1 : 1)), inputs: hashesOf(folder, sources), metafile };
}
