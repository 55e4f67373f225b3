import { describe, expect, test } from "vitest";
import { type TensorData, writeSafetensors } from "../formats/write-safetensors.ts";
import { type ByteSource, blobSource, memorySource } from "./byte-source.ts";
import { type OpenShard, openSafetensors, openShardedSafetensors } from "./open-safetensors.ts";

const bytesOf = (array: ArrayBufferView): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

const tensor = (
  name: string,
  dtype: TensorData["dtype"],
  shape: readonly number[],
  data: ArrayBufferView,
): TensorData => ({
  name,
  dtype,
  shape,
  data: () => [bytesOf(data)],
});

async function file(...tensors: readonly TensorData[]): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeSafetensors(tensors)) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}

interface Watched extends ByteSource {
  readonly reads: (readonly [offset: number, length: number])[];
  closed: number;
}

/** A source that remembers what was done with it. */
function watched(name: string, bytes: Uint8Array): Watched {
  const source = memorySource(name, bytes);
  const self: Watched = {
    ...source,
    reads: [],
    closed: 0,
    read: async (offset, length) => {
      self.reads.push([offset, length]);
      return source.read(offset, length);
    },
    close: async () => {
      self.closed += 1;
    },
  };
  return self;
}

const floats = Float32Array.from({ length: 12 }, (_, i) => i / 3);
const integers = BigInt64Array.of(-1n, 2n ** 53n);
const sample = (): Promise<Uint8Array> =>
  file(
    tensor("f", "F32", [4, 3], floats),
    tensor("i", "I64", [2], integers),
    tensor("e8", "F8_E4M3", [2, 2], Uint8Array.of(0x38, 0x7e, 0xff, 0x01)),
    tensor("s", "F8_E8M0", [1], Uint8Array.of(128)),
    tensor("b", "BOOL", [3], Uint8Array.of(0, 1, 3)),
    tensor("c", "C64", [1], Float32Array.of(1, 2)),
    tensor("fp4", "F4", [3, 1, 2], Uint8Array.of(0x21, 0x43, 0x65)),
    tensor("odd", "F4", [2, 3], Uint8Array.of(0x21, 0x43, 0x65)),
    tensor("scalar", "BF16", [], Uint16Array.of(0x3f80)),
    tensor("none", "F32", [3, 0, 2], new Uint8Array(0)),
  );

const opened = async (options = {}): ReturnType<typeof openSafetensors> =>
  openSafetensors(memorySource("m.safetensors", await sample()), options);

