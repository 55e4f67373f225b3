/**
 * Values by which a runtime tries kernels on the machine that it finds itself on, before it relies on them: small inputs by a formula,
 * and samples of what has to come of them. A check runs the first workgroups of a kernel alone, on buffers that may be shorter than
 * the kernel says: what is sampled touches nothing beyond them.
 */
import { bf16, decodeFloat, encodeFloat, f16 } from "../formats/float-format.ts";
import { elemBytes } from "./elems.ts";
import type { BufferElem, KernelDecl, Program } from "./program.ts";
import { type At, corrupt, count, list, member, parsedJson, word } from "./read-value.ts";

export interface KernelCheck {
  /** Of the program's kernels. */
  readonly kernel: number;
  /** Workgroups that run. */
  readonly groups: number;
  /** Of the kernel, in order. */
  readonly sizes: readonly number[];
  /** By buffer: how many elements are bound, from the first one on. */
  readonly elements: readonly number[];
  readonly reals: RealFill;
  readonly wholes: WholeFill;
  readonly expected: readonly CheckedBuffer[];
}
export interface CheckedBuffer {
  readonly buffer: number;
  /** How far a value may be from what is expected. */
  readonly within: number;
  /** Elements, and their values. */
  readonly at: readonly number[];
  readonly values: readonly number[];
}

/** Reals are multiples of 1/64 in -1 … 1, or in 0 … 1 without 0; integers some of 0 … 12 (an i8 anything), or the number of their element. */
export const realFills = ["signed", "positive"] as const;
export type RealFill = (typeof realFills)[number];
export const wholeFills = ["few", "counted"] as const;
export type WholeFill = (typeof wholeFills)[number];

export const checksFile = "kernels/checks.json";

