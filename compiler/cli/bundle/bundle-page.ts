/** The page that a package may bring along: its script, that of its worker, its style, and its text with places for the model's name. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Bundle, type BundleFile, hashesOf } from "./bundle-runtime.ts";

const entries = { page: "runtime/page/main.ts", worker: "runtime/page/worker.ts" } as const;
/** As they are. */
const plain = ["runtime/page/page.html", "runtime/page/icon.svg"] as const;

/** `page.html`, `page.css`, `page.js`, `worker.js`, `icon.svg`. `folder`: that of dsc, with sources and installed packages. */
export async function bundlePage(folder: string): Promise<Bundle> {
  const { build } = await import("esbuild");
  const { outputFiles, metafile } = await build({
    absWorkingDir: folder,
    entryPoints: [
      ...Object.entries(entries).map(([out, path]) => ({ in: path, out })),
      { in: "runtime/page/page.css", out: "page" },
    ],
    outdir: "out",
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2023",
    minify: true,
    charset: "utf8",
    write: false,
    metafile: true,
    logLevel: "silent",
  });
  const nameOf = (path: string): string => path.replaceAll("\\", "/").split("/").at(-1) ?? path;
  const files: readonly BundleFile[] = [
    ...outputFiles.map(({ path, contents }) => ({ name: nameOf(path), content: contents })),
    ...plain.map((path) => ({ name: nameOf(path), content: new Uint8Array(readFileSync(join(folder, path))) })),
  ];
  const inputs = hashesOf(folder, [...Object.keys(metafile.inputs), ...plain].sort());
  return { files: files.toSorted((a, b) => (a.name < b.name ? -1 : 1)), inputs, metafile };
}
