/**
 * Types of values. 32-bit elems and their vectors of 2 and 4 are themselves. An i64 is two words, the lower first. A vector of 8- and
 * 16-bit elems is the words that it is in memory, and one of two bytes the lower half of a word; single ones are an i32 with sign, or
 * the code of an f16 or bf16 as a u32. With shader-f16 an f16 is itself.
 */
import { type Elem, elems, type Type } from "../../compiler/kernel/elem.ts";
import type { WgslVariant } from "./variant.ts";

export function vector(scalar: string, n: number): string {
  if (n === 1) return scalar;
  const short = shortNames[scalar];
  return short === undefined ? `vec${n}<${scalar}>` : `vec${n}${short}`;
}
const shortNames: Readonly<Record<string, string>> = { f32: "f", i32: "i", u32: "u", f16: "h" };

/** Elems that WGSL has as a type of memory, and what that is. A bool is a word there. */
export function nativeIn(elem: Elem, { f16 }: WgslVariant): string | null {
  switch (elem) {
    case "f32":
    case "i32":
    case "u32":
      return elem;
    case "bool":
      return "u32";
    case "i64":
      return "vec2u";
    case "f16":
      return f16 ? "f16" : null;
    case "i8":
    case "i16":
    case "bf16":
      return null;
    default:
      return elem satisfies never;
  }
}

/** Words of a vector of packed elems. */
export const wordsOf = (t: Type): number => Math.max(1, (t.width * elems[t.elem].bytes) / 4);

/** Null where values of the type are too wide. */
export function valueType(t: Type, variant: WgslVariant): string | null {
  const native = t.elem === "bool" ? "bool" : nativeIn(t.elem, variant);
  if (native !== null) return t.width <= 4 ? vector(native, t.width) : null;
  if (t.width === 1) return elems[t.elem].float ? "u32" : "i32";
  return wordsOf(t) <= 4 ? vector("u32", wordsOf(t)) : null;
}
