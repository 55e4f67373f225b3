import { describe, expect, test } from "vitest";
import { memorySource } from "../../runtime/weights/byte-source.ts";
import { openSafetensors, openShardedSafetensors } from "../../runtime/weights/open-safetensors.ts";
import { type Kind, runWeightsCases } from "./run-weights-cases.ts";
import { rightFiles, rightIndex, shardFiles, shardNames } from "./weights-mutations.ts";

const full = process.env.DSC_FULL === "1";

describe("a weight file that something happened to gives a typed error or the right answer", () => {
  const runs = full ? 10 : 1;
  const count = full ? 5000 : 1500;
  const cases = (["file", "index"] as const).flatMap((kind) =>
    Array.from({ length: runs }, (_, run): readonly [Kind, number] => [kind, run * count + 1]),
  );
  test.each(cases)(`${count} of a mutated %s from seed %d`, { timeout: 300_000 }, async (kind, from) => {
    const { failures, codes, slowestMs, mostBuffered } = await runWeightsCases(kind, from, count);
    expect(failures.slice(0, 5).map(({ seed, error }) => `seed ${seed}: ${error}`)).toEqual([]);
    // The mutations reach most of the reader's judgements, the right answer included.
    expect(codes.get("right")).toBeGreaterThan(count / 20);
    expect(codes.size).toBeGreaterThan(kind === "file" ? 14 : 8);
    expect(slowestMs).toBeLessThan(5000);
    // Files have some 700 bytes, and some claim 90 MB of header.
    expect(mostBuffered).toBeLessThan(1_000_000);
  });
});

test("the files that are mutated are right", async () => {
  for (const bytes of rightFiles) await openSafetensors(memorySource("m", bytes));
  const index = memorySource("i", new TextEncoder().encode(rightIndex));
  const weights = await openShardedSafetensors(index, async (name) =>
    memorySource(name, shardFiles[name === shardNames[0] ? 0 : 1] ?? new Uint8Array(0)),
  );
  expect(weights.tensors.size).toBe(4);
});
