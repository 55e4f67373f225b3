/**
 * Values by which a runtime tries kernels on the machine that it finds itself on, before it relies on them: small inputs by a formula,
 * and sums over all that has to come of them (`check-sums.ts`). A check runs the first workgroups of a kernel alone, on buffers that
 * may be shorter than the kernel says: what counts touches nothing beyond them.
 */
import { bf16, encodeFloat, f16 } from "../formats/float-format.ts";
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
  /** Elements that are summed, from the first one on: how many are passed over, how many are taken, and so on. */
  readonly runs: readonly number[];
  /** Whether all others hold what they held before, or anything. */
  readonly others: Others;
  /** How far a sum may be from what is expected. */
  readonly within: number;
  /** An even number of them. */
  readonly sums: readonly number[];
}

/** Reals are multiples of 1/64 in -1 … 1, or in 0 … 1 without 0; integers some of 0 … 12 (an i8 anything), or the number of their element. */
export const realFills = ["signed", "positive"] as const;
export type RealFill = (typeof realFills)[number];
export const wholeFills = ["few", "counted"] as const;
export type WholeFill = (typeof wholeFills)[number];
export const othersWays = ["kept", "any"] as const;
export type Others = (typeof othersWays)[number];
type Fills = Pick<KernelCheck, "reals" | "wholes">;

export const checksFile = "kernels/checks.json";

/** 32 bits that look like chance: MurmurHash3's last steps. */
export function mixed(buffer: number, element: number): number {
  let h = Math.imul(buffer + 1, 0x9e3779b1) ^ Math.imul(element + 1, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

const values = (length: number, of: (i: number) => number): readonly number[] =>
  Array.from({ length }, (_, i) => of(i));
const signed = values(129, (i) => (i - 64) / 64);
const positive = values(64, (i) => (i + 1) / 64);
const [bools, bytes, few] = [values(2, (i) => i), values(255, (i) => i - 127), values(13, (i) => i)];

/** What elements hold, one of these each; null where it is their number. */
function choices(elem: BufferElem, { reals, wholes }: Fills): readonly number[] | null {
  switch (elem) {
    case "f32":
    case "f16":
    case "bf16":
      return reals === "signed" ? signed : positive;
    case "bool":
      return bools;
    case "i8":
      return wholes === "few" ? bytes : null;
    case "i16":
    case "i32":
    case "u32":
    case "i64":
      return wholes === "few" ? few : null;
    default:
      return elem satisfies never;
  }
}

/** What an element of a buffer holds before the kernel runs, written or read. */
export function checkValue(elem: BufferElem, buffer: number, element: number, fills: Fills): number {
  const among = choices(elem, fills);
  if (among === null) return elem === "i8" ? element % 128 : element;
  return among[mixed(buffer, element) % among.length] ?? 0;
}

/** The bytes of a buffer of a check, as they are uploaded: typed arrays are as this machine has them, which all that run this have as files do. */
export function checkBytes(check: KernelCheck, { buffers }: KernelDecl, buffer: number): Uint8Array<ArrayBuffer> {
  const { elem } = buffers[buffer] ?? { elem: "f32" };
  const [size, elements] = [elemBytes[elem], check.elements[buffer] ?? 0];
  const made = new Uint8Array(size * elements);
  const [data, step] = [arrayOf(elem, made.buffer), size === 8 ? 2 : 1];
  const codes = choices(elem, check)?.map((x) => codeOf(elem, x));
  for (let i = 0; i < elements; i += 1)
    data[step * i] =
      codes === undefined ? checkValue(elem, buffer, i, check) : (codes[mixed(buffer, i) % codes.length] ?? 0);
  return made;
}

/** Numbers or codes of elements; of an i64 two halves, of which the second is 0 where it is small. */
function arrayOf(
  elem: BufferElem,
  buffer: ArrayBuffer,
): Float32Array | Int32Array | Int16Array | Uint16Array | Int8Array {
  if (elem === "f32") return new Float32Array(buffer);
  if (elem === "f16" || elem === "bf16") return new Uint16Array(buffer);
  if (elem === "i16") return new Int16Array(buffer);
  return elem === "i8" ? new Int8Array(buffer) : new Int32Array(buffer);
}
const codeOf = (elem: BufferElem, value: number): number =>
  elem === "f16" || elem === "bf16" ? encodeFloat(elem === "f16" ? f16 : bf16, value) : value;

const limits = { bytes: 2 ** 24, elements: 2 ** 20, groups: 4096, runs: 128, sums: 64 } as const;

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
    groups: count(member(at, "groups"), limits.groups, 1),
    sizes,
    elements,
    reals: word(member(at, "reals"), realFills),
    wholes: word(member(at, "wholes"), wholeFills),
    expected: list(member(at, "expected"), buffers.length, (a): CheckedBuffer => {
      const buffer = count(member(a, "buffer"), buffers.length - 1);
      if (buffers[buffer]?.access === "read") throw corrupt(a.path, `buffer ${buffer} is only read`);
      const runs = list(member(a, "runs"), limits.runs, (x) => count(x, limits.elements));
      const [inside, all] = [runs.reduce((n, x) => n + x, 0), elements[buffer] ?? 0];
      if (inside > all) throw corrupt(a.path, `runs of ${inside} elements in a buffer of ${all}`);
      const sums = list(member(a, "sums"), limits.sums, number);
      if (runs.length % 2 !== 0 || sums.length % 2 !== 0 || sums.length === 0)
        throw corrupt(a.path, "runs or sums that are no pairs");
      return { buffer, runs, others: word(member(a, "others"), othersWays), within: number(member(a, "within")), sums };
    }),
  };
}

function number({ value, path }: At): number {
  if (typeof value !== "number" || !Number.isFinite(value)) throw corrupt(path, "expected a number");
  return value;
}
