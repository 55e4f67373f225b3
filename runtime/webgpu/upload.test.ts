import fc from "fast-check";
import { expect, test } from "vitest";
import type { Watch } from "./lost.ts";
import { Upload } from "./upload.ts";

/** What a queue does that takes whole words only. */
function queueOver(memory: Map<object, Uint8Array>): GPUQueue & { waits: number } {
  const queue = {
    waits: 0,
    submit: () => undefined,
    onSubmittedWorkDone: async () => {
      queue.waits += 1;
    },
    writeBuffer: (buffer: object, at: number, bytes: Uint8Array) => {
      expect([at % 4, bytes.length % 4]).toEqual([0, 0]);
      memory.get(buffer)?.set(bytes, at);
    },
  };
  return queue as unknown as GPUQueue & { waits: number };
}
const watch = { check: () => undefined, until: <T>(work: Promise<T>) => work } as unknown as Watch;
const buffer = {} as GPUBuffer;

test("bytes arrive whatever words their pieces share, and in whatever order they come", async () => {
  const cuts = fc.uniqueArray(fc.integer({ min: 1, max: 299 }), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ minLength: 300, maxLength: 300 }),
      cuts,
      fc.infiniteStream(fc.nat()),
      async (bytes, at, chance) => {
        const memory = new Uint8Array(300);
        const upload = new Upload(queueOver(new Map([[buffer, memory]])), watch);
        const edges = [0, ...[...at].sort((a, b) => a - b), 300];
        const pieces = edges.slice(1).map((to, i) => [edges[i] ?? 0, to] as const);
        const order = pieces.map((piece) => ({ piece, by: chance.next().value })).sort((a, b) => a.by - b.by);
        for (const {
          piece: [from, to],
        } of order)
          await upload.write(buffer, from, to - from, (into, first) =>
            into.set(bytes.subarray(from + first, from + first + into.length)),
          );
        expect(memory).toEqual(bytes);
      },
    ),
    { numRuns: 200 },
  );
});

test("pieces are no larger than 16 MiB, and no more than that is on its way", async () => {
  const size = 40 * 2 ** 20 + 2;
  const memory = new Uint8Array(size + 2);
  const queue = queueOver(new Map([[buffer, memory]]));
  const upload = new Upload(queue, watch);
  let largest = 0;
  await upload.write(buffer, 0, size, (into, from) => {
    largest = Math.max(largest, into.length);
    into.fill(1 + (from % 7));
  });
  await upload.end();
  expect(largest).toBe(16 * 2 ** 20);
  expect(queue.waits).toBe(3);
  expect(memory.subarray(0, size).every((x) => x > 0)).toBe(true);
  expect(memory.subarray(size)).toEqual(Uint8Array.of(0, 0));
});
