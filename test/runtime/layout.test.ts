/** Where things stand: apart from each other, at places that kernels may be given. */
import { expect, test } from "vitest";
import { weightBytes } from "../../runtime/artifact/weight-sizes.ts";
import { layOutStates, lowestAddress } from "../../runtime/device/layout.ts";
import { planDevice } from "../../runtime/device/plan-device.ts";
import { sizes, tinyProgram } from "./tiny-program.ts";

test("nothing overlaps, every thread has scratch of its own", () => {
  const kernels = tinyProgram.kernels.map((k) => ({ ...k, scratch: 4000 }));
  const program = { ...tinyProgram, kernels };
  const { layout, arena, spread } = planDevice({ program, threads: 3, chunk: 8, logitsChunk: 8, context: 20 });
  const places = [
    { at: layout.control, bytes: 4 * 96 },
    ...layout.constants.map((at) => ({ at, bytes: 4 * sizes.V })),
    ...spread.weights.flatMap((parts, i) => {
      const weight = program.weights[i];
      return parts.map(({ at }) => ({ at, bytes: weight === undefined ? 0 : weightBytes(weight) }));
    }),
    { at: layout.inputs, bytes: arena.inputBytes },
    { at: layout.arena, bytes: arena.bytes },
    ...layout.scratch.map((at) => ({ at, bytes: 4000 })),
  ].sort((a, b) => a.at - b.at);
  expect(layout.scratch).toHaveLength(3);
  expect(places[0]?.at).toBeGreaterThanOrEqual(lowestAddress);
  for (const [i, { at, bytes }] of places.entries()) {
    expect(at % 64).toBe(0);
    expect(at + bytes).toBeLessThanOrEqual(places[i + 1]?.at ?? spread.memories[0]?.end ?? 0);
  }
});

test("rows of states and copies do not overlap", () => {
  const states = [
    { name: "a", elem: "f32", row: 100, copies: 3 },
    { name: "b", elem: "bf16", row: 7, copies: 2 },
  ] as const;
  const { offsets, rowBytes, copyBytes, bytes } = layOutStates(states, 50);
  expect(rowBytes).toEqual([400, 14]);
  const places = states.flatMap(({ copies }, s) =>
    Array.from({ length: copies }, (_, c) => (offsets[s] ?? 0) + c * (copyBytes[s] ?? 0)).map((at) => ({
      at,
      bytes: 50 * (rowBytes[s] ?? 0),
    })),
  );
  for (const [i, { at, bytes: size }] of places.entries()) {
    expect(at % 64).toBe(0);
    expect(at + size).toBeLessThanOrEqual(places[i + 1]?.at ?? bytes);
  }
});
