/**
 * Phases by ranges of tokens and of remembered rows: where a plan changes there are two, and nowhere else; and no call of one token
 * needs memory that grows with what is remembered.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Compiled } from "../../compiler/driver/compile.ts";
import type { ArenaBuffer, Phase } from "../../runtime/artifact/program.ts";
import { readProgram } from "../../runtime/artifact/read-program.ts";
import { evalSize } from "../../runtime/artifact/size-expr.ts";
import { checkPhases } from "../../runtime/calls/choose-phase.ts";
import { root } from "../conformance/bind-text.ts";
import { dims, stored } from "../elaborate/planned-model.ts";
import { compileConfig, llama } from "./compiled-models.ts";

const published: Readonly<Record<string, unknown>> = JSON.parse(
  readFileSync(`${root}/models/deepseek-v3.2.config.json`, "utf8"),
);
/** The published config with fewer layers and experts, of which programs do not depend. */
const few = { ...published, num_hidden_layers: 5, n_routed_experts: 16, n_group: 4, topk_group: 2 };
const tiny = {
  ...few,
  hidden_size: 64,
  vocab_size: 128,
  num_attention_heads: 4,
  num_key_value_heads: 4,
  kv_lora_rank: 16,
  qk_nope_head_dim: 16,
  qk_rope_head_dim: 8,
  v_head_dim: 16,
  q_lora_rank: 32,
  intermediate_size: 96,
  moe_intermediate_size: 32,
  max_position_embeddings: 256,
  index_n_heads: 4,
  index_head_dim: 16,
  index_topk: 12,
};

const ranges = ({ program }: Compiled, ...kinds: readonly string[]): readonly string[] =>
  program.phases
    .filter(({ name }) => kinds.some((kind) => name === kind || name.startsWith(`${kind}_`)))
    .map(
      ({ name, from, to, rows }) => `${name}: ${from}..${to}${rows === undefined ? "" : `, ${rows.from}..${rows.to}`}`,
    );
const reportOf = (c: Compiled, phase: string) => c.reports.find((r) => r.phase === phase) ?? expect.fail(phase);
const expanded = dims("S", "H", "N");

const v32 = compileConfig("models/deepseek-v3.2.ds", few);
const v32Tiny = compileConfig("models/deepseek-v3.2.ds", tiny, undefined, null, { leastRows: 1 });

describe("a model whose plan does not change", () => {
  test("has one phase of a kind, for any rows", () => {
    const made = compileConfig("models/deepseek-llm.ds", llama(3));
    expect(ranges(made, "decode", "prefill", "score")).toEqual(["decode: 1..1", "prefill: 2..4096", "score: 1..4096"]);
  });
});

describe("latent attention", () => {
  const v3 = compileConfig("models/deepseek-v3.ds", { ...few, model_type: "deepseek_v3" });
  test("is absorbed for few tokens and expanded for many, the border being where costs say", () => {
    const [decode, absorbed, naive, ...more] = ranges(v3, "decode", "prefill");
    expect([decode, more]).toEqual(["decode: 1..1", []]);
    const border = Number(/^prefill: 2\.\.(\d+)$/.exec(absorbed ?? "")?.[1]);
    expect(naive).toBe(`prefill_${border + 1}: ${border + 1}..4096`);
    // The note on the architecture: "1-2 hundred with 128 heads", "1k tokens should use naive".
    expect(border).toBeGreaterThan(90);
    expect(border).toBeLessThan(256);
    const holds = ["decode", "prefill", `prefill_${border + 1}`].map((p) =>
      stored(reportOf(v3, p).graph).has(expanded),
    );
    expect(holds).toEqual([false, false, true]);
  });
});

describe("sparse attention", () => {
  test("chooses nothing up to as many rows as it would choose", () => {
    expect(ranges(v32, "decode")).toEqual(["decode: 1..1, 1..2048", "decode_after_2048: 1..1, 2049..163840"]);
    const [few1, many, sparse, ...more] = ranges(v32, "prefill");
    expect([few1, many, sparse]).toEqual([
      expect.stringMatching(/^prefill: 2\.\.\d+, 1\.\.2048$/),
      expect.stringMatching(/^prefill_\d+: \d+\.\.2048, 1\.\.2048$/),
      "prefill_after_2048: 2..4096, 2049..163840",
    ]);
    expect(more).toEqual([]);
    for (const { rows, graph } of v32.reports)
      expect([...stored(graph)].some((d) => d.includes("K_index"))).toBe(rows?.from !== 1);
  });
  test.each([
    ["published sizes", v32],
    ["tiny sizes", v32Tiny],
  ])("%s: read back as written, and played for any number of rows", (_, made) => {
    const written = JSON.stringify(made.program);
    const read = readProgram(new TextEncoder().encode(written));
    expect(read.phases).toEqual(JSON.parse(written).phases);
    expect(() => checkPhases(read, 256, read.context)).not.toThrow();
  });
  test.each([
    ["published sizes", v32, 2048],
    ["tiny sizes", v32Tiny, 12],
  ] as const)("%s: no memory of a call of one token grows with what is remembered", (_, made, chosen) => {
    const single = made.program.phases.filter(
      (p) => p.from === 1 && p.to === 1 && p.outputs.some((o) => o.name === "next"),
    );
    // Guesses have one phase for any memory.
    const behind = single.filter((p) => (p.rows?.from ?? chosen + 1) === chosen + 1);
    expect(behind.map((p) => p.entry).sort()).toEqual(["forward", "propose"]);
    const elements = ({ size }: ArenaBuffer, { from, to }: Phase, before: number): number =>
      evalSize(size, (n) =>
        n === made.program.before ? before : n === made.program.tokens && from === to ? 1 : undefined,
      );
    for (const phase of behind)
      for (const b of phase.buffers)
        expect(elements(b, phase, made.program.context - 1), `${phase.name}: ${b.name}`).toBe(
          elements(b, phase, chosen),
        );
    // Up to the border nothing is chosen: what there is per row and head is bounded by the rows of the phase.
    for (const phase of single.filter((p) => p.rows?.from === 1)) expect(phase.rows?.to).toBe(chosen);
  });
  test("a choice of few rows is made from the first row on: one phase of a kind", () => {
    const made = compileConfig("models/deepseek-v3.2.ds", tiny);
    expect(ranges(made, "decode", "prefill", "verify").map((range) => range.split(":")[0])).toEqual([
      "decode",
      "prefill",
      "verify",
    ]);
    for (const name of ["decode", "prefill", "verify"])
      expect([...stored(reportOf(made, name).graph)].some((d) => d.includes("K_index"))).toBe(true);
  });
  test("a model that remembers no more than it chooses has no choice at all", () => {
    const made = compileConfig("models/deepseek-v3.2.ds", { ...tiny, index_topk: 256 });
    expect(ranges(made, "decode")).toEqual(["decode: 1..1, 1..256"]);
    expect(made.reports.every(({ graph }) => ![...stored(graph)].some((d) => d.includes("K_index")))).toBe(true);
  });
});
