/** What loading takes of a machine's own memory beside what stays: weights go to the GPU in pieces, never as a whole. */
import { statSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { llama } from "../program/compiled-models.ts";
import { makeModel } from "./made-model.ts";
import { Player } from "./player.ts";

const MiB = 2 ** 20;
const full = process.env["DSC_FULL"] === "1";
const player = full && process.platform === "linux" ? await Player.open("null") : "only in the full tests";
const why = typeof player === "string" ? ` (skipped: ${player})` : "";

describe.skipIf(typeof player === "string")(`loading on WebGPU${why}`, () => {
  test("takes at most 64 MiB beside what stays", { timeout: 240_000 }, async () => {
    if (typeof player === "string") throw new Error(player);
    const sizes = { hidden_size: 1024, intermediate_size: 1024, num_attention_heads: 8, num_key_value_heads: 8 };
    const made = await makeModel("models/deepseek-llm.ds", { ...llama(1), ...sizes, vocab_size: 30_000 }, false);
    try {
      const weights = statSync(made.weights).size;
      expect(weights).toBeGreaterThan(100 * MiB);
      const load = { kind: "load", model: "wide", base: made.base, weights: made.weights } as const;
      const beside: number[] = [];
      // The first time also compiles what is loaded. What is no longer used is freed at some time: the least of a few counts.
      for (let i = 0; i < 4; i += 1) {
        const before = await player.do<Memory>({ kind: "memory" });
        await player.do(load);
        const { now, most } = await player.do<Memory>({ kind: "memory" });
        await player.do({ kind: "dispose", model: "wide" });
        // The driver's memory is this process's.
        expect(now - before.now).toBeGreaterThan(0.5 * weights);
        beside.push(most - before.now - weights);
      }
      expect(Math.min(...beside)).toBeLessThan(64 * MiB);
    } finally {
      player.close();
      made.remove();
    }
  });
});

interface Memory {
  readonly now: number;
  readonly most: number;
}
