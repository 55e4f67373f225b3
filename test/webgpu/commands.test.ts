/** Commands on a GPU of this machine, in a process as a user starts it; and what they say where there is none. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { dsc, project } from "../cli/run-dsc.ts";
import { root } from "../conformance/bind-text.ts";
import { llama } from "../program/compiled-models.ts";
import { swiftshader } from "./drivers.ts";

const full = process.env["DSC_FULL"] === "1";
const slow = full ? "" : " (needs DSC_FULL=1)";
const here = existsSync(swiftshader);
const why = here ? "" : ` (skipped: there is no ${swiftshader})`;
const onSwiftshader = (icd = swiftshader): Readonly<Record<string, string>> => ({
  VK_DRIVER_FILES: icd,
  VK_ICD_FILENAMES: icd,
  LD_LIBRARY_PATH: [process.env["LD_LIBRARY_PATH"], "/usr/lib/chromium"].filter((x) => x !== undefined).join(":"),
  XDG_RUNTIME_DIR: process.env["XDG_RUNTIME_DIR"] ?? "/tmp",
});

test.skipIf(!here).each(["webgpu", "webgpu-plain"])(`a row of the suite: %s${why}`, async (backend) => {
  const line = ["conform", "--backend", backend, "--only", "exp of f32"];
  const { code, out, error } = await dsc(line, { cwd: tmpdir(), env: onSwiftshader() });
  expect({ code, error }).toEqual({ code: 0, error: "" });
  expect(out).toMatch(/^ok {4}primitive {2}exp of f32 .*\n(?: +rounding .*\n)?webgpu(?:-plain)?: 1 rows, 1 passed\n$/);
});

test.skipIf(!here || !full)(`the same logits as from WebAssembly${slow}`, { timeout: 300_000 }, async () => {
  const cwd = project({ "config.json": JSON.stringify(llama(2)) });
  const model = join(root, "models/deepseek-llm.ds");
  const env = { ...onSwiftshader(), DSC_CACHE: join(cwd, "cache") };
  expect(await dsc(["tiny", model, "--config", "config.json", "--out", "twin"], { cwd })).toMatchObject({ code: 0 });
  const logits = async (...more: readonly string[]): Promise<readonly number[]> => {
    const line = ["logits", ...more, "--weights", "twin", "--tokens", "ids.json", "--out", "logits.json"];
    expect(await dsc(line, { cwd, env })).toMatchObject({ code: 0 });
    return JSON.parse(readFileSync(join(cwd, "logits.json"), "utf8")).logits.flat();
  };
  writeFileSync(join(cwd, "ids.json"), "[1, 2, 3, 0, 1]");
  const wasm = await logits(model, "--backend", "wasm");
  const compiled = ["compile", model, "--config", "twin/config.json", "--target", "webgpu", "--out", "package"];
  expect(await dsc(compiled, { cwd, env })).toMatchObject({ code: 0 });
  // What a package is for is known to it.
  for (const found of [await logits(model, "--backend", "webgpu"), await logits("package")]) {
    expect(found.length).toBe(wasm.length);
    for (const [i, x] of wasm.entries()) expect(Math.abs((found[i] ?? Number.NaN) - x)).toBeLessThan(1e-5);
  }
  const ids = ["--tokens", "ids.json", "--out", "logits.json"];
  const threads = await dsc(["logits", "package", "--weights", "twin", ...ids, "--threads", "2"], { cwd, env });
  expect(threads).toMatchObject({
    code: 2,
    error: expect.stringContaining("--threads is for packages of WebAssembly"),
  });
});

test("without the package that Node has WebGPU from", async () => {
  const hooks = `export async function resolve(specifier, context, next) {
    if (specifier === "webgpu") throw Object.assign(new Error("Cannot find package 'webgpu'"), { code: "ERR_MODULE_NOT_FOUND" });
    return next(specifier, context);
  }`;
  const start = `import { register } from "node:module"; register("./hooks.mjs", import.meta.url);`;
  const cwd = project({ "hooks.mjs": hooks, "start.mjs": start });
  const env = { NODE_OPTIONS: `--import=${join(cwd, "start.mjs")}` };
  const { code, out, error } = await dsc(["conform", "--backend", "webgpu"], { cwd, env });
  expect({ code, out }).toEqual({ code: 1, out: "" });
  expect(error).toBe("dsc: Node has no WebGPU by itself\n  npm install webgpu\n");
});

test("without a driver that WebGPU takes", async () => {
  const env = onSwiftshader(join(tmpdir(), "there-is-no-such-driver.json"));
  const { code, out, error } = await dsc(["conform", "--backend", "webgpu"], { cwd: tmpdir(), env });
  expect({ code, out }).toEqual({ code: 1, out: "" });
  expect(error).toMatch(/^dsc: WebGPU gives no adapter/m);
});

test("what is for WebAssembly alone", async () => {
  const cwd = tmpdir();
  expect(await dsc(["diff", "x.ds", "--b", "webgpu"], { cwd })).toMatchObject({
    code: 2,
    error: expect.stringContaining("only wasm can be seen kernel by kernel"),
  });
});
