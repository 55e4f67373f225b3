/**
 * Who may import whom. The linter and the TypeScript project references refuse most wrong imports already; this test
 * holds the whole table, npm packages included, in one place where it can be read.
 *
 *     runtime/    imports nothing of ours; npm packages in runtime/text/ only, `node:` in runtime/node/ only
 *     runtime/package/  joins the parts of runtime/: the one place there that imports text/ and node/
 *     runtime/page/  the page of a package: a caller of runtime/package/ that knows its types
 *     dsl/        imports nothing of ours; chevrotain
 *     compiler/   imports dsl/, runtime/artifact/ and runtime/formats/; no `node:`, no npm package but ts-morph and binaryen
 *     compiler/lsp/   imports dsl/; vscode-languageserver
 *     compiler/cli/   imports everything and is imported by nobody but tests under test/
 *     backends/<name>/  imports compiler/, runtime/artifact/, runtime/device/ and backends/c-like/; no other backend
 *     test/       imports everything and is imported by nobody
 *
 * A unit test beside its file (`*.test.ts`) keeps to its layer's table of folders, but may use `node:` and any package.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

interface Layer {
  /** Folder that the layer owns; a longer folder wins over a shorter one. */
  readonly folder: string;
  /** Folders (or single files) beside its own that the layer may import from. */
  readonly mayImport: readonly string[] | "everything";
  /** npm packages it may import; a sub-path such as `name/node` counts as its package. */
  readonly packages: readonly string[] | "any";
  readonly node: boolean;
}

const layers: readonly Layer[] = [
  { folder: "dsl", mayImport: [], packages: ["chevrotain"], node: false },
  {
    folder: "compiler",
    mayImport: ["dsl", "runtime/artifact", "runtime/formats"],
    packages: [],
    node: false,
  },
  {
    folder: "compiler/lsp",
    mayImport: ["dsl"],
    packages: ["vscode-languageserver", "vscode-languageserver-textdocument"],
    node: true,
  },
  { folder: "compiler/cli", mayImport: "everything", packages: "any", node: true },
  { folder: "runtime", mayImport: [], packages: [], node: false },
  { folder: "runtime/text", mayImport: ["runtime"], packages: "any", node: false },
  { folder: "runtime/node", mayImport: ["runtime"], packages: [], node: true },
  { folder: "runtime/package", mayImport: ["runtime", "runtime/text", "runtime/node"], packages: [], node: false },
  { folder: "runtime/page", mayImport: ["runtime", "runtime/text", "runtime/package"], packages: [], node: false },
  {
    folder: "backends",
    mayImport: ["compiler", "runtime/artifact", "runtime/device", "backends/c-like"],
    packages: "any",
    node: false,
  },
  { folder: "test", mayImport: "everything", packages: "any", node: true },
];

const within = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);

const layerOf = (path: string): Layer | undefined =>
  layers.filter((layer) => within(path, layer.folder)).sort((a, b) => b.folder.length - a.folder.length)[0];

/** What owns a file inside its layer: `backends/wasm` for a backend, the layer's folder for everything else. */
const unitOf = (path: string, layer: Layer): string =>
  layer.folder === "backends" ? path.split("/").slice(0, 2).join("/") : layer.folder;

/**
 * Every module specifier of a source text. Statements are found at the start of a line, as the formatter leaves them,
 * so an example inside a `*` or `//` comment is not taken for an import.
 */
