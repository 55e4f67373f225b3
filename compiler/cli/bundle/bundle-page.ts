/** Pages as files: the script, that of its worker, the style, the text and what is beside it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Bundle, type BundleFile, hashesOf } from "./bundle-runtime.ts";
import { licensesOf } from "./licenses.ts";

interface PageParts {
  /** Scripts and styles, by the name of what is made of them. */
  readonly entries: Readonly<Record<string, string>>;
  /** Its text, with a place, `{{head}}`, for what the heads of all pages have. */
  readonly text: string;
  /** What its head allows beyond its own files, in words of a Content-Security-Policy: of scripts, and of servers to ask. */
  readonly allows: { readonly scripts: string; readonly servers: string };
}

const icon = "runtime/page/icon.svg";
const head = "runtime/page/head.html";
const pages: Readonly<Record<string, PageParts>> = {
  /** That a package may bring along; in its text are places for the model's name. */
  page: {
    entries: {
      "page.js": "runtime/page/main.ts",
      "worker.js": "runtime/page/worker.ts",
      "page.css": "runtime/page/page.css",
    },
    text: "runtime/page/page.html",
    allows: { scripts: " 'wasm-unsafe-eval'", servers: " https: http:" },
  },
  playground: {
    entries: {
      "playground.js": "compiler/cli/playground/main.ts",
      "worker.js": "compiler/cli/playground/worker.ts",
      "playground.css": "compiler/cli/playground/playground.css",
    },
    text: "compiler/cli/playground/playground.html",
    allows: { scripts: "", servers: "" },
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
    external: ["node:*"], // of parts that no page takes
    conditions: ["browser", "import"],
    minify: true,
    legalComments: "none", // licences stand in a file of their own
    charset: "utf8",
    write: false,
    metafile: true,
    logLevel: "silent",
  });
  const sources = [...Object.keys(metafile.inputs), parts.text, head, icon].sort();
  const read = (path: string): string => readFileSync(join(folder, path), "utf8");
  const nameOf = (path: string): string => path.replaceAll("\\", "/").split("/").at(-1) ?? path;
  const files: readonly BundleFile[] = [
    ...outputFiles.map(({ path, contents }) => ({ name: nameOf(path), content: contents })),
    {
      name: nameOf(parts.text),
      content: bytes(withHead(read(parts.text), read(head), { page: name, ...parts.allows })),
    },
    { name: nameOf(icon), content: bytes(read(icon)) },
    { name: "LICENSES", content: bytes(licensesOf(folder, sources)) },
  ];
  return { files: files.toSorted((a, b) => (a.name < b.name ? -1 : 1)), inputs: hashesOf(folder, sources), metafile };
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** `head` in the place for it, indented as that is, with its own places filled. */
function withHead(text: string, head: string, places: Readonly<Record<string, string>>): string {
  const filled = head.trimEnd().replace(/\{\{(\w+)\}\}/g, (_, place: string) => {
    const value = places[place];
    if (value === undefined) throw new Error(`the head of pages has a place for ${place}`);
    return value;
  });
  return text.replace(/^( *)\{\{head\}\}$/m, (_, indent: string) => filled.replace(/^/gm, indent));
}
