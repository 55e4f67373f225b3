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
  /** Where long loops end at the latest, so that sums have few terms. */
  readonly bound: number;
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

/** Reals are multiples of 1/64 in -1 … 1, or in 0 … 1 without 0; integers some of 0 … 12 (an i8 anything), the number of their element, some of 0 and 1, or 0. */
export const realFills = ["signed", "positive"] as const;
export type RealFill = (typeof realFills)[number];
export const wholeFills = ["few", "counted", "two", "none"] as const;
export type WholeFill = (typeof wholeFills)[number];
export const othersWays = ["kept", "any"] as const;
export type Others = (typeof othersWays)[number];
type Fills = Pick<KernelCheck, "reals" | "wholes">;

/** Ends no loop early. */
export const noBound = 2 ** 31 - 1;

/** What a kernel for a GPU finds behind its sizes and the starts of its buffers: 0, and where long loops end at the latest. */
export const behindStarts = (bound: number = noBound): readonly [zero: number, bound: number] => [0, bound];

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
const [bools, bytes] = [values(2, (i) => i), values(255, (i) => i - 127)];
const integers: Readonly<Record<WholeFill, readonly number[] | null>> = {
  few: values(13, (i) => i),
  counted: null,
  two: [0, 1],
  none: [0],
};

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
      return wholes === "few" ? bytes : integers[wholes];
    case "i16":
    case "i32":
    case "u32":
    case "i64":
      return integers[wholes];
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
  // Of an i64 two halves, of which the second is 0 where it is small.
  const [data, step] = [
    new (size < 4 ? (size < 2 ? Int8Array : Int16Array) : Int32Array)(made.buffer),
    size === 8 ? 2 : 1,
  ];
  const among = choices(elem, check);
  const codes = Int32Array.from(among ?? [], (x) => codeOf(elem, x));
  if (among === null) for (let i = 0; i < elements; i += 1) data[step * i] = checkValue(elem, buffer, i, check);
  else for (let i = 0; i < elements; i += 1) data[step * i] = codes[mixed(buffer, i) % codes.length] ?? 0;
  return made;
}

const word32 = new Float32Array(1);
/** The bits that an element has, as a whole number. */
function codeOf(elem: BufferElem, value: number): number {
  if (elem === "f16" || elem === "bf16") return encodeFloat(elem === "f16" ? f16 : bf16, value);
  if (elem !== "f32") return value;
  word32[0] = value;
  return new Int32Array(word32.buffer)[0] ?? 0;
}

const limits = { bytes: 2 ** 24, elements: 2 ** 21, groups: 4096, runs: 128, sums: 64 } as const;

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
    bound: count(member(at, "bound"), noBound, 1),
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