describe("one file", () => {
  test("says what is in it", async () => {
    const weights = await opened();
    expect(weights.tensor("f")).toEqual({ name: "f", dtype: "F32", shape: [4, 3], file: "m.safetensors", bytes: 48 });
    expect(weights.tensors.size).toBe(10);
    expect(weights.unlisted).toEqual([]);
    expect(weights.statedSize).toBeNull();
    expect(() => weights.tensor("g")).toThrow(expect.objectContaining({ code: "unknown-tensor", tensor: "g" }));
    await expect(weights.read("toString")).rejects.toMatchObject({ code: "unknown-tensor", file: "m.safetensors" });
  });

  test("gives numbers, as doubles or floats", async () => {
    const weights = await opened();
    expect(await weights.read("f")).toEqual(Float64Array.from(floats));
    const into = new Float32Array(12);
    await weights.readInto("f", into);
    expect(into).toEqual(floats);
    expect([...(await weights.read("e8"))]).toEqual([1, 448, Number.NaN, 2 ** -9]);
    expect([...(await weights.read("s"))]).toEqual([2]);
    expect([...(await weights.read("scalar"))]).toEqual([1]);
    expect([...(await weights.read("none"))]).toEqual([]);
  });

  test("gives exact 64-bit integers when asked, and refuses to round them", async () => {
    const weights = await opened();
    const into = new BigInt64Array(2);
    await weights.readInto("i", into);
    expect(into).toEqual(integers);
    // It is the first of 88 bytes of data, being the widest.
    const begin = (await sample()).length - 88;
    await expect(weights.read("i")).rejects.toMatchObject({ code: "not-exact", tensor: "i", byte: begin + 8 });
    expect([...(await weights.read("i", { rows: { start: 0, end: 1 } }))]).toEqual([-1]);
    await expect(weights.readInto("f", new BigInt64Array(12))).rejects.toMatchObject({ code: "bad-destination" });
  });

  test("gives bytes of every type", async () => {
    const weights = await opened();
    expect(await weights.readBytes("c")).toEqual(bytesOf(Float32Array.of(1, 2)));
    const into = new Uint8Array(4);
    await weights.readInto("e8", into, {});
    expect([...into]).toEqual([0x38, 0x7e, 0xff, 0x01]);
    await expect(weights.read("c")).rejects.toMatchObject({ code: "not-decodable", tensor: "c" });
  });

  test("gives rows", async () => {
    const weights = await opened();
    expect(await weights.read("f", { rows: { start: 1, end: 3 } })).toEqual(Float64Array.from(floats.subarray(3, 9)));
    expect(await weights.readBytes("f", { rows: { start: 3, end: 4 } })).toEqual(bytesOf(floats.slice(9)));
    expect([...(await weights.read("f", { rows: { start: 2, end: 2 } }))]).toEqual([]);
    expect([...(await weights.read("fp4", { rows: { start: 1, end: 3 } }))]).toEqual([1.5, 2, 3, 4]);
    expect([...(await weights.read("none", { rows: { start: 1, end: 3 } }))]).toEqual([]);
  });

  test.each([
    ["f", 0, 5],
    ["f", -1, 2],
    ["f", 3, 2],
    ["f", 0.5, 2],
    ["scalar", 0, 1],
    ["odd", 0, 1],
    ["odd", 1, 2],
  ])("refuses rows that it has not: %s %d to %d", async (name, start, end) => {
    const weights = await opened();
    await expect(weights.read(name, { rows: { start, end } })).rejects.toMatchObject({
      code: "bad-rows",
      tensor: name,
    });
  });

  test("refuses rows that begin inside a byte, though they fill whole ones", async () => {
    const nibbles = await file(tensor("a", "F4", [4, 1], Uint8Array.of(0x21, 0x43)));
    const weights = await openSafetensors(memorySource("m", nibbles));
    expect([...(await weights.read("a", { rows: { start: 2, end: 4 } }))]).toEqual([1.5, 2]);
    await expect(weights.read("a", { rows: { start: 1, end: 3 } })).rejects.toMatchObject({ code: "bad-rows" });
  });

  test("refuses a destination of another length", async () => {
    const weights = await opened();
    await expect(weights.readInto("f", new Float64Array(13))).rejects.toMatchObject({ code: "bad-destination" });
    await expect(weights.readInto("f", new Uint8Array(12))).rejects.toMatchObject({ code: "bad-destination" });
    await expect(weights.readInto("c", new Float64Array(1))).rejects.toMatchObject({ code: "not-decodable" });
  });

  test("shows the byte of a boolean that is none", async () => {
    const bytes = await sample();
    const weights = await opened();
    await expect(weights.read("b")).rejects.toMatchObject({ code: "bad-boolean", byte: bytes.lastIndexOf(3) });
    await expect(weights.read("b", { rows: { start: 0, end: 2 } })).resolves.toEqual(Float64Array.of(0, 1));
  });

  test("of a Blob", async () => {
    const weights = await openSafetensors(blobSource("b", new Blob([new Uint8Array(await sample()).buffer])));
    expect(await weights.read("f")).toEqual(Float64Array.from(floats));
  });
});

