/** What a `program.json` from anybody says of WebGPU. */
import { describe, expect, test } from "vitest";
import { CorruptPackageError } from "../../runtime/artifact/errors.ts";
import type { KernelDecl, Program } from "../../runtime/artifact/program.ts";
import { readProgram } from "../../runtime/artifact/read-program.ts";
import { tinyProgram } from "./tiny-program.ts";

const bound = (k: KernelDecl): KernelDecl => ({
  ...k,
  gpu: { bindings: k.buffers.map((_, i) => [i]), itemsInGroup: 64 },
});
const program: Program = {
  ...tinyProgram,
  target: "webgpu",
  kernels: tinyProgram.kernels.map(bound),
  variants: [
    { file: "kernels/f16.wgsl", features: ["shader-f16"], language: [] },
    { file: "kernels/plain.wgsl", features: [], language: [] },
  ],
};
const read = (p: unknown): Program => readProgram(new TextEncoder().encode(JSON.stringify(p)));
/** What is said against it. */
function refusal(p: unknown): string {
  try {
    read(p);
    return "accepted";
  } catch (error) {
    if (error instanceof CorruptPackageError) return error.message;
    throw error;
  }
}
const first = (gpu: unknown): unknown => ({
  ...program,
  kernels: program.kernels.map((k, i) => (i === 0 ? { ...k, gpu } : k)),
});
const [kernel] = program.kernels;
if (kernel === undefined) throw new Error("there is no kernel");
const all = kernel.buffers.map((_, i) => [i]);
const variants = (...given: readonly unknown[]): unknown => ({ ...program, variants: given });
const plain = { file: "kernels/plain.wgsl", features: [], language: [] };

test("a program for WebGPU is read as it was written", () => {
  expect(read(read(program))).toEqual(read(program));
  expect(read(program)).toMatchObject({ target: "webgpu", kernels: program.kernels, variants: program.variants });
  expect(read(tinyProgram)).not.toHaveProperty("target");
});

describe("bindings", () => {
  test.each([
    ["of nothing", { bindings: [], itemsInGroup: 64 }, /bindings: 0 of \d+ buffers are bound/],
    ["that are empty", { bindings: [...all, []], itemsInGroup: 64 }, /nothing is bound/],
    ["of no buffer", { bindings: [...all, [kernel.buffers.length]], itemsInGroup: 64 }, /expected an integer/],
    ["of a buffer twice", { bindings: [...all, [0]], itemsInGroup: 64 }, /buffer 0 is bound twice/],
    [
      "of all buffers at once",
      { bindings: [all.flat()], itemsInGroup: 64 },
      /what is written is shared|of several sizes/,
    ],
    ["more than a stage has", { bindings: Array.from({ length: 9 }, () => [0]), itemsInGroup: 64 }, /at most 8/],
    ["without items", { bindings: all, itemsInGroup: 0 }, /expected an integer in 1/],
    ["with more items than a workgroup", { bindings: all, itemsInGroup: 257 }, /expected an integer in 1 … 256/],
    ["that are none", undefined, /kernels\[0\]\.gpu: it is not said how it is bound/],
  ])("%s", (_, gpu, message) => {
    expect(refusal(first(gpu))).toMatch(message);
  });
});

describe("windows", () => {
  const [one, ...others] = program.kernels;
  const inPieces = (window: unknown, extent: unknown = ["*", "P", 8]): unknown => {
    const buffers = one?.buffers.map((b) => (b.name === "w" ? { ...b, extent } : b));
    const sizes = [...(one?.sizes ?? []), "F", "P"];
    const steps = (phase: Program["phases"][number]) => ({
      ...phase,
      steps: phase.steps.map((s) => (s.kind === "call" && s.kernel === 0 ? { ...s, sizes: [...s.sizes, 0, 24] } : s)),
    });
    return {
      ...program,
      kernels: [{ ...one, sizes, buffers, window }, ...others],
      phases: program.phases.map(steps),
    };
  };
  const whole = { first: 3, pieces: 4, buffers: [1] };
  test("of what is in pieces are read as they were written", () => {
    expect(refusal(inPieces(whole))).toBe("accepted");
    expect(read(inPieces(whole)).kernels[0]?.window).toEqual(whole);
    expect(refusal(inPieces(whole, "P"))).toBe("accepted");
  });
  test.each([
    ["of no size", { ...whole, first: 5 }, undefined, /expected an integer/],
    ["of one size", { ...whole, first: 4 }, undefined, /one size is two things/],
    ["of no buffer", { ...whole, buffers: [3] }, undefined, /expected an integer/],
    ["of a buffer twice", { ...whole, buffers: [1, 1] }, undefined, /two are called "1"/],
    ["of a buffer that is in none", { ...whole, buffers: [0] }, undefined, /buffer 0 is in no pieces/],
    ["of what is written", { ...whole, buffers: [2] }, undefined, /buffer 2 is in no pieces/],
    ["of pieces that a call decides", whole, ["*", "P", "T"], /buffer 1 is in no pieces of known size/],
    ["of a sum", whole, ["+", "P", 8], /buffer 1 is in no pieces of known size/],
    ["that are none", 7, undefined, /window/],
  ])("%s", (_, window, extent, message) => {
    expect(refusal(inPieces(window, extent))).toMatch(message);
  });
});

describe("variants", () => {
  test.each([
    ["none", { ...program, variants: undefined }, /\$\.variants: there is none/],
    ["an empty list", variants(), /\$\.variants: there is none/],
    ["a last one that takes a feature", variants({ ...plain, features: ["subgroups"] }), /not everywhere/],
    ["a last one that takes a language feature", variants({ ...plain, language: ["x"] }), /not everywhere/],
    ["a feature that is none", variants({ ...plain, features: ["timestamp-query"] }, plain), /expected shader-f16/],
    ["a file outside", variants({ ...plain, file: "kernels/../../secret.wgsl" }), /is no file of kernels/],
    ["a file elsewhere", variants({ ...plain, file: "https://example.com/x.wgsl" }), /is no file of kernels/],
    ["one file twice", variants({ ...plain, features: ["subgroups"] }, plain), /two are one file/],
    ["a target that is none", { ...program, target: "cuda" }, /\$\.target: expected wasm, webgpu/],
  ])("%s", (_, p, message) => {
    expect(refusal(p)).toMatch(message);
  });
});

test("any value in any place of it is accepted or refused, and nothing else", () => {
  const junk = [null, true, "", "gpu", [], {}, -1, 0.5, 1e308, 2 ** 31, [[0]], [["0"]], ["subgroups"], { length: 3 }];
  const [k, ...others] = program.kernels;
  let refused = 0;
  for (const value of junk) {
    const gpus = [
      value,
      { ...k?.gpu, bindings: value },
      { ...k?.gpu, bindings: [value] },
      { ...k?.gpu, itemsInGroup: value },
    ];
    const given: unknown[] = gpus.map((gpu) => ({ ...program, kernels: [{ ...k, gpu }, ...others] }));
    for (const key of ["file", "features", "language"]) given.push(variants({ ...plain, [key]: value }, plain));
    given.push({ ...program, variants: value }, { ...program, variants: [value] }, { ...program, target: value });
    for (const one of given) if (refusal(one) !== "accepted") refused += 1;
  }
  expect(refused).toBeGreaterThan(0.8 * 10 * junk.length);
});
