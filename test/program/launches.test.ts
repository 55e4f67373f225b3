/** Calls that are launched together: which, what they compute, and how many are left for a token. */
import { describe, expect, test } from "vitest";
import { bindingsOf } from "../../backends/wgsl/bindings.ts";
import { webgpuPackages } from "../../backends/wgsl/compile-target.ts";
import { webgpuCost, webgpuTarget } from "../../backends/wgsl/target.ts";
import { runCase } from "../../compiler/conformance/graph-case.ts";
import { interpreterMachine } from "../../compiler/conformance/interpreter-machine.ts";
import { suiteCases } from "../../compiler/conformance/suite.ts";
import type { Compiled } from "../../compiler/driver/compile.ts";
import { evaluateExtent, interpret } from "../../compiler/kernel/interpret.ts";
import { joined } from "../../compiler/kernel/joined.ts";
import type { Kernel } from "../../compiler/kernel/kernel.ts";
import { parseKernel } from "../../compiler/kernel/parse.ts";
import { verify } from "../../compiler/kernel/verify.ts";
import { launchesIn } from "../../compiler/package/phase-cost.ts";
import { checkedPlan } from "../../compiler/program/check-plan.ts";
import { launchesOf, type PlannedCall } from "../../compiler/program/launches.ts";
import type { Binding, TokenChoice } from "../../runtime/artifact/program.ts";
import { usualChunk, usualLogitsChunk } from "../../runtime/artifact/usual-sizes.ts";
import { planGpu } from "../../runtime/webgpu/plan-gpu.ts";
import { inWindows, windowsOf } from "../../runtime/webgpu/windows.ts";
import { readProject } from "../conformance/bind-text.ts";
import { publishedConfig, whyNoConfigs } from "../models/published-configs.ts";
import { compileConfig, latent, llama } from "./compiled-models.ts";

const kernelOf = (text: string): Kernel => {
  const parsed = parseKernel(text);
  if (!parsed.ok) throw new Error(`${parsed.line}:${parsed.column}: ${parsed.message}`);
  return parsed.kernel;
};
const arena = (buffer: number): Binding => ({ kind: "arena", buffer });
/** y = x + 1, of n elements, by one lane or by 64. */
const plusOne = (n: number, lanes = 1): Kernel =>
  kernelOf(
    lanes === 1
      ? `kernel @k "one more" read x: f32[${n}] rows write y: f32[${n}] rows grid g in ${n} { y[g] = x[g] + f32(1) }`
      : `kernel @k "one more" read x: f32[${n}] rows write y: f32[${n}] rows grid g in ${n} lanes 64 shared s: f32[64] { s[lane] = x[g] barrier if lane == 0 { y[g] = s[63] + f32(1) } }`,
  );
const call = (kernel: Kernel, from: number, to: number): PlannedCall => ({
  kernel,
  buffers: [arena(from), arena(to)],
  sizes: [],
});
const shape = (calls: readonly PlannedCall[]): readonly (readonly string[])[] =>
  launchesOf(calls, { target: webgpuTarget, most: () => undefined }).map((of) =>
    of.map((m) => `${calls.indexOf(m.call)}/${m.stage}`),
  );

const full = process.env["DSC_FULL"] === "1";

