/** Calls with weights that a binding does not hold, as a runtime for WebGPU takes them apart: by limits alone, without a device. */
import { describe, expect, test } from "vitest";
import { GpuLimitError } from "../../runtime/artifact/errors.ts";
import type { Binding, Call, Program, Step } from "../../runtime/artifact/program.ts";
import { planGpu } from "../../runtime/webgpu/plan-gpu.ts";
import { inWindows, windowsOf } from "../../runtime/webgpu/windows.ts";

const arena = (buffer: number): Binding => ({ kind: "arena", buffer });
const call = (kernel: number, buffers: readonly Binding[], sizes: Call["sizes"]): Call => {
  return { kind: "call", kernel, buffers, sizes, label: "" };
};
/** Layers of two weights with ten pieces each, of 8 and of 16 numbers; a table of 33 pieces of 8; what is made has a number a piece. */
const program: Program = {
  ...{ format: 2, compiler: "", model: "", sizes: {}, tokens: "T", before: "S", entry: "forward", vocabulary: 10 },
  ...{ context: 8, target: "webgpu", constants: [], states: [] },
  weights: [
    { name: "a", elem: "f32", stacks: [3], shape: [10, 8], tensors: { list: [] }, below: null, at: null },
    { name: "b", elem: "f32", stacks: [3], shape: [10, 16], tensors: { list: [] }, below: null, at: null },
    { name: "table", elem: "bf16", stacks: [], shape: [33, 8], tensors: { list: [] }, below: null, at: null },
  ],
  kernels: [
    {
      name: "two",
      sizes: ["n", "first", "some"],
      buffers: [
        { name: "a", elem: "f32", extent: ["*", "some", 8], access: "read" },
        { name: "x", elem: "f32", extent: 10, access: "read" },
        { name: "b", elem: "f32", extent: ["*", "some", 16], access: "read" },
        { name: "made", elem: "f32", extent: 10, access: "write" },
      ],
      grid: ["n"],
      scratch: 0,
      gpu: { bindings: [[0], [1], [2], [3]], itemsInGroup: 64 },
      window: { first: 1, pieces: 2, buffers: [0, 2] },
    },
    {
      name: "rows",
      sizes: ["first", "some"],
      buffers: [
        { name: "table", elem: "bf16", extent: ["*", "some", 8], access: "read" },
        { name: "made", elem: "f32", extent: 10, access: "write" },
      ],
      grid: [10],
      scratch: 0,
      gpu: { bindings: [[0], [1]], itemsInGroup: 64 },
      window: { first: 0, pieces: 1, buffers: [0] },
    },
  ],
  phases: [
    {
      ...{ name: "decode", entry: "forward", from: 1, to: 1 },
      inputs: [{ name: "ids", elem: "i32", dims: ["T"] }],
      buffers: [
        { name: "h", elem: "f32", size: 10, live: [0, 1] },
        { name: "y", elem: "f32", size: 10, live: [1, 1] },
        { name: "z", elem: "f32", size: 10, live: [2, 2] },
      ],
      steps: [
        call(1, [{ kind: "weight", weight: 2 }, arena(0)], [0, 33]),
        {
          ...{ kind: "repeat", count: 3, index: "l", swap: [] },
          body: [
            call(
              0,
              [
                { kind: "weight", weight: 0, offset: ["*", "l", 80] },
                arena(0),
                { kind: "weight", weight: 1, offset: ["*", "l", 160] },
                arena(1),
              ],
              [10, 0, 10],
            ),
          ],
        },
        call(1, [{ kind: "weight", weight: 2 }, arena(2)], [0, 33]),
      ],
      outputs: [{ name: "next", at: arena(2), elem: "f32", dims: [10] }],
    },
  ],
};
const limits = (binding: number) => ({ binding, buffer: 4096 });
const callsIn = (steps: readonly Step[]): readonly Call[] =>
  steps.flatMap((s) => (s.kind === "call" ? [s] : callsIn(s.body)));
const callsOf = (p: Program): readonly Call[] => p.phases.flatMap((phase) => callsIn(phase.steps));

