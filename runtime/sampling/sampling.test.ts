import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { candidates, greedy } from "./candidates.ts";
import { randomFromSeed } from "./random.ts";
import { sample } from "./sample.ts";
import { SamplingError } from "./sampling-error.ts";
import type { SamplingOptions } from "./sampling-options.ts";

const inf = Number.POSITIVE_INFINITY;
/** Logits whose softmax is these numbers, which sum to 1. */
const logitsOf = (...probabilities: readonly number[]): readonly number[] => probabilities.map(Math.log);

function close(actual: readonly number[], expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length);
  for (const [i, value] of actual.entries()) expect(value).toBeCloseTo(expected[i] ?? Number.NaN, 12);
}

describe("greedy", () => {
  test("the greatest, the lowest id of equals", () => {
    expect(greedy([1, 3, 3, 2])).toBe(1);
    expect(greedy([-inf, -5, -inf])).toBe(1);
    expect(greedy([0, -0])).toBe(0);
    expect(greedy([1, inf, inf])).toBe(1);
    expect(greedy(Float32Array.of(1, 2))).toBe(1);
  });

  test.each([
    ["nan", [1, Number.NaN], "bad-logits"],
    ["none", [], "bad-logits"],
    ["all -inf", [-inf, -inf], "no-candidate"],
  ])("%s is refused", (_name, logits, code) => {
    expect(() => greedy(logits)).toThrow(SamplingError);
    expect(() => greedy(logits)).toThrow(expect.objectContaining({ code }));
    expect(() => candidates(logits)).toThrow(expect.objectContaining({ code }));
    expect(() => sample(logits, randomFromSeed(1))).toThrow(expect.objectContaining({ code }));
  });
});

