/** Weights from everywhere: the same model, whatever holds its numbers. */
import { readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { DtypeName } from "../../runtime/formats/dtypes.ts";
import { bf16, encodeFloat, f16, roundFloat } from "../../runtime/formats/float-format.ts";
import { type LoadOptions, loadPackage } from "../../runtime/package/entry.ts";
import {
  type PackageOnDisk,
  safetensors,
  type Tensor,
  tinyTensors,
  tinyWeights,
  writePackage,
} from "./tiny-package.ts";
import { expectedLogits } from "./tiny-program.ts";

let disk: PackageOnDisk;
let server: Server;
let origin = "";
const shardNames = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
const indexName = "model.safetensors.index.json";
const files = new Map<string, Uint8Array<ArrayBuffer>>();

beforeAll(async () => {
  disk = await writePackage();
  files.set("/one/model.safetensors", new Uint8Array(await readFile(join(disk.weights, "model.safetensors"))));
  files.set("/one/generation_config.json", new TextEncoder().encode('{"eos_token_id": 7}'));
  const parts = [tinyTensors.slice(0, 2), tinyTensors.slice(2)];
  const map: Record<string, string> = {};
  for (const [i, part] of parts.entries()) {
    const name = shardNames[i] ?? "";
    files.set(`/two/${name}`, await safetensors(part));
    for (const tensor of part) map[tensor.name] = name;
  }
  files.set(`/two/${indexName}`, new TextEncoder().encode(JSON.stringify({ weight_map: map })));
  server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "", "http://x");
    const bytes = files.get(pathname.replace(/^\/app\//, "/"));
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
    // A site of one page has that for everything that it does not have.
    if (bytes === undefined && pathname.startsWith("/app/"))
      return response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html>");
    if (bytes === undefined) return response.writeHead(404).end();
    if (range === null) return response.writeHead(200).end(bytes);
    const [from, to] = [Number(range[1]), Math.min(Number(range[2]), bytes.length - 1)];
    response.writeHead(206, { "content-range": `bytes ${from}-${to}/${bytes.length}` });
    return response.end(bytes.subarray(from, to + 1));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  origin = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
});
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  await rm(disk.folder, { recursive: true });
});

const tokens = [3, 1, 4, 1, 5];
async function logits(weights: LoadOptions["weights"], options: Partial<LoadOptions> = {}): Promise<Float32Array> {
  const model = await loadPackage(disk.base, { weights, threads: 1, ...options });
  const result = await model.session().forward(tokens);
  model.dispose();
  return result;
}

test.each<[string, () => LoadOptions["weights"]]>([
  ["a folder", () => disk.weights],
  ["a path", () => join(disk.weights, "model.safetensors")],
  ["a file URL", () => pathToFileURL(join(disk.weights, "model.safetensors"))],
  ["a file URL of a folder, as text", () => pathToFileURL(`${disk.weights}/`).href],
  ["a URL", () => new URL("/one/model.safetensors?token=1", origin)],
  ["a URL of a folder", () => `${origin}/one/`],
  ["a URL of a folder with shards", () => new URL("/two/", origin)],
  ["a URL of a folder with shards, of a site of one page", () => new URL("/app/two/", origin)],
  ["a URL of an index", () => `${origin}/two/${indexName}`],
  ["a Blob", () => new Blob([files.get("/one/model.safetensors") ?? ""])],
  ["a File", () => new File([files.get("/one/model.safetensors") ?? ""], "x.safetensors")],
  ["Files", () => [...shardNames, indexName].map((name) => new File([files.get(`/two/${name}`) ?? ""], name))],
])("%s", async (_, weights) => {
  const want = expectedLogits(tinyWeights, tokens).at(-1);
  const got = await logits(weights());
  for (const [v, y] of got.entries()) expect(y).toBeCloseTo(want?.[v] ?? 0, 5);
});

test.each<[string, () => LoadOptions["weights"], string]>([
  ["a URL to nothing", () => `${origin}/no.safetensors`, "not-found"],
  ["a folder without weights", () => `${origin}/no/`, "not-found"],
  ["no files", () => [], "bad-option"],
  ["two files", () => ["a", "b"].map((n) => new File([""], `${n}.safetensors`)), "bad-option"],
  ["a number", () => 5 as unknown as string, "bad-option"],
])("%s is refused", async (_, weights, code) => {
  await expect(logits(weights())).rejects.toMatchObject({ code });
});

test("the package itself from a server", async () => {
  for (const name of ["program.json", "kernels/simd.wasm"])
    files.set(`/package/${name}`, new Uint8Array(await readFile(join(disk.folder, name))));
  const model = await loadPackage(`${origin}/package/`, { weights: disk.weights, threads: 1 });
  expect(await model.session().forward(tokens)).toEqual(await logits(disk.weights));
  model.dispose();
  const nowhere = loadPackage(`${origin}/nowhere/`, { weights: disk.weights });
  await expect(nowhere).rejects.toMatchObject({ code: "cannot-read" });
});

test.each(["", "/app"])("what files beside the weights say of text is found at a URL%s", async (site) => {
  const model = await loadPackage(disk.base, { weights: `${origin}${site}/one/`, threads: 1 });
  expect(await model.tokenizer()).toBeNull();
  const seen: number[] = [];
  const options = { seed: 1, temperature: 9, maxTokens: 40 };
  for await (const { token } of model.session().generate([1], options)) seen.push(token);
  expect(seen.slice(0, -1)).not.toContain(7);
  model.dispose();
});

const halves: Partial<Record<DtypeName, (x: number) => number>> = {
  F16: (x) => roundFloat(f16, x),
  BF16: (x) => roundFloat(bf16, x),
  F64: (x) => x,
};

test.each(["F16", "BF16", "F64"] as const)("numbers stored as %s", async (dtype) => {
  const round = halves[dtype] ?? ((x) => x);
  const stored = tinyTensors.map((t): Tensor => {
    const values = new Float32Array(t.bytes.slice().buffer);
    const bytes =
      dtype === "F64"
        ? new Uint8Array(Float64Array.from(values).buffer)
        : new Uint8Array(Uint16Array.from(values, (x) => encodeFloat(dtype === "F16" ? f16 : bf16, x)).buffer);
    return { ...t, dtype, bytes };
  });
  const file = join(disk.folder, `${dtype}.safetensors`);
  await writeFile(file, await safetensors(stored));
  const rounded = { embed: tinyWeights.embed.map(round), g: tinyWeights.g.map((g) => g.map(round)) };
  const want = expectedLogits(rounded, tokens).at(-1);
  // More digits than f32 has are not dropped unasked.
  const narrow = dtype === "F64";
  if (narrow) await expect(logits(file)).rejects.toThrow("narrow: true");
  for (const [v, y] of (await logits(file, { narrow })).entries()) expect(y).toBeCloseTo(want?.[v] ?? 0, 5);
});
