import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Living, overlaps, planMemory } from "./plan-memory.ts";

const buffer = fc
  .record({ bytes: fc.nat(5000), from: fc.nat(30), length: fc.nat(12) })
  .map(({ bytes, from, length }): Living => ({ bytes, live: [from, from + length] }));

describe("a plan", () => {
  test("never lets two that live together overlap, and needs at least the peak", () => {
    fc.assert(
      fc.property(fc.array(buffer, { maxLength: 25 }), (buffers) => {
        const plan = planMemory(buffers);
        expect(overlaps(buffers, plan)).toEqual([]);
        expect(plan.bytes).toBeGreaterThanOrEqual(plan.peak);
        expect(plan.offsets.every((at) => at % 64 === 0)).toBe(true);
        const end = Math.max(0, ...buffers.map((b, i) => (b.bytes === 0 ? 0 : (plan.offsets[i] ?? 0) + b.bytes)));
        expect(plan.bytes).toBeGreaterThanOrEqual(end);
      }),
      { numRuns: 300 },
    );
  });
  test("lets those share memory that do not meet", () => {
    const chain = Array.from({ length: 10 }, (_, i): Living => ({ bytes: 6400, live: [i, i + 1] }));
    expect(planMemory(chain).bytes).toBe(12800);
    expect(planMemory(chain).peak).toBe(12800);
  });
  test("takes the smallest gap that is large enough", () => {
    const buffers: Living[] = [
      { bytes: 640, live: [0, 9] },
      { bytes: 6400, live: [0, 2] },
      { bytes: 640, live: [0, 9] },
      { bytes: 1280, live: [3, 9] },
    ];
    expect(planMemory(buffers).bytes).toBe(6400 + 1280);
  });
});

describe("what is checked of a plan", () => {
  test("two that live together in one place are found, and two that do not are not", () => {
    const buffers: Living[] = [
      { bytes: 128, live: [0, 3] },
      { bytes: 128, live: [3, 5] },
      { bytes: 128, live: [4, 6] },
    ];
    const plan = { offsets: [0, 64, 0], bytes: 256, peak: 256 };
    expect(overlaps(buffers, plan)).toEqual([
      [0, 1],
      [1, 2],
    ]);
    expect(overlaps(buffers, { ...plan, offsets: [0, 128, 0] })).toEqual([]);
  });
});
