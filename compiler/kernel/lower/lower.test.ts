import { describe, expect, test } from "vitest";
import { exampleKernelTargets } from "../../target/example-kernel-targets.ts";
import type { KernelTarget } from "../../target/kernel-target.ts";
import { interpret } from "../interpret.ts";
import type { Kernel } from "../kernel.ts";
import { parseKernel } from "../parse.ts";
import { printKernel } from "../print.ts";
import { verify } from "../verify.ts";
import { lower } from "./lower.ts";

function read(text: string): Kernel {
  const parsed = parseKernel(text);
  if (!parsed.ok) throw new Error(`${parsed.line}:${parsed.column} ${parsed.message}`);
  return parsed.kernel;
}
const target = (name: string, changes: Partial<KernelTarget> = {}): KernelTarget => {
  const found = exampleKernelTargets.find((t) => t.name === name);
  if (found === undefined) throw new Error(name);
  return { ...found, ...changes };
};

describe("reduce", () => {
  const kernelOf = (lanes: number, width: number, monoid: string): Kernel =>
    read(`kernel @k "" read x: f32[${lanes}] rows write y: f32[${lanes}] rows lanes ${lanes}
      { reduce r1 = ${monoid}(x[lane]) over ${width} any reduce r2 = max(r1) over ${width} any y[lane] = r2 }`);
  const x = Float32Array.from({ length: 64 }, (_, i) => (i * 37) % 64); // whole: sums are exact in any order
  const combine = { sum: (a: number, b: number) => a + b, max: Math.max, min: Math.min } as const;
  const subgroups = [null, { min: 4, max: 128 }, { min: 16, max: 16 }, { min: 64, max: 64 }];
  test.each(subgroups)("any width on subgroups of %o", (subgroup) => {
    const t = target("gpu", { subgroup });
    for (const width of [2, 8, 16, 32, 64])
      for (const monoid of ["sum", "max", "min"] as const) {
        const k = lower(kernelOf(64, width, monoid), t);
        expect(verify(k, t)).toEqual([]);
        expect(printKernel(k)).not.toContain(" any");
        const want = Array.from(x, (_, i) => {
          const first = Math.floor(i / width) * width;
          return x.subarray(first, first + width).reduce((a, b) => combine[monoid](a, b));
        });
        const sizes = subgroup === null ? [32] : [...new Set([subgroup.min, 16, subgroup.max])];
        for (const size of sizes.filter((s) => subgroup === null || (s >= subgroup.min && s <= subgroup.max)))
          for (const order of ["forward", "reverse", "shuffled"] as const) {
            const y = new Float32Array(64);
            expect(interpret(k, { sizes: {}, buffers: { x, y } }, { order, subgroup: size })).toBeNull();
            expect([...y]).toEqual(want);
          }
      }
  });
});

test("exp is within 2 ulp, 0 below, inf above, and nan of nan", () => {
  const n = 40_000;
  const given = Float32Array.from({ length: n }, (_, i) => -110 + (i * 210) / n);
  given.set([0, -0, 1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, 88.72, 88.73, -86.9]);
  const k = lower(
    read(`kernel @k "" read x: f32[${n}] rows write y: f32[${n}] rows grid g in ${n} { y[g] = exp(x[g]) }`),
    target("simd"),
  );
  for (const fma of ["fused", "separate"] as const) {
    const y = new Float32Array(n);
    expect(interpret(k, { sizes: {}, buffers: { x: given, y } }, { fma })).toBeNull();
    let worst = 0;
    for (const [i, x] of given.entries()) {
      const want = Math.exp(x);
      const got = y[i] ?? Number.NaN;
      if (Number.isNaN(x)) expect(got).toBeNaN();
      else if (x < Math.fround(-86.9)) expect(Object.is(got, 0)).toBe(true);
      else if (Math.fround(want) === Number.POSITIVE_INFINITY) expect(got).toBe(Number.POSITIVE_INFINITY);
      else worst = Math.max(worst, Math.abs(got - want) / 2 ** (Math.floor(Math.log2(want)) - 23));
    }
    expect(worst).toBeLessThan(2);
  }
});