describe("which calls", () => {
  const large = plusOne(100_000);
  test("side by side, as early as what they read allows", () => {
    expect(shape([call(large, 0, 1), call(large, 1, 2), call(large, 0, 3), call(large, 3, 4)])).toEqual([
      ["0/0", "2/0"],
      ["1/0", "3/0"],
    ]);
  });
  test("never beside a call that writes what they read, or reads what they write", () => {
    expect(shape([call(large, 0, 1), call(large, 2, 0)])).toEqual([["0/0"], ["1/0"]]);
    expect(shape([call(large, 0, 1), call(large, 2, 1)])).toEqual([["0/0"], ["1/0"]]);
  });
  test("small ones behind each other, in stages", () => {
    const small = plusOne(64);
    expect(shape([call(small, 0, 1), call(small, 1, 2), call(small, 0, 3), call(small, 3, 4)])).toEqual([
      ["0/0", "1/1", "2/0", "3/1"],
    ]);
    expect(shape([call(large, 0, 1), call(small, 1, 2), call(large, 2, 3)])).toEqual([["0/0"], ["1/0"], ["2/0"]]);
  });
  test("of some tokens, where the most that there may be are few", () => {
    const ofTokens = kernelOf(
      `kernel @k "one more" size T read x: f32[64 * T] rows write y: f32[64 * T] rows grid g in 64 * T { y[g] = x[g] + f32(1) }`,
    );
    const calls = [0, 1].map((i): PlannedCall => ({ ...call(ofTokens, i, i + 1), sizes: ["T"] }));
    const shapeAt = (most: number | undefined) =>
      launchesOf(calls, { target: webgpuTarget, most: (n) => (n === "T" ? most : undefined) }).map((of) => of.length);
    expect([8, 800_000, undefined].map(shapeAt)).toEqual([[2], [1, 1], [1, 1]]);
  });
  test("with no more buffers than a launch may bind", () => {
    const five = Array.from({ length: 5 }, (_, i) => call(large, 2 * i, 2 * i + 1));
    expect(shape(five).map((of) => of.length)).toEqual([4, 1]);
    expect(launchesOf(five, { target: { ...webgpuTarget, mostBuffers: null }, most: () => undefined })).toHaveLength(5);
  });
});

describe("what they compute together", () => {
  const x = Float32Array.from({ length: 100 }, (_, i) => i);
  const data = (n: number): Float32Array => new Float32Array(n).fill(Number.NaN);
  test("side by side: groups of items without lanes, and an item of 64 lanes each", () => {
    const parts = [
      { kernel: plusOne(100), stage: 0, buffers: ["x", "a"], sizes: [] },
      { kernel: plusOne(7, 64), stage: 0, buffers: ["x", "b"], sizes: [] },
    ];
    const { kernel, buffers } = joined(parts, 64);
    expect(verify(kernel)).toEqual([]);
    expect(buffers).toEqual(["x", "a", "b"]);
    expect(kernel.grid.map((g) => evaluateExtent(g.extent, {}))).toEqual([2 + 7]);
    const [a, b] = [data(100), data(7)];
    const given = Object.fromEntries(kernel.buffers.map((of, i) => [of.name, [x, a, b][i] ?? x]));
    expect(interpret(kernel, { sizes: {}, buffers: given })).toBeNull();
    expect([...a]).toEqual([...x].map((v) => v + 1));
    expect([...b]).toEqual([1, 2, 3, 4, 5, 6, 7]);
    // The second group of the first part, and the first of the second.
    const again = Object.fromEntries(kernel.buffers.map((of, i) => [of.name, [x, data(100), data(7)][i] ?? x]));
    interpret(kernel, { sizes: {}, buffers: again }, { items: [1, 2] });
    const [, first = data(0), second = data(0)] = kernel.buffers.map((of) => again[of.name]);
    expect([...first].map(Number.isNaN).indexOf(false)).toBe(64);
    expect([...second].slice(0, 2)).toEqual([1, Number.NaN]);
  });
  test("in stages: one group does all of them", () => {
    const parts = [
      { kernel: plusOne(100), stage: 0, buffers: ["x", "a"], sizes: [] },
      { kernel: plusOne(7, 64), stage: 1, buffers: ["a", "b"], sizes: [] },
    ];
    const { kernel } = joined(parts, 64);
    expect(verify(kernel)).toEqual([]);
    expect(kernel.buffers.map((b) => b.access)).toEqual(["read", "both", "write"]);
    const buffers = Object.fromEntries(kernel.buffers.map((of, i) => [of.name, [x, data(100), data(7)][i] ?? x]));
    expect(interpret(kernel, { sizes: {}, buffers })).toBeNull();
    expect([...(buffers[kernel.buffers[2]?.name ?? ""] ?? [])]).toEqual([2, 3, 4, 5, 6, 7, 8]);
    const again = Object.fromEntries(kernel.buffers.map((of, i) => [of.name, [x, data(100), data(7)][i] ?? x]));
    expect(interpret(kernel, { sizes: {}, buffers: again }, { items: [0] })).toBeNull();
    expect(again).toEqual(buffers);
  });
  test("what is written beside who has it is refused, and lanes that are others", () => {
    const beside = joined(
      [
        { kernel: plusOne(100), stage: 0, buffers: ["x", "a"], sizes: [] },
        { kernel: plusOne(100), stage: 0, buffers: ["a", "b"], sizes: [] },
      ],
      64,
    );
    expect(verify(beside.kernel)).toMatchObject([{ rule: 10 }]);
    const lanes = joined([{ kernel: plusOne(7, 64), stage: 0, buffers: ["x", "a"], sizes: [] }], 128);
    expect(verify(lanes.kernel)).toMatchObject([{ rule: 8 }]);
  });
  test("lanes that meet where an earlier stage decides are refused", () => {
    const decides = kernelOf(
      'kernel @k "" read x: f32[8] rows write y: f32[8] rows lanes 64 shared s: f32[64] { if x[0] < f32(1) { s[lane] = f32(1) barrier if lane == 0 { y[0] = s[1] } } }',
    );
    const parts = (stage: number) => [
      { kernel: plusOne(8), stage: 0, buffers: ["x", "a"], sizes: [] },
      { kernel: decides, stage, buffers: ["a", "b"], sizes: [] },
    ];
    expect(verify(decides)).toEqual([]);
    expect(verify(joined(parts(1), 64).kernel)).toMatchObject([{ rule: 5 }]);
  });
});

