/** Sums and rows that lanes of an item share, on every description that has lanes. */
import { describe, expect, test } from "vitest";
import { interpret } from "../../compiler/kernel/interpret.ts";
import type { Kernel } from "../../compiler/kernel/kernel.ts";
import { lower } from "../../compiler/kernel/lower/lower.ts";
import { printKernel } from "../../compiler/kernel/print.ts";
import { mapStmts } from "../../compiler/kernel/walk.ts";
import { exampleKernelTargets } from "../../compiler/target/example-kernel-targets.ts";
import type { KernelTarget } from "../../compiler/target/kernel-target.ts";
import { type MapCase, mapCase, outputOf } from "./map-case.ts";

const of = (body: string, more = ""): string => `graph @g {
  size T in 1..8
  size S in 0..4096
  %x : f32[T, 200] = input
  %w : f32[37, 200] = weight
  ${more}
  %y : f32[T, ${body}
  return %y
}`;
const texts: Readonly<Record<string, string>> = {
  "a matrix times a vector": of("37] = map [t, n] sum[k: 200](%x[t, k] * %w[n, k])"),
  "one whose rows end beside vectors": of(
    "5] = map [t, n] sum[k: 133](%v[t, k] * %u[n, k])",
    "%v : f32[T, 133] = input\n  %u : bf16[5, 133] = weight",
  ),
  "two, and what is made of both": of(
    "37] = map [t, n] sum[k: 200](%x[t, k] * %w[n, k]) * exp(sum[j: 200](%x[t, j] * %u[n, j]) * 0.01)",
    "%u : f32[37, 200] = weight",
  ),
  "a row by its own norm": of("200] = map [t, d] %x[t, d] * rsqrt(sum[k: 200](%x[t, k] * %x[t, k]) / 200 + 1e-6)"),
  "a norm in front of a product": of(
    "37] = map [t, n] sum[k: 200](%x[t, k] * rsqrt(sum[j: 200](%x[t, j] * %x[t, j]) / 200) * %w[n, k])",
  ),
  "a greatest one, and what is left of it": of("200] = map [t, d] %x[t, d] - max[k: 200](%x[t, k])"),
  "sums over all lanes": of(
    "37] = map [t, n] sum[k: 2048](%v[t, k] * %u[n, k])",
    "%v : f32[T, 2048] = input\n  %u : bf16[37, 2048] = weight",
  ),
  "sums over what was picked": of(
    "37] = map [t, n] sum[s: 4](%g[t, s] * sum[k: 200](%u[%p[t, s], n, k] * %h[t, s, k])) / (3 + sum[s: 4](%g[t, s])) + sum[k: 200](%w[n, k] * %x[t, k])",
    "%u : f32[8, 37, 200] = weight\n  %h : f32[T, 4, 200] = input\n  %g : f32[T, 4] = input\n  %p : i32[T, 4] = input",
  ),
  "one value":
    "graph @g {\n  %x : f32[200] = input\n  %y : f32[] = map [] rsqrt(sum[k: 200](%x[k] * %x[k]))\n  return %y\n}",
  "a sum of sums, as of experts": of(
    "37] = map [t, n] sum[e: 3](%g[t, e] * sum[k: 200](%u[e, n, k] * %h[t, e, k])) + sum[k: 200](%x[t, k] * %w[n, k])",
    "%g : f32[T, 3] = input\n  %h : f32[T, 3, 200] = input\n  %u : f32[3, 37, 200] = weight",
  ),
  "as many as there are": of("37] = map [t, n] sum[s: S](%row[n, s] * %x[t, n])", "%row : f32[37, S] = input"),
};

/** How far it is off, as a share of the largest value. */
function off(c: MapCase, k: Kernel, options: Parameters<typeof interpret>[2]): number | string {
  const out = outputOf(c);
  const fault = interpret(k, { sizes: c.sizes, buffers: { ...c.inputs, made: out } }, options);
  if (fault !== null) return `${fault.kind}: ${fault.message}`;
  const most = Math.max(1, ...c.want.map(Math.abs));
  return Math.max(0, ...c.want.map((x, i) => Math.abs(x - (out[i] ?? Number.NaN)) / most));
}
const caseOf = (text: string, target: KernelTarget, T: number, S = 300): MapCase =>
  mapCase(text, { sizes: { T, S }, fixed: { T }, target });

const targets = exampleKernelTargets.filter((t) => t.lanes > 1);
describe.each(targets)("$name", (target) => {
  test.each(Object.entries(texts))("%s", (_, text) => {
    for (const S of [0, 1, 300]) {
      const c = caseOf(text, target, 1, S);
      expect(c.says).toMatch(/shared by \d/);
      expect(c.kernel.lanes).toBe(target.lanes);
      expect(off(c, c.kernel, {})).toBeLessThan(1e-5);
      const { min, max } = target.subgroup ?? { min: 32, max: 32 };
      for (const subgroup of new Set([min, max]))
        expect(off(c, lower(c.kernel, target), { order: "shuffled", subgroup, fma: "fused" })).toBeLessThan(1e-5);
    }
  });
});