/** Worked by hand from the definitions in `candidates.ts`. */
describe("fixed cases", () => {
  test("softmax", () => {
    const { ids, probabilities } = candidates(logitsOf(0.5, 0.25, 0.25));
    expect(ids).toEqual([0, 1, 2]);
    close(probabilities, [0.5, 0.25, 0.25]);
  });

  test("temperature 2 takes the square root of probabilities, 1/2 their square", () => {
    // 0.64, 0.36: square roots 0.8, 0.6, sum 1.4; squares 0.4096, 0.1296, sum 0.5392.
    close(candidates(logitsOf(0.64, 0.36), { temperature: 2 }).probabilities, [0.8 / 1.4, 0.6 / 1.4]);
    close(candidates(logitsOf(0.64, 0.36), { temperature: 0.5 }).probabilities, [0.4096 / 0.5392, 0.1296 / 0.5392]);
  });

  test("temperature 0 leaves the best token after the penalty", () => {
    expect(candidates([1, 3, 2], { temperature: 0 })).toEqual({ ids: [1], probabilities: [1] });
    expect(candidates([1, 3, 2], { temperature: 0, repetitionPenalty: 2 }, [1])).toEqual({
      ids: [2],
      probabilities: [1],
    });
  });

  test("the penalty divides what is positive, multiplies what is negative, once an id", () => {
    // 2 -> 1, -1 -> -2, 0.5 stays: weights e, e^-2, e^0.5.
    const total = Math.exp(1) + Math.exp(-2) + Math.exp(0.5);
    const { probabilities } = candidates([2, -1, 0.5], { repetitionPenalty: 2 }, [0, 1, 1, 0]);
    close(probabilities, [Math.exp(1) / total, Math.exp(-2) / total, Math.exp(0.5) / total]);
  });

  test("the penalty comes before the temperature", () => {
    // (4 / 2) / 2 = 1 and 0: e / (e + 1). The other way round is the same; with top-k after it, it is not:
    close(candidates([4, 0], { repetitionPenalty: 2, temperature: 2 }, [0]).probabilities, [
      Math.E / (Math.E + 1),
      1 / (Math.E + 1),
    ]);
    expect(candidates([4, 3, 0], { repetitionPenalty: 2, topK: 1 }, [0]).ids).toEqual([1]);
  });

  test("top-k keeps the k greatest and the equals of the last", () => {
    expect(candidates([1, 4, 3, 2], { topK: 2 }).ids).toEqual([1, 2]);
    expect(candidates([1, 4, 2, 2], { topK: 2 }).ids).toEqual([1, 2, 3]);
    expect(candidates([1, 4, 2, 2], { topK: 9 }).ids).toEqual([0, 1, 2, 3]);
    expect(candidates([1, -inf, 2], { topK: 3 }).ids).toEqual([0, 2]);
    close(candidates(logitsOf(0.5, 0.3, 0.2), { topK: 2 }).probabilities, [0.625, 0.375]);
  });

  test("top-p keeps the fewest whose sum reaches it", () => {
    const logits = logitsOf(0.1, 0.4, 0.3, 0.2);
    expect(candidates(logits, { topP: 0.3 }).ids).toEqual([1]);
    expect(candidates(logits, { topP: 0.69 }).ids).toEqual([1, 2]);
    expect(candidates(logits, { topP: 0.71 }).ids).toEqual([1, 2, 3]);
    expect(candidates(logits, { topP: 0.95 }).ids).toEqual([0, 1, 2, 3]);
    expect(candidates(logits, { topP: 1e-9 }).ids).toEqual([1]);
    close(candidates(logits, { topP: 0.6 }).probabilities, [4 / 7, 3 / 7]);
    // Four equals, half of them: the lower ids.
    expect(candidates([0, 0, 0, 0], { topP: 0.5 }).ids).toEqual([0, 1]);
    expect(candidates([0, 1, 0, 0], { topP: 0.6 }).ids).toEqual([0, 1]);
  });

  test("top-p is of what top-k left, after the temperature", () => {
    // Top-k 2 leaves 4/7 and 3/7: 0.6 then needs both, 0.55 only the first. Without top-k 0.55 needs two.
    const logits = logitsOf(0.1, 0.4, 0.3, 0.2);
    expect(candidates(logits, { topK: 2, topP: 0.6 }).ids).toEqual([1, 2]);
    expect(candidates(logits, { topK: 2, topP: 0.55 }).ids).toEqual([1]);
    expect(candidates(logits, { topP: 0.55 }).ids).toEqual([1, 2]);
    // Squared: 0.01, 0.16, 0.09, 0.04, sum 0.3: the first has 0.533.
    expect(candidates(logits, { topP: 0.53, temperature: 0.5 }).ids).toEqual([1]);
  });

  test("min-p keeps a share of the best", () => {
    const logits = logitsOf(0.1, 0.4, 0.3, 0.2);
    expect(candidates(logits, { minP: 0.74 }).ids).toEqual([1, 2]);
    expect(candidates(logits, { minP: 0.76 }).ids).toEqual([1]);
    expect(candidates(logits, { minP: 1 }).ids).toEqual([1]);
    // Square roots 0.316, 0.632, 0.548, 0.447: shares 0.5, 1, 0.866, 0.707.
    expect(candidates(logits, { minP: 0.7, temperature: 2 }).ids).toEqual([1, 2, 3]);
    expect(candidates(logits, { minP: 0.51, topP: 0.75 }).ids).toEqual([1, 2]);
  });

  test("infinite logits", () => {
    expect(candidates([1, inf, inf, 3])).toEqual({ ids: [0, 1, 2, 3], probabilities: [0, 0.5, 0.5, 0] });
    const random = randomFromSeed(3);
    for (let i = 0; i < 100; i += 1) expect([1, 2]).toContain(sample([1, inf, inf, 3], random));
    expect(candidates([-inf, 5]).ids).toEqual([1]);
  });

  test("the caller's logits stay", () => {
    const logits = Float32Array.of(2, 1);
    candidates(logits, { repetitionPenalty: 2, temperature: 3 }, [0]);
    expect([...logits]).toEqual([2, 1]);
  });
});

