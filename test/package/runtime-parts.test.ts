/** Parts of the runtime: a package has those that its program plays with, and what it reads of texts. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Bundle, bundleRuntime } from "../../compiler/cli/bundle/bundle-runtime.ts";
import type { PackageFile } from "../../compiler/package/package-file.ts";
import { packageFiles } from "../../compiler/package/package-files.ts";
import { runtimeFiles, type TextWish } from "../../compiler/package/runtime-parts.ts";
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

describe.each(["wasm", "webgpu"])("%s", (target) => {
  test.each<[string, Program, TextWish, readonly string[]]>([
    ["conversations", tinyProgram, "chat", ["tokenizer", "chat"]],
    ["texts as they are", tinyProgram, "plain", ["tokenizer"]],
    ["ids alone", tinyProgram, "none", []],
    ["drafts", drafting, "none", ["drafting"]],
    ["stored formats", stored, "none", ["formats"]],
    ["tables", tables, "none", ["tables"]],
  ])("%s", (_, program, text, wanted) => {
    const files = runtimeFiles(filesOf(target), program, text);
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

test("without texts a third of the runtime for WebGPU is left out", () => {
  const bytes = (text: TextWish): number =>
    runtimeFiles(filesOf("webgpu"), tinyProgram, text)
      .filter(({ name }) => name.endsWith(".js"))
      .reduce((n, file) => n + Buffer.byteLength(contentOf(file)), 0);
  expect(bytes("chat")).toBeLessThan(255_000);
  expect(bytes("plain")).toBeLessThan(198_000);
  expect(bytes("none")).toBeLessThan(162_000);
});

test("without texts a package says so, and is called with ids", async () => {
  const folder = mkdtempSync(join(tmpdir(), "dsc-parts-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const modules = [{ name: "simd.wasm", content: await kernelModule() }];
  const made = packageFiles({
    ...{ program: tinyProgram, kernels: [], target: "wasm", cost: [], modules, texts: [] },
    ...{ runtime: filesOf("wasm"), text: "none" },
  });
  for (const { name, content } of made) {
    mkdirSync(dirname(join(folder, "package", name)), { recursive: true });
    writeFileSync(join(folder, "package", name), content);
  }
  writeFileSync(join(folder, "model.safetensors"), await safetensors(tinyTensors));
  writeFileSync(join(folder, "tokenizer.json"), "{}");
  const tokens = [3, 1, 4];
  writeFileSync(
    join(folder, "main.mjs"),
    `import { load } from "./package/index.js";
     const model = await load({ weights: ".", threads: 1 });
     const logits = await model.session().forward(${JSON.stringify(tokens)}, { all: true });
     const said = await (async () => { for await (const _ of model.session().generate("text", { maxTokens: 1 })); })().catch((e) => e.name);
     const prompt = await model.chatPrompt([{ role: "user", content: "text" }]);
     console.log(JSON.stringify({ logits: [...logits], said, prompt }));`,
  );
  const told = JSON.parse(await mustRun("node", ["main.mjs"], folder));
  expect(told.logits).toEqual(expectedLogits(tinyWeights, tokens).flatMap((row) => [...row]));
  expect(told).toMatchObject({ said: "NoTokenizerError", prompt: null });
}, 60_000);
