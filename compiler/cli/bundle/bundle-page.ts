/** Pages as files: the script, that of its worker, the style, the text and what is beside it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Bundle, type BundleFile, hashesOf } from "./bundle-runtime.ts";
import { licensesOf } from "./licenses.ts";

interface PageParts {
  /** Scripts and styles, by the name of what is made of them. */
  readonly entries: Readonly<Record<string, string>>;
  /** As they are. */
  readonly plain: readonly string[];
}

const icon = "runtime/page/icon.svg";
const pages: Readonly<Record<string, PageParts>> = {
  /** That a package may bring along; in its text are places for the model's name. */
  page: {
    entries: {
      "page.js": "runtime/page/main.ts",
      "worker.js": "runtime/page/worker.ts",
      "page.css": "runtime/page/page.css",
    },
    plain: ["runtime/page/page.html", icon],
  },
  playground: {
    entries: {
      "playground.js": "compiler/cli/playground/main.ts",
      "worker.js": "compiler/cli/playground/worker.ts",
      "playground.css": "compiler/cli/playground/playground.css",
    },
    plain: ["compiler/cli/playground/playground.html", icon],
  },
};
export const pageNames: readonly string[] = Object.keys(pages);

/** With the licences of what is in it. `folder`: that of dsc, with sources and installed packages. */
export async function bundlePage(folder: string, name: string): Promise<Bundle> {
  const parts = pages[name];
  if (parts === undefined) throw new Error(`there is no page ${name}`);
  const { build } = await import("esbuild");
  const { outputFiles, metafile } = await build({
    absWorkingDir: folder,
    entryPoints: Object.entries(parts.entries).map(([out, path]) => ({ in: path, out: out.replace(/\.\w+$/, "") })),
    outdir: "out",
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2023",
    conditions: ["browser", "import"],
    minify: true,
    legalComments: "none", // licences stand in a file of their own
    charset: "utf8",
    write: false,
    metafile: true,
    logLevel: "silent",
  });
  const sources = [...Object.keys(metafile.inputs), ...parts.plain].sort();
  const nameOf = (path: string): string => path.replaceAll("\\", "/").split("/").at(-1) ?? path;
  const files: readonly BundleFile[] = [
    ...outputFiles.map(({ path, contents }) => ({ name: nameOf(path), content: contents })),
    ...parts.plain.map((path) => ({ name: nameOf(path), content: new Uint8Array(readFileSync(join(folder, path))) })),
    { name: "LICENSES", content: new TextEncoder().encode(licensesOf(folder, sources)) },
  ];
  return { files: files.toSorted((a, b) => (a.name < b.name ? -1 : 1)), inputs: hashesOf(folder, sources), metafile };
}