describe("options", () => {
  test.each<SamplingOptions>([
    { temperature: -0.1 },
    { temperature: Number.NaN },
    { temperature: inf },
    { topK: -1 },
    { topK: 1.5 },
    { topP: 0 },
    { topP: 1.1 },
    { topP: Number.NaN },
    { minP: -0.1 },
    { minP: 1.1 },
    { repetitionPenalty: 0 },
    { repetitionPenalty: inf },
  ])("%o is refused", (options) => {
    expect(() => candidates([1, 2], options)).toThrow(expect.objectContaining({ code: "bad-option" }));
    expect(() => sample([1, 2], randomFromSeed(1), options)).toThrow(SamplingError);
  });

  test.each([2, -1, 0.5])("a previous id %s that the logits lack is refused", (id) => {
    expect(() => candidates([1, 2], {}, [id])).toThrow(expect.objectContaining({ code: "bad-id" }));
  });
});

/** Far enough apart that unlike logits have unlike probabilities after rounding. */
const thousandths = fc.integer({ min: -30_000, max: 30_000 }).map((n) => n / 1000);
const logit = fc.oneof(
  { weight: 8, arbitrary: thousandths },
  { weight: 1, arbitrary: fc.constant(-inf) },
  { weight: 2, arbitrary: fc.integer({ min: -2, max: 2 }) },
);
const someLogits = fc.array(logit, { minLength: 1, maxLength: 60 }).filter((all) => all.some((value) => value > -inf));
const someOptions: fc.Arbitrary<SamplingOptions> = fc.record({
  temperature: fc.double({ min: 0.05, max: 5, noNaN: true }),
  topK: fc.nat(70),
  // Closer to 1 the last bits of a sum, which hang on its order, say how many are kept.
  topP: fc.oneof(fc.constant(1), fc.double({ min: 0.01, max: 0.999, noNaN: true })),
  minP: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1, noNaN: true })),
  repetitionPenalty: fc.constantFrom(1, 1.3, 0.5),
});

