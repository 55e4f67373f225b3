import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { writeSafetensors } from "../formats/write-safetensors.ts";
import { extraFile } from "../weights/extra-tensors.ts";
import { openFileSource } from "./file-source.ts";
import { openWeights } from "./open-weights.ts";

async function file(name: string, value: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const data = () => [Uint8Array.of(value, value)];
  for await (const chunk of writeSafetensors([{ name, dtype: "U8", shape: [2], data }])) chunks.push(chunk);
  return Buffer.concat(chunks);
}

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dsc-weights-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function put(name: string, bytes: Uint8Array | string = ""): Promise<string> {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
  return path;
}

const shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"] as const;
async function putShards(): Promise<string> {
  await put(shards[0], await file("a", 1));
  await put(shards[1], await file("b", 2));
  return put("model.safetensors.index.json", JSON.stringify({ weight_map: { a: shards[0], b: shards[1] } }));
}

describe("weights are found", () => {
  test("as a file", async () => {
    const weights = await openWeights(await put("x.safetensors", await file("a", 7)));
    expect([...(await weights.read("a"))]).toEqual([7, 7]);
    expect(weights.tensor("a").file).toBe("x.safetensors");
    await weights.close();
    await weights.close();
  });

  test("as an index, and as its folder", async () => {
    const index = await putShards();
    for (const path of [index, folder]) {
      const weights = await openWeights(path);
      expect([...(await weights.read("a")), ...(await weights.read("b"))]).toEqual([1, 1, 2, 2]);
      await weights.close();
    }
  });

  test.each([["model.safetensors"], ["other.safetensors"]])("as a folder with %s", async (name) => {
    await put(name, await file("a", 7));
    await put("config.json", "{}");
    await put("pytorch_model.bin");
    const weights = await openWeights(folder);
    expect([...(await weights.read("a"))]).toEqual([7, 7]);
    await weights.close();
  });

  test("by the usual name among others", async () => {
    await put("model.safetensors", await file("a", 7));
    await put("model.fp16.safetensors", await file("a", 8));
    const weights = await openWeights(folder);
    expect([...(await weights.read("a"))]).toEqual([7, 7]);
    await weights.close();
  });

  test("with the tensors beside them, whatever the weights are called by", async () => {
    const index = await putShards();
    await put(extraFile, await file("map", 9));
    for (const path of [index, folder]) {
      const weights = await openWeights(path);
      expect([...weights.tensors.keys()]).toEqual(["a", "b", "map"]);
      expect([...(await weights.read("map")), ...(await weights.read("b"))]).toEqual([9, 9, 2, 2]);
      expect(weights.tensor("map").file).toBe(extraFile);
      await weights.close();
      await expect(weights.read("map")).rejects.toMatchObject({ code: "closed" });
      await expect(weights.read("a")).rejects.toMatchObject({ code: "closed" });
    }
  });

  test("beside a file of any name, which stays the only one", async () => {
    await put("other.safetensors", await file("a", 7));
    await put(extraFile, await file("map", 9));
    const weights = await openWeights(folder);
    expect([...(await weights.read("a")), ...(await weights.read("map"))]).toEqual([7, 7, 9, 9]);
    await weights.close();
  });

  test("through links, as download caches have them", async () => {
    await symlink(await put("blobs/0a1b", await file("a", 7)), join(folder, "model.safetensors"));
    const weights = await openWeights(folder);
    expect([...(await weights.read("a"))]).toEqual([7, 7]);
    await weights.close();
  });
});

describe("what is not weights is refused", () => {
  test("a tensor that is beside the weights and in them", async () => {
    await put("model.safetensors", await file("a", 7));
    await put(extraFile, await file("a", 9));
    await expect(openWeights(folder)).rejects.toMatchObject({ code: "duplicate-tensor", file: extraFile, tensor: "a" });
  });

  test("what is beside weights, alone", async () => {
    await put(extraFile, await file("a", 9));
    await expect(openWeights(folder)).rejects.toMatchObject({ code: "not-found" });
  });

  test.each<[string, readonly string[], string]>([
    ["nothing", [], "not-found"],
    ["other files", ["config.json"], "not-found"],
    ["one file and one index", ["model.safetensors", "model.safetensors.index.json"], "ambiguous"],
    ["two files", ["a.safetensors", "b.safetensors"], "ambiguous"],
    ["shards without an index", [...shards], "missing-index"],
    ["pickles", ["pytorch_model-00001-of-00002.bin"], "pickle"],
  ])("a folder with %s", async (_name, names, code) => {
    for (const name of names) await put(name);
    const error = await openWeights(folder).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code });
    expect(String(error)).not.toContain(tmpdir());
  });

  test.each([
    ["x.bin", "pickle"],
    ["x.PT", "pickle"],
    ["x.pth", "pickle"],
    ["x.gguf", "unknown-format"],
    ["config.json", "unknown-format"],
    ["empty.safetensors", "file-too-small"],
  ])("a file %s: %s", async (name, code) => {
    await expect(openWeights(await put(name))).rejects.toMatchObject({ code, file: name });
  });

  test("a path to nothing, below a file, and an aborted signal", async () => {
    await expect(openWeights(join(folder, "no"))).rejects.toMatchObject({ code: "not-found", file: "no" });
    const below = join(await put("x.safetensors"), "y.safetensors");
    await expect(openWeights(below)).rejects.toMatchObject({ code: "not-found" });
    await expect(openWeights(folder, { signal: AbortSignal.abort("enough") })).rejects.toBe("enough");
  });

  test("a shard that is missing, and one that is a folder", async () => {
    await putShards();
    await rm(join(folder, shards[1]));
    await expect(openWeights(folder)).rejects.toMatchObject({ code: "missing-shard", tensor: "b" });
    await mkdir(join(folder, shards[1]));
    await expect(openWeights(folder)).rejects.toMatchObject({ code: "read-failed", file: shards[1] });
  });
});

describe("a file as a source", () => {
  test("gives what there is", async () => {
    const source = await openFileSource(await put("x", Uint8Array.of(1, 2, 3)));
    expect([source.name, source.size]).toEqual(["x", 3]);
    expect([...(await source.read(1, 9))]).toEqual([2, 3]);
    await source.close();
  });

  test("that shrinks while it is open", async () => {
    const bytes = await file("a", 7);
    const path = await put("x.safetensors", bytes);
    const weights = await openWeights(path);
    await truncate(path, bytes.length - 1);
    const error = { code: "short-read", tensor: "a", byte: bytes.length - 1 };
    await expect(weights.read("a")).rejects.toMatchObject(error);
    await weights.close();
  });
});
