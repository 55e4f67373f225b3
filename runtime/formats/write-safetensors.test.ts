import { describe, expect, test } from "vitest";
import { parseSafetensorsHeader, readHeaderLength } from "./safetensors-header.ts";
import { layOutSafetensors, type SafetensorsOptions, type TensorData, writeSafetensors } from "./write-safetensors.ts";

async function written(tensors: readonly TensorData[], options: SafetensorsOptions = {}): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeSafetensors(tensors, options)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const whole = (array: ArrayBufferView) => (): Iterable<Uint8Array> => [
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength),
];
const none = (): Iterable<Uint8Array> => [];

/** What `safetensors` 0.8.0 (`safetensors.numpy.save`) writes for the tensors below. */
const reference =
  "sAEAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJmb3JtYXQiOiJucCJ9LCJhIjp7ImR0eXBlIjoiSTY0Iiwic2hhcGUiOlsxLDJdLCJkYXRhX29mZnNldHMiOlswLDE2XX0sImFhIjp7ImR0eXBlIjoiRjMyIiwic2hhcGUiOlswLDRdLCJkYXRhX29mZnNldHMiOlsxNiwxNl19LCJiIjp7ImR0eXBlIjoiRjMyIiwic2hhcGUiOlszXSwiZGF0YV9vZmZzZXRzIjpbMTYsMjhdfSwiaCI6eyJkdHlwZSI6IkYxNiIsInNoYXBlIjpbXSwiZGF0YV9vZmZzZXRzIjpbMjgsMzBdfSwi76yBIjp7ImR0eXBlIjoiVTgiLCJzaGFwZSI6WzFdLCJkYXRhX29mZnNldHMiOlszMCwzMV19LCLwn5iAIjp7ImR0eXBlIjoiVTgiLCJzaGFwZSI6WzFdLCJkYXRhX29mZnNldHMiOlszMSwzMl19LCJ6w6lcIiI6eyJkdHlwZSI6IkJPT0wiLCJzaGFwZSI6WzJdLCJkYXRhX29mZnNldHMiOlszMiwzNF19fSAgICABAAAAAAAAAAIAAAAAAAAAAAAAAAAAgD8AAABAAD4IBwEA";

describe("a file is written", () => {
  test("byte for byte as the reference implementation does", async () => {
    const tensors: readonly TensorData[] = [
      { name: "b", dtype: "F32", shape: [3], data: whole(Float32Array.of(0, 1, 2)) },
      { name: "a", dtype: "I64", shape: [1, 2], data: whole(BigInt64Array.of(1n, 2n)) },
      { name: 'zé"', dtype: "BOOL", shape: [2], data: whole(Uint8Array.of(1, 0)) },
      { name: "h", dtype: "F16", shape: [], data: whole(Uint16Array.of(0x3e00)) },
      { name: "aa", dtype: "F32", shape: [0, 4], data: none },
      { name: "😀", dtype: "U8", shape: [1], data: whole(Uint8Array.of(7)) },
      { name: "ﬁ", dtype: "U8", shape: [1], data: whole(Uint8Array.of(8)) },
    ];
    const bytes = await written(tensors, { metadata: new Map([["format", "np"]]) });
    expect(Buffer.from(bytes).toString("base64")).toBe(reference);
    expect(layOutSafetensors(tensors, { metadata: new Map([["format", "np"]]) }).fileSize).toBe(bytes.length);
  });

  test("and read back, data aligned to its width", async () => {
    const names = ["__proto__", "", "a\u0001", "\uFEFFa", "a"];
    const tensors = names.map(
      (name, i): TensorData => ({ name, dtype: "U8", shape: [i], data: whole(new Uint8Array(i)) }),
    );
    const bytes = await written([{ name: "x", dtype: "F64", shape: [1], data: whole(Float64Array.of(1)) }, ...tensors]);
    const facts = { file: "a", fileSize: bytes.length };
    const length = readHeaderLength(bytes.subarray(0, 8), facts);
    const header = parseSafetensorsHeader(bytes.subarray(8, 8 + length), facts);
    expect([...header.tensors.keys()].sort()).toEqual([...names, "x"].sort());
    expect((header.tensors.get("x")?.begin ?? 1) % 8).toBe(0);
  });

  test("in the chunks in which its data comes, none asked for before its turn", async () => {
    const asked: string[] = [];
    const slow = (name: string) =>
      async function* (): AsyncGenerator<Uint8Array> {
        asked.push(name);
        yield Uint8Array.of(1);
        yield Uint8Array.of(2, 3);
      };
    const chunks = writeSafetensors([
      { name: "b", dtype: "U8", shape: [3], data: slow("b") },
      { name: "a", dtype: "U8", shape: [3], data: slow("a") },
    ]);
    await chunks.next();
    expect(asked).toEqual([]);
    expect((await chunks.next()).value).toEqual(Uint8Array.of(1));
    expect(asked).toEqual(["a"]);
  });
});

describe("what nobody could read is not written", () => {
  const tensor: TensorData = { name: "a", dtype: "F4", shape: [2], data: none };
  test.each([
    ["a name twice", "duplicate-name", [tensor, tensor]],
    ["the name of the metadata", "bad-header", [{ ...tensor, name: "__metadata__" }]],
    ["half a surrogate pair", "bad-header", [{ ...tensor, name: "\ud800" }]],
    ["a fraction of a row", "bad-shape", [{ ...tensor, shape: [1.5] }]],
    ["a negative axis", "bad-shape", [{ ...tensor, shape: [-1] }]],
    ["half a byte", "misaligned", [{ ...tensor, shape: [1] }]],
    ["too many elements", "size-overflow", [{ ...tensor, shape: [2 ** 52, 4] }]],
    ["too little data", "size-mismatch", [tensor]],
    ["too much data", "size-mismatch", [{ ...tensor, data: whole(new Uint8Array(2)) }]],
  ])("%s", async (_name, code, tensors) => {
    await expect(written(tensors)).rejects.toMatchObject({ code, file: "model.safetensors" });
  });

  test("metadata with half a surrogate pair", async () => {
    await expect(written([], { metadata: new Map([["a", "\udc00"]]) })).rejects.toMatchObject({ code: "bad-metadata" });
  });
});
