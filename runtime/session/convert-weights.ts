/** Stored numbers as elements of a buffer, piece by piece. */
import type { BufferElem } from "../artifact/program.ts";
import { type Dtype, type DtypeName, findDtype } from "../formats/dtypes.ts";
import { bf16, encodeFloat, f16 } from "../formats/float-format.ts";

/**
 * Writes all elements of a piece to `into` (bytes of the memory, a multiple of the element's size). Gives -1, or the index of
 * the first that the element cannot hold, or that is not below `below`.
 */
export type ConvertPiece = (piece: Uint8Array, into: Uint8Array, below: number) => number;

export interface Conversion {
  readonly convert: ConvertPiece;
  /** Whether numbers may change by rounding. */
  readonly loses: boolean;
  /** Bits of a stored element. */
  readonly bits: number;
}

const floats: readonly DtypeName[] = ["F16", "BF16", "F32", "F64"];
const wholes: readonly DtypeName[] = ["BOOL", "U8", "I8", "I16", "U16", "I32", "U32", "I64", "U64"];
const ranges = {
  bool: [0, 1],
  i8: [-128, 127],
  i16: [-32_768, 32_767],
  i32: [-(2 ** 31), 2 ** 31 - 1],
  u32: [0, 2 ** 32 - 1],
  /** Of decoded numbers. */
  i64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
} as const;

/** Stored as the element is, so that bytes can be copied. */
const alike = { f16: "F16", bf16: "BF16", f32: "F32" } as const;

/** Null where the one does not become the other. `codes`: those of a format of floats are taken as their numbers. */
export function conversionOf(dtype: DtypeName, elem: BufferElem, codes = false): Conversion | null {
  const row = findDtype(dtype);
  if (row === null) return null;
  const { bits } = row;
  if (elem === "f32" || elem === "f16" || elem === "bf16") {
    if (alike[elem] === dtype) return { bits, loses: false, convert: copied };
    if (elem === "f32" && dtype === "BF16") return { bits, loses: false, convert: widenedBf16 };
    if (elem === "bf16" && dtype === "F32") return { bits, loses: true, convert: narrowedToBf16 };
    // Whole numbers are no reals, as for `dsc check --weights`: they would be codes of some format.
    if (!floats.includes(dtype) && !codes) return null;
    if (elem === "f32") return { bits, loses: dtype === "F64", convert: decodedToF32(row) };
    return { bits, loses: !isHeld(dtype, elem), convert: decoded(row, elem) };
  }
  if (!wholes.includes(dtype)) return null;
  if (elem === "i64" && dtype === "I64") return { bits, loses: false, convert: copiedWide };
  return { bits, loses: false, convert: decoded(row, elem) };
}

/** Whether a narrow float holds all numbers of a narrower one. */
const isHeld = (dtype: DtypeName, elem: "bf16" | "f16"): boolean =>
  elem === "bf16" ? dtype.startsWith("F8") || dtype === "F4" : dtype === "F8_E4M3" || dtype === "F4";

const copied: ConvertPiece = (piece, into) => {
  into.set(piece);
  return -1;
};

const copiedWide: ConvertPiece = (piece, into, below) => {
  into.set(piece);
  if (below === Number.POSITIVE_INFINITY) return -1;
  const written = new BigInt64Array(into.buffer, into.byteOffset, piece.length / 8);
  return written.findIndex((x) => x < 0n || x >= BigInt(below));
};

/** A bf16 is the upper half of an f32. */
const widenedBf16: ConvertPiece = (piece, into) => {
  const count = piece.length / 2;
  const to = new Uint32Array(into.buffer, into.byteOffset, count);
  if (piece.byteOffset % 2 === 0) {
    const from = new Uint16Array(piece.buffer, piece.byteOffset, count);
    for (let i = 0; i < count; i += 1) to[i] = (from[i] ?? 0) << 16;
    return -1;
  }
  for (let i = 0; i < count; i += 1) to[i] = ((piece[2 * i] ?? 0) << 16) | ((piece[2 * i + 1] ?? 0) << 24);
  return -1;
};

/** To nearest, ties to even, as `roundToBf16`: what is finite stays finite. */
const narrowedToBf16: ConvertPiece = (piece, into) => {
  const count = piece.length / 4;
  const view = new DataView(piece.buffer, piece.byteOffset, piece.byteLength);
  const to = new Uint16Array(into.buffer, into.byteOffset, count);
  for (let i = 0; i < count; i += 1) {
    const bits = view.getUint32(4 * i, true);
    const magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000) to[i] = 0x7fc0;
    else if (magnitude >= 0x7f7f8000 && magnitude < 0x7f800000) to[i] = ((bits >>> 16) & 0x8000) | 0x7f7f;
    else to[i] = (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
  }
  return -1;
};

const decodedToF32 =
  ({ decode, bits }: Dtype): ConvertPiece =>
  (piece, into) =>
    decode === null ? 0 : decode(piece, new Float32Array(into.buffer, into.byteOffset, (piece.length * 8) / bits), 0);

/** Elements that are decoded at a time, so that doubles of a large piece take no memory worth mentioning. */
const stretch = 8192;

function decoded(row: Dtype, elem: Exclude<BufferElem, "f32">): ConvertPiece {
  return (piece, into, below) => {
    if (row.decode === null) return 0;
    const bytes = row.bits / 8;
    const count = piece.length / bytes;
    const numbers = new Float64Array(Math.min(count, stretch));
    const write = writer(elem, into, count, below);
    for (let from = 0; from < count; from += stretch) {
      const some = Math.min(stretch, count - from);
      const bad = row.decode(piece.subarray(from * bytes, (from + some) * bytes), numbers, 0);
      if (bad >= 0) return from + bad;
      for (let i = 0; i < some; i += 1) if (!write(from + i, numbers[i] ?? 0)) return from + i;
    }
    return -1;
  };
}

type WriteElement = (index: number, value: number) => boolean;

function writer(elem: Exclude<BufferElem, "f32">, into: Uint8Array, count: number, below: number): WriteElement {
  const { buffer, byteOffset } = into;
  if (elem === "f16" || elem === "bf16") {
    const [format, to] = [elem === "f16" ? f16 : bf16, new Uint16Array(buffer, byteOffset, count)];
    return (index, value) => {
      to[index] = encodeFloat(format, value);
      return true;
    };
  }
  const [least, most] = ranges[elem];
  const put = integers(elem, buffer, byteOffset, count);
  const [lowest, highest] = [below < Number.POSITIVE_INFINITY ? Math.max(0, least) : least, Math.min(most, below - 1)];
  return (index, value) => {
    put(index, value);
    return value >= lowest && value <= highest;
  };
}

type PutInteger = (index: number, value: number) => void;
type Integers = Int8Array | Int16Array | Int32Array | Uint32Array;

function integers(elem: keyof typeof ranges, buffer: ArrayBufferLike, at: number, count: number): PutInteger {
  const into =
    (to: Integers): PutInteger =>
    (index, value) => {
      to[index] = value;
    };
  switch (elem) {
    case "i8":
      return into(new Int8Array(buffer, at, count));
    case "i16":
      return into(new Int16Array(buffer, at, count));
    case "u32":
      return into(new Uint32Array(buffer, at, count));
    case "i32":
    case "bool":
      return into(new Int32Array(buffer, at, count));
    case "i64": {
      const to = new BigInt64Array(buffer, at, count);
      return (index, value) => {
        to[index] = BigInt(value);
      };
    }
    default:
      return elem satisfies never;
  }
}
