import type { Elem } from "../../compiler/kernel/elem.ts";
import type { KernelTarget } from "../../compiler/target/kernel-target.ts";
import { chooseGemv, type Gemv, gemv } from "./by-hand/gemv.ts";
import { floats, read, stored } from "./data.ts";
import type { KernelCase } from "./kernel-case.ts";
import type { Expected } from "./tolerance.ts";

/** out[m, n] = Σ over k of a[m, k] · w[n, k]. */
export function products(
  a: ArrayLike<number>,
  w: ArrayLike<number>,
  { m, n, k }: { readonly m: number; readonly n: number; readonly k: number },
): Expected {
  const [values, magnitudes]: [number[], number[]] = [[], []];
  for (let i = 0; i < m; i += 1)
    for (let j = 0; j < n; j += 1) {
      let [sum, magnitude] = [0, 0];
      for (let x = 0; x < k; x += 1) {
        const product = (a[i * k + x] ?? 0) * (w[j * k + x] ?? 0);
        sum += product;
        magnitude += Math.abs(product);
      }
      values.push(sum);
      magnitudes.push(magnitude);
    }
  return { values, magnitudes, length: k };
}

interface Shape {
  readonly weights: Elem;
  readonly batch: number;
  readonly N: number;
  readonly K: number;
  readonly multiple: number;
}
function gemvCase(t: KernelTarget, { weights, batch, N, K, multiple }: Shape): KernelCase {
  const g: Gemv = { name: "gemv", weights, batch, multiple };
  const [w, x] = [stored(weights, floats(N * K, 3)), floats(K * batch, 4)];
  return {
    name: `gemv of ${weights} ${N} x ${K} for ${batch}`,
    kernel: gemv(g, chooseGemv(g, t)),
    sizes: { N, K },
    inputs: { w, x },
    expected: { y: products(x, read(weights, w), { m: batch, n: N, k: K }) },
  };
}
const shapes: readonly Shape[] = [
  { weights: "f32", batch: 1, N: 37, K: 264, multiple: 8 },
  { weights: "bf16", batch: 3, N: 37, K: 136, multiple: 8 },
  { weights: "f16", batch: 8, N: 19, K: 136, multiple: 8 },
  { weights: "f32", batch: 2, N: 5, K: 77, multiple: 1 },
  { weights: "f32", batch: 1, N: 1, K: 1, multiple: 1 },
  { weights: "f32", batch: 1, N: 0, K: 8, multiple: 8 },
  { weights: "f32", batch: 2, N: 3, K: 0, multiple: 8 },
];
export const gemvCases = (t: KernelTarget): readonly KernelCase[] => shapes.map((s) => gemvCase(t, s));
