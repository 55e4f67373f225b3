import { describe, expect, test } from "vitest";
import type { Program, WeightDecl } from "../artifact/program.ts";
import type { DtypeName } from "../formats/dtypes.ts";
import { writeSafetensors } from "../formats/write-safetensors.ts";
import { memorySource } from "../weights/byte-source.ts";
import { openSafetensors } from "../weights/open-safetensors.ts";
import { type LoadTarget, loadWeights } from "./load-weights.ts";
import { matchWeights } from "./match-weights.ts";
import { WeightSamples } from "./weight-samples.ts";

const weight = (change: Partial<WeightDecl>): WeightDecl => ({
  name: "w",
  elem: "f32",
  stacks: [],
  shape: [],
  tensors: { patterns: ["w"], from: [] },
  below: null,
  at: null,
  ...change,
});

interface Stored {
  readonly name: string;
  readonly dtype: DtypeName;
  readonly shape: readonly number[];
  readonly values: Float32Array | BigInt64Array;
}

async function loaded(declared: readonly WeightDecl[], stored: readonly Stored[]) {
  const chunks: Uint8Array[] = [];
  const tensors = stored.map(({ values, ...t }) => ({ ...t, data: () => [new Uint8Array(values.buffer)] }));
  for await (const chunk of writeSafetensors(tensors)) chunks.push(chunk);
  const file = new Uint8Array(await new Blob(chunks.map((c) => c.slice())).arrayBuffer());
  // Pieces of two or one elements: every tensor takes several.
  const weights = await openSafetensors(memorySource("x.safetensors", file), { pieceBytes: 8 });
  const program: Program = {
    ...{
      format: 1,
      compiler: "",
      model: "",
      sizes: {},
      tokens: "T",
      before: "S",
      entry: "",
      vocabulary: 1,
      context: 1,
    },
    ...{ weights: declared, constants: [], states: [], kernels: [], phases: [] },
  };
  const memory = new Uint8Array(4096);
  const seen: number[] = [];
  // Bytes up to 20 of each weight, those from 12 on, which are in both, and the rest.
  const stretches = [
    { from: 0, to: 20, at: 64 },
    { from: 12, to: 20, at: 512 },
    { from: 20, to: 1024, at: 84 },
  ];
  const samples = new WeightSamples([60]);
  const fillWeight: LoadTarget["fillWeight"] = async (index, from, count, fill) => {
    for (const s of stretches) {
      const [start, end] = [Math.max(from, s.from), Math.min(from + count, s.to)];
      const move = 1024 * index + s.at - s.from;
      if (start < end) fill(memory.subarray(start + move, end + move), start - from);
    }
  };
  await loadWeights(
    weights,
    matchWeights(program, weights, { narrow: false, features: { formats: null, tables: null } }).placements,
    {
      ...{ fillWeight, samples, formats: null, decode: async () => new Float32Array(0) },
      onProgress: ({ loaded: done }) => seen.push(done),
    },
  );
  return { memory, seen, samples };
}

describe("weights in pieces", () => {
  test("stacks of tensors, each at its place", async () => {
    const stack = weight({ stacks: [3], shape: [5], tensors: { patterns: ["l.{0}"], from: [0] } });
    const ids = weight({ elem: "i32", shape: [3], tensors: { patterns: ["ids"], from: [] }, below: 9 });
    const layers = [0, 1, 2].map((l) => Float32Array.from({ length: 5 }, (_, i) => 10 * l + i));
    const { memory, seen, samples } = await loaded(
      [stack, ids],
      [
        ...layers.map((values, l): Stored => ({ name: `l.${l}`, dtype: "F32", shape: [5], values })),
        { name: "ids", dtype: "I64", shape: [3], values: BigInt64Array.of(8n, 0n, 3n) },
      ],
    );
    expect([...new Float32Array(memory.buffer, 64, 15)]).toEqual(layers.flatMap((l) => [...l]));
    expect([...new Float32Array(memory.buffer, 512, 2)]).toEqual([3, 4]);
    expect([...new Int32Array(memory.buffer, 64 + 1024, 3)]).toEqual([8, 0, 3]);
    expect(seen.at(-1)).toBe(3 * 20 + 24);
    const whole = new WeightSamples([60]);
    whole.take(0, 0, memory.subarray(64, 124));
    expect(samples.hash()).toEqual(whole.hash());
    memory[100] = (memory[100] ?? 0) + 1;
    whole.take(0, 30, memory.subarray(94, 124));
    expect(samples.hash()).not.toEqual(whole.hash());
  });

  test("an integer that is too large is named", async () => {
    const ids = weight({ elem: "i32", shape: [4], tensors: { patterns: ["ids"], from: [] }, below: 9 });
    const stored: Stored = { name: "ids", dtype: "I64", shape: [4], values: BigInt64Array.of(8n, 0n, 3n, 9n) };
    const error = { code: "weight-value", tensor: "ids", message: expect.stringContaining("element 3") };
    await expect(loaded([ids], [stored])).rejects.toMatchObject(error);
  });
});
