/**
 * What kernels have written, held against a package. Each element of a buffer is in two of its sums, with a weight in each by a formula of
 * its place: half of the sums take turns at the elements, each of the others has some that lie together. Whatever element is wrong, or
 * stands in the place of another, is seen in both; what happens to cancel in one does not in the other. What no sum has is as it was before.
 */
import { bf16, decodeFloat, f16 } from "../formats/float-format.ts";
import { elemBytes } from "./elems.ts";
import { type CheckedBuffer, checkBytes, type KernelCheck, mixed } from "./kernel-checks.ts";
import type { BufferElem, KernelDecl } from "./program.ts";

/** The elements that are summed, in order. */
export function* elementsIn(runs: readonly number[]): Generator<number, void, undefined> {
  let at = 0;
  for (const [i, length] of runs.entries()) {
    if (i % 2 === 1) for (let j = 0; j < length; j += 1) yield at + j;
    at += length;
  }
}

/** How many they are. */
export const countIn = (runs: readonly number[]): number => runs.reduce((n, x, i) => n + (i % 2 === 1 ? x : 0), 0);

/** Of an element in one of its two sums: 33/64 … 1 up or down, so that no element counts for little and few count alike. */
export function weightOf(buffer: number, element: number, way: 0 | 1): number {
  const bits = mixed(~(2 * buffer + way), element);
  return ((bits & 32) === 0 ? 1 : -1) * ((33 + (bits & 31)) / 64);
}

/** Elements of a buffer as they are summed: numbers; an i64 as the bits of its halves that differ. */
export function valuesIn(bytes: Uint8Array, elem: BufferElem): (i: number) => number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (elem) {
    case "f32":
      return (i) => view.getFloat32(4 * i, true);
    case "f16":
    case "bf16": {
      const format = elem === "f16" ? f16 : bf16;
      return (i) => decodeFloat(format, view.getUint16(2 * i, true));
    }
    case "bool":
    case "i32":
      return (i) => view.getInt32(4 * i, true);
    case "u32":
      return (i) => view.getUint32(4 * i, true);
    case "i64":
      return (i) => view.getInt32(8 * i, true) ^ view.getInt32(8 * i + 4, true);
    case "i16":
      return (i) => view.getInt16(2 * i, true);
    case "i8":
      return (i) => view.getInt8(i);
    default:
      return elem satisfies never;
  }
}

/** In f64; `pairs`: of sums; `of`: what an element adds. */
export function sumsOver(
  { buffer, runs }: Pick<CheckedBuffer, "buffer" | "runs">,
  pairs: number,
  of: (element: number, weight: number) => number,
): readonly number[] {
  const sums = new Array<number>(2 * pairs).fill(0);
  const together = Math.ceil(countIn(runs) / pairs);
  const add = (sum: number, x: number): void => {
    sums[sum] = (sums[sum] ?? 0) + x;
  };
  let at = 0;
  for (const element of elementsIn(runs)) {
    add(at % pairs, of(element, weightOf(buffer, element, 0)));
    add(pairs + Math.floor(at / together), of(element, weightOf(buffer, element, 1)));
    at += 1;
  }
  return sums;
}

/** A sum that came back, or an element that was to stay as it was and did not. */
export interface CheckedValue {
  readonly buffer: number;
  readonly what: "sum" | "element";
  /** Which of them. */
  readonly at: number;
  readonly value: number;
  readonly wanted: number;
  /** How far it may be off. */
  readonly within: number;
}
export const isRight = ({ value, wanted, within }: CheckedValue): boolean => Math.abs(value - wanted) <= within;

/** All of a check. `bytes`: of a buffer, as it came back. */
export const checkedValues = (
  check: KernelCheck,
  decl: KernelDecl,
  bytes: (buffer: number) => Uint8Array,
): readonly CheckedValue[] =>
  check.expected.flatMap((expected): readonly CheckedValue[] => {
    const { buffer, within } = expected;
    const { elem } = decl.buffers[buffer] ?? { elem: "f32" };
    const [elements, found] = [check.elements[buffer] ?? 0, bytes(buffer)];
    // What did not come back is wrong.
    if (found.length < elemBytes[elem] * elements)
      return [{ buffer, what: "element", at: 0, value: Number.NaN, wanted: 0, within: 0 }];
    const now = valuesIn(found, elem);
    const sums = sumsOver(expected, expected.sums.length / 2, (i, weight) => weight * now(i));
    return [
      ...sums.map((value, at) => ({ buffer, what: "sum" as const, at, value, wanted: expected.sums[at] ?? 0, within })),
      ...(expected.others === "any"
        ? []
        : changed(expected, elements, [now, valuesIn(checkBytes(check, decl, buffer), elem)])),
    ];
  });

/** The first element that no sum has and that is not as it was. */
function changed(
  { buffer, runs }: CheckedBuffer,
  elements: number,
  [now, before]: readonly ((i: number) => number)[],
): readonly CheckedValue[] {
  let at = 0;
  for (const [i, length] of [...runs, elements].entries()) {
    const end = Math.min(elements, at + length);
    if (i % 2 === 0)
      for (let j = at; j < end; j += 1) {
        const [value, wanted] = [now?.(j) ?? Number.NaN, before?.(j) ?? 0];
        if (value !== wanted) return [{ buffer, what: "element", at: j, value, wanted, within: 0 }];
      }
    at = end;
  }
  return [];
}

/** The first that is not what is expected; null where all are. */
export const firstWrong = (
  check: KernelCheck,
  decl: KernelDecl,
  bytes: (buffer: number) => Uint8Array,
): CheckedValue | null => checkedValues(check, decl, bytes).find((one) => !isRight(one)) ?? null;
