import { add, div, mul, op } from "../../compiler/kernel/expr.ts";
import type { Expr } from "../../compiler/kernel/kernel.ts";
import type { KernelTarget } from "../../compiler/target/kernel-target.ts";
import { chooseMap, type MapDescription, mapKernel } from "./by-hand/map.ts";
import { floats, read, specials, stored } from "./data.ts";
import type { KernelCase } from "./kernel-case.ts";

/** x0 · sigmoid(x0) · x1 */
const gate = ([x, y]: readonly Expr[]): Expr =>
  x === undefined || y === undefined ? add(0) : mul(div(x, add(op("exp", op("neg", x)), 1)), y);
const copies = ([x]: readonly Expr[]): Expr => x ?? add(0);
const exponential = ([x]: readonly Expr[]): Expr => op("exp", x ?? add(0));

export function mapCases(t: KernelTarget): readonly KernelCase[] {
  const swiglu: MapDescription = { name: "swiglu", inputs: ["f32", "bf16"], output: "bf16", body: gate };
  const gated = mapKernel(swiglu, chooseMap(t));
  const sizes = [0, 1, 63, t.lanes * t.vector * 64 + 5].map((N): KernelCase => {
    const [x0, x1] = [floats(N, 1).map((x) => x * 8), stored("bf16", floats(N, 2))];
    const y = read("bf16", x1);
    const values = Array.from(x0, (x, i) => (x / (1 + Math.exp(-x))) * (y[i] ?? 0));
    const expected = { values, magnitudes: values.map(Math.abs), length: 4, outputUnit: 2 ** -8 };
    return { name: `swiglu of ${N}`, kernel: gated, sizes: { N }, inputs: { x0, x1 }, expected: { y: expected } };
  });
  const copy = mapKernel({ name: "copy", inputs: ["f32"], output: "f32", body: copies }, chooseMap(t));
  const exp = mapKernel({ name: "exponential", inputs: ["f32"], output: "f32", body: exponential }, chooseMap(t));
  const x0 = Float32Array.from(specials);
  const of = { sizes: { N: x0.length }, inputs: { x0 } };
  const asIs = [...x0];
  const powers = asIs.map((x) => Math.fround(Math.exp(x)));
  return [
    ...sizes,
    {
      name: "copies of special numbers",
      kernel: copy,
      ...of,
      expected: { y: { values: asIs, magnitudes: asIs.map(() => 0), length: 0 } },
    },
    {
      name: "exp of special numbers",
      kernel: exp,
      ...of,
      expected: { y: { values: powers, magnitudes: powers.map((x) => (Number.isFinite(x) ? x : 0)), length: 0 } },
    },
  ];
}
