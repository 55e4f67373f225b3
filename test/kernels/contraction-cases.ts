import type { KernelTarget } from "../../compiler/target/kernel-target.ts";
import { chooseTile, contraction } from "./by-hand/contraction.ts";
import { floats, packPanels } from "./data.ts";
import { products } from "./gemv-cases.ts";
import type { KernelCase } from "./kernel-case.ts";

const shapes = [
  { M: 13, N: 72, K: 48, n: 4, k: 16 },
  { M: 33, N: 4, K: 20, n: 4, k: 4 },
  { M: 5, N: 3, K: 7, n: 1, k: 1 },
  { M: 1, N: 1, K: 1, n: 1, k: 1 },
  { M: 0, N: 4, K: 16, n: 4, k: 16 },
  { M: 3, N: 4, K: 0, n: 4, k: 16 },
] as const;

export const contractionCases = (t: KernelTarget): readonly KernelCase[] =>
  shapes.map(({ M, N, K, n, k }) => {
    const c = { name: "contraction", multiples: { n, k } };
    const tile = chooseTile(c, t);
    const [a, w] = [floats(M * K, 8), floats(N * K, 9)];
    return {
      name: `contraction of ${M} x ${N} x ${K}`,
      kernel: contraction(c, tile),
      sizes: { M, N, K },
      inputs: { a, w: tile.staged ? w : packPanels(w, N, K, tile.vectors * tile.vector) },
      expected: { c: products(a, w, { m: M, n: N, k: K }) },
    };
  });
