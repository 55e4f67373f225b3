import { expect, test } from "vitest";
import type { BufferElem } from "../artifact/program.ts";
import type { DtypeName } from "../formats/dtypes.ts";
import { bf16, decodeFloat, encodeFloat, f16 } from "../formats/float-format.ts";
import { conversionOf } from "./convert-weights.ts";

const inf = Number.POSITIVE_INFINITY;
const bytesOf = (
  array: Float32Array | Float64Array | Uint16Array | Int32Array | BigInt64Array | Int8Array,
): Uint8Array => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

function converted(
  dtype: DtypeName,
  elem: BufferElem,
  bytes: Uint8Array,
  into: Uint8Array,
  below = inf,
): number | null {
  return conversionOf(dtype, elem)?.convert(bytes, into, below) ?? null;
}

test("what loses precision says so", () => {
  const loses = (dtype: DtypeName, elem: BufferElem): boolean | null => conversionOf(dtype, elem)?.loses ?? null;
  expect(loses("F32", "f32")).toBe(false);
  expect(loses("BF16", "f32")).toBe(false);
  expect(loses("BF16", "bf16")).toBe(false);
  expect(loses("F16", "f16")).toBe(false);
  expect(loses("F32", "bf16")).toBe(true);
  expect(loses("F16", "bf16")).toBe(true);
  expect(loses("BF16", "f16")).toBe(true);
  expect(loses("I64", "i32")).toBe(false);
  expect(loses("F64", "f32")).toBe(true);
  expect(loses("F8_E4M3", "f32")).toBeNull();
  expect(loses("I32", "f32")).toBeNull();
  expect(loses("U8", "bf16")).toBeNull();
  expect(loses("F32", "i32")).toBeNull();
});

test("a bf16 becomes an f32 bit for bit, from any byte on", () => {
  const codes = Uint16Array.of(0x3f80, 0xc049, 0x7f80, 0x0001, 0x7fc1);
  for (const shift of [0, 1]) {
    const bytes = new Uint8Array(codes.byteLength + shift);
    bytes.set(bytesOf(codes), shift);
    const into = new Uint8Array(20);
    expect(converted("BF16", "f32", bytes.subarray(shift), into)).toBe(-1);
    expect([...new Uint32Array(into.buffer)]).toEqual(Array.from(codes, (c) => c * 65_536));
  }
});

test("f64 to f32 and f32 to bf16 round once", () => {
  const into = new Float32Array(2);
  expect(converted("F64", "f32", bytesOf(Float64Array.of(0.1, -1e300)), bytesOf(into))).toBe(-1);
  expect([...into]).toEqual([Math.fround(0.1), -inf]);
  const half = new Uint16Array(2);
  expect(converted("F32", "bf16", bytesOf(Float32Array.of(1.00390625, 1.01171875)), bytesOf(half))).toBe(-1);
  expect([...half]).toEqual([0x3f80, 0x3f82]);
});

test("integers are held against their type and their bound", () => {
  const into = new Int32Array(3);
  const given = bytesOf(BigInt64Array.of(5n, 0n, 7n));
  expect(converted("I64", "i32", given, bytesOf(into), 8)).toBe(-1);
  expect([...into]).toEqual([5, 0, 7]);
  expect(converted("I64", "i32", given, bytesOf(into), 7)).toBe(2);
  expect(converted("I32", "i32", bytesOf(Int32Array.of(1, -1)), new Uint8Array(8), 7)).toBe(1);
  expect(converted("I32", "i32", bytesOf(Int32Array.of(1, -1)), new Uint8Array(8))).toBe(-1);
  expect(converted("I64", "i32", bytesOf(BigInt64Array.of(2n ** 31n)), new Uint8Array(4))).toBe(0);
  expect(converted("I32", "i8", bytesOf(Int32Array.of(127, 128)), new Uint8Array(2))).toBe(1);
  expect(converted("BOOL", "bool", Uint8Array.of(1, 0, 2), new Uint8Array(12))).toBe(2);
});

test("integers of 64 bits stay exact", () => {
  const into = new BigInt64Array(3);
  const given = BigInt64Array.of(2n ** 53n + 1n, -(2n ** 63n), 7n);
  expect(converted("I64", "i64", bytesOf(given), bytesOf(into))).toBe(-1);
  expect(into).toEqual(given);
  expect(converted("I64", "i64", bytesOf(given), bytesOf(into), 9)).toBe(0);
  expect(converted("I64", "i64", bytesOf(BigInt64Array.of(8n, -1n)), bytesOf(new BigInt64Array(2)), 9)).toBe(1);
  expect(converted("I32", "i64", bytesOf(Int32Array.of(-5, 2 ** 31 - 1, 3)), bytesOf(into))).toBe(-1);
  expect([...into]).toEqual([-5n, 2n ** 31n - 1n, 3n]);
  expect(converted("I32", "i64", bytesOf(Int32Array.of(1, 9, 2)), bytesOf(into), 9)).toBe(1);
  expect(conversionOf("F32", "i64")).toBeNull();
});

test("f32 to bf16 is the rounding of casts, for all that is special", () => {
  const bits = Uint32Array.from({ length: 1 << 17 }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 0);
  bits.set([
    0, 0x80000000, 0x7f800000, 0xff800000, 0x7f7fffff, 0xff7fffff, 0x7f7f7fff, 0x7f7f8000, 0x7fc00000, 0x7f800001,
  ]);
  bits.set([0x3f808000, 0x3f818000, 0x00008000, 0x00018000, 1, 0x007fffff], 16);
  const values = new Float32Array(bits.buffer);
  const got = new Uint16Array(bits.length);
  expect(converted("F32", "bf16", bytesOf(values), bytesOf(got))).toBe(-1);
  expect(got).toEqual(Uint16Array.from(values, (x) => encodeFloat(bf16, x)));
});

test("f16 to f32 is exact", () => {
  const codes = Uint16Array.from({ length: 65_536 }, (_, i) => i);
  const got = new Float32Array(codes.length);
  expect(converted("F16", "f32", bytesOf(codes), bytesOf(got))).toBe(-1);
  expect(got).toEqual(Float32Array.from(codes, (c) => decodeFloat(f16, c)));
});
