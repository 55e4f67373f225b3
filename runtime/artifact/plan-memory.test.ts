import fc from "fast-check";
import { expect, test } from "vitest";
import { overlaps, planMemory } from "./plan-memory.ts";

const buffer = fc
  .record({ bytes: fc.nat(5000), first: fc.nat(20), length: fc.nat(10) })
  .map(({ bytes, first, length }) => ({ bytes, live: [first, first + length] as const }));

test("two that live together never overlap; no plan is below the peak", () => {
  fc.assert(
    fc.property(fc.array(buffer, { maxLength: 30 }), (buffers) => {
      const plan = planMemory(buffers);
      expect(overlaps(buffers, plan)).toEqual([]);
      expect(plan.bytes).toBeGreaterThanOrEqual(plan.peak);
      for (const [i, at] of plan.offsets.entries()) {
        expect(at % 64).toBe(0);
        expect(at + (buffers[i]?.bytes ?? 0)).toBeLessThanOrEqual(plan.bytes);
      }
    }),
  );
});

test("memory is used again", () => {
  const chain = Array.from({ length: 10 }, (_, i) => ({ bytes: 640, live: [i, i + 1] as const }));
  expect(planMemory(chain)).toMatchObject({ bytes: 1280, peak: 1280 });
});
