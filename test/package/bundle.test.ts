/** The runtime as packages carry it: what may be in it, how large it is, and that it plays in Node. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Bundle, bundleRuntime } from "../../compiler/cli/bundle/bundle-runtime.ts";
import { packageFiles } from "../../compiler/package/package-files.ts";
import { root } from "../conformance/bind-text.ts";
import { safetensors, sharedModule, tinyTensors, tinyWeights } from "../runtime/tiny-package.ts";
import { expectedLogits, kernelModule, tinyProgram } from "../runtime/tiny-program.ts";
import { mustRun } from "./run-command.ts";
import { TypeCheck } from "./type-check.ts";

let bundle: Bundle;
const textOf = (name: string): string =>
  new TextDecoder().decode(bundle.files.find((file) => file.name === name)?.content);
const scripts = (): readonly string[] => bundle.files.map(({ name }) => name).filter((name) => name.endsWith(".js"));

beforeAll(async () => {
  bundle = await bundleRuntime(root, "wasm");
}, 60_000);

describe("the bundle", () => {
  test("evaluates no text", () => {
    for (const name of scripts()) expect(textOf(name), name).not.toMatch(/\beval\s*\(|new Function\b|\bFunction\s*\(/);
  });

  test("has lines that Node can show where an error is not caught", () => {
    for (const name of scripts()) {
      const longest = Math.max(
        ...textOf(name)
          .split("\n")
          .map((line) => line.length),
      );
      expect(longest, name).toBeLessThan(3000); // the longest are texts, which stay whole
    }
  });

  test("imports its own files, and what Node has only when it runs there", () => {
    const { outputs } = bundle.metafile;
    const foreign = Object.values(outputs).flatMap(({ imports }) => imports.filter((one) => one.external === true));
    const files = foreign.map((one) => one.path).filter((path) => !path.startsWith("node:"));
    expect([...new Set(files)]).toEqual(["./parts.js"]);
    // Files of that name there may be several; the package's own stands for one of them alone.
    const importers = Object.entries(outputs).flatMap(([path, { imports }]) =>
      imports.some((one) => one.path === "./parts.js") ? [path] : [],
    );
    expect(importers).toEqual([expect.stringMatching(/\/runtime\.js$/)]);
    // What a page loads: the two files that are named, and all that these import before they run.
    const loaded = new Set(Object.keys(outputs).filter((path) => /\/(?:runtime|worker)\.js$/.test(path)));
    expect(loaded.size).toBe(2);
    for (const path of loaded)
      for (const one of outputs[path]?.imports ?? []) if (one.kind === "import-statement") loaded.add(one.path);
    for (const path of loaded) expect(path).not.toMatch(/^node:/);
  });

  test("has types that import nothing, of every export", () => {
    const types = textOf("runtime.d.ts");
    expect(types).not.toMatch(/\bimport\b.*\bfrom\b/);
    const entry = Object.entries(bundle.metafile.outputs).find(([path]) => path.endsWith("/runtime.js"));
    for (const name of entry?.[1].exports ?? [])
      expect(types).toMatch(new RegExp(`^export declare (?:class|function) ${name}\\b`, "m"));
  });

  test("carries the licences of what is in it", () => {
    const licences = textOf("LICENSES");
    expect(licences).toMatch(/^SPDX-License-Identifier: Apache-2.0 AND MIT\n/);
    for (const name of ["dsc", "@huggingface/tokenizers"])
      expect(licences).toMatch(new RegExp(`^${name} [\\d.]+: `, "m"));
  });

  // 60 KB are wanted. Half of what is too much are the readers of weight files, whose refusals are most of them.
  test("is small: our own code without what is loaded where it is asked for only", () => {
    const asked = Object.entries(bundle.metafile.outputs).filter(
      ([path]) => !/\/(?:cache|drafting|formats|tables)\./.test(path),
    );
    const inputs = asked.flatMap(([, output]) => Object.entries(output.inputs));
    const own = inputs.filter(([path]) => /^runtime\/(?!text\/|node\/|device\/several\/)/.test(path));
    expect(own.reduce((sum, [, { bytesInOutput }]) => sum + bytesInOutput, 0)).toBeLessThan(116_000);
    const usual = Object.entries(bundle.metafile.outputs).filter(
      ([, { inputs: of }]) => "runtime/package/model.ts" in of,
    );
    const loaded = usual.flatMap(([, { inputs: of }]) => Object.keys(of)).join();
    for (const name of [
      "device/several/",
      "session/speculate",
      "session/draft-memory",
      "sampling/check-guess",
      "tables/row-table",
    ])
      expect(loaded).not.toContain(name);
  });
});

describe("a package with it", () => {
  const tokens = [3, 1, 4, 1, 5, 9, 2, 6];
  let folder = "";
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "dsc-bundle-"));
    const module = await kernelModule();
    const modules = [
      { name: "simd.wasm", content: module },
      { name: "simd-threads.wasm", content: sharedModule(module) },
    ];
    const parts = {
      program: tinyProgram,
      kernels: [],
      target: "wasm",
      cost: [],
      modules,
      texts: [],
      runtime: bundle.files,
    };
    for (const { name, content } of packageFiles(parts)) {
      mkdirSync(dirname(join(folder, "package", name)), { recursive: true });
      writeFileSync(join(folder, "package", name), content);
    }
    writeFileSync(join(folder, "model.safetensors"), await safetensors(tinyTensors));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each([1, 2])("runs in Node with %s threads, and ends by itself", async (threads) => {
    writeFileSync(
      join(folder, "main.mjs"),
      `import { DscError, load } from "./package/index.js";
       const model = await load({ weights: "model.safetensors", threads: ${threads} });
       const logits = await model.session().forward(${JSON.stringify(tokens)}, { all: true });
       const error = await model.session().forward([-1]).catch((error) => error);
       const known = error instanceof DscError && String(error);
       console.log(JSON.stringify({ logits: [...logits], threads: model.info.threads, known }));`,
    );
    const told = JSON.parse(await mustRun("node", ["main.mjs"], folder));
    expect(told).toMatchObject({ threads, known: expect.stringMatching(/^TokenError: /) });
    expect(told.logits).toEqual(expectedLogits(tinyWeights, tokens).flatMap((row) => [...row]));
  });

  const bundled = async (platform: "browser" | "node"): Promise<string> => {
    const { outputFiles, warnings } = await build({
      absWorkingDir: folder,
      stdin: {
        contents: `import { load } from "./package/index.js";
          const base = new URL("../package/", import.meta.url);
          const model = await load({ weights: "model.safetensors", threads: 2, base });
          const logits = await model.session().forward(${JSON.stringify(tokens)}, { all: true });
          const nowhere = await load({ weights: "model.safetensors", base: base.href.slice(0, -1) }).catch(String);
          console.log(JSON.stringify({ logits: [...logits], threads: model.info.threads, nowhere }));
          model.dispose();`,
        resolveDir: folder,
      },
      bundle: true,
      format: "esm",
      platform,
      write: false,
    });
    expect(warnings).toEqual([]);
    return outputFiles[0]?.text ?? "";
  };

  test("can be bundled: for browsers without what is Node's, and it plays from another folder", async () => {
    expect(await bundled("browser")).not.toContain('"node:');
    mkdirSync(join(folder, "app"));
    writeFileSync(join(folder, "app/main.mjs"), await bundled("node"));
    const told = JSON.parse(await mustRun("node", ["app/main.mjs"], folder));
    expect(told).toMatchObject({ threads: 2, nowhere: expect.stringMatching(/^OptionError: base .* ends with \/$/) });
    expect(told.logits).toEqual(expectedLogits(tinyWeights, tokens).flatMap((row) => [...row]));
  });

  test("type-checks under strict, all of what callers hold", () => {
    const check = new TypeCheck(join(folder, "package"));
    expect(
      check.problems(`import { facts, load, type Model, OutOfMemoryError, type Session, WeightsMismatchError } from "./index.js";
        const abort = new AbortController();
        const model: Model = await load({
          weights: [new File([], "model.safetensors")],
          backend: "wasm",
          threads: 2,
          signal: abort.signal,
          onProgress: ({ loaded, total }) => console.log(loaded / total),
        });
        const session: Session = model.session();
        const row: Float32Array = await session.forward([1, 2], { all: true, signal: abort.signal });
        for await (const { token, text } of session.generate("Once", { maxTokens: facts.vocabulary, topK: 5, stop: ["."], seed: 1 }))
          console.log(token.toFixed(), text.length, row.length);
        session.rollback(1);
        session.reset();
        const saved: Uint8Array = await session.save();
        (await model.restore(saved)).dispose();
        model.dispose();
        export const told = (error: unknown) =>
          error instanceof OutOfMemoryError ? error.needed : error instanceof WeightsMismatchError ? error.problems[0]?.at : null;`),
    ).toEqual([]);
  });
});
