/** A packed checkpoint through the reference and a package: the logits are those of its codes times their multipliers, to the bit. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { encodeNumbers } from "../../runtime/formats/encode-numbers.ts";
import { decodeFloat, e4m3 } from "../../runtime/formats/float-format.ts";
import { openWeights } from "../../runtime/node/open-weights.ts";
import { runInside } from "../cli/run-inside.ts";
import { root } from "../conformance/bind-text.ts";
import { fileOf, type GivenTensor } from "./matrix.ts";
import { wordsConfig, wordsTensors, wordsText } from "./words.ts";

const full = process.env["DSC_FULL"] === "1";
const folder = mkdtempSync(join(tmpdir(), "dsc-packed-"));
const ids = [3, 17, 40, 8, 8, 21, 0, 47];
beforeAll(() => {
  vi.stubEnv("DSC_CACHE", join(folder, "cache"));
  writeFileSync(join(folder, "package.json"), "{}");
  writeFileSync(join(folder, "ids.json"), JSON.stringify(ids));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function command(...args: readonly string[]): Promise<string> {
  const { code, out, error } = await runInside(args, folder);
  if (code !== 0) throw new Error(`dsc ${args.join(" ")} has ended with ${code}: ${error}`);
  return out;
}

/** The checkpoint with every packed tensor multiplied out, in a type that holds the products or what f32 rounds them to. */
async function multipliedOut(from: string, to: string, dtype: "F64" | "F32"): Promise<void> {
  const weights = await openWeights(join(folder, from));
  const tensors: GivenTensor[] = [];
  for (const { name, dtype: stored, shape } of weights.tensors.values()) {
    if (name.endsWith("_scale_inv")) continue;
    const data = await weights.readBytes(name);
    if (stored !== "F8_E4M3") {
      tensors.push({ name, dtype: stored, shape, data });
      continue;
    }
    const scales = await weights.read(`${name}_scale_inv`);
    const [, columns = 0] = shape;
    const products = Float64Array.from(data, (code, i) => {
      const block = Math.floor(i / columns / 128) * Math.ceil(columns / 128) + Math.floor((i % columns) / 128);
      return decodeFloat(e4m3, code) * (scales[block] ?? Number.NaN);
    });
    tensors.push({ name, dtype, shape, data: encodeNumbers(products, dtype) });
  }
  await weights.close();
  mkdirSync(join(folder, to));
  writeFileSync(join(folder, to, "model.safetensors"), await fileOf(tensors));
  writeFileSync(join(folder, to, "config.json"), readFileSync(join(folder, from, "config.json")));
}

async function logits(model: string, weights: string, ...more: readonly string[]): Promise<readonly number[]> {
  await command("logits", model, "--weights", weights, "--tokens", "ids.json", "--out", "logits.json", ...more);
  const rows: readonly (readonly number[])[] = JSON.parse(readFileSync(join(folder, "logits.json"), "utf8")).logits;
  return rows.flat();
}

async function listing(weights: string): Promise<string> {
  const { tensors, close } = await openWeights(join(folder, weights));
  const entries = [...tensors].map(([name, { dtype, shape }]) => [name, { dtype, shape }]);
  await close();
  writeFileSync(join(folder, `${weights}.json`), JSON.stringify(Object.fromEntries(entries)));
  return `${weights}.json`;
}

/** Of the largest: what f32 may round in a model of a few layers. */
const rounding = 1e-5;

async function expectSameLogits(model: string, packed: string): Promise<void> {
  await multipliedOut(packed, `${packed}-f64`, "F64");
  await multipliedOut(packed, `${packed}-f32`, "F32");
  const right = await logits(model, `${packed}-f64`);
  expect(right.every(Number.isFinite)).toBe(true);
  expect(await logits(model, packed)).toEqual(right);
  const wasm = ["--backend", "wasm", "--threads", "1"];
  const compiled = await logits(model, packed, ...wasm);
  expect(compiled).toEqual(await logits(model, `${packed}-f32`, ...wasm));
  const most = Math.max(...right.map(Math.abs));
  for (const [i, x] of compiled.entries()) expect(Math.abs(x - (right[i] ?? 0)) / most).toBeLessThan(rounding);
}

test("a model of whole and partial blocks", async () => {
  writeFileSync(join(folder, "words.ds"), wordsText);
  mkdirSync(join(folder, "in"));
  writeFileSync(join(folder, "in/config.json"), wordsConfig);
  writeFileSync(join(folder, "in/model.safetensors"), await fileOf(wordsTensors()));
  await command("quantize", "words.ds", "--weights", "in", "--out", "out");
  await command("check", "words.ds", "--config", "out/config.json", "--weights", await listing("out"));
  await expectSameLogits("words.ds", "out");
  // and packing has changed them, by as much as eight bits do
  const [before, after] = [await logits("words.ds", "in"), await logits("words.ds", "out")];
  const most = Math.max(...before.map(Math.abs));
  const apart = Math.max(...before.map((x, i) => Math.abs(x - (after[i] ?? 0)))) / most;
  expect(apart).toBeGreaterThan(1e-3);
  expect(apart).toBeLessThan(0.2);
});

describe.skipIf(!full)(`a twin of V3.2${full ? "" : " (skipped: it compiles a model, in the full suite only)"}`, () => {
  test("with its indexer and its draft layer", async () => {
    const model = join(root, "models/deepseek-v3.2.ds");
    const config = join(root, "models/deepseek-v3.2.config.json");
    await command("tiny", model, "--config", config, "--out", "twin", "--dim", "hidden_size=136", "--dtype", "bf16");
    await command("quantize", model, "--weights", "twin", "--out", "packed");
    await command("check", model, "--config", "packed/config.json", "--weights", await listing("packed"));
    await expectSameLogits(model, "packed");
    const run = ["run", model, "--weights", "packed", "--ids", "3,17,40", "--max-tokens", "12"];
    const text = await command(...run);
    expect(text.trim().split(" ")).toHaveLength(12);
    expect(await command(...run, "--backend", "wasm")).toBe(text);
  });
});
