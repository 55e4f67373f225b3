import { describe, expect, test } from "vitest";
import type { CallResults } from "../calls/model-device.ts";
import { weighedBest } from "../sampling/best-logits.ts";
import { checkOptions } from "../sampling/sampling-options.ts";
import { bestOf } from "./best-of.ts";

const greedy = (ids: readonly number[], logits: readonly number[], numbers: readonly number[]): CallResults =>
  new Map<string, Int32Array<ArrayBuffer> | Float32Array<ArrayBuffer>>([
    ["greedy_ids", Int32Array.from(ids)],
    ["greedy_logits", Float32Array.from(logits)],
    ["greedy_numbers", Float32Array.from(numbers)],
  ]);
/** What is chosen at temperature 0; null where all logits are to be asked. */
const chosen = (...[results, rows, wanted]: [ReturnType<typeof greedy>, number, number]) =>
  bestOf(results, rows, wanted, 24).map((one) => [
    ...(weighedBest(one, checkOptions({ temperature: 0 }))?.ids ?? [null]),
  ]);

describe("the best of parts", () => {
  test("is the best one, of equal ones the first", () => {
    expect(chosen(greedy([3, 11, 20], [-2, -1, -1], [1, 1, 1]), 1, 1)).toEqual([[11]]);
    expect(chosen(greedy([3, 11, 20], [-1, -1, -1], [1, 1, 1]), 1, 1)).toEqual([[3]]);
    expect(chosen(greedy([3, 11, 20], [-Infinity, -1, 4], [0, 1, 1]), 1, 1)).toEqual([[20]]);
  });
  test("of each row, or of the last ones", () => {
    const rows = greedy([0, 9, 1, 10, 2, 11], [0, 1, 3, 2, 4, 5], [1, 1, 1, 1, 1, 1]);
    expect(chosen(rows, 3, 3)).toEqual([[9], [1], [11]]);
    expect(chosen(rows, 3, 1)).toEqual([[11]]);
  });
  test("is not known where a logit is no number, in any part, or none is finite", () => {
    expect(chosen(greedy([3, 11], [2, 1], [1, Number.NaN]), 1, 1)).toEqual([[null]]);
    expect(chosen(greedy([24, 11], [2, 1], [1, 1]), 1, 1)).toEqual([[null]]);
    expect(chosen(greedy([3, 11], [1, Infinity], [1, 1]), 1, 1)).toEqual([[null]]);
    expect(chosen(greedy([0, 8], [-Infinity, -Infinity], [0, 0]), 1, 1)).toEqual([[null]]);
  });
  test("is none where nothing was asked for", () => {
    expect(bestOf(new Map(), 1, 1, 24)).toEqual([]);
  });
});