describe("hoist", () => {
  const hoisted = (body: string): string =>
    printKernel(
      lower(
        read(`kernel @k "" size N min 1 read x: f32[N] rows write y: f32[N] rows grid g in 1 { ${body} }`),
        target("gpu_unit"),
      ),
    );
  test("moves what a loop does not change, once", () => {
    const text = hoisted(
      `let s1 = x[0] loop d in 0 .. N step 1 { y[d] = x[d] * rsqrt(s1 + f32(1)) + rsqrt(s1 + f32(1)) }`,
    );
    expect(text).toContain("let fixed = rsqrt(s1 + f32(1))\n  loop");
    expect(text).toContain("y[d] = x[d] * fixed + fixed");
  });
  test("leaves what it stores to, what it reads from memory, and branches", () => {
    const loop = (inner: string): string => `reg r1: f32[1] r1[0] = f32(0) loop d in 0 .. N step 1 { ${inner} }`;
    for (const inner of [
      "r1[0] = r1[0] + f32(1) y[d] = r1[0]",
      "let v1 = x[d] y[d] = v1 + f32(1)",
      "y[d] = x[0] + f32(1)",
      "if 0 < d { y[d] = r1[0] + f32(1) }",
    ])
      expect(hoisted(loop(inner))).not.toContain("fixed");
  });
});

describe("unroll", () => {
  test("gives copies names of their own, that nothing else has", () => {
    const k = read(`kernel @k "" write y: f32[4] rows { let a1_0 = f32(3)
      unroll i in 0 .. 2 step 1 { let a1 = a1_0 + f32(1) y[i] = a1 unroll j in 2 .. 4 step 2 { y[i + j] = a1 } } }`);
    const lowered = lower(k, target("simd"));
    expect(printKernel(lowered)).not.toContain("unroll");
    const y = new Float32Array(4);
    expect(interpret(lowered, { sizes: {}, buffers: { y } })).toBeNull();
    expect([...y]).toEqual([4, 4, 4, 4]);
  });
  test("is left to targets that do it themselves", () => {
    const k = read(`kernel @k "" write y: f32[4] rows { unroll i in 0 .. 4 step 1 { y[i] = f32(1) } }`);
    expect(lower(k, target("gpu_unit"))).toEqual(k);
  });
});

describe("join", () => {
  const lowered = (body: string): string =>
    printKernel(
      lower(read(`kernel @k "" size N min 1 read x: f32[4] rows write y: f32[4] rows { ${body} }`), target("simd")),
    );
  const ifs = (text: string): number => text.split("if ").length - 1;

  test("makes one branch of those beside each other that ask the same", () => {
    expect(
      ifs(lowered("if 1 < N { y[1] = f32(1) } if 1 < N { let a = x[0] y[2] = a } if 2 < N { y[3] = f32(2) }")),
    ).toBe(2);
    expect(ifs(lowered("unroll i in 0 .. 3 step 1 { if 1 < N { y[i] = f32(1) } }"))).toBe(1);
  });
  test("leaves what memory decides, and what has something between", () => {
    const changed = "reg r1: i32[1] r1[0] = N if r1[0] < 2 { y[1] = f32(1) r1[0] = 4 } if r1[0] < 2 { y[2] = f32(1) }";
    const apart = "if 1 < N { y[1] = f32(1) } y[0] = f32(2) if 1 < N { y[2] = f32(1) }";
    for (const text of [changed, apart]) expect(ifs(lowered(text))).toBe(2);
  });
});

test("a kernel that is wrong is a bug of ours, said with the step", () => {
  const k = read(`kernel @k "" write y: f32[4] rows { unroll i in 0 .. 5 step 1 { y[i] = f32(1) } }`);
  expect(() => lower(k, target("simd"))).toThrow(/k for simd as scheduled:\n {2}9: store y\[i\]/);
});
