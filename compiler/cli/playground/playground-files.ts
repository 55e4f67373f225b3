/** The files of the playground: its page, the texts that dsc brings along, and the model that it opens with. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { PackageFile } from "../../package/package-file.ts";
import { bundleOf } from "../bundle/bundle-of.ts";
import { Failure } from "../failure.ts";
import { readModelTable } from "../import/model-table.ts";
import type { PackageRoot } from "../package-root.ts";
import type { Texts } from "./texts.ts";

/** Of the model that it opens with, as far as they are there. */
const beside = [
  "model.safetensors",
  "config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "generation_config.json",
];

/** By name. */
export async function playgroundFiles(home: PackageRoot): Promise<readonly PackageFile[] | Failure> {
  const bundle = await bundleOf(home, "playground");
  if (bundle instanceof Failure) return bundle;
  const { default: first } = readModelTable(home.folder);
  const folder = dirname(join(home.folder, "models", first));
  const files: readonly PackageFile[] = [
    ...bundle.map(({ name, content }) => ({ name: placeOf(name), content })),
    { name: "texts.json", content: JSON.stringify(textsOf(home, `models/${first}`)) },
    ...beside
      .filter((name) => existsSync(join(folder, name)))
      .map((name) => ({ name: `weights/${name}`, content: new Uint8Array(readFileSync(join(folder, name))) })),
  ];
  const about = {
    name: "dsc-playground",
    version: home.version,
    private: true,
    files: files.map(({ name }) => name),
    dsc: { compiler: home.version },
  };
  const manifest = { name: "package.json", content: `${JSON.stringify(about, null, 2)}\n` };
  return [...files, manifest].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function placeOf(name: string): string {
  if (name === "playground.html") return "index.html";
  return name === "LICENSES" ? name : `playground/${name}`;
}

function textsOf({ folder, version }: PackageRoot, first: string): Texts {
  const library = join(folder, "dsl", "stdlib");
  const texts = [
    ...readModelTable(folder).models.map(({ file }) => [`models/${file}`, join(folder, "models", file)] as const),
    ...readdirSync(library, { recursive: true, encoding: "utf8" })
      .map((path) => path.replaceAll("\\", "/"))
      .filter((path) => path.endsWith(".ds"))
      .sort()
      .map((path) => [`std/${path}`, join(library, path)] as const),
  ];
  const configs = texts.flatMap(([name, file]) => {
    // Of a model in a folder of its own, or beside others.
    const found = [file.replace(/\.ds$/, ".config.json"), join(dirname(file), "config.json")].find(existsSync);
    return found === undefined || name.startsWith("std/") ? [] : [[name, readFileSync(found, "utf8")] as const];
  });
  return {
    compiler: version,
    texts: Object.fromEntries(texts.map(([name, file]) => [name, readFileSync(file, "utf8")])),
    configs: Object.fromEntries(configs),
    first,
  };
}
