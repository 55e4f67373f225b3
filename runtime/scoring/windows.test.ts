import fc from "fast-check";
import { expect, test } from "vitest";
import { ScoringError } from "./scoring-error.ts";
import { checkPlan, longestStride, type WindowPlan, windowsOf } from "./windows.ts";

const plan = (context: number, prefix: readonly number[], more: Partial<WindowPlan> = {}): WindowPlan => ({
  ...{ context, prefix, stride: longestStride(context, prefix), cut: false },
  ...more,
});
const shown = (ids: readonly number[], of: WindowPlan): readonly (readonly [readonly number[], number])[] =>
  [...windowsOf(ids, of)].map((window) => [window.ids, window.from]);

test("windows begin with the prefix and count what is new in them", () => {
  const ids = [1, 2, 3, 4, 5, 6, 7];
  expect(shown(ids, plan(4, [0]))).toEqual([
    [[0, 1, 2, 3], 1],
    [[0, 4, 5, 6], 1],
    [[0, 7], 1],
  ]);
  expect(shown(ids, plan(4, [0], { stride: 2 }))).toEqual([
    [[0, 1, 2, 3], 1],
    [[0, 3, 4, 5], 2],
    [[0, 5, 6, 7], 2],
  ]);
  expect(shown(ids, plan(4, [0], { cut: true }))).toEqual([[[0, 1, 2, 3], 1]]);
  expect(shown(ids, plan(Number.POSITIVE_INFINITY, [0]))).toEqual([[[0, ...ids], 1]]);
  expect(shown([], plan(4, [0]))).toEqual([]);
});

test("without a prefix the first id is not counted, and one that was counted stands before each later window", () => {
  expect(shown([1, 2, 3, 4, 5], plan(3, []))).toEqual([
    [[1, 2, 3], 1],
    [[3, 4, 5], 1],
  ]);
  expect(shown([1], plan(3, []))).toEqual([]);
  expect(shown([], plan(3, []))).toEqual([]);
});

test("any windows count each id once, behind those that stand before it", () => {
  const anyPlan = fc
    .record({ prefix: fc.array(fc.constant(-1), { maxLength: 3 }), room: fc.integer({ min: 1, max: 9 }) })
    .chain(({ prefix, room }) => {
      const context = Math.max(1, prefix.length) + room;
      return fc.integer({ min: 1, max: room }).map((stride) => plan(context, prefix, { stride }));
    });
  fc.assert(
    fc.property(anyPlan, fc.nat({ max: 40 }), (of, length) => {
      const ids = Array.from({ length }, (_, i) => i);
      const counted: number[] = [];
      for (const [i, window] of [...windowsOf(ids, of)].entries()) {
        const text = window.ids.slice(of.prefix.length);
        expect(window.ids.length).toBeLessThanOrEqual(of.context);
        expect(window.ids.slice(0, of.prefix.length)).toEqual(of.prefix);
        // Neighbours of the text, the earliest of them as early as the window has room for.
        expect(text).toEqual(text.map((_, j) => (text[0] ?? 0) + j));
        const own = window.ids.slice(window.from);
        if (i > 0) expect(own.length).toBeLessThanOrEqual(of.stride);
        expect(own.length).toBeGreaterThan(0);
        expect(window.from).toBeGreaterThan(0);
        counted.push(...own);
      }
      expect(counted).toEqual(ids.slice(of.prefix.length === 0 ? 1 : 0));
    }),
  );
});

test("windows that can count nothing are refused", () => {
  const refused = (of: WindowPlan): string => {
    try {
      checkPlan(of);
    } catch (error) {
      if (error instanceof ScoringError && error.code === "bad-window") return error.message;
      throw error;
    }
    return "";
  };
  expect(refused(plan(1, []))).toBe("a window of 1 ids leaves none that can be predicted");
  expect(refused(plan(1, [0]))).toBe(
    "a window of 1 ids behind the 1 that each begins with leaves none that can be predicted",
  );
  expect(refused(plan(3, [0, 0, 0]))).toContain("leaves none");
  expect(refused(plan(4, [0], { stride: 4 }))).toBe(
    "windows of 4 ids move by 1 to 3 behind the 1 that each begins with, not by 4",
  );
  expect(refused(plan(4, [], { stride: 0 }))).toContain("not by 0");
  expect(refused(plan(4, [], { stride: Number.NaN }))).toContain("not by NaN");
  expect(refused(plan(4, [], { stride: 3 }))).toBe("");
  expect(refused(plan(2, [0]))).toBe("");
});
