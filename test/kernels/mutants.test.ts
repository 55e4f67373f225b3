/** Faults planted into right kernels, and who sees each: the verifier by the number of its rule, or a run. */
import { describe, expect, test } from "vitest";
import type { Kernel } from "../../compiler/kernel/kernel.ts";
import { lower } from "../../compiler/kernel/lower/lower.ts";
import { parseKernel } from "../../compiler/kernel/parse.ts";
import { printKernel } from "../../compiler/kernel/print.ts";
import { verify } from "../../compiler/kernel/verify.ts";
import { exampleKernelTargets } from "../../compiler/target/example-kernel-targets.ts";
import type { KernelTarget } from "../../compiler/target/kernel-target.ts";
import { kernelCases } from "./cases.ts";
import type { KernelCase } from "./kernel-case.ts";
import { runCase } from "./run-case.ts";

const target = (name: string): KernelTarget => {
  const found = exampleKernelTargets.find((t) => t.name === name);
  if (found === undefined) throw new Error(name);
  return found;
};
function caseOf(t: KernelTarget, start: string): KernelCase {
  const found = kernelCases(t).find((c) => c.name.startsWith(start));
  if (found === undefined) throw new Error(start);
  return found;
}
/** The kernel with the first `from` in its text replaced. */
function changed(k: Kernel, from: string, to: string): Kernel {
  const text = printKernel(k);
  expect(text).toContain(from);
  const parsed = parseKernel(text.replace(from, to));
  if (!parsed.ok) throw new Error(`${parsed.line}:${parsed.column} ${parsed.message}`);
  return parsed.kernel;
}
const orders = ["forward", "reverse", "shuffled"] as const;
/** What a run in each order says of it. */
const faultsOf = (c: KernelCase, k: Kernel, subgroup = 32): readonly string[] =>
  orders.flatMap((order) => runCase(c, k, { order, subgroup })?.slice(0, 4) ?? []);

describe("without one barrier a run fails, unless another one serves", () => {
  /** Which barriers, in the order of the text, may go. */
  test.each([
    ["gpu", "attention of 2", [0]], // for no key at all
    ["gpu", "contraction of 13", [] as readonly number[]],
    ["gpu", "rms_norm of 3", []],
    ["gpu", "6 of 3", []],
    ["gpu", "70 of 3", []],
    ["gpu_subgroups", "rms_norm of 3", []],
    ["gpu_unit", "rms_norm of 3", []],
  ])("%s: %s", (name, start, spare) => {
    const t = target(name);
    const c = caseOf(t, start);
    const parts = printKernel(lower(c.kernel, t)).split(/^ *barrier\n/m);
    const harmless: number[] = [];
    for (let drop = 0; drop < parts.length - 1; drop += 1) {
      const text = parts
        .slice(1)
        .reduce((all, part, i) => `${all}${i === drop ? "" : "barrier\n"}${part}`, parts[0] ?? "");
      const parsed = parseKernel(text);
      if (!parsed.ok) throw new Error(parsed.message);
      const run = { subgroup: t.subgroup?.min ?? 32 };
      if (orders.every((order) => runCase(c, parsed.kernel, { ...run, order }) === null)) harmless.push(drop);
    }
    expect({ barriers: parts.length - 1, harmless }).toEqual({ barriers: parts.length - 1, harmless: spare });
  });
});