describe("laws", () => {
  test("probabilities sum to 1, ids ascend, the best is kept", () => {
    fc.assert(
      fc.property(someLogits, someOptions, (logits, options) => {
        const { ids, probabilities } = candidates(logits, options, [0]);
        expect(probabilities.reduce((total, value) => total + value, 0)).toBeCloseTo(1, 9);
        for (let i = 1; i < ids.length; i += 1) expect(ids[i]).toBeGreaterThan(ids[i - 1] ?? 0);
        if (options.repetitionPenalty === 1) expect(ids).toContain(greedy(logits));
        for (const id of ids) expect(logits[id]).toBeGreaterThan(-inf);
      }),
    );
  });

  test("renaming the tokens renames the candidates", () => {
    const distinct = fc.uniqueArray(thousandths, { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(distinct, someOptions, fc.integer(), (logits, options, seed) => {
        const order = shuffled(logits.length, seed);
        const plain = candidates(logits, options);
        const renamed = candidates(
          order.map((id) => logits[id] ?? 0),
          options,
        );
        const back = renamed.ids.map((id, i) => [order[id] ?? 0, renamed.probabilities[i] ?? 0] as const);
        back.sort(([a], [b]) => a - b);
        expect(back.map(([id]) => id)).toEqual(plain.ids);
        close(
          back.map(([, probability]) => probability),
          plain.probabilities,
        );
      }),
    );
  });

  test("top-p keeps enough, and without its least too little", () => {
    fc.assert(
      fc.property(someLogits, fc.double({ min: 0.01, max: 0.999, noNaN: true }), (logits, topP) => {
        const all = candidates(logits);
        const kept = candidates(logits, { topP }).ids;
        const mass = all.probabilities.filter((_, i) => kept.includes(all.ids[i] ?? -1));
        const total = mass.reduce((sum, value) => sum + value, 0);
        expect(total).toBeGreaterThan(topP - 1e-9);
        expect(total - Math.min(...mass)).toBeLessThan(topP + 1e-9);
        const left = all.probabilities.filter((_, i) => !kept.includes(all.ids[i] ?? -1));
        expect(Math.min(...mass)).toBeGreaterThanOrEqual(Math.max(0, ...left));
      }),
    );
  });

  test("top-k by the heap is top-k by sorting", () => {
    fc.assert(
      fc.property(
        fc.array(logit, { minLength: 64, maxLength: 400 }),
        fc.integer({ min: 1, max: 30 }),
        (logits, topK) => {
          fc.pre(logits.some((value) => value > -inf));
          const least = [...logits].sort((a, b) => b - a)[topK - 1] ?? -inf;
          const expected = logits.flatMap((value, id) => (value >= least && value > -inf ? [id] : []));
          expect(candidates(logits, { topK }).ids).toEqual(expected);
        },
      ),
    );
  });

  test("a sample is a candidate, and the same seed gives the same sample", () => {
    fc.assert(
      fc.property(someLogits, someOptions, fc.nat(), (logits, options, seed) => {
        const id = sample(logits, randomFromSeed(seed), options, [0]);
        expect(candidates(logits, options, [0]).ids).toContain(id);
        expect(sample(logits, randomFromSeed(seed), options, [0])).toBe(id);
      }),
    );
  });
});

test("20,000 samples fall as the probabilities say", () => {
  const logits = [0.3, 2, -1, 1.5, 0, 0.7, -2, 1.1];
  for (const options of [{}, { temperature: 0.7, topP: 0.9 }, { topK: 4, minP: 0.1 }]) {
    const { ids, probabilities } = candidates(logits, options);
    const random = randomFromSeed(2024);
    const counts = new Map<number, number>();
    for (let i = 0; i < 20_000; i += 1) {
      const id = sample(logits, random, options);
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    expect([...counts.keys()].sort((a, b) => a - b)).toEqual(ids);
    const chiSquare = ids.reduce((total, id, i) => {
      const expected = 20_000 * (probabilities[i] ?? 0);
      return total + ((counts.get(id) ?? 0) - expected) ** 2 / expected;
    }, 0);
    // At most seven degrees of freedom: 24.3 is passed once in a thousand seeds.
    expect(chiSquare).toBeLessThan(24.3);
  }
});

test("a vocabulary of 129,280", () => {
  const random = randomFromSeed(9);
  const logits = Float32Array.from({ length: 129_280 }, () => 20 * random.nextFraction() - 10);
  const cases: readonly (readonly [SamplingOptions, number | null])[] = [
    [{}, 129_280],
    [{ topK: 50 }, 50],
    [{ topP: 0.95 }, null],
    [{ temperature: 5, topP: 0.95 }, null],
    [{ topK: 20_000, minP: 0.1 }, null],
  ];
  for (const [options, count] of cases) {
    const { ids } = candidates(logits, options, [1, 2, 3]);
    expect(ids.length).toBeGreaterThan(1);
    if (count !== null) expect(ids).toHaveLength(count);
    let drawn = 0;
    const nextFraction = (): number => {
      drawn += 1;
      return random.nextFraction();
    };
    for (let i = 0; i < 5; i += 1)
      expect(ids).toContain(sample(logits, { ...random, nextFraction }, options, [1, 2, 3]));
    expect(drawn).toBe(5);
  }
  expect(sample(logits, random, { temperature: 0 })).toBe(greedy(logits));
});

function shuffled(length: number, seed: number): readonly number[] {
  const random = randomFromSeed(Math.abs(seed));
  const order = Array.from({ length }, (_, i) => i);
  for (let i = length - 1; i > 0; i -= 1) {
    const j = random.nextInteger() % (i + 1);
    const [a = 0, b = 0] = [order[i], order[j]];
    order[i] = b;
    order[j] = a;
  }
  return order;
}
