/** Casts of f32 by bits against runtime/formats: every upper half of an f32 with lower halves around each tie, and random bits. */
import { expect, test } from "vitest";
import { wasmModule } from "../../backends/wasm/module.ts";
import { wasmTarget } from "../../backends/wasm/target.ts";
import { at, type Body, kernel } from "../../compiler/kernel/build.ts";
import { pow2Ceil, roundedFormats, roundTo, roundToE8m0, roundToI8 } from "../../compiler/kernel/casts.ts";
import { convert, mul, name } from "../../compiler/kernel/expr.ts";
import { interpret } from "../../compiler/kernel/interpret.ts";
import type { Expr, Kernel } from "../../compiler/kernel/kernel.ts";
import { lower } from "../../compiler/kernel/lower/lower.ts";
import { scalarFunctions } from "../../compiler/ops/scalar-functions.ts";
import { random } from "./data.ts";
import { runWasm } from "./run-wasm.ts";

const lows = [0, 1, 0x7fff, 0x8000, 0x8001, 0xffff, 0x1000, 0x0fff];
const count = 65_536 * (lows.length + 1);
function inputs(): Float32Array {
  const next = random(3);
  const bits = Int32Array.from({ length: count }, (_, i) => {
    const low = lows[Math.floor(i / 65_536)];
    return low === undefined ? Math.floor(next() * 2 ** 31) : ((i % 65_536) << 16) | low;
  });
  return new Float32Array(bits.buffer);
}

type Meaning = (x: number, y: number, z: number) => number;
type Cast = (x: Expr, b: Body) => Expr;
const casts: readonly (readonly [name: string, cast: Cast, meaning: Meaning])[] = [
  ...roundedFormats.map(
    (f) =>
      [f, (x: Expr, b: Body) => roundTo(f, x, (n, v) => b.let(n, v)), scalarFunctions[`to_${f}`].evaluate] as const,
  ),
  ["e8m0", (x, b) => roundToE8m0(x, (n, v) => b.let(n, v)), scalarFunctions.to_e8m0.evaluate],
  [
    "i8",
    (x, b) =>
      convert(
        roundToI8(x, (n, v) => b.let(n, v)),
        "f32",
      ),
    scalarFunctions.to_i8.evaluate,
  ],
  ["pow2_ceil", (x, b) => pow2Ceil(x, (n, v) => b.let(n, v)), scalarFunctions.pow2_ceil.evaluate],
];
function kernelOf(n: string, width: number, cast: Cast): Kernel {
  const buffers = { x: { elem: "f32", extent: count }, y: { elem: "f32", extent: count, access: "write" } } as const;
  const spec = { name: `k_${n}_${width}`, source: "", lanes: 1, sizes: {}, buffers, grid: { g: count / width } };
  const made = kernel(spec, (b, memory) => {
    const i = mul(name("g"), width);
    b.store(memory("y"), i, cast(at(memory("x"), i, width), b));
  });
  return lower(made, wasmTarget);
}

const x = inputs();
/** The first that differs, zeros of either sign apart. */
function firstWrong(y: ArrayLike<number>, meaning: Meaning): string | null {
  for (const [i, given] of x.entries()) {
    const want = Math.fround(meaning(given, 0, 0));
    if (!Object.is(y[i], want)) return `${given} gives ${y[i]}, not ${want}`;
  }
  return null;
}

test.each(casts)("%s", async (n, cast, meaning) => {
  const scalar = kernelOf(n, 1, cast);
  const y = new Float32Array(count);
  expect(interpret(scalar, { sizes: {}, buffers: { x, y } })).toBeNull();
  expect(firstWrong(y, meaning)).toBeNull();
  const kernels = [scalar, kernelOf(n, 8, cast)];
  const bytes = await wasmModule(kernels);
  for (const k of kernels) {
    const outputs = await runWasm(bytes, k, { sizes: {}, inputs: { x } }, [null]);
    expect(firstWrong(outputs["y"] ?? [], meaning), k.name).toBeNull();
  }
});
