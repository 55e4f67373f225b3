import type { KernelTarget } from "../../compiler/target/kernel-target.ts";
import { chooseUnit, contractionUnit } from "./by-hand/contraction-unit.ts";
import { floats, read, stored } from "./data.ts";
import { products } from "./gemv-cases.ts";
import type { KernelCase } from "./kernel-case.ts";

/** Where there is a matrix unit. */
export function unitCases(t: KernelTarget): readonly KernelCase[] {
  const s = chooseUnit(t);
  if (s === null) return [];
  const kernel = contractionUnit("contraction_unit", s);
  return [
    { M: 32, N: 128, K: 64 },
    { M: 0, N: 128, K: 16 },
    { M: 16, N: 128, K: 0 },
  ].map(({ M, N, K }) => {
    const [a, w] = [stored(s.unit.elem, floats(M * K, 18)), stored(s.unit.elem, floats(N * K, 19))];
    const expected = { c: products(read(s.unit.elem, a), read(s.unit.elem, w), { m: M, n: N, k: K }) };
    return { name: `unit contraction of ${M} x ${N} x ${K}`, kernel, sizes: { M, N, K }, inputs: { a, w }, expected };
  });
}
