/** Inputs of the cases. */
import type { Elem } from "../../compiler/kernel/elem.ts";
import { type Data, newData } from "../../compiler/kernel/interpret.ts";
import { bf16, decodeFloat, encodeFloat, f16 } from "../../runtime/formats/float-format.ts";

/** In -1..1, the same from run to run. */
export function random(seed: number): () => number {
  let s = seed >>> 0;
  return () => {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    return (s >>> 8) / 8388608 - 1;
  };
}
export function floats(n: number, seed: number): Float32Array<ArrayBuffer> {
  const next = random(seed);
  return Float32Array.from({ length: n }, next);
}
const formats = { bf16, f16 } as const;
/** Numbers as an elem stores them. */
export function stored(elem: Elem, values: ArrayLike<number>): Data {
  const data = newData(elem, values.length);
  const format = elem === "bf16" || elem === "f16" ? formats[elem] : null;
  for (let i = 0; i < values.length; i += 1) {
    const x = values[i] ?? 0;
    data[i] = format === null ? x : encodeFloat(format, x);
  }
  return data;
}
/** What stored numbers stand for. */
export function read(elem: Elem, data: Data): readonly number[] {
  const format = elem === "bf16" || elem === "f16" ? formats[elem] : null;
  return Array.from(data, (x) => (format === null ? x : decodeFloat(format, x)));
}

/** [N, K] in panels of `width` rows, the last one filled up with zeros: [N / width][K][width]. */
export function packPanels(w: ArrayLike<number>, n: number, k: number, width: number): Float32Array {
  const out = new Float32Array(Math.ceil(n / width) * width * k);
  for (let i = 0; i < n; i += 1)
    for (let j = 0; j < k; j += 1) out[Math.floor(i / width) * k * width + j * width + (i % width)] = w[i * k + j] ?? 0;
  return out;
}
/** Where f32 goes wrong first. */
export const specials: readonly number[] = [
  0,
  -0,
  1,
  -1,
  2 ** -149,
  -(2 ** -149),
  2 ** -126,
  3.4028234663852886e38,
  -3.4028234663852886e38,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  Number.NaN,
  88.7,
  88.8,
  -87,
  -87.5,
  -104,
  0.5,
];
