/** Parts of the runtime: a package has those that its program plays with, and what it reads of texts. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Bundle, bundleRuntime } from "../../compiler/cli/bundle/bundle-runtime.ts";
import type { PackageFile } from "../../compiler/package/package-file.ts";
import { packageFiles } from "../../compiler/package/package-files.ts";
import { runtimeFiles, type SparePart, spareParts, type TextWish } from "../../compiler/package/runtime-parts.ts";
import type { Program } from "../../runtime/artifact/program.ts";
import * as parts from "../../runtime/package/parts.ts";
import { root } from "../conformance/bind-text.ts";
import { safetensors, tinyTensors, tinyWeights } from "../runtime/tiny-package.ts";
import { expectedLogits, kernelModule, tinyProgram } from "../runtime/tiny-program.ts";
import { mustRun } from "./run-command.ts";

const bundles = new Map<string, Bundle>();
const filesOf = (target: string): readonly PackageFile[] => bundles.get(target)?.files ?? [];
beforeAll(async () => {
  for (const target of ["wasm", "webgpu"]) bundles.set(target, await bundleRuntime(root, target));
}, 120_000);

const contentOf = ({ content }: PackageFile): string =>
  typeof content === "string" ? content : new TextDecoder().decode(content);
/** What it imports by name, of itself. */
const importsOf = (file: PackageFile): readonly string[] =>
  [...contentOf(file).matchAll(/(?:from|import)\s*\(?\s*"\.\/([^"]+)"/g)].map(([, name = ""]) => name);

const drafting: Program = { ...tinyProgram, draft: { entry: "draft", feeds: [] } };
const stored: Program = {
  ...tinyProgram,
  decoders: [{ name: "d", kernel: 0, columns: 1, parts: [], band: 1 }] as never,
};
const tables: Program = { ...tinyProgram, tables: [{ name: "t" }] as never };
const large: Program = {
  ...tinyProgram,
  target: "webgpu",
  weights: tinyProgram.weights.map((w) => ({ ...w, shape: [2 ** 25, 2] })),
};
const fitting: Program = { ...large, weights: large.weights.map((w) => ({ ...w, stacks: [], shape: [2 ** 25] })) };

describe.each(["wasm", "webgpu"])("%s", (target) => {
  const spare = spareParts;
  test.each<[string, Program, TextWish, readonly SparePart[], readonly string[]]>([
    ["conversations", tinyProgram, "chat", spare, ["tokenizer", "chat"]],
    ["texts as they are", tinyProgram, "plain", spare, ["tokenizer"]],
    ["ids alone", tinyProgram, "none", spare, []],
    ["drafts", drafting, "none", spare, ["drafting"]],
    ["stored formats", stored, "none", spare, ["formats"]],
    ["tables", tables, "none", spare, ["tables"]],
    ["files of Node", tinyProgram, "none", ["cache"], ["node"]],
    ["weights that are kept", tinyProgram, "none", ["node"], ["cache"]],
  ])("%s", (_, program, text, without, wanted) => {
    const files = runtimeFiles(filesOf(target), program, { text, without });
    const names = new Set(files.map(({ name }) => name));
    expect(Object.keys(parts).filter((part) => names.has(`${part}.js`))).toEqual(
      Object.keys(parts).filter((part) => wanted.includes(part)),
    );
    const own = files.find(({ name }) => name === "parts.js");
    const said = contentOf(own ?? { name: "", content: "" }).matchAll(/^export const (\w+) = (.*);$/gm);
    expect(Object.fromEntries([...said].map(([, name, value]) => [name, value]))).toEqual(
      Object.fromEntries(
        Object.keys(parts).map((part) => [part, wanted.includes(part) ? `() => import("./${part}.js")` : "null"]),
      ),
    );
    // Nothing is imported that is not there, and no script is there that nothing imports.
    const scripts = files.filter(({ name }) => name.endsWith(".js"));
    const imported = new Set(scripts.flatMap(importsOf));
    for (const name of imported) expect(names, name).toContain(name);
    const entries = ["runtime.js", "worker.js"];
    for (const { name } of scripts) expect([...imported, ...entries], name).toContain(name);
  });
});

test("a weight that is larger than any binding is played in windows", () => {
  const has = (program: Program): boolean =>
    runtimeFiles(filesOf("webgpu"), program, { text: "none", without: [] }).some(({ name }) => name === "windows.js");
  expect([large, fitting].map(has)).toEqual([true, false]);
});

test("without texts a third of the runtime for WebGPU is left out", () => {
  const bytes = (text: TextWish, without: readonly SparePart[] = []): number =>
    runtimeFiles(filesOf("webgpu"), tinyProgram, { text, without })
      .filter(({ name }) => name.endsWith(".js"))
      .reduce((n, file) => n + Buffer.byteLength(contentOf(file)), 0);
  expect(bytes("chat")).toBeLessThan(252_000);
  expect(bytes("plain")).toBeLessThan(194_000);
  expect(bytes("none")).toBeLessThan(155_000);
  expect(bytes("none", spareParts)).toBeLessThan(142_000);
});

test("without texts a package says so, and is called with ids", async () => {
  const folder = mkdtempSync(join(tmpdir(), "dsc-parts-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const modules = [{ name: "simd.wasm", content: await kernelModule() }];
  for (const [name, without] of [
    ["package", "cache"],
    ["paged", "node"],
  ] as const) {
    const made = packageFiles({
      ...{ program: tinyProgram, kernels: [], target: "wasm", cost: [], modules, texts: [] },
      ...{ runtime: filesOf("wasm"), wish: { text: "none", without: [without] } },
    });
    for (const file of made) {
      mkdirSync(dirname(join(folder, name, file.name)), { recursive: true });
      writeFileSync(join(folder, name, file.name), file.content);
    }
  }
  writeFileSync(join(folder, "model.safetensors"), await safetensors(tinyTensors));
  writeFileSync(join(folder, "tokenizer.json"), "{}");
  const tokens = [3, 1, 4];
  writeFileSync(
    join(folder, "main.mjs"),
    `import { load, openWeightsCache } from "./package/index.js";
     import { load as loadInPage } from "./paged/index.js";
     const model = await load({ weights: ".", threads: 1 });
     const logits = await model.session().forward(${JSON.stringify(tokens)}, { all: true });
     const said = await (async () => { for await (const _ of model.session().generate("text", { maxTokens: 1 })); })().catch((e) => e.name);
     const prompt = await model.chatPrompt([{ role: "user", content: "text" }]);
     const ended = [];
     for await (const step of model.session().generate([3, 1], { maxTokens: 2, temperature: 0 })) ended.push(step);
     const cache = await openWeightsCache().catch((e) => [e.name, e.message]);
     const paged = await loadInPage({ weights: "." }).catch((e) => [e.name, e.message]);
     console.log(JSON.stringify({ logits: [...logits], said, prompt, ended, cache, paged }));`,
  );
  const told = JSON.parse(await mustRun("node", ["main.mjs"], folder));
  expect(told.logits).toEqual(expectedLogits(tinyWeights, tokens).flatMap((row) => [...row]));
  expect(told).toMatchObject({ said: "NoTokenizerError", prompt: null });
  expect(told.ended).toMatchObject([
    { text: "", pieces: [], stream: null, stop: null },
    { text: "", pieces: [], stream: null, stop: { kind: "max-tokens", count: 2 } },
  ]);
  expect(told.paged).toEqual(["OptionError", expect.stringContaining("load it in a page")]);
  expect(told.cache).toEqual(["CacheError", expect.stringContaining("compiled without the cache")]);
}, 60_000);
