/** `dsc diff`: backends that agree, and what is written where they do not. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Builder } from "../../compiler/graph/builder.ts";
import { parse } from "../../compiler/graph/parse.ts";
import { verify } from "../../compiler/graph/verify.ts";
import { parseKernel } from "../../compiler/kernel/parse.ts";
import { runInside } from "../cli/run-inside.ts";
import { root } from "../conformance/bind-text.ts";
import { smallConfig } from "./small-config.ts";

const model = join(root, "models/deepseek-llm.ds");
let folder = "";
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "dsc-diff-"));
  writeFileSync(join(folder, "package.json"), "{}");
  writeFileSync(join(folder, "config.json"), smallConfig);
  const { code, error } = await runInside(["tiny", model, "--config", "config.json", "--out", "twin"], folder);
  if (code !== 0) throw new Error(error);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const diff = (...args: readonly string[]) => runInside(["diff", model, "--weights", "twin", ...args], folder);

test("says how well they agree", { timeout: 60_000 }, async () => {
  const { code, out, error } = await diff("--ids", "1,2,3,0,1");
  expect({ code, error }).toEqual({ code: 0, error: "" });
  expect(out).toMatch(
    /^\d+ values of definitions agree, the worst to [\de.-]+; logits: the passes change [\de.-]+, wasm/,
  );
});

test("weights that are kept in less are no difference", { timeout: 60_000 }, async () => {
  expect(await diff("--ids", "1,2,3", "--weights-type", "bf16")).toMatchObject({ code: 0, error: "" });
});

test("names the first definition beyond the tolerance, and writes it out", { timeout: 60_000 }, async () => {
  const { code, out } = await diff("--ids", "1,2,3", "--tolerance", "1e-12");
  expect(code).toBe(1);
  expect(out).toMatch(/^%\S+(?:, round \d+)? differs first: phase prefill, 2 tokens behind 0, kernel \S+\n/);
  const [, name = ""] = /^%(\S+?),? /.exec(out) ?? [];
  const text = (file: string): string => readFileSync(join(folder, "dsc-diff", file), "utf8");
  const graph = parse(text("node.dsg"), new Builder());
  if (!graph.ok) throw new Error(graph.message);
  expect(verify(graph.graph)).toEqual([]);
  expect(graph.graph.results.map((node) => node.name)).toEqual([name]);
  const kernel = parseKernel(text("kernel.dsk"));
  if (!kernel.ok) throw new Error(kernel.message);
  const values: {
    readonly about: { readonly kernel: string; readonly sizes: object; readonly expected: readonly number[] };
    readonly buffers: readonly { readonly name: string; readonly values: readonly number[] }[];
  } = JSON.parse(text("values.json"));
  expect(values.about.kernel).toBe(kernel.kernel.name);
  expect(Object.keys(values.about.sizes)).toEqual(kernel.kernel.sizes.map((size) => size.name));
  expect(values.buffers.map((buffer) => buffer.name).sort()).toEqual(kernel.kernel.buffers.map((b) => b.name).sort());
  expect(values.about.expected.length).toBeGreaterThan(0);
});

test.each([
  [["--ids", "1", "--a", "wasm"], 2, "--a wasm"],
  [["--ids", "1", "--b", "reference"], 2, "there is wasm"],
  [[], 2, "diff needs tokens"],
  [["--ids", "100"], 1, "the model has ids 0 to"],
])("a wrong command line is refused: %s", async (args, code, message) => {
  const ran = await diff(...args);
  expect(ran).toMatchObject({ code, out: "" });
  expect(ran.error).toContain(message);
});