/** Blocks compiled for one token, joined as they are, lane by lane: races, unwritten reads and places that are gone are found. */
describe("blocks of the library, token by token", () => {
  const cases = suiteCases(false, readProject).filter((c) => c.single === true && c.subject.startsWith("std/"));
  const machine = interpreterMachine(webgpuCost, webgpuTarget);
  test.each(cases.filter((_, i) => full || i % 5 === 0).map((c) => [c.subject, c] as const))("%s", async (_, c) => {
    const row = await runCase(c, "f32", machine);
    expect(row.outcome, row.note ?? "").toBe("passed");
  });
});

/** Most launches of one round of the layers, the calls of a token around them, and the layers' rounds. */
interface Budget {
  readonly layer: number;
  readonly around: number;
}
function expectWithin(compiled: Compiled, rounds: number, { layer, around }: Budget): void {
  const decode = compiled.reports.find((r) => r.phase === "decode");
  if (decode === undefined) throw new Error("no decode");
  const own = new Map(decode.kernels.map((k) => [k.launch, k.times]));
  const inLayers = [...own.values()].filter((times) => times === rounds).length;
  expect(inLayers).toBeLessThanOrEqual(layer);
  expect(launchesIn(decode.kernels) - inLayers * rounds).toBeLessThanOrEqual(around);
  // At temperature 0 the best of parts is all that is found: two launches behind the logits. The best few of many take more.
  const chosen = (choice: TokenChoice): number =>
    new Set(decode.kernels.filter((k) => k.choice === choice).map((k) => k.launch)).size;
  expect(chosen("greedy")).toBeLessThanOrEqual(2);
  expect(chosen("greedy")).toBeGreaterThan(0);
  expect(chosen("best")).toBeGreaterThanOrEqual(compiled.program.vocabulary > 4096 ? 5 : 1);
  const phase = compiled.program.phases.find((p) => p.name === "decode");
  if (phase === undefined) throw new Error("no decode");
  // Every buffer has a place that nobody else has while it lives, in the order in which launches are.
  checkedPlan(phase, { ...compiled.program.sizes, [compiled.program.tokens]: 1, [compiled.program.before]: 511 });
  for (const k of compiled.kernels) expect(verify(k, webgpuTarget), k.name).toEqual([]);
}
/** As they are published: with weights of 16 bits. */
const compilePublished = (model: string, config: string): Compiled => {
  const published = JSON.parse(publishedConfig(config));
  return compileConfig(`models/${model}.ds`, published, webgpuPackages.target, null, { weights: "bf16" });
};

