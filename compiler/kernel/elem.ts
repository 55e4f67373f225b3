/** Types of values: `f32x4` is one vector register, WGSL's `vec4<f32>`, CUDA's `float4`. */
import { roundToBf16, roundToF16 } from "../../runtime/formats/casts.ts";

interface ElemInfo {
  /** Of one element in memory. */
  readonly bytes: number;
  /** Whether arithmetic is done on it; the others are converted right after a load and right before a store. */
  readonly computes: boolean;
  readonly float: boolean;
}
export const elems = {
  bool: { bytes: 4, computes: true, float: false },
  i8: { bytes: 1, computes: false, float: false },
  i16: { bytes: 2, computes: false, float: false },
  i32: { bytes: 4, computes: true, float: false },
  /** Exact, wrapping; scalars only, and its constants are of kind `wide`. */
  i64: { bytes: 8, computes: true, float: false },
  u32: { bytes: 4, computes: true, float: false },
  f16: { bytes: 2, computes: false, float: true },
  bf16: { bytes: 2, computes: false, float: true },
  f32: { bytes: 4, computes: true, float: true },
} as const satisfies Record<string, ElemInfo>;
export type Elem = keyof typeof elems;
export const isElem = (name: string): name is Elem => Object.hasOwn(elems, name);

export interface Type {
  readonly elem: Elem;
  readonly width: number;
}
export const widths: readonly number[] = [1, 2, 4, 8, 16];
/** Of the widths that values of an elem have. */
const widthsOf = (elem: Elem): readonly number[] => (elem === "i64" ? [1] : widths);
export const typeOf = (elem: Elem, width = 1): Type => ({ elem, width });
export const i32: Type = typeOf("i32");
export const i64: Type = typeOf("i64");
export const sameType = (a: Type, b: Type): boolean => a.elem === b.elem && a.width === b.width;
export const isType = (t: Type): boolean => widthsOf(t.elem).includes(t.width);
export const typeName = (t: Type): string => (t.width === 1 ? t.elem : `${t.elem}x${t.width}`);

/** `f32x4` -> its type; null for anything else. */
export function readType(name: string): Type | null {
  const [, elem = "", width = "1"] = /^([a-wyz]+[0-9]*)(?:x([0-9]{1,2}))?$/.exec(name) ?? [];
  return isElem(elem) && isType(typeOf(elem, Number(width))) ? typeOf(elem, Number(width)) : null;
}

const isInteger = (x: number, least: number, most: number): boolean =>
  Number.isInteger(x) && !Object.is(x, -0) && x >= least && x <= most;

/** Whether a number is a constant of the type; a nan is, of floats. */
export function holds(elem: Elem, x: number): boolean {
  switch (elem) {
    case "bool":
      return isInteger(x, 0, 1);
    case "i8":
      return isInteger(x, -128, 127);
    case "i16":
      return isInteger(x, -32768, 32767);
    case "i32":
      return isInteger(x, -0x80000000, 0x7fffffff);
    case "i64":
      return false; // they are big ones
    case "u32":
      return isInteger(x, 0, 0xffffffff);
    case "f32":
      return Object.is(Math.fround(x), x);
    case "f16":
      return Object.is(roundToF16(x), x);
    case "bf16":
      return Object.is(roundToBf16(x), x);
    default:
      return elem satisfies never;
  }
}