describe("streaming", () => {
  const large = Float32Array.from({ length: 700_000 }, (_, i) => i);

  test("opening reads the header only, reading the tensor in pieces of 1 MiB", async () => {
    const bytes = await file(tensor("a", "F32", [700_000], large));
    const source = watched("m", bytes);
    const weights = await openSafetensors(source);
    const start = bytes.length - 2_800_000;
    expect(source.reads).toEqual([
      [0, 8],
      [8, start - 8],
    ]);
    // Not `toEqual`: to print how 700,000 numbers differ takes minutes.
    expect((await weights.read("a")).every((value, i) => value === large[i])).toBe(true);
    const mebibyte = 1_048_576;
    expect(source.reads.slice(2)).toEqual([
      [start, mebibyte],
      [start + mebibyte, mebibyte],
      [start + 2 * mebibyte, 2_800_000 - 2 * mebibyte],
    ]);
  });

  test.each([8, 16, 40, 64])("the answer does not depend on the size of the pieces: %d", async (pieceBytes) => {
    const weights = await opened({ pieceBytes });
    const whole = await opened();
    for (const name of ["f", "e8", "s", "fp4", "odd", "scalar", "none"])
      expect(await weights.read(name)).toEqual(await whole.read(name));
    for (const name of whole.tensors.keys()) expect(await weights.readBytes(name)).toEqual(await whole.readBytes(name));
    const into = new BigInt64Array(2);
    await weights.readInto("i", into);
    expect(into).toEqual(integers);
    const byte = (await sample()).length - 88 + 8;
    await expect(weights.read("i")).rejects.toMatchObject({ code: "not-exact", byte });
    const lengths: number[] = [];
    for await (const piece of weights.pieces("f")) lengths.push(piece.length);
    expect(lengths.every((length) => length <= pieceBytes)).toBe(true);
    expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(48);
  });

  test.each([0, 4, 12, 1.5, Number.NaN])("refuses pieces of %d bytes, and closes", async (pieceBytes) => {
    const source = watched("m", await sample());
    await expect(openSafetensors(source, { pieceBytes })).rejects.toBeInstanceOf(RangeError);
    expect(source.closed).toBe(1);
  });

  test("a file that shrank is a short read at the byte where it ends now", async () => {
    const bytes = await file(tensor("a", "F32", [6], new Float32Array(6)));
    const source = { ...memorySource("m", bytes.subarray(0, bytes.length - 5)), size: bytes.length };
    const weights = await openSafetensors(source, { pieceBytes: 8 });
    const error = { code: "short-read", file: "m", tensor: "a", byte: bytes.length - 5 };
    await expect(weights.read("a")).rejects.toMatchObject(error);
  });

  test("a source that sends too much is not believed either", async () => {
    const bytes = await sample();
    const source = memorySource("m", bytes);
    const generous: ByteSource = { ...source, read: (offset, length) => source.read(offset, length + 1) };
    await expect(openSafetensors(generous)).rejects.toMatchObject({ code: "short-read", byte: 8 });
  });

  test("an error of the source gets file, tensor and byte, and stays as the cause", async () => {
    const bytes = await sample();
    const cause = new Error("EIO");
    const source = watched("m", bytes);
    const weights = await openSafetensors({
      ...source,
      read: async (offset, length) => {
        if (length === 48) throw cause;
        return source.read(offset, length);
      },
    });
    await expect(weights.read("f")).rejects.toMatchObject({ code: "read-failed", file: "m", tensor: "f", cause });
  });

  test("closing ends reading", async () => {
    const source = watched("m", await sample());
    const weights = await openSafetensors(source, { pieceBytes: 8 });
    const pieces = weights.pieces("f");
    await pieces.next();
    await weights.close();
    expect(source.closed).toBe(1);
    await expect(pieces.next()).rejects.toMatchObject({ code: "closed", tensor: "f" });
    await expect(weights.read("f")).rejects.toMatchObject({ code: "closed" });
  });
});

