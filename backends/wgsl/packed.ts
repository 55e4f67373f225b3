/** Vectors of 8- and 16-bit integers as words, and their lanes in 32 bits. `width`: 2 or 4. */
import { fn } from "./codes.ts";
import type { Prelude } from "./prelude.ts";
import { vector } from "./types.ts";

const bitsOf = (elem: "i8" | "i16"): number => (elem === "i8" ? 8 : 16);

/** With their sign. */
export function unpacked(p: Prelude, elem: "i8" | "i16", width: number, x: string): string {
  const bits = bitsOf(elem);
  const places = Array.from({ length: width }, (_, i) => i);
  const shifts = places.map((i) => `${32 - bits - ((i * bits) % 32)}u`).join(", ");
  const [words, last] = width * bits > 32 ? ["vec2u", "w.x, w.x, w.y, w.y"] : ["u32", places.map(() => "w").join(", ")];
  const [u, i] = [vector("u32", width), vector("i32", width)];
  const name = p.fn(`${elem}x${width}_to_i32`, (n) =>
    fn(`${n}(w: ${words}) -> ${i}`, [`return ${i}(${u}(${last}) << ${u}(${shifts})) >> ${u}(${32 - bits}u);`]),
  );
  return `${name}(${x})`;
}

/** The low bits of words: `lanes` are a vector of u32. */
export function packed(p: Prelude, bits: 8 | 16, width: number, lanes: string): string {
  const u = vector("u32", width);
  const mask = bits === 8 ? "0xffu" : "0xffffu";
  const perWord = 32 / bits;
  const word = (from: number): string =>
    Array.from({ length: Math.min(perWord, width) }, (_, i) => {
      const lane = `low.${"xyzw"[from + i]}`;
      return i === 0 ? lane : `(${lane} << ${i * bits}u)`;
    }).join(" | ");
  const count = Math.max(1, width / perWord);
  const words = Array.from({ length: count }, (_, i) => word(i * perWord));
  const name = p.fn(`pack_${bits}x${width}`, (n) =>
    fn(`${n}(lanes: ${u}) -> ${vector("u32", count)}`, [
      `let low = lanes & ${u}(${mask});`,
      `return ${count === 1 ? words[0] : `${vector("u32", count)}(${words.join(", ")})`};`,
    ]),
  );
  return `${name}(${lanes})`;
}