const [gpu, subgroups] = targets;
if (subgroups === undefined || gpu === undefined) throw new Error("there are no lanes");

test.each([2, 3, 8])("%i tokens share what is read of a row", (T) => {
  for (const text of ["a matrix times a vector", "a norm in front of a product", "sums over all lanes"]) {
    const c = caseOf(texts[text] ?? "", gpu, T);
    expect(c.says).toContain(` x ${T} places`);
    expect(off(c, lower(c.kernel, gpu), { order: "shuffled" })).toBeLessThan(1e-5);
  }
});

test("as many lanes share a sum as leave each some vectors of it", () => {
  const shared = (K: number, N: number, workers: number): string | undefined => {
    const text = of(
      `${N}] = map [t, n] sum[k: ${K}](%v[t, k] * %u[n, k])`,
      `%v : f32[T, ${K}] = input\n  %u : f32[${N}, ${K}] = weight`,
    );
    return /(\d+) x 1 .* shared by (\d+) of 64/
      .exec(caseOf(text, { ...gpu, workers }, 1).says)
      ?.slice(1)
      .join(" ");
  };
  expect([4096, 512, 128, 40, 16].map((K) => shared(K, 4096, 1))).toEqual(["2 64", "2 32", "2 8", "2 2", undefined]);
  expect([4096, 256, 64, 8].map((N) => shared(128, N, 64))).toEqual(["2 8", "1 16", "1 32", "1 32"]);
});

test("lanes of a row read what is adjacent, in whole vectors, and rows have lanes of their own", () => {
  const { kernel } = caseOf(of("37] = map [t, n] sum[k: 200](%x[t, k] * %w[n, k])"), gpu, 1);
  const text = printKernel(kernel);
  expect(text).toMatch(/let n_own = lane \/ 8\s+let n0 = n_block \* 16 \+ n_own\s/);
  expect(text).toMatch(
    /loop k in lane % 8 \* 4 \.\. 200 step 32 \{\s+let x = x_in\[k\]:4\s+let w = w_in\[at \+ k\]:4\s/,
  );
  expect(text).toContain("if n0 + 8 < 37 & lane % 8 == 0");
});

test("sums that are ready together meet at the same barriers", () => {
  const barriers = (target: KernelTarget, T: number): number => {
    const { kernel } = caseOf(texts["sums over all lanes"] ?? "", target, T);
    return printKernel(lower(kernel, target)).split("barrier").length - 1;
  };
  expect([1, 8].map((T) => barriers(gpu, T))).toEqual([2, 2]);
  expect([1, 8].map((T) => barriers(subgroups, T))).toEqual([1, 1]);
});

test("very short sums, and sums of many tokens, are each lane's own", () => {
  const short = of(
    "37] = map [t, n] sum[k: 12](%v[t, k] * %u[n, k])",
    "%v : f32[T, 12] = input\n  %u : f32[37, 12] = weight",
  );
  expect(caseOf(short, gpu, 1).kernel.lanes).toBe(1);
  expect(caseOf(texts["a matrix times a vector"] ?? "", gpu, 9).kernel.lanes).toBe(1);
});

test("the sum of a sum is one that lanes share, in vectors, but not where the inner one is that of several outputs", () => {
  const { says } = caseOf(texts["a sum of sums, as of experts"] ?? "", gpu, 1);
  expect(says).toMatch(/2 sums, vectors of 4 along the sum, shared by \d/);
  const shared = of(
    "37] = map [t, n] sum[e: 3](%g[n, e] * sum[k: 200](%h[t, e, k]))",
    "%g : f32[37, 3] = input\n  %h : f32[T, 3, 200] = input",
  );
  const c = caseOf(shared, gpu, 1);
  expect(off(c, c.kernel, {})).toBeLessThan(1e-5);
  // One sum is in the loop over the others, and serves both outputs of a lane.
  expect(printKernel(c.kernel)).toMatch(
    /reduce all_sum = .*\s+let g = .*\s+acc\[0\] = fma\(all_sum, g, .*\s+let g1 = .*\s+acc\[1\] = fma\(all_sum, g1, /,
  );
});

test("lanes that do not meet, or all write, are found", () => {
  const c = caseOf(texts["a matrix times a vector"] ?? "", gpu, 1);
  const apart = mapStmts(
    c.kernel.body,
    (e) => e,
    (s) => (s.kind === "reduce" ? [{ kind: "let", name: s.name, value: s.value }] : [s]),
  );
  expect(off(c, { ...c.kernel, body: apart }, {})).toBeGreaterThan(1e-3);
  const all = mapStmts(
    c.kernel.body,
    (e) => e,
    (s) => (s.kind === "if" ? s.body : [s]),
  );
  expect(off(c, { ...c.kernel, body: all }, {})).toContain("race");
});
