/**
 * The element types of safetensors, as data: name, width, and how packed little-endian elements become numbers.
 * Names and widths: huggingface/safetensors, `safetensors/src/tensor.rs`, `Dtype`.
 */
import { decodeE8m0 } from "./e8m0.ts";
import { bf16, decodeFloat, e2m1, e4m3, e5m2, f16 } from "./float-format.ts";

/** Where decoded numbers go. Into a Float32Array they are rounded to the nearest f32. */
export type NumberArray = Float64Array | Float32Array;

/**
 * Writes all elements of `bytes` to `into`, from index `at` on. Gives -1, or the index within `bytes` of the first element
 * that has no exact number: a 64-bit integer beyond ±(2^53 - 1), a boolean that is neither 0 nor 1.
 */
export type DecodeInto = (bytes: Uint8Array, into: NumberArray, at: number) => number;

interface DtypeRow {
  readonly name: string;
  readonly bits: number;
  /** Null: the reader knows the width, gives the bytes, and does not say what they mean. */
  readonly decode: DecodeInto | null;
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** One byte an element, by a table of all 256 codes. */
function byTable(value: (code: number) => number): DecodeInto {
  const table = Float64Array.from({ length: 256 }, (_, code) => value(code));
  return (bytes, into, at) => {
    for (let i = 0; i < bytes.length; i += 1) into[at + i] = table[bytes[i] ?? 0] ?? Number.NaN;
    return -1;
  };
}

/** Two bytes an element, by a table of all 65,536 codes, made when it is first needed; f32 holds every value exactly. */
function byLargeTable(value: (code: number) => number): DecodeInto {
  let table: Float32Array | null = null;
  return (bytes, into, at) => {
    table ??= Float32Array.from({ length: 65_536 }, (_, code) => value(code));
    const view = viewOf(bytes);
    const count = bytes.length / 2;
    for (let i = 0; i < count; i += 1) into[at + i] = table[view.getUint16(2 * i, true)] ?? Number.NaN;
    return -1;
  };
}

/** `width` bytes an element, each read by `element`. */
function byView(width: number, element: (view: DataView, byte: number) => number): DecodeInto {
  return (bytes, into, at) => {
    const view = viewOf(bytes);
    const count = bytes.length / width;
    for (let i = 0; i < count; i += 1) into[at + i] = element(view, i * width);
    return -1;
  };
}

/** 64-bit integers, as long as a double holds them exactly. */
function bySafeInteger(element: (view: DataView, byte: number) => bigint): DecodeInto {
  return (bytes, into, at) => {
    const view = viewOf(bytes);
    const count = bytes.length / 8;
    for (let i = 0; i < count; i += 1) {
      const value = Number(element(view, i * 8));
      if (!Number.isSafeInteger(value)) return i;
      into[at + i] = value;
    }
    return -1;
  };
}

const decodeBool: DecodeInto = (bytes, into, at) => {
  for (let i = 0; i < bytes.length; i += 1) {
    const byte = bytes[i] ?? 0;
    if (byte > 1) return i;
    into[at + i] = byte;
  }
  return -1;
};

/** The number of a 4-bit e2m1 code; code 8, minus zero, reads as 0. */
export const decodeE2m1 = (code: number): number => decodeFloat(e2m1, code) + 0;

/** Two elements a byte, the even one in the low nibble. */
const decodePackedE2m1: DecodeInto = (bytes, into, at) => {
  for (let i = 0; i < bytes.length; i += 1) {
    const byte = bytes[i] ?? 0;
    into[at + 2 * i] = decodeE2m1(byte & 15);
    into[at + 2 * i + 1] = decodeE2m1(byte >> 4);
  }
  return -1;
};

/** In increasing alignment, the order by which the reference implementation sorts what it writes (largest first). */
export const dtypes = [
  { name: "BOOL", bits: 8, decode: decodeBool },
  { name: "F4", bits: 4, decode: decodePackedE2m1 },
  { name: "F6_E2M3", bits: 6, decode: null },
  { name: "F6_E3M2", bits: 6, decode: null },
  { name: "U8", bits: 8, decode: byTable((code) => code) },
  { name: "I8", bits: 8, decode: byTable((code) => (code << 24) >> 24) },
  { name: "F8_E5M2", bits: 8, decode: byTable((code) => decodeFloat(e5m2, code)) },
  { name: "F8_E4M3", bits: 8, decode: byTable((code) => decodeFloat(e4m3, code)) },
  { name: "F8_E8M0", bits: 8, decode: byTable(decodeE8m0) },
  { name: "F8_E4M3FNUZ", bits: 8, decode: null },
  { name: "F8_E5M2FNUZ", bits: 8, decode: null },
  { name: "I16", bits: 16, decode: byView(2, (view, byte) => view.getInt16(byte, true)) },
  { name: "U16", bits: 16, decode: byView(2, (view, byte) => view.getUint16(byte, true)) },
  { name: "F16", bits: 16, decode: byLargeTable((code) => decodeFloat(f16, code)) },
  { name: "BF16", bits: 16, decode: byLargeTable((code) => decodeFloat(bf16, code)) },
  { name: "I32", bits: 32, decode: byView(4, (view, byte) => view.getInt32(byte, true)) },
  { name: "U32", bits: 32, decode: byView(4, (view, byte) => view.getUint32(byte, true)) },
  { name: "F32", bits: 32, decode: byView(4, (view, byte) => view.getFloat32(byte, true)) },
  { name: "C64", bits: 64, decode: null },
  { name: "F64", bits: 64, decode: byView(8, (view, byte) => view.getFloat64(byte, true)) },
  { name: "I64", bits: 64, decode: bySafeInteger((view, byte) => view.getBigInt64(byte, true)) },
  { name: "U64", bits: 64, decode: bySafeInteger((view, byte) => view.getBigUint64(byte, true)) },
] as const satisfies readonly DtypeRow[];

export type DtypeName = (typeof dtypes)[number]["name"];

export interface Dtype extends DtypeRow {
  readonly name: DtypeName;
}

const byName: ReadonlyMap<string, Dtype> = new Map(dtypes.map((dtype) => [dtype.name, dtype]));

/** The row of a safetensors dtype name (case matters), or null. */
export const findDtype = (name: string): Dtype | null => byName.get(name) ?? null;

const rank: ReadonlyMap<string, number> = new Map(dtypes.map((dtype, index) => [dtype.name, index]));

/** Negative when `a` aligns to less than `b`, by the reference implementation's order. */
export const compareAlignment = (a: DtypeName, b: DtypeName): number => (rank.get(a) ?? 0) - (rank.get(b) ?? 0);

/** All of an I64 tensor's bytes as exact integers, written to `into` from index `at` on. */
export function decodeBigInts(bytes: Uint8Array, into: BigInt64Array, at: number): void {
  const view = viewOf(bytes);
  const count = bytes.length / 8;
  for (let i = 0; i < count; i += 1) into[at + i] = view.getBigInt64(i * 8, true);
}
