import { describe, expect, test } from "vitest";
import { runTextCases } from "./run-text-cases.ts";

const full = process.env["DSC_FULL"] === "1";

describe("no tokenizer, template or generation file brings another exception or hangs", () => {
  const runs = full ? 20 : 1;
  const count = full ? 1000 : 500;
  for (let run = 0; run < runs; run += 1) {
    test(`${count} files from seed ${run * count + 1}`, { timeout: 900_000 }, () => {
      const outcome = runTextCases(run * count + 1, count);
      expect(outcome.failures).toEqual([]);
      expect(outcome.slowest.ms).toBeLessThan(10_000);
      // Both happen often: neither is everything refused nor everything taken.
      expect(outcome.accepted).toBeGreaterThan(count / 20);
      expect(outcome.refused).toBeGreaterThan(count / 20);
    });
  }
});
