/** Drawn numbers against recordings of NumPy itself, over widths of seeds and both ways of bounding. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { drawIntegers } from "../../compiler/constants/numpy-random.ts";

interface Recorded {
  readonly rows: readonly { readonly seed: string; readonly bound: string; readonly drawn: readonly string[] }[];
}
const recorded: Recorded = JSON.parse(readFileSync(new URL("numpy-draws.json", import.meta.url), "utf8"));

test("every recorded draw", () => {
  expect(recorded.rows).toHaveLength(104);
  for (const { seed, bound, drawn } of recorded.rows)
    expect(drawIntegers(BigInt(seed), BigInt(bound), drawn.length).map(String), `seed ${seed}, bound ${bound}`).toEqual(
      drawn,
    );
});

test("what NumPy does not draw is refused", () => {
  expect(() => drawIntegers(-1n, 10n, 1)).toThrow(RangeError);
  expect(() => drawIntegers(0n, 0n, 1)).toThrow(RangeError);
  expect(() => drawIntegers(0n, 2n ** 63n + 1n, 1)).toThrow(RangeError);
});
