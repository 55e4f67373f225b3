import { describe, expect, test } from "vitest";
import { compareAlignment, decodeBigInts, dtypes, findDtype } from "./dtypes.ts";

/** Decodes from an odd offset of a larger buffer, to an odd place of a larger array. */
function decoded(name: string, bytes: Uint8Array | readonly number[]): readonly number[] {
  const shifted = new Uint8Array(bytes.length + 3);
  shifted.set(bytes, 1);
  const dtype = findDtype(name);
  const decode = dtype?.decode ?? null;
  if (dtype === null || decode === null) throw new Error(`${name} has no numbers`);
  const count = (bytes.length * 8) / dtype.bits;
  const into = new Float64Array(count + 2).fill(-99);
  expect(decode(shifted.subarray(1, 1 + bytes.length), into, 1)).toBe(-1);
  expect([into[0], into[count + 1]]).toEqual([-99, -99]);
  return [...into.subarray(1, count + 1)];
}

const bytesOf = (array: ArrayBufferView): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
const allBytes = Uint8Array.from({ length: 256 }, (_, i) => i);

describe("decoding", () => {
  test("integers", () => {
    expect(decoded("U8", allBytes)).toEqual([...allBytes]);
    expect(decoded("I8", allBytes)).toEqual([...new Int8Array(allBytes)]);
    expect(decoded("I16", [0xff, 0x7f, 0x00, 0x80, 0xff, 0xff])).toEqual([32767, -32768, -1]);
    expect(decoded("U16", [0xff, 0x7f, 0x00, 0x80])).toEqual([32767, 32768]);
    expect(decoded("I32", bytesOf(Int32Array.of(1, -(2 ** 31), 2 ** 31 - 1)))).toEqual([1, -(2 ** 31), 2 ** 31 - 1]);
    expect(decoded("U32", bytesOf(Uint32Array.of(2 ** 32 - 1)))).toEqual([2 ** 32 - 1]);
    const most = BigInt(Number.MAX_SAFE_INTEGER);
    expect(decoded("I64", bytesOf(BigInt64Array.of(most, -most, -5n)))).toEqual([
      Number.MAX_SAFE_INTEGER,
      -Number.MAX_SAFE_INTEGER,
      -5,
    ]);
    expect(decoded("U64", bytesOf(BigUint64Array.of(most)))).toEqual([Number.MAX_SAFE_INTEGER]);
    expect(decoded("BOOL", [0, 1, 1])).toEqual([0, 1, 1]);
  });

  test("floats", () => {
    const doubles = [0, -0, 1.1, Number.NaN, Number.POSITIVE_INFINITY, 5e-324, -1e308];
    expect(decoded("F64", bytesOf(Float64Array.from(doubles)))).toEqual(doubles);
    expect(decoded("F32", bytesOf(Float32Array.from(doubles)))).toEqual(doubles.map(Math.fround));
    expect(decoded("F16", [0x00, 0x3c, 0x01, 0x00, 0x00, 0xfc])).toEqual([1, 2 ** -24, Number.NEGATIVE_INFINITY]);
    expect(decoded("BF16", [0x80, 0x3f, 0x01, 0x80])).toEqual([1, -(2 ** -133)]);
    expect(decoded("F8_E4M3", [0x38, 0x7e, 0x81, 0x7f])).toEqual([1, 448, -(2 ** -9), Number.NaN]);
    expect(decoded("F8_E5M2", [0x3c, 0x7b, 0xfc])).toEqual([1, 57344, Number.NEGATIVE_INFINITY]);
    expect(decoded("F8_E8M0", [127, 0, 254, 255])).toEqual([1, 2 ** -127, 2 ** 127, Number.NaN]);
    expect(decoded("F4", [0x10, 0xf3, 0x78])).toEqual([0, 0.5, 1.5, -6, 0, 6]);
  });

  test("what a double does not hold is shown by its index", () => {
    const into = new Float64Array(3);
    const decodeAs = (name: string, bytes: Uint8Array): number | undefined => findDtype(name)?.decode?.(bytes, into, 0);
    expect(decodeAs("I64", bytesOf(BigInt64Array.of(1n, 2n ** 53n)))).toBe(1);
    expect(decodeAs("I64", bytesOf(BigInt64Array.of(-(2n ** 63n))))).toBe(0);
    expect(decodeAs("U64", bytesOf(BigUint64Array.of(1n, 2n, 2n ** 64n - 1n)))).toBe(2);
    expect(decodeAs("BOOL", Uint8Array.of(1, 2))).toBe(1);
  });

  test("64-bit integers come exactly as big ones", () => {
    const values = [-(2n ** 63n), 2n ** 63n - 1n, 0n];
    const into = new BigInt64Array(4);
    const shifted = new Uint8Array(25);
    shifted.set(bytesOf(BigInt64Array.from(values)), 1);
    decodeBigInts(shifted.subarray(1), into, 1);
    expect([...into]).toEqual([0n, ...values]);
  });
});

describe("the table", () => {
  test("names are unique and exact", () => {
    expect(new Set(dtypes.map(({ name }) => name)).size).toBe(22);
    expect(findDtype("f32")).toBeNull();
    expect(findDtype("__proto__")).toBeNull();
    expect(findDtype("F8_E4M3")?.bits).toBe(8);
  });

  test("without numbers: complex, 6-bit and the two fnuz formats", () => {
    expect(dtypes.filter(({ decode }) => decode === null).map(({ name }) => name)).toEqual([
      "F6_E2M3",
      "F6_E3M2",
      "F8_E4M3FNUZ",
      "F8_E5M2FNUZ",
      "C64",
    ]);
  });

  test("alignment rises with the width", () => {
    expect(compareAlignment("F32", "BF16")).toBeGreaterThan(0);
    expect(compareAlignment("I8", "I64")).toBeLessThan(0);
    expect(compareAlignment("F32", "F32")).toBe(0);
  });
});