/** 32 bits that look like chance: MurmurHash3's last steps. */
function mixed(buffer: number, element: number): number {
  let h = Math.imul(buffer + 1, 0x9e3779b1) ^ Math.imul(element + 1, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** What an element of a buffer holds before the kernel runs, written or read. */
export function checkValue(elem: BufferElem, buffer: number, element: number, { reals, wholes }: Fills): number {
  const bits = mixed(buffer, element);
  switch (elem) {
    case "f32":
    case "f16":
    case "bf16":
      return reals === "signed" ? ((bits % 129) - 64) / 64 : ((bits % 64) + 1) / 64;
    case "bool":
      return bits & 1;
    case "i8":
      return wholes === "few" ? (bits % 255) - 127 : element % 128;
    case "i16":
    case "i32":
    case "u32":
    case "i64":
      return wholes === "few" ? bits % 13 : element;
    default:
      return elem satisfies never;
  }
}
type Fills = Pick<KernelCheck, "reals" | "wholes">;

/** The bytes of a buffer of a check, as they are uploaded. */
export function checkBytes(check: KernelCheck, { buffers }: KernelDecl, buffer: number): Uint8Array<ArrayBuffer> {
  const { elem } = buffers[buffer] ?? { elem: "f32" };
  const [size, elements] = [elemBytes[elem], check.elements[buffer] ?? 0];
  const bytes = new Uint8Array(size * elements);
  if (size === 4) {
    // A typed array is as this machine has it, which every machine that runs this has as a file has it.
    const values = elem === "f32" ? new Float32Array(bytes.buffer) : new Int32Array(bytes.buffer);
    for (let i = 0; i < elements; i += 1) values[i] = checkValue(elem, buffer, i, check);
    return bytes;
  }
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < elements; i += 1) put(view, elem, i * size, checkValue(elem, buffer, i, check));
  return bytes;
}

function put(view: DataView, elem: BufferElem, at: number, value: number): void {
  if (elem === "f16" || elem === "bf16") view.setUint16(at, encodeFloat(elem === "f16" ? f16 : bf16, value), true);
  else if (elem === "i64") view.setBigInt64(at, BigInt(value), true);
  else if (elem === "i8") view.setInt8(at, value);
  else view.setInt16(at, value, true);
}

/** Element `i` of a buffer's bytes. */
export function valueIn(bytes: Uint8Array, elem: BufferElem, i: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = i * elemBytes[elem];
  if (elem === "f32") return view.getFloat32(at, true);
  if (elem === "f16" || elem === "bf16") return decodeFloat(elem === "f16" ? f16 : bf16, view.getUint16(at, true));
  if (elem === "i64") return Number(view.getBigInt64(at, true));
  if (elem === "i8") return view.getInt8(at);
  if (elem === "i16") return view.getInt16(at, true);
  return elem === "u32" ? view.getUint32(at, true) : view.getInt32(at, true);
}

/** A value that came back. */
export interface CheckedSample {
  readonly buffer: number;
  readonly at: number;
  readonly value: number;
  readonly wanted: number;
  /** How far it may be off. */
  readonly within: number;
}
export const isRight = ({ value, wanted, within }: CheckedSample): boolean => Math.abs(value - wanted) <= within;

/** All of a check. `bytes`: of a buffer, as it came back. */
export const samplesOf = (
  { expected }: KernelCheck,
  { buffers }: KernelDecl,
  bytes: (buffer: number) => Uint8Array,
): readonly CheckedSample[] =>
  expected.flatMap(({ buffer, within, at, values }) => {
    const [of, found] = [buffers[buffer]?.elem ?? "f32", bytes(buffer)];
    return at.map((element, i) => {
      return { buffer, at: element, value: valueIn(found, of, element), wanted: values[i] ?? 0, within };
    });
  });

/** The first sample that is not what is expected; null where all are. */
export const firstWrong = (
  check: KernelCheck,
  decl: KernelDecl,
  bytes: (buffer: number) => Uint8Array,
): CheckedSample | null => samplesOf(check, decl, bytes).find((sample) => !isRight(sample)) ?? null;

const limits = { bytes: 2 ** 24, elements: 2 ** 20, samples: 64 } as const;

/** `checks.json`, read without trust: whatever it says, what runs is bounded, and is the kernels of the program. */
export function readKernelChecks(bytes: Uint8Array, { kernels }: Pick<Program, "kernels">): readonly KernelCheck[] {
  const root = parsedJson(bytes, `${checksFile}$`, limits.bytes);
  return list(root, kernels.length, (at) => readCheck(at, kernels));
}

function readCheck(at: At, kernels: readonly KernelDecl[]): KernelCheck {
  const kernel = count(member(at, "kernel"), kernels.length - 1);
  const { buffers = [], sizes: named = [] } = kernels[kernel] ?? {};
  const sizes = list(member(at, "sizes"), named.length, (a) => count(a, 2 ** 20));
  const elements = list(member(at, "elements"), buffers.length, (a) => count(a, limits.elements));
  if (sizes.length !== named.length || elements.length !== buffers.length)
    throw corrupt(at.path, `kernel ${kernel} has ${named.length} sizes and ${buffers.length} buffers`);
  return {
    kernel,
    groups: count(member(at, "groups"), 64, 1),
    sizes,
    elements,
    reals: word(member(at, "reals"), realFills),
    wholes: word(member(at, "wholes"), wholeFills),
    expected: list(member(at, "expected"), buffers.length, (a): CheckedBuffer => {
      const buffer = count(member(a, "buffer"), buffers.length - 1);
      if (buffers[buffer]?.access === "read") throw corrupt(a.path, `buffer ${buffer} is only read`);
      const places = list(member(a, "at"), limits.samples, (x) => count(x, (elements[buffer] ?? 0) - 1));
      const values = list(member(a, "values"), limits.samples, number);
      if (values.length !== places.length) throw corrupt(a.path, "places and values differ in number");
      return { buffer, within: number(member(a, "within")), at: places, values };
    }),
  };
}

function number({ value, path }: At): number {
  if (typeof value !== "number" || !Number.isFinite(value)) throw corrupt(path, "expected a number");
  return value;
}