describe("calls", () => {
  test("are as they were where a binding holds all", () => {
    expect(inWindows(program, limits(640))).toEqual(program);
    expect(windowsOf(program, limits(640))).toEqual(new Map());
  });

  test.each([
    // The larger pieces decide, of 64 bytes; pieces of 8 numbers go in pairs, so that windows begin where weights may.
    [639, [6, 4], 1],
    [400, [6, 4], 2],
    [383, [4, 4, 2], 2],
    [130, [2, 2, 2, 2, 2], 5],
  ])("have the pieces of their weights between them: %d bytes", (binding, pieces, ofTable) => {
    const split = callsOf(inWindows(program, limits(binding)));
    const [rows, two] = [1, 0].map((kernel) => split.filter((c) => c.kernel === kernel));
    expect(two?.map((c) => c.sizes)).toEqual(
      pieces.map((n, i) => [10, 2 * Math.round(sum(pieces.slice(0, i)) / 2), n]),
    );
    for (const c of two ?? []) {
      const [, first = 0] = c.sizes;
      const from = (layer: unknown, elements: number): unknown =>
        first === 0 ? layer : ["+", layer, Number(first) * elements];
      expect(c.buffers).toMatchObject([
        { offset: from(["*", "l", 80], 8) },
        { kind: "arena", buffer: 0 },
        { offset: from(["*", "l", 160], 16) },
        { kind: "arena", buffer: 1 },
      ]);
    }
    expect(rows).toHaveLength(2 * ofTable);
    expect(sum((rows ?? []).map((c) => Number(c.sizes[1])))).toBe(2 * 33);
    const bytes = (rows ?? []).map((c) => 16 * Number(c.sizes[1]));
    expect(Math.max(...bytes)).toBeLessThanOrEqual(binding);
    const windows = { a: pieces.length, b: pieces.length, ...(ofTable > 1 ? { table: ofTable } : {}) };
    expect(Object.fromEntries(windowsOf(program, limits(binding)))).toEqual(windows);
  });

  test("that read one weight have the same windows of it, whatever they read with it", () => {
    // A second kernel has the first weight by itself, whose pieces would go 12 at a time.
    const alone: Step = {
      ...{ kind: "repeat", count: 3, index: "l", swap: [] },
      body: [call(1, [{ kind: "weight", weight: 0, offset: ["*", "l", 80] }, arena(2)], [0, 10])],
    };
    const two = { ...program, phases: program.phases.map((p) => ({ ...p, steps: [...p.steps, alone] })) };
    const sizes = callsOf(inWindows(two, limits(383))).flatMap((c) => (c.sizes[1] === 33 ? [] : [c.sizes.slice(-2)]));
    const some = [
      [0, 4],
      [4, 4],
      [8, 2],
    ];
    expect(sizes).toEqual(expect.arrayContaining(some));
    expect(sizes.slice(-3)).toEqual(some);
  });

  test("have buffers for as long as all of them run", () => {
    const [phase] = inWindows(program, limits(400)).phases;
    // Two windows of each: steps 0 and 1, 2 and 3, 4 and 5.
    expect(phase?.buffers.map((b) => b.live)).toEqual([
      [0, 3],
      [2, 3],
      [4, 5],
    ]);
  });

  test("are left where a piece is more than a binding, or not of a weight", () => {
    expect(inWindows(program, limits(63)).phases[0]?.steps).toContainEqual(program.phases[0]?.steps[1]);
    const given = { ...program, phases: program.phases.map((p) => ({ ...p, steps: p.steps.map(withInput) })) };
    expect(inWindows(given, limits(130)).phases[0]?.steps[0]).toEqual(given.phases[0]?.steps[0]);
  });
});
const withInput = (s: Step): Step =>
  s.kind === "repeat" ? s : { ...s, buffers: s.buffers.map((b, i) => (i === 0 ? { kind: "input", input: 0 } : b)) };
const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

describe("memory", () => {
  const sizes = { context: 8, chunk: 1, logitsChunk: 1 };
  test("has each window in a buffer of its own, from its first number on, and nothing is bound beyond the limit", () => {
    const plan = planGpu(program, sizes, { binding: 400, buffer: 400 }, inWindows);
    for (const set of plan.sets) for (const r of set.ranges) expect(r.bytes).toBeLessThanOrEqual(400);
    for (const { bytes } of plan.buffers) expect(bytes).toBeLessThanOrEqual(400);
    const places = plan.weights[1]?.map(({ from, elements, at }) => [from, elements, at]);
    expect(places).toEqual(
      [0, 1, 2].flatMap((l) => [
        [160 * l, 96, 0],
        [160 * l + 96, 64, 0],
      ]),
    );
    expect(plan.phases[0]?.steps).toHaveLength(2 + 3 * 2 + 2);
  });
  test("is refused where a piece has no room, with its weight and a remedy", () => {
    const refused = (): unknown => planGpu(program, sizes, limits(48), inWindows);
    expect(refused).toThrow(GpuLimitError);
    expect(refused).toThrow(
      /^weight [ab] takes \d+ bytes; maxStorageBufferBindingSize of this adapter is 48: compile it/,
    );
  });
});