describe("as scheduled", () => {
  test.each([
    // target, case, what stands there, what is planted, rules that the verifier names
    ["gpu", "gemv of f32 37", "min(n0 + r, N - 1)", "(n0 + r)", [9]],
    ["gpu", "gemv of f32 37", "min(n0 + r, N - 1)", "min(n0 + r, N)", [9]],
    ["gpu", "gemv of f32 37", "size K multiple 4", "size K multiple 2", [4, 9]],
    ["gpu", "gemv of f32 37", " < N & lane == 0", " <= N & lane == 0", [9]],
    ["gpu", "gemv of f32 37", "grid block in (N + 1) / 2", "grid block in (N + 2) / 2", [9]],
    ["gpu", "gemv of f32 37", "let n0 = block * 2", "let n0 = block", [10]],
    ["gpu", "contraction of 13", "let kk = k0 + kv\n    if kk + 4 <= K", "let kk = k0 + kv\n    if kk <= K", [9]],
    ["gpu", "contraction of 13", "if m < M", "if m <= M", [9]],
    ["gpu", "contraction of 13", "m0 = bm * 16 + in_m", "m0 = bm * 15 + in_m", [10]],
    ["gpu", "contraction of 13", "if n0 + 4 <= N", "if n0 <= N", [9, 10]],
    ["gpu", "attention of 2", "min(S, first + t0 + 8)", "(first + t0 + 8)", [9]],
    ["gpu", "attention of 2", "if t < T", "if t <= T", [9, 10]],
    ["gpu", "rms_norm of 3", "let row = t * D", "let row = (t + 1) * D", [9, 10]],
    ["gpu", "rms_norm of 3", "grid t in T", "grid t in T + 1", [9]],
    ["simd", "swiglu of 63", "if i + 4 <= N", "if i < N", [9]],
    ["simd", "swiglu of 63", "start = block * 256", "start = block * 252", [10]],
    ["gpu", "6 of 3", "if lane == 0", "if 0 <= lane", []],
  ] as const)("%s, %s: %s -> %s", (name, start, from, to, rules) => {
    const t = target(name);
    const c = caseOf(t, start);
    const k = changed(c.kernel, from, to);
    expect([...new Set(verify(k, t).map((p) => p.rule))].sort((a, b) => a - b)).toEqual([...rules]);
  });
});

describe("what the verifier cannot see, a run does", () => {
  test.each([
    ["gpu", "6 of 3", "if lane == 0", "if 0 <= lane", "race"],
    ["gpu", "rms_norm of 3", "lane % 64 < 8", "lane % 64 < 4", "y["],
    ["gpu", "rms_norm of 3", "partial_f32[lane + 8]", "partial_f32[lane + 1]", "race"],
    ["gpu", "rms_norm of 3", "partial_f32[lane + 32]", "partial_f32[lane + 16]", "y["],
    ["gpu", "70 of 3", "own_key < other |", "own_key <= other |", "race"],
    ["gpu", "70 of 3", "other & j1 < e", "other & j1 <= e", "race"],
    ["gpu", "70 of 3", "(3 << 31", "(2 << 31", "race"],
    ["gpu", "gemv of f32 37", "k in lane * 4 .. K step 256", "k in lane * 4 .. K step 512", "y["],
    ["gpu_subgroups", "rms_norm of 3", "subgroup_size + 64 - 1", "subgroup_size + 64 - 65", "y["],
    ["gpu", "contraction of 13", "= extract2(x)", "= extract1(x)", "c["],
    ["gpu", "attention of 2", "first + t0 + qr + 1", "first + t0 + qr", "o["],
    ["simd", "attention of 2", "splat4(alpha[", "splat4(l[", "o["],
    ["simd", "exp of", "f32x4(0.693359375)", "f32x4(0.6933594346046448)", "y["],
    ["simd", "exp of", "+ 126 << 23", "+ 127 << 23", "y["],
    ["simd", "rms_norm of 3", "f32x4(9.999999974752427e-7)", "f32x4(0.0010000000474974513)", "y["],
  ] as const)("%s, %s: %s -> %s", (name, start, from, to, seen) => {
    const t = target(name);
    const c = caseOf(t, start);
    const lowered = lower(c.kernel, t);
    expect(faultsOf(c, lowered, t.subgroup?.min)).toEqual([]);
    const faults = faultsOf(c, changed(lowered, from, to), t.subgroup?.min);
    expect(faults.map((f) => f.slice(0, seen.length))).toContain(seen);
  });
});
