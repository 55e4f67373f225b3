import fc from "fast-check";
import { expect, test } from "vitest";
import type { StepUses } from "../../calls/step-uses.ts";
import { routePhase } from "./route.ts";

const memories = 3;
const places = 4;
const stepUses = fc.record({
  unit: fc.constant(0),
  weights: fc.constant([]),
  states: fc.constant([]),
  arena: fc.array(
    fc.record({
      place: fc.nat(places - 1),
      access: fc.constantFrom<"read" | "write" | "both">("read", "write", "both"),
    }),
    { maxLength: 4 },
  ),
  ended: fc.uniqueArray(fc.nat(places - 1), { maxLength: 1 }),
});
const homesOf = fc.uniqueArray(fc.nat(memories - 1), { minLength: 1, maxLength: memories });

test("every step finds what was written last, in all of its buffers", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(stepUses, homesOf), { maxLength: 25 }), (given) => {
      const allowed = new Map<StepUses, readonly number[]>(given);
      const steps = given.map(([step]) => step);
      const { homes, copies } = routePhase({
        ...{ memories, steps, bytes: [4, 8, 400, 0] },
        mayRun: (step) => allowed.get(step) ?? [],
      });
      // What each memory holds of each buffer, and what it should: a number for each history of writes.
      const held = Array.from({ length: memories }, () => Array<number>(places).fill(0));
      const right = Array<number>(places).fill(0);
      for (const [i, step] of steps.entries()) {
        const here = homes[i] ?? -1;
        expect(allowed.get(step)).toContain(here);
        for (const place of step.ended) {
          right[place] = 0;
          for (const [m, of] of held.entries()) of[place] = -1 - m - i; // anything
        }
        for (const { place, from, to } of copies[i] ?? []) {
          expect(to).toBe(here);
          const [source, target] = [held[from], held[to]];
          if (source !== undefined && target !== undefined) target[place] = source[place] ?? Number.NaN;
        }
        const mine = held[here] ?? [];
        // A part may be written, so writers need it too; nothing is there at first.
        for (const { place } of step.arena) if (right[place] !== 0) expect(mine[place]).toBe(right[place]);
        for (const { place, access } of step.arena)
          if (access !== "read" || right[place] === 0) {
            right[place] = i + 1;
            mine[place] = i + 1;
          }
      }
    }),
    { numRuns: 700 },
  );
});

const step = (...arena: StepUses["arena"]): StepUses => ({ unit: 0, weights: [], states: [], arena, ended: [] });

test("steps that may run anywhere run where their inputs are", () => {
  const steps = [
    step({ place: 0, access: "write" }),
    step({ place: 0, access: "read" }, { place: 1, access: "write" }),
    step({ place: 1, access: "read" }, { place: 2, access: "write" }),
    step({ place: 2, access: "read" }, { place: 3, access: "write" }),
    step({ place: 3, access: "read" }),
  ];
  const fixed = [[1], [0, 1, 2], [2], [0, 1, 2], [0, 1, 2]];
  const { homes, copies } = routePhase({
    ...{ memories, steps, bytes: [4, 4, 4, 4] },
    mayRun: (s) => fixed[steps.indexOf(s)] ?? [],
  });
  expect(homes).toEqual([1, 1, 2, 2, 2]);
  expect(copies).toEqual([[], [], [{ place: 1, from: 1, to: 2 }], [], []]);
});
