import fc from "fast-check";
import { expect, test } from "vitest";
import { planSlots } from "./plan-slots.ts";

const buffer = fc
  .record({ bytes: fc.integer({ min: 16, max: 1000 }), from: fc.nat(12), steps: fc.nat(5) })
  .map(({ bytes, from, steps }) => ({ bytes, live: [from, from + steps] as const }));

test("what lives at one step never shares a slot, and every slot has room", () => {
  fc.assert(
    fc.property(fc.array(fc.array(buffer, { maxLength: 12 }), { maxLength: 4 }), (phases) => {
      const { slots, of } = planSlots(phases);
      for (const [p, buffers] of phases.entries())
        for (const [i, a] of buffers.entries()) {
          const slot = of[p]?.[i] ?? -1;
          expect(slots[slot]).toBeGreaterThanOrEqual(a.bytes);
          for (const [j, b] of buffers.entries())
            if (j < i && a.live[0] <= b.live[1] && b.live[0] <= a.live[1]) expect(of[p]?.[j]).not.toBe(slot);
        }
    }),
  );
});

test("phases share what they have, and lives that do not meet as well", () => {
  const phase = [
    { bytes: 100, live: [0, 1] },
    { bytes: 80, live: [1, 2] },
    { bytes: 90, live: [2, 3] },
  ] as const;
  expect(planSlots([phase, phase])).toEqual({
    slots: [100, 80],
    of: [
      [0, 1, 0],
      [0, 1, 0],
    ],
  });
});