describe("aborting", () => {
  test("before opening, while opening, while reading", async () => {
    const bytes = await sample();
    const reason = new Error("enough");
    const before = watched("m", bytes);
    await expect(openSafetensors(before, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect([before.reads.length, before.closed]).toEqual([0, 1]);

    const controller = new AbortController();
    const during = watched("m", bytes);
    const aborting: ByteSource = {
      ...during,
      read: async (offset, length) => {
        if (during.reads.length === 1) controller.abort(reason);
        return during.read(offset, length);
      },
      close: during.close,
    };
    await expect(openSafetensors(aborting, { signal: controller.signal })).rejects.toBe(reason);
    expect(during.closed).toBe(1);

    const reading = new AbortController();
    const weights = await opened({ pieceBytes: 8 });
    const pieces = weights.pieces("f", { signal: reading.signal });
    await pieces.next();
    reading.abort(reason);
    await expect(pieces.next()).rejects.toBe(reason);
    await expect(weights.read("f", { signal: reading.signal })).rejects.toBe(reason);
    expect((await weights.read("f")).length).toBe(12);
  });
});

describe("shards", () => {
  const one = (): Promise<Uint8Array> =>
    file(tensor("a", "U8", [1], Uint8Array.of(1)), tensor("b", "U8", [1], Uint8Array.of(2)));
  const two = (): Promise<Uint8Array> => file(tensor("c", "U8", [1], Uint8Array.of(3)));
  const [first, second] = ["m-1.safetensors", "m-2.safetensors"];

  interface Folder {
    readonly index: Watched;
    readonly shards: Map<string, Watched>;
    readonly open: OpenShard;
  }

  async function folder(weightMap: Readonly<Record<string, string>> | string): Promise<Folder> {
    const text =
      typeof weightMap === "string"
        ? weightMap
        : JSON.stringify({ metadata: { total_size: 3 }, weight_map: weightMap });
    const shards = new Map([
      [first, watched(first, await one())],
      [second, watched(second, await two())],
    ]);
    return {
      index: watched("m.index.json", new TextEncoder().encode(text)),
      shards,
      open: async (name) => shards.get(name) ?? null,
    };
  }

  const right = { a: first, b: first, c: second };

  test("are read where the index says", async () => {
    const { index, open, shards } = await folder(right);
    const weights = await openShardedSafetensors(index, open);
    expect([...weights.tensors.keys()]).toEqual(["a", "b", "c"]);
    expect(weights.tensor("c").file).toBe(second);
    expect([...(await weights.read("c")), ...(await weights.read("b"))]).toEqual([3, 2]);
    expect(weights.statedSize).toBe(3);
    expect([...weights.metadata.keys()]).toEqual([first, second]);
    expect(index.closed).toBe(1);
    await weights.close();
    expect([...shards.values()].map(({ closed }) => closed)).toEqual([1, 1]);
  });

  test("may hold more than the index lists: that is reported and not read", async () => {
    const { index, open } = await folder({ a: first, c: second });
    const weights = await openShardedSafetensors(index, open);
    expect(weights.unlisted).toEqual([{ name: "b", dtype: "U8", shape: [1], file: first, bytes: 1 }]);
    await expect(weights.read("b")).rejects.toMatchObject({ code: "unknown-tensor" });
  });

  test("none at all", async () => {
    const { index, open } = await folder({});
    expect((await openShardedSafetensors(index, open)).tensors.size).toBe(0);
  });

  test.each([
    ["a shard that is missing", { ...right, d: "m-3.safetensors" }, "missing-shard", "d"],
    ["a tensor in none", { ...right, d: second }, "missing-tensor", "d"],
    ["a tensor in another shard", { ...right, c: first, d: second }, "wrong-shard", "c"],
  ])("%s", async (_name, weightMap, code, tensorName) => {
    const { index, open, shards } = await folder(weightMap);
    await expect(openShardedSafetensors(index, open)).rejects.toMatchObject({
      code,
      tensor: tensorName,
      file: "m.index.json",
    });
    expect([...shards.values()].map(({ closed }) => closed)).toEqual([1, 1]);
    expect(index.closed).toBe(1);
  });

  test("a tensor in two shards", async () => {
    const { index, open, shards } = await folder(right);
    const again = await file(tensor("a", "U8", [1], Uint8Array.of(1)), tensor("c", "U8", [1], Uint8Array.of(3)));
    shards.set(second, watched(second, again));
    const error = { code: "duplicate-tensor", tensor: "a", file: second, byte: again.length - 2 };
    await expect(openShardedSafetensors(index, open)).rejects.toMatchObject(error);
  });

  test("a mistake in one shard closes all, and is that of the first shard that has one", async () => {
    const { index, open, shards } = await folder(right);
    shards.set(second, watched(second, (await two()).subarray(0, 20)));
    await expect(openShardedSafetensors(index, open)).rejects.toMatchObject({ code: "header-past-end", file: second });
    expect([...shards.values()].map(({ closed }) => closed)).toEqual([1, 1]);
    shards.set(first, watched(first, new Uint8Array(3)));
    await expect(openShardedSafetensors((await folder(right)).index, open)).rejects.toMatchObject({
      code: "file-too-small",
      file: first,
    });
  });

  test("a mistake in the index opens no shard", async () => {
    const { index } = await folder('{"weight_map":{"a":"../a.safetensors"}}');
    const open: OpenShard = () => Promise.reject(new Error("opened"));
    await expect(openShardedSafetensors(index, open)).rejects.toMatchObject({ code: "bad-file-name", tensor: "a" });
    expect(index.closed).toBe(1);
  });

  test("an index beyond reason is not read", async () => {
    const index: Watched = { ...watched("i", new Uint8Array(0)), size: 100_000_001 };
    await expect(openShardedSafetensors(index, async () => null)).rejects.toMatchObject({ code: "index-too-large" });
    expect(index.reads).toEqual([]);
  });
});
