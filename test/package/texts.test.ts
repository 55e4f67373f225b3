/** The texts of a package: what they say of a program that can be counted by hand, and that they can be used. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packageName } from "../../compiler/package/manifest.ts";
import { memoryCard } from "../../compiler/package/memory-card.ts";
import type { PackageFile } from "../../compiler/package/package-file.ts";
import { packageFiles } from "../../compiler/package/package-files.ts";
import { programText } from "../../compiler/package/program-text.ts";
import { hashBytes, hashText } from "../../runtime/artifact/hash.ts";
import { exampleProgram } from "./example-program.ts";
import { TypeCheck } from "./type-check.ts";

const runtimeTypes = `
export interface LoadOptions { readonly weights: string }
export interface Session { readonly length: number }
export interface Model { readonly session: () => Session; readonly dispose: () => void }
export declare class DscError extends Error { readonly code: string }
export declare function loadPackage(base: URL, options: LoadOptions): Promise<Model>;
`;
const runtimeScript = `
export class DscError extends Error {}
export const loadPackage = async (base, options, expected) => ({ base, options, expected });
`;
const parts = {
  program: exampleProgram,
  kernels: [],
  target: "wasm",
  cost: [
    {
      phase: "decode",
      tokens: 1,
      before: 4095,
      kernels: 12,
      flops: 2.5e9,
      bytes: 3 * 2 ** 20,
      weights: 2 ** 20,
      seconds: 0.0123,
    },
  ],
  modules: [{ name: "simd.wasm", content: new Uint8Array([0, 97, 115, 109]) }],
  texts: [{ name: "simd.wat", content: "(module)" }],
  runtime: [
    { name: "LICENSES", content: "SPDX-License-Identifier: Apache-2.0 AND MIT\n" },
    { name: "runtime.d.ts", content: runtimeTypes },
    { name: "runtime.js", content: runtimeScript },
  ],
};
let files: readonly PackageFile[] = [];
const textOf = (name: string): string => String(files.find((file) => file.name === name)?.content);

beforeAll(async () => {
  files = packageFiles(parts);
});

describe("program.json", () => {
  test("reads back to the same program, signs of zeros included", () => {
    const text = programText(exampleProgram);
    expect(JSON.parse(text)).toEqual(exampleProgram);
    expect(text).toContain("[-0,0.1,1e+21,-1.5]");
  });

  test("refuses a number that JSON does not have", () => {
    const constants = [{ name: "far", elem: "f32" as const, values: [Number.NEGATIVE_INFINITY] }];
    expect(() => programText({ ...exampleProgram, constants })).toThrow("-Infinity");
  });
});

test("the memory card counts bytes", () => {
  const card = memoryCard(exampleProgram);
  expect(card).toMatchObject({
    weights: 96 * 16 * 2 + 3 * 16 * 16 * 4,
    constants: 16,
    statePerToken: 16 * 4 * 3,
    stateAtContext: 16 * 4 * 3 * 1024,
    scratch: 128,
  });
  // h of 64 bytes lives with scores of 1 + 1023; out comes after both.
  expect(card.phases).toEqual([
    { phase: "decode", results: ["next"], tokens: 1, before: 1023, arena: 64 + 4096 + 4, peak: 64 + 4096 + 4 },
  ]);
});

test("the manifest names what npm needs and all files, and no dependency", () => {
  const manifest = JSON.parse(textOf("package.json"));
  expect(manifest).toMatchObject({
    name: "echo-model",
    type: "module",
    sideEffects: ["./runtime/chunk-*.js"],
    license: "Apache-2.0 AND MIT",
    dsc: { compiler: "1.2.3", target: "wasm", format: exampleProgram.format },
  });
  expect(manifest).not.toHaveProperty("dependencies");
  expect([...manifest.files, "package.json"].sort()).toEqual(files.map(({ name }) => name).sort());
  expect(packageName("DeepSeek_V3.2")).toBe("deepseek-v3-2");
  expect(packageName("模型")).toBe("model");
});

test("the README has usage, memory and cost", () => {
  const readme = textOf("README.md");
  for (const part of ["# echo_model", 'import { load } from "./index.js"', "6.0 KiB", "192.0 KiB", "12.3 ms", "1,024"])
    expect(readme).toContain(part);
});

test("of drafts and tables it tells where there are some", () => {
  const told = (more: object): string => {
    const made = packageFiles({ ...parts, program: { ...exampleProgram, ...more } });
    return String(made.find(({ name }) => name === "README.md")?.content);
  };
  const decl = { name: "memory.table", shape: [12_066, 8], tensors: ["table"], at: null };
  expect(told({ tables: [decl] })).toMatch(
    /looked up: `memory\.table` \[12,066, 8\]\. `load\(\{ weights, tables: "source" \}\)`/,
  );
  expect(told({ draft: { entry: "propose", feeds: [] } })).toContain("generate(prompt, { draft: 2 })");
  expect(told({})).not.toMatch(/looked up|draft/);
});

describe("the entry", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "dsc-entry-"));
    for (const { name, content } of files) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), content);
    }
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("loads the package that it lies in, and exports the model's numbers", async () => {
    const entry = await import(join(folder, "index.js"));
    expect(Object.keys(entry).sort()).toEqual(["DscError", "facts", "load"]);
    expect(entry.facts).toEqual({
      model: "echo_model",
      compiler: "1.2.3",
      target: "wasm",
      vocabulary: 96,
      context: 1024,
      sizes: { D: 16, V: 96, L: 3 },
      memory: { weights: 6144, token: 192, arena: 4164 },
      cost: {
        decode: {
          tokens: 1,
          before: 4095,
          kernels: 12,
          flops: 2.5e9,
          bytes: 3 * 2 ** 20,
          weights: 2 ** 20,
          seconds: 0.0123,
        },
      },
    });
    expect(Object.isFrozen(entry.facts.sizes)).toBe(true);
    const loaded = await entry.load({ weights: "w" });
    expect(loaded.options).toEqual({ weights: "w" });
    expect(loaded.base).toMatch(/^file:.*\/dsc-entry-[^/]+\/index\.js$/);
    expect(loaded.expected).toBe(hashText(hashBytes(new TextEncoder().encode(textOf("program.json")))));
    expect(JSON.parse(textOf("program.json")).modules).toEqual({
      "kernels/simd.wasm": hashText(hashBytes(new Uint8Array([0, 97, 115, 109]))),
    });
  });

  test("type-checks under strict, with the model's numbers as types", () => {
    const check = new TypeCheck(folder);
    const problems = (text: string): readonly string[] => check.problems(text);
    const head = `import { DscError, type Facts, facts, load, type Model } from "./index.js";\n`;
    expect(
      problems(`${head}
        const vocabulary: 96 = facts.vocabulary;
        const depth: Facts["sizes"]["L"] = 3;
        export const flops: number = facts.cost.decode.flops + facts.memory.token;
        const model: Model = await load({ weights: "w" });
        export const all = [vocabulary, depth, model.session().length, new DscError().code];`),
    ).toEqual([]);
    expect(problems(`${head}export const context: 2048 = facts.context;`)).toEqual([
      "Type '1024' is not assignable to type '2048'.",
    ]);
    expect(problems(`${head}export const model = load({ weight: "w" });`)).toHaveLength(1);
  });
});