function importsOf(source: string): string[] {
  const statement = /^[ \t]*(?:import|export)\b(?:[^"'`;()]*?\bfrom)?\s*["']([^"']+)["']/gm;
  const call = /^(?!\s*(?:\*|\/\/|\/\*)).*?\b(?:import|require)\(\s*["'`]([^"'`]+)["'`]/gm;
  return [...source.matchAll(statement), ...source.matchAll(call)].map((match) => match[1] ?? "");
}

/** Why a file may not import a module, or `undefined` when it may. */
function objection(file: string, specifier: string): string | undefined {
  const layer = layerOf(file);
  if (layer === undefined) return undefined;
  const isTest = file.endsWith(".test.ts");

  if (specifier.startsWith("node:"))
    return layer.node || isTest ? undefined : `${layer.folder}/ may not use ${specifier}`;

  if (!specifier.startsWith(".")) {
    const name = specifier
      .split("/")
      .slice(0, specifier.startsWith("@") ? 2 : 1)
      .join("/");
    if (layer.packages === "any" || isTest || layer.packages.includes(name)) return undefined;
    return `${layer.folder}/ may not import the package ${name}`;
  }

  const target = posix.join(posix.dirname(file), specifier);
  const targetLayer = layerOf(target);
  if (targetLayer === undefined) return layer.folder === "test" ? undefined : `${specifier} leads out of the layers`;
  if (targetLayer === layer && unitOf(file, layer) === unitOf(target, layer)) return undefined;
  if (targetLayer.folder === "compiler/cli" && layer.folder !== "test") return "nobody imports compiler/cli/";
  if (targetLayer.folder === "test") return "nobody imports test/";
  if (file === "backends/registry.ts" && within(target, "backends")) return undefined;
  if (layer.mayImport === "everything") return undefined;
  // `compiler` allows compiler/types/… but not the layers inside that folder, which have their own line in the table.
  if (layer.mayImport.some((folder) => within(target, folder) && targetLayer.folder.length <= folder.length))
    return undefined;
  return `${layer.folder}/ may not import ${target}`;
}

const objections = (file: string, source: string): string[] =>
  importsOf(source).flatMap((specifier) => {
    const why = objection(file, specifier);
    return why === undefined ? [] : [`${file}: ${why}`];
  });

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

function sourcesUnder(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .sort();
}

describe("layering", () => {
  const files = ["dsl", "compiler", "runtime", "backends", "test"].flatMap(sourcesUnder);

  test("every source keeps to the table", () => {
    expect(files).toContain("test/layering.test.ts");
    expect(files.flatMap((file) => objections(file, readFileSync(join(root, file), "utf8")))).toEqual([]);
  });

  test.each([
    [
      "dsl/parser/a.ts",
      'import type { Graph } from "../../compiler/graph/node.ts";',
      "dsl/ may not import compiler/graph/node.ts",
    ],
    ["dsl/parser/a.ts", 'import { readFileSync } from "node:fs";', "dsl/ may not use node:fs"],
    ["dsl/parser/a.ts", 'export * from "lodash/fp";', "dsl/ may not import the package lodash"],
    [
      "dsl/a.ts",
      'import {\n  one,\n  two,\n} from "../runtime/session/run.ts";',
      "dsl/ may not import runtime/session/run.ts",
    ],
    ["dsl/a.test.ts", 'import "../compiler/graph/node.ts";', "dsl/ may not import compiler/graph/node.ts"],
    ["compiler/graph/a.ts", 'const fs = await import("node:fs");', "compiler/ may not use node:fs"],
    [
      "compiler/graph/a.ts",
      'import "../../backends/wasm/target.ts";',
      "compiler/ may not import backends/wasm/target.ts",
    ],
    [
      "compiler/graph/a.ts",
      'type T = import("../lsp/server.ts").T;',
      "compiler/ may not import compiler/lsp/server.ts",
    ],
    [
      "compiler/lsp/a.ts",
      'import { walk } from "../graph/walk.ts";',
      "compiler/lsp/ may not import compiler/graph/walk.ts",
    ],
    ["compiler/lsp/a.ts", 'import { run } from "../cli/main.ts";', "nobody imports compiler/cli/"],
    [
      "backends/wasm/a.ts",
      'import { x } from "../cuda/target.ts";',
      "backends/ may not import backends/cuda/target.ts",
    ],
    [
      "backends/wasm/a.ts",
      'import { x } from "../../compiler/lsp/a.ts";',
      "backends/ may not import compiler/lsp/a.ts",
    ],
    ["runtime/device/a.ts", 'import { x } from "../../dsl/types/dim.ts";', "runtime/ may not import dsl/types/dim.ts"],
    ["compiler/cli/a.ts", 'import { x } from "../../test/fuzz/fuzz.ts";', "nobody imports test/"],
    ["dsl/a.ts", 'import data from "../package.json";', "../package.json leads out of the layers"],
  ])("a wrong import in %s is found: %s", (file, source, why) => {
    expect(objections(file, source)).toEqual([`${file}: ${why}`]);
  });

  test.each([
    ["dsl/parser/grammar.ts", 'import { CstParser } from "chevrotain";\nimport { tokens } from "../lexer/tokens.ts";'],
    ["dsl/a.ts", '/**\n * import { x } from "../compiler/x.ts";\n */\n// import("node:fs")'],
    ["dsl/a.test.ts", 'import { readFileSync } from "node:fs";\nimport { test } from "vitest";'],
    ["compiler/elaborate/a.ts", 'import type { Dim } from "../../dsl/types/dim.ts";'],
    [
      "compiler/lsp/server.ts",
      'import { createConnection } from "vscode-languageserver/node";\nimport "../../dsl/index.ts";',
    ],
    [
      "compiler/cli/main.ts",
      'const { serve } = await import("../lsp/server.ts");\nimport "../../backends/registry.ts";',
    ],
    ["backends/wasm/a.ts", 'import "../c-like/writer.ts";\nimport "../../compiler/kernel/node.ts";'],
    ["backends/registry.ts", 'const load = () => import("./wasm/wasm-backend.ts");'],
    ["runtime/node/a.ts", 'import "node:fs";\nimport "../weights/reader.ts";'],
    ["test/e2e/a.test.ts", 'import { main } from "../../compiler/cli/main.ts";'],
  ])("a right import in %s passes: %s", (file, source) => {
    expect(objections(file, source)).toEqual([]);
  });
});
