import { describe, expect, test } from "vitest";
import { parseSafetensorsIndex, type SafetensorsIndex } from "./safetensors-index.ts";
import { WeightsError } from "./weights-error.ts";

const parse = (text: string): SafetensorsIndex => parseSafetensorsIndex(new TextEncoder().encode(text), "i.json");

function fault(text: string): WeightsError {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof WeightsError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("a good index", () => {
  test("map, shards in order of mention, stated size", () => {
    const index = parse(
      ' {"metadata":{"total_size":7,"x":[]},"other":{},"weight_map":{"a":"2.safetensors","__proto__":"1.safetensors","c":"2.safetensors"}} ',
    );
    expect(index.totalSize).toBe(7);
    expect(index.shards).toEqual(["2.safetensors", "1.safetensors"]);
    expect([...index.weightMap]).toEqual([
      ["a", "2.safetensors"],
      ["__proto__", "1.safetensors"],
      ["c", "2.safetensors"],
    ]);
  });

  test.each(['{"total_size":"7"}', '{"total_size":1e999}', "{}"])("no stated size: %s", (metadata) => {
    expect(parse(`{"metadata":${metadata},"weight_map":{}}`).totalSize).toBeNull();
  });

  test("neither metadata nor tensors", () => {
    expect(parse('{"weight_map":{}}')).toEqual({ totalSize: null, weightMap: new Map(), shards: [] });
  });
});

describe("a malformed index is refused where it is wrong", () => {
  const file = (name: string): string => `{"weight_map":{"a":^${JSON.stringify(name)}}}`;
  test.each([
    ["an array", "bad-index", null, "^[]"],
    ["nothing", "bad-index", null, "^"],
    ["no map", "bad-index", null, '^{"metadata":{}}'],
    ["a map that is an array", "bad-index", null, '{"weight_map":^[]}'],
    ["metadata null", "bad-index", null, '{"metadata":^null}'],
    ["a file name that is none", "bad-index", "a", '{"weight_map":{"a":^1}}'],
    ["a tensor twice", "duplicate-name", "a", '{"weight_map":{"a":"1.safetensors",^"a":"1.safetensors"}}'],
    ["the map twice", "duplicate-name", null, '{"weight_map":{},^"weight_map":{}}'],
    ["metadata twice", "duplicate-name", null, '{"metadata":{},^"metadata":{}}'],
    ["cut short", "bad-json", "a", '{"weight_map":{"a":"1.safet^'],
    ["more behind it", "bad-json", null, '{"weight_map":{}}^]'],
    ["nested beyond reason", "nested-too-deeply", null, `{"x":${"[".repeat(65)}^${"[".repeat(9)}`],
    ["a folder up", "bad-file-name", "a", file("../x.safetensors")],
    ["a folder", "bad-file-name", "a", file("x/y.safetensors")],
    ["from the root", "bad-file-name", "a", file("/x.safetensors")],
    ["a folder of another system", "bad-file-name", "a", file("x\\y.safetensors")],
    ["a drive", "bad-file-name", "a", file("c:x.safetensors")],
    ["a zero byte", "bad-file-name", "a", file("x\0.safetensors")],
    ["hidden", "bad-file-name", "a", file(".safetensors")],
    ["empty", "bad-file-name", "a", file("")],
    ["a pickle", "bad-file-name", "a", file("pytorch_model.bin")],
    ["too long", "bad-file-name", "a", file(`${"x".repeat(250)}.safetensors`)],
  ])("%s: %s", (_name, code, tensor, marked) => {
    const mark = marked.indexOf("^");
    const error = fault(marked.slice(0, mark) + marked.slice(mark + 1));
    expect(error).toMatchObject({ code, tensor, byte: mark, file: "i.json" });
  });

  test("bytes that are no UTF-8", () => {
    expect(() => parseSafetensorsIndex(Uint8Array.of(0x7b, 0x80), "i.json")).toThrow(
      expect.objectContaining({ code: "bad-utf8", byte: 1 }),
    );
  });
});
