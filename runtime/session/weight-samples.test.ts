import fc from "fast-check";
import { expect, test } from "vitest";
import { WeightSamples } from "./weight-samples.ts";

const weights = fc.array(fc.uint8Array({ maxLength: 9000, size: "max" }), { minLength: 1, maxLength: 3 });

test("the same however it comes: in pieces, twice, in any order", () => {
  fc.assert(
    fc.property(weights, fc.infiniteStream(fc.integer({ min: 1, max: 3000 })), (all, lengths) => {
      const sizes = all.map((w) => w.length);
      const [whole, pieces] = [new WeightSamples(sizes), new WeightSamples(sizes)];
      for (const [i, bytes] of all.entries()) whole.take(i, 0, bytes);
      for (const [i, bytes] of [...all.entries()].reverse())
        for (let at = 0; at < bytes.length; ) {
          const length = lengths.next().value;
          pieces.take(i, Math.max(0, at - 5), bytes.subarray(Math.max(0, at - 5), at + length));
          at += length;
        }
      expect(pieces.hash()).toEqual(whole.hash());
    }),
    { numRuns: 50 },
  );
});

test("other where its first or last byte, or its weight, is", () => {
  const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => i % 251);
  const hashOf = (change: (b: Uint8Array) => void, weight = 0): string => {
    const samples = new WeightSamples([bytes.length, bytes.length]);
    const changed = bytes.slice();
    change(changed);
    samples.take(weight, 0, changed);
    return samples.hash().join();
  };
  const all = [
    hashOf(() => undefined),
    hashOf(() => undefined, 1),
    hashOf((b) => b.fill(1, 0, 1)),
    hashOf((b) => b.fill(1, b.length - 1)),
  ];
  expect(new Set(all).size).toBe(all.length);
});
