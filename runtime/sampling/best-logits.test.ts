import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type BestLogits, bestMayDo, inverseTemperature, weighedBest } from "./best-logits.ts";
import { weighed } from "./candidates.ts";
import { checkOptions, type SamplingOptions } from "./sampling-options.ts";

/** What a GPU would say. */
function bestOf(logits: Float32Array, most: number, options: SamplingOptions): BestLogits {
  const order = Array.from(logits, (_, id) => id).sort((a, b) => (logits[b] ?? 0) - (logits[a] ?? 0) || a - b);
  const ids = Int32Array.from(order.slice(0, most));
  const [greatest = 0] = Array.from(ids, (id) => logits[id] ?? 0);
  const by = inverseTemperature(checkOptions(options));
  const total = logits.reduce((n, l) => n + Math.exp((l - greatest) * by), 0);
  return { ids, logits: Float32Array.from(ids, (id) => logits[id] ?? 0), total, vocabulary: logits.length };
}

const numbers = fc.oneof(
  // Apart, or equal: where two weights round to one number, all logits take the lower id first.
  { weight: 5, arbitrary: fc.integer({ min: -800, max: 800 }).map((n) => n / 64) },
  { weight: 2, arbitrary: fc.constantFrom(0, 1, 2, -3) },
  { weight: 1, arbitrary: fc.constant(Number.NEGATIVE_INFINITY) },
);
const some = fc.array(numbers, { minLength: 1, maxLength: 60 }).map((a) => Float32Array.from(a));
const options: fc.Arbitrary<SamplingOptions> = fc.record(
  {
    temperature: fc.oneof(fc.constant(0), fc.double({ min: 0.1, max: 3, noNaN: true })),
    topK: fc.nat(30),
    topP: fc.oneof(fc.constant(1), fc.double({ min: 0.01, max: 0.999, noNaN: true })),
    minP: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1, noNaN: true })),
    repetitionPenalty: fc.constantFrom(1, 1, 1, 1.5),
  },
  { requiredKeys: [] },
);

test("says what all logits say, or that they have to be known", () => {
  let [known, asked] = [0, 0];
  fc.assert(
    fc.property(some, fc.integer({ min: 1, max: 24 }), options, (logits, most, given) => {
      fc.pre(logits.some((l) => l > Number.NEGATIVE_INFINITY));
      const checked = checkOptions(given);
      const found = weighedBest(bestOf(logits, most, given), checked);
      if (found === null) {
        asked += 1;
        return;
      }
      known += 1;
      expect(bestMayDo(checked) || most >= logits.length).toBe(true);
      const want = weighed(logits, checked, []);
      const zero = (w: typeof want): readonly (readonly [number, number])[] =>
        Array.from(w.ids, (id, i) => [id, (w.weights[i] ?? 0) / w.total] as const).filter(([, p]) => p > 0);
      expect(zero(found).map(([id]) => id)).toEqual(zero(want).map(([id]) => id));
      for (const [i, [, p]] of zero(found).entries()) expect(p).toBeCloseTo(zero(want)[i]?.[1] ?? Number.NaN, 12);
    }),
    { numRuns: 3000 },
  );
  expect(known).toBeGreaterThan(500);
  expect(asked).toBeGreaterThan(200);
});

describe("enough is known", () => {
  const logits = Float32Array.from({ length: 200 }, (_, i) => 10 - 0.3 * ((i * 77) % 200));
  const enough = (given: SamplingOptions): boolean =>
    weighedBest(bestOf(logits, 64, given), checkOptions(given)) !== null;
  test.each<[SamplingOptions, boolean]>([
    [{ temperature: 0 }, true],
    [{ topK: 40 }, true],
    [{ topK: 40, topP: 0.9, minP: 0.1, temperature: 0.7 }, true],
    [{ topP: 0.95 }, true],
    [{ minP: 0.05 }, true],
    [{}, false],
    [{ topK: 100 }, false],
    [{ topK: 100, minP: 0.05 }, true],
    [{ topK: 100, topP: 0.5 }, false],
    [{ topP: 0.95, temperature: 50 }, false],
    [{ temperature: 0, repetitionPenalty: 1.1 }, false],
  ])("%o: %s", (given, known) => {
    expect(enough(given)).toBe(known);
  });

  test("equals of the k-th may be beyond the best", () => {
    const equal = new Float32Array(100).fill(1);
    expect(weighedBest(bestOf(equal, 64, { topK: 5 }), checkOptions({ topK: 5 }))).toBeNull();
  });
  test("what is no number is left to those who know all logits", () => {
    const best = { ids: Int32Array.of(1), logits: Float32Array.of(2), total: Number.NaN, vocabulary: 9 };
    expect(weighedBest(best, checkOptions({ temperature: 0 }))).toBeNull();
  });
});
