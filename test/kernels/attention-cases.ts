import type { KernelTarget } from "../../compiler/target/kernel-target.ts";
import { attention } from "./by-hand/attention.ts";
import { chooseAttention } from "./by-hand/attention-schedule.ts";
import { floats } from "./data.ts";
import type { KernelCase } from "./kernel-case.ts";
import type { Expected } from "./tolerance.ts";

interface Shape {
  readonly H: number;
  readonly T: number;
  readonly first: number;
  readonly D: number;
}
const shapes: readonly Shape[] = [
  { H: 2, T: 11, first: 70, D: 64 },
  { H: 1, T: 1, first: 0, D: 16 },
  { H: 3, T: 9, first: 31, D: 32 },
  { H: 1, T: 0, first: 5, D: 16 },
];

interface Tensors {
  readonly q: Float32Array;
  readonly k: Float32Array;
  readonly v: Float32Array;
}
function expectedOf({ H, T, first, D }: Shape, { q, k, v }: Tensors, scale: number): Expected {
  const S = first + T;
  const [values, magnitudes]: [number[], number[]] = [[], []];
  let largest = 0; // Σ |q·k|·scale: an error of a score is a relative error of its exp
  for (let h = 0; h < H; h += 1)
    for (let t = 0; t < T; t += 1) {
      const scores = Array.from({ length: first + t + 1 }, (_, s) => {
        let [sum, magnitude] = [0, 0];
        for (let d = 0; d < D; d += 1) {
          const product = (q[(h * T + t) * D + d] ?? 0) * (k[(h * S + s) * D + d] ?? 0) * scale;
          sum += product;
          magnitude += Math.abs(product);
        }
        largest = Math.max(largest, magnitude);
        return sum;
      });
      const top = Math.max(...scores);
      const weights = scores.map((x) => Math.exp(x - top));
      const total = weights.reduce((x, y) => x + y, 0);
      for (let d = 0; d < D; d += 1) {
        const terms = weights.map((p, s) => (p * (v[(h * S + s) * D + d] ?? 0)) / total);
        values.push(terms.reduce((x, y) => x + y, 0));
        magnitudes.push(terms.reduce((x, y) => x + Math.abs(y), 0));
      }
    }
  return { values, magnitudes, length: S + 2 * (D + 8) * Math.ceil(largest) };
}

export const attentionCases = (t: KernelTarget): readonly KernelCase[] =>
  shapes.map((shape) => {
    const { H, T, first, D } = shape;
    const S = first + T;
    const scale = 4 / Math.sqrt(D);
    const tensors = { q: floats(H * T * D, 10), k: floats(H * S * D, 11), v: floats(H * S * D, 12) };
    const described = { name: "attention", headDim: D, scale: Math.fround(scale) };
    return {
      name: `attention of ${H} x ${T} x ${D} after ${first}`,
      kernel: attention(described, chooseAttention(described, t)),
      sizes: { H, T, S, first },
      inputs: { ...tensors },
      expected: { o: expectedOf(shape, tensors, Math.fround(scale)) },
    };
  });
