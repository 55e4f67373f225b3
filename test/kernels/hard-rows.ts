/** Rows of keys that are hard to choose from: equal ones, reserved ones, sorted ones, those of every float. */
import { at, kernel } from "../../compiler/kernel/build.ts";
import { mul, name } from "../../compiler/kernel/expr.ts";
import { interpret } from "../../compiler/kernel/interpret.ts";
import type { Kernel } from "../../compiler/kernel/kernel.ts";
import { leastKey, maskedKey, nanKey, sortKey } from "../../compiler/schedule/sort-keys.ts";
import { floats, specials } from "./data.ts";
import { keysUpTo } from "./selection-cases.ts";

/** y[i] = the key of x[i], vectors of `width`. */
export function keyKernel(elem: "f32" | "i32", width: number): Kernel {
  const extent = mul(name("N"), width);
  const buffers = { x: { elem, extent }, y: { elem: "i32", extent, access: "write" } } as const;
  const spec = { name: "key", source: "", lanes: 1, sizes: { N: {} }, buffers, grid: { g: name("N") } };
  return kernel(spec, (b, m) => {
    const i = mul(name("g"), width);
    b.store(m("y"), i, sortKey(at(m("x"), i, width)));
  });
}
export function keysOf(x: Float32Array | Int32Array): Int32Array {
  const y = new Int32Array(x.length);
  const k = keyKernel(x instanceof Float32Array ? "f32" : "i32", 1);
  const fault = interpret(k, { sizes: { N: x.length }, buffers: { x, y } });
  if (fault !== null) throw new Error(fault.message);
  return y;
}
export const hardFloats = Float32Array.from([...specials, ...floats(30, 5), ...specials]);

const fill = (value: number) => (count: number) => new Int32Array(count).fill(value);
/** Keys by how many, and a seed. */
export const hardRows: Readonly<Record<string, (count: number, seed: number) => Int32Array>> = {
  "all masked": fill(maskedKey),
  "all nan": fill(nanKey),
  "all equal": fill(7),
  "all greatest": fill(0x7fffffff),
  "every other masked": (count) => Int32Array.from({ length: count }, (_, i) => (i % 2 === 0 ? maskedKey : i)),
  "few, below 0": (count) => Int32Array.from({ length: count }, (_, i) => (i % 11 === 3 ? -i : maskedKey)),
  rising: (count) => Int32Array.from({ length: count }, (_, i) => i),
  falling: (count) => Int32Array.from({ length: count }, (_, i) => -i),
  "of few": (count, seed) => keysUpTo(2, count, seed),
  "of all": (count, seed) => keysUpTo(0x7fffffff, count, seed),
  "of ends": (count, seed) => {
    const ends = [maskedKey, nanKey, leastKey, leastKey + 1, -1, 0, 1, 0x7ffffffe, 0x7fffffff];
    return keysUpTo(4, count, seed).map((i) => ends[i + 4] ?? 0);
  },
  "of scores": (count) =>
    keysOf(Float32Array.from({ length: count }, (_, i) => hardFloats[i % hardFloats.length] ?? 0)),
};
