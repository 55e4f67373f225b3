import fc from "fast-check";
import { expect, test } from "vitest";
import { type PackRequest, pack } from "./partition.ts";

const step = (items: number) => fc.uniqueArray(fc.nat(items - 1), { maxLength: 4 });
/** Items, of which some are states, and rounds of steps that touch at most one of those. */
const request: fc.Arbitrary<PackRequest> = fc.integer({ min: 1, max: 20 }).chain((count) =>
  fc.record({
    items: fc.array(fc.record({ bytes: fc.integer({ min: 1, max: 40_000 }), single: fc.boolean() }), {
      minLength: count,
      maxLength: count,
    }),
    phases: fc.array(fc.array(fc.array(step(count), { minLength: 1, maxLength: 4 }), { maxLength: 8 }), {
      maxLength: 3,
    }),
    room: fc.integer({ min: 30_000, max: 200_000 }),
    mostMemories: fc.integer({ min: 1, max: 12 }),
  }),
);
const oneState = ({ items, ...rest }: PackRequest): PackRequest => {
  const seen = (step: readonly number[]): readonly number[] => {
    const first = step.find((i) => items[i]?.single);
    return step.filter((i) => i === first || items[i]?.single !== true);
  };
  return { ...rest, items, phases: rest.phases.map((units) => units.map((unit) => unit.map(seen))) };
};

test("every step has its items in one memory, none is larger than it may be", () => {
  let [packed, spread] = [0, 0];
  fc.assert(
    fc.property(request.map(oneState), (given) => {
      const got = pack(given);
      const total = given.items.reduce((n, i) => n + i.bytes, 0);
      if (total <= given.room) expect(got).toMatchObject({ kind: "packed", memories: 1 });
      if (got.kind === "too-large") {
        const bytes = got.items.reduce((n, i) => n + (given.items[i]?.bytes ?? 0), 0);
        expect(bytes).toBeGreaterThan(got.room);
      }
      if (got.kind !== "packed") return;
      packed += 1;
      if (got.memories > 1) spread += 1;
      expect(got.memories).toBeLessThanOrEqual(given.mostMemories);
      for (const [i, memories] of got.where.entries()) {
        expect(memories.length).toBeGreaterThan(0);
        expect(memories).toEqual([...new Set(memories)].sort((a, b) => a - b));
        if (given.items[i]?.single) expect(memories).toHaveLength(1);
      }
      for (let m = 0; m < got.memories; m += 1) {
        const inside = given.items.filter((_, i) => got.where[i]?.includes(m));
        expect(inside.reduce((n, i) => n + i.bytes, 0)).toBeLessThanOrEqual(given.room);
      }
      for (const items of given.phases.flat(2)) {
        const shared = Array.from({ length: got.memories }, (_, m) => m).filter((m) =>
          items.every((i) => got.where[i]?.includes(m)),
        );
        expect(shared.length).toBeGreaterThan(0);
      }
    }),
    { numRuns: 1000 },
  );
  expect(packed).toBeGreaterThan(300);
  expect(spread).toBeGreaterThan(100);
});

const items = (...bytes: readonly number[]) => bytes.map((b) => ({ bytes: b, single: false }));

test("rounds stay together, memories are equally full", () => {
  // Six layers of two weights, which both phases read.
  const units = Array.from({ length: 6 }, (_, l) => [[2 * l], [2 * l + 1]]);
  const got = pack({
    ...{ items: items(...Array<number>(12).fill(10_000)), phases: [units, units], room: 100_000, mostMemories: 9 },
  });
  expect(got).toMatchObject({ memories: 2, where: [...Array<number[]>(6).fill([0]), ...Array<number[]>(6).fill([1])] });
});

test("what is read at both ends is read where it is; what all rounds read is in each memory", () => {
  const layers = Array.from({ length: 4 }, (_, l) => [[l + 2, 1]]);
  const units = [[[0]], ...layers, [[0]]];
  const got = pack({
    items: items(50_000, 100, 30_000, 30_000, 30_000, 30_000),
    phases: [units],
    room: 100_000,
    mostMemories: 9,
  });
  expect(got).toMatchObject({ memories: 2, where: [[0], [0, 1], [0], [1], [1], [1]] });
});

test("a round that is larger than a memory is cut where no step reads both sides", () => {
  const first = [[[0], [1], [2], [3]]];
  const second = [
    [
      [0, 1],
      [2, 3],
    ],
  ];
  const request = { items: items(30_000, 30_000, 30_000, 30_000), room: 70_000, mostMemories: 9 };
  expect(pack({ ...request, phases: [first, second] })).toMatchObject({ memories: 2, where: [[0], [0], [1], [1]] });
});

test("refusals", () => {
  const phases = [[[[0, 1]]]];
  const one = { phases, mostMemories: 9, room: 100_000 };
  expect(pack({ ...one, items: items(60_000, 60_000) })).toEqual({ kind: "too-large", items: [0, 1], room: 100_000 });
  expect(pack({ ...one, items: items(60_000, 30_000, 70_000), mostMemories: 1 })).toEqual({ kind: "too-many" });
});
