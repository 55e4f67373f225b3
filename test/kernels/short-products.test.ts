/** Sums of products of numbers of 8 bits: exact, and several at once, wherever memory has them side by side. */
import { describe, expect, test } from "vitest";
import { wasmModule } from "../../backends/wasm/module.ts";
import { wasmTarget } from "../../backends/wasm/target.ts";
import { interpret } from "../../compiler/kernel/interpret.ts";
import type { Kernel } from "../../compiler/kernel/kernel.ts";
import { lower } from "../../compiler/kernel/lower/lower.ts";
import { printKernel } from "../../compiler/kernel/print.ts";
import { exampleKernelTargets } from "../../compiler/target/example-kernel-targets.ts";
import type { KernelTarget } from "../../compiler/target/kernel-target.ts";
import { type MapCase, mapCase } from "./map-case.ts";
import { runWasm } from "./run-wasm.ts";
import { shortProducts, shortSums } from "./short-product-graphs.ts";

const caseOf = (text: string, target: KernelTarget, T: number): MapCase =>
  mapCase(text, { sizes: { T }, fixed: { T }, target });
const dots = (k: Kernel): number => printKernel(k).match(/\bdot[24]\(/g)?.length ?? 0;

/** Sums are the same numbers; what is made of them is off by roundings of f32. */
function wrongIn(c: MapCase, got: ArrayLike<number>, exact: boolean): string | null {
  const most = Math.max(1, ...c.want.map(Math.abs));
  for (const [i, want] of c.want.entries()) {
    const x = got[i] ?? Number.NaN;
    const isRight = exact ? x === want : Math.abs(x - want) <= most * 1e-6;
    if (!isRight) return `[${i}] is ${x}, not ${want}`;
  }
  return null;
}
const outputs = (c: MapCase, exact: boolean): Int32Array | Float32Array =>
  exact ? new Int32Array(c.want.length) : new Float32Array(c.want.length);

const all = [
  ...Object.entries(shortSums).map((x) => [...x, true] as const),
  ...Object.entries(shortProducts).map((x) => [...x, false] as const),
];

describe.each(exampleKernelTargets)("$name", (target) => {
  test.each(all)("%s", (_, text, exact) => {
    for (const T of [1, 3, 9]) {
      const c = caseOf(text, target, T);
      for (const k of [c.kernel, lower(c.kernel, target)]) {
        expect(dots(k), printKernel(k)).toBeGreaterThan(0);
        const made = outputs(c, exact);
        expect(interpret(k, { sizes: c.sizes, buffers: { ...c.inputs, made } }, { order: "shuffled" })).toBeNull();
        expect(wrongIn(c, made, exact)).toBeNull();
      }
    }
  });
});

test.each(all)("WebAssembly: %s", async (_, text, exact) => {
  for (const T of [1, 3, 9]) {
    const c = caseOf(text, wasmTarget, T);
    const k = lower(c.kernel, wasmTarget);
    const { made = [] } = await runWasm(await wasmModule([k]), k, c, [null]);
    expect(wrongIn(c, made, exact)).toBeNull();
  }
});

test.each(exampleKernelTargets)(
  "$name: a factor that the sum does not run along is multiplied as any other is",
  (target) => {
    const text = `graph @g {
  size T in 1..200
  %w : i8[70, 48] = weight
  %x : i8[T, 70] = input
  %y : i32[T, 70] = map [t, n] sum[k: 48](%w[n, k] * %x[t, n])
  return %y
}`;
    const c = caseOf(text, target, 3);
    expect(dots(c.kernel)).toBe(0);
    const made = outputs(c, true);
    expect(interpret(c.kernel, { sizes: c.sizes, buffers: { ...c.inputs, made } })).toBeNull();
    expect(wrongIn(c, made, true)).toBeNull();
    expect(printKernel(c.kernel)).not.toMatch(/i32x(8|16)/);
  },
);
