/** Lanes of vectors: repeating, picking one, and summing them up. */
import { type Elem, elems, type Type } from "../../compiler/kernel/elem.ts";
import type { Expr } from "../../compiler/kernel/kernel.ts";
import type { Monoid } from "../../compiler/kernel/ops.ts";
import { fn } from "./codes.ts";
import type { Prelude } from "./prelude.ts";
import { nativeIn, vector, wordsOf } from "./types.ts";
import type { WgslVariant } from "./variant.ts";

const isItself = (elem: Elem, variant: WgslVariant): boolean => elem === "bool" || nativeIn(elem, variant) !== null;
const typeOfLane = (elem: Elem, variant: WgslVariant): string =>
  elem === "bool" ? "bool" : (nativeIn(elem, variant) ?? "u32");

/** In parentheses unless it is a name. */
const whole = (x: string): string => (/^\w+$/.test(x) ? x : `(${x})`);

/** A narrower value, again and again. */
export function repeated(p: Prelude, from: Type, width: number, x: string, variant: WgslVariant): string {
  if (isItself(from.elem, variant)) {
    const wide = vector(typeOfLane(from.elem, variant), width);
    return from.width === 1 ? `${wide}(${x})` : `${whole(x)}.xyxy`;
  }
  const words = wordsOf({ elem: from.elem, width });
  const bits = 8 * elems[from.elem].bytes;
  const inWord = repeatedInWord(p, Math.min(32, from.width * bits), bits * width, x, from);
  if (words === 1) return inWord;
  const have = Math.max(1, wordsOf(from));
  if (have === 2) return `${whole(inWord)}.xyxy`;
  return `${vector("u32", words)}(${inWord})`;
}

/** Some low bits, repeated to a word, or to as many as the value has. */
function repeatedInWord(p: Prelude, have: number, want: number, x: string, from: Type): string {
  const code = from.width === 1 && !elems[from.elem].float ? `bitcast<u32>(${x})` : x;
  if (have === 32) return x;
  const factor = { 8: want === 16 ? "0x101u" : "0x1010101u", 16: "0x10001u" }[have] ?? "1u";
  const name = p.fn(`repeat_${have}_to_${Math.min(32, want)}`, (n) =>
    fn(`${n}(x: u32) -> u32`, [`return (x & ${have === 8 ? "0xffu" : "0xffffu"}) * ${factor};`]),
  );
  return `${name}(${code})`;
}

export function picked(from: Type, lane: number, x: string, variant: WgslVariant): string {
  if (isItself(from.elem, variant)) return `${whole(x)}.${"xyzw"[lane]}`;
  const bits = 8 * elems[from.elem].bytes;
  const perWord = 32 / bits;
  const word = wordsOf(from) === 1 ? x : `${whole(x)}.${"xyzw"[Math.floor(lane / perWord)]}`;
  const signed = !elems[from.elem].float;
  return `extractBits(${signed ? `bitcast<i32>(${word})` : word}, ${(lane % perWord) * bits}u, ${bits}u)`;
}

/** Of f32 or i32 lanes; in pairs. */
export function folded(p: Prelude, monoid: Monoid, { elem, width }: Type, x: string): string {
  const merge = (a: string, b: string): string => (monoid === "sum" ? `${a} + ${b}` : `${monoid}(${a}, ${b})`);
  const pairs = merge(`v.xy`, `v.zw`);
  const name = p.fn(`fold_${monoid}_${elem}x${width}`, (n) =>
    fn(
      `${n}(v: ${vector(elem, width)}) -> ${elem}`,
      width === 2
        ? [`return ${merge("v.x", "v.y")};`]
        : [`let pair = ${pairs};`, `return ${merge("pair.x", "pair.y")};`],
    ),
  );
  return `${name}(${x})`;
}

/** Sums of products of neighbours, one for each word of `a` and `b`: four of i8, or two of i16. `width`: of the sums. */
export function dotProducts(
  p: Prelude,
  group: number,
  width: number,
  [a, b]: readonly [string, string],
  variant: WgslVariant,
): string {
  const one = wordProduct(p, group, variant);
  if (width === 1) return `${one}(${a}, ${b})`;
  const lanes = Array.from({ length: width }, (_, i) => `${one}(a.${"xyzw"[i]}, b.${"xyzw"[i]})`);
  const u = vector("u32", width);
  const name = p.fn(`dot${group}_x${width}`, (n) =>
    fn(`${n}(a: ${u}, b: ${u}) -> ${vector("i32", width)}`, [`return ${vector("i32", width)}(${lanes.join(", ")});`]),
  );
  return `${name}(${a}, ${b})`;
}

function wordProduct(p: Prelude, group: number, { packedDot }: WgslVariant): string {
  if (group === 4 && packedDot) return "dot4I8Packed";
  const bits = 32 / group;
  const terms = Array.from({ length: group }, (_, i) => {
    const lane = (x: string): string => `extractBits(bitcast<i32>(${x}), ${i * bits}u, ${bits}u)`;
    return `${lane("a")} * ${lane("b")}`;
  });
  return p.fn(`dot${group}`, (n) => fn(`${n}(a: u32, b: u32) -> i32`, [`return ${terms.join(" + ")};`]));
}

/**
 * `c` and the products of the lanes of `a` and `b`, the first first, each rounded once: what an `fma` of an `fma` of … says. Null where
 * it says anything else.
 */
export function lanesOntoSum(e: Expr): { readonly a: Expr; readonly b: Expr; readonly c: Expr } | null {
  const lanes: (readonly [Expr, Expr])[] = [];
  let c = e;
  while (c.kind === "op" && c.op === "fma") {
    const [a, b, rest]: readonly (Expr | undefined)[] = c.args;
    if (a?.kind !== "extract" || b?.kind !== "extract" || rest === undefined || a.lane !== b.lane) break;
    const [first] = lanes;
    const lane = (first === undefined ? a.arg.type.width : a.arg.type.width - lanes.length) - 1;
    if (a.lane !== lane || !isVector(a.arg) || !isVector(b.arg)) break;
    if (first !== undefined && !(isSameName(a.arg, first[0]) && isSameName(b.arg, first[1]))) break;
    lanes.push([a.arg, b.arg]);
    c = rest;
    if (lane === 0) return { a: a.arg, b: b.arg, c };
  }
  return null;
}
const isVector = (x: Expr): boolean => x.kind === "name" && x.type.elem === "f32" && x.type.width > 1;
const isSameName = (x: Expr, y: Expr): boolean => x.kind === "name" && y.kind === "name" && x.name === y.name;
