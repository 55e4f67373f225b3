/** Folds with a running maximum: their streamed kernels compute what the graph means. */
import { describe, expect, test } from "vitest";
import { wasmModule } from "../../backends/wasm/module.ts";
import { wasmTarget } from "../../backends/wasm/target.ts";
import { interpret } from "../../compiler/kernel/interpret.ts";
import { lower } from "../../compiler/kernel/lower/lower.ts";
import { type MapCase, mapCase, outputOf } from "./map-case.ts";
import { runWasm } from "./run-wasm.ts";
import { otherGraphs, streamedGraphs } from "./streamed-graphs.ts";
import { firstWrong } from "./tolerance.ts";

/** Values are means of numbers in -1..1, whose weights are as exact as the scores, below 8 in these cases. */
const wrong = (c: MapCase, got: ArrayLike<number>, length: number): string | null =>
  firstWrong(got, { values: [...c.want], magnitudes: [...c.want].map(() => 8), length });

function interpreted(c: MapCase): ArrayLike<number> {
  const made = outputOf(c);
  made.fill(Number.NaN);
  expect(interpret(c.kernel, { sizes: c.sizes, buffers: { ...c.inputs, made } })).toBeNull();
  return made;
}
const full = process.env["DSC_FULL"] === "1";
const target = wasmTarget;
/** Rows, whether the kernel is made for that number, and places before them. Tiles end at 64. */
const calls = [
  { T: 1, made: [true], pasts: [0, 1, 62, 63, 64, 130] },
  { T: 2, made: [false], pasts: [0, 1, 62, 63] },
  { T: 3, made: [true], pasts: [61, 62, 127] },
  { T: 5, made: [false], pasts: [0, 60] },
  { T: 8, made: [true, false], pasts: [0, 56, 57] },
  { T: 17, made: [false], pasts: [0, 48, 64] },
];

describe.each(Object.entries(streamedGraphs).map((x, i) => [...x, i] as const))(
  "%s",
  (_, { text, more = {} }, turn) => {
    for (const { T, made, pasts } of calls)
      for (const fixed of made)
        test(`T = ${T}${fixed ? ", fixed" : ""}`, () => {
          // Everyday graphs take turns at the places.
          for (const S0 of pasts.filter((_, i) => full || i % 2 === turn % 2)) {
            const sizes = { ...more, T, S0 };
            const c = mapCase(text, { sizes, fixed: fixed ? { T } : {}, target });
            expect(c.says, c.refused.join()).toMatch(/^streamed/);
            expect(wrong(c, interpreted(c), S0 + T), `S0 = ${S0}`).toBeNull();
          }
        });
    test("as WebAssembly", async () => {
      for (const [T, S0] of [
        [1, 130],
        [17, 50],
      ] as const) {
        const c = mapCase(text, { sizes: { ...more, T, S0 }, fixed: { T }, target });
        const k = lower(c.kernel, target);
        const { made } = await runWasm(await wasmModule([k]), k, c, [null, [0, 1], [1, undefined]]);
        expect(wrong(c, made ?? [], S0 + T), `T = ${T}`).toBeNull();
      }
    });
  },
);

describe.each(Object.entries(otherGraphs))("%s", (_, text) => {
  test("is done in several passes", () => {
    for (const T of [1, 5]) {
      const c = mapCase(text, { sizes: { T, S0: 9 }, fixed: {}, target });
      expect(c.says).not.toMatch(/^streamed/);
      expect(wrong(c, interpreted(c), T + 9)).toBeNull();
    }
  });
});
