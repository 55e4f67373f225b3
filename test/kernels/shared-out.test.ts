/** Long sums and rows that the lanes of an item share, on every description that has lanes. */
import { describe, expect, test } from "vitest";
import { interpret } from "../../compiler/kernel/interpret.ts";
import type { Kernel } from "../../compiler/kernel/kernel.ts";
import { lower } from "../../compiler/kernel/lower/lower.ts";
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
      expect(c.says).toContain(`shared by ${target.lanes} lanes`);
      expect(c.kernel.lanes).toBe(target.lanes);
      expect(off(c, c.kernel, {})).toBeLessThan(1e-5);
      const { min, max } = target.subgroup ?? { min: 32, max: 32 };
      for (const subgroup of new Set([min, max]))
        expect(off(c, lower(c.kernel, target), { order: "shuffled", subgroup, fma: "fused" })).toBeLessThan(1e-5);
    }
  });
});

const [gpu] = targets;
if (gpu === undefined) throw new Error("there are no lanes");

test("short sums, and sums of several tokens, are each lane's own", () => {
  const short = of(
    "37] = map [t, n] sum[k: 40](%v[t, k] * %u[n, k])",
    "%v : f32[T, 40] = input\n  %u : f32[37, 40] = weight",
  );
  expect(caseOf(short, gpu, 1).kernel.lanes).toBe(1);
  expect(caseOf(texts["a matrix times a vector"] ?? "", gpu, 4).kernel.lanes).toBe(1);
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