const defaults = { binding: 2 ** 27, buffer: 2 ** 28 };
/** With the limits that every adapter has all is bound; what a launch is given of a weight is no more than a binding. */
function expectBound({ program, kernels }: Compiled, weights: readonly string[]): void {
  const decls = program.kernels.map((decl, i) => {
    const kernel = kernels[i] ?? plusOne(1);
    const bindings = bindingsOf(kernel).map((b) => b.members.map((m) => kernel.buffers.indexOf(m)));
    return { ...decl, gpu: { bindings, itemsInGroup: 64 } };
  });
  const calls = { chunk: usualChunk(program.phases), logitsChunk: usualLogitsChunk };
  const long = Math.min(program.context, 2 ** 16);
  const plan = planGpu({ ...program, kernels: decls }, { ...calls, context: long }, defaults, inWindows);
  for (const { bytes, what } of plan.buffers) expect(bytes, what).toBeLessThanOrEqual(defaults.binding);
  const windows = windowsOf(program, defaults);
  expect([...windows.keys()]).toEqual(expect.arrayContaining([...weights]));
  // And all of what is in windows is there: pieces of a weight are in no window or in one.
  for (const [i, places] of plan.weights.entries()) {
    const { name, stacks, shape } = program.weights[i] ?? { name: "", stacks: [], shape: [] };
    const ends = places.filter((p) => p.at === 0).map((p) => [p.from, p.from + p.elements] as const);
    let reached = 0;
    for (const [from, to] of ends.sort(([a], [b]) => a - b)) {
      expect(from, name).toBeLessThanOrEqual(reached);
      reached = Math.max(reached, to);
    }
    expect(reached, name).toBe([...stacks, ...shape].reduce((n, e) => n * e, 1));
  }
}
/** The phase that checks drafts takes as many launches as one that decodes, and what sorting its tokens takes. */
function expectChecksJoined(compiled: Compiled): void {
  const [decode = 0, verify = 0] = ["decode", "verify"].map((name) =>
    launchesIn(compiled.reports.find((r) => r.phase === name)?.kernels ?? []),
  );
  expect(verify).toBeGreaterThan(0);
  expect(verify).toBeLessThanOrEqual(1.5 * decode);
  const phase = compiled.program.phases.find((p) => p.name === "verify");
  if (phase === undefined) throw new Error("no verify");
  for (const T of [1, phase.to])
    checkedPlan(phase, { ...compiled.program.sizes, [compiled.program.tokens]: T, [compiled.program.before]: 511 });
}

describe("launches of a decoded token on WebGPU", () => {
  test("a dense layer: at most 8", () => {
    expectWithin(compileConfig("models/deepseek-llm.ds", llama(5), webgpuPackages.target), 5, { layer: 8, around: 9 });
  });
  test("a layer of latent attention and experts: at most 12", () => {
    const compiled = compileConfig("models/deepseek-v2.ds", latent(6), webgpuPackages.target);
    expectWithin(compiled, 5, { layer: 12, around: 24 });
  });
  describe.skipIf(whyNoConfigs !== "")(`as it is published${whyNoConfigs}`, { timeout: 180_000 }, () => {
    test("1.5B: bound by every adapter", () => {
      expectBound(compilePublished("deepseek-llm", "deepseek-r1-distill-qwen-1.5b"), ["embed", "head"]);
    });
    test("67B: at most 8 a layer, bound by every adapter", () => {
      const compiled = compilePublished("deepseek-llm", "deepseek-llm-67b");
      expectWithin(compiled, 95, { layer: 8, around: 9 });
      expectBound(compiled, ["embed", "head", "layer.mlp.w_gate", "layer.mlp.w_up", "layer.mlp.w_down"]);
    });
    test("V2-Lite: at most 12 a layer with experts, bound by every adapter", () => {
      const compiled = compilePublished("deepseek-v2", "deepseek-v2-lite");
      expectWithin(compiled, 26, { layer: 12, around: 24 });
      expectBound(compiled, ["embed", "head", ...["gate", "up", "down"].map((w) => `layer1.mlp.expert.w_${w}`)]);
    });
    test.runIf(full)("V3: at most 12 a layer with experts, bound by every adapter", () => {
      const compiled = compilePublished("deepseek-v3", "deepseek-v3");
      expectWithin(compiled, 58, { layer: 12, around: 48 });
      expectBound(compiled, ["layer0.attn.w_o", "layer0.mlp.w_gate", "layer3.mlp.expert.w_down", "draft_layer.w_eh"]);
      expectChecksJoined(compiled);
      // The router's choices and those of tokens: 64 lanes have a row, and blocks of the vocabulary are rows of their own.
      const choices = compiled.kernels.flatMap((k) => k.parts?.map((p) => p.kernel) ?? [k]);
      const selections = choices.filter((k) => /selection by/.test(k.source));
      expect(selections.length).toBeGreaterThan(4);
      expect(new Set(selections.map((k) => k.lanes))).toEqual(new Set([64]));
    });
  });
});
