/** f16 and bf16 as codes, from and to f32. WGSL leaves the rounding of conversions open, so it is done on bits: to nearest even. */
import type { Prelude } from "./prelude.ts";
import { vector } from "./types.ts";

export type Coded = "f16" | "bf16";

/** Packed codes, or one code, as f32. */
export function decoded(p: Prelude, elem: Coded, width: number, x: string): string {
  if (elem === "bf16") {
    if (width === 1) return `bitcast<f32>(${x} << 16u)`;
    const [words, last] = width === 2 ? ["u32", "w, w"] : ["vec2u", "w.x, w.x, w.y, w.y"];
    const bits = vector("u32", width);
    const shifts = width === 2 ? "16u, 0u" : "16u, 0u, 16u, 0u";
    const name = p.fn(`bf16x${width}_to_f32`, (n) =>
      fn(`${n}(w: ${words}) -> ${vector("f32", width)}`, [
        `let bits = (${bits}(${last}) << ${bits}(${shifts})) & ${bits}(0xffff0000u);`,
        `return bitcast<${vector("f32", width)}>(bits);`,
      ]),
    );
    return `${name}(${x})`;
  }
  if (width === 1) return `unpack2x16float(${x}).x`;
  if (width === 2) return `unpack2x16float(${x})`;
  const name = p.fn("f16x4_to_f32", (n) =>
    fn(`${n}(w: vec2u) -> vec4f`, ["return vec4f(unpack2x16float(w.x), unpack2x16float(w.y));"]),
  );
  return `${name}(${x})`;
}

/** Codes of f32, each in a word. */
export function codesOf(p: Prelude, elem: Coded, width: number, x: string): string {
  const [v, f] = [vector("u32", width), vector("f32", width)];
  const all = (c: string): string => (width === 1 ? c : `${v}(${c})`);
  const [infinity, most, nan] = elem === "bf16" ? ["0x7f80u", "0x7f7fu", "0x7fc0u"] : ["0x7c00u", "0x7bffu", "0x7e00u"];
  // Just less than half of the last bit that is kept is added, and that bit itself: a tie goes up where it is odd.
  const rounded = (bits: string, dropped: number): string =>
    `(${bits} + ${all(`${2 ** (dropped - 1) - 1}u`)} + ((${bits} >> ${all(`${dropped}u`)}) & ${all("1u")})) >> ${all(`${dropped}u`)}`;
  const steps =
    elem === "bf16"
      ? [`let near = ${rounded("size", 16)};`]
      : [
          `let bounded = min(size, ${all("0x48000000u")});`,
          `let normal = (${rounded("bounded", 13)}) - ${all("0x1c000u")};`,
          "// Below 2^-14 a half counts in steps of 2^-24, as f32 does from 1/2 to 1.",
          `let steps = bitcast<${v}>(bitcast<${f}>(min(size, ${all("0x38800000u")})) + 0.5) - ${all("0x3f000000u")};`,
          `let near = select(normal, steps, size < ${all("0x38800000u")});`,
        ];
  const name = p.fn(`${elem}${width === 1 ? "" : `x${width}`}_codes`, (n) =>
    fn(`${n}(x: ${f}) -> ${v}`, [
      `let bits = bitcast<${v}>(x);`,
      `let size = bits & ${all("0x7fffffffu")};`,
      ...steps,
      `let finite = min(near, ${all(most)});`,
      `let signed = select(finite, ${all(infinity)}, size == ${all("0x7f800000u")}) | ((bits >> ${all("16u")}) & ${all("0x8000u")});`,
      `return select(signed, ${all(nan)}, size > ${all("0x7f800000u")});`,
    ]),
  );
  return `${name}(${x})`;
}

/** A function with its body, indented. */
export const fn = (head: string, body: readonly string[]): string =>
  `fn ${head} {\n${body.map((line) => `\t${line}\n`).join("")}}`;
