/** Engram's tables in the plan: rows are numbered before layer 0 by what ids alone decide, and wanted layers later. */
import { describe, expect, test } from "vitest";
import type { Call, Phase, Step } from "../../runtime/artifact/program.ts";
import { compileConfig, latent } from "./compiled-models.ts";

const config = {
  ...{ hidden_size: 16, num_hidden_layers: 3, vocab_size: 32, num_attention_heads: 2, kv_lora_rank: 8 },
  ...{ qk_nope_head_dim: 4, qk_rope_head_dim: 4, v_head_dim: 4, q_lora_rank: null, intermediate_size: 24 },
  ...{ moe_intermediate_size: 8, n_routed_experts: 4, num_experts_per_tok: 2, n_shared_experts: 1 },
  ...{ first_k_dense_replace: 1, routed_scaling_factor: 1, norm_topk_prob: false, topk_method: "greedy" },
  ...{ rms_norm_eps: 1e-6, max_position_embeddings: 64, rope_theta: 10_000, hidden_act: "silu", hc_mult: 2 },
  engram: {
    ...{ max_ngram_size: 3, n_head_per_ngram: 2, n_embed_per_ngram: 8, kernel_size: 4, compressed_vocab_size: 20 },
    ...{ pad_id: 2, layer_ids: [1], conv_norm_eps: 1e-5 },
    multipliers: [
      [0, 0, 0],
      [461_168_601_842_738, 12_345_678_901, 999_999_999_989],
      [0, 0, 0],
    ],
    primes: [
      [
        [0, 0],
        [0, 0],
      ],
      [
        [11, 13],
        [17, 19],
      ],
      [
        [0, 0],
        [0, 0],
      ],
    ],
  },
};
const calls = (steps: readonly Step[]): readonly Call[] =>
  steps.flatMap((s) => (s.kind === "call" ? [s] : calls(s.body)));
const reads = ({ buffers }: Call, kind: string): boolean => buffers.some((b) => b.kind === kind);

describe("a model with tables", () => {
  const { program } = compileConfig("models/engram-lm.ds", config);
  const phase = (name: string): Phase => {
    const found = program.phases.find((p) => p.name === name);
    if (found === undefined) throw new Error(`no phase ${name}`);
    return found;
  };

  test("tables are not loaded", () => {
    expect(program.tables).toMatchObject([{ name: "layer1.engram_of.table", shape: [60, 4] }]);
    expect(program.weights.filter((w) => w.name.includes("table"))).toEqual([]);
  });

  test("what numbers rows reads ids, whole numbers and the memory of ids; nobody else reads that memory", () => {
    const ahead = phase("ahead");
    expect(ahead.inputs.map((i) => i.name)).toEqual(["ids"]);
    expect(ahead.outputs.map((o) => [o.name, o.elem, o.dims])).toEqual([
      ["layer1.engram_of.rows.row.ahead", "i32", ["T", 2, 2]],
    ]);
    const owned = new Set(
      calls(ahead.steps).flatMap((c) => c.buffers.flatMap((b) => (b.kind === "state" ? [b.state] : []))),
    );
    expect([...owned].map((s) => program.states[s]?.name)).toHaveLength(1);
    for (const call of calls(ahead.steps))
      for (const b of call.buffers) if (b.kind === "weight") expect(program.weights[b.weight]?.elem).toBe("i32");
    for (const other of program.phases.filter((p) => p !== ahead))
      for (const call of calls(other.steps))
        for (const b of call.buffers) if (b.kind === "state") expect(owned.has(b.state)).toBe(false);
  });

  test.each(["decode", "prefill", "score"])("%s is given the rows, and wants them after layer 0", (name) => {
    const { inputs, lookups = [], steps } = phase(name);
    expect(lookups).toEqual([{ input: 1, table: 0, phase: "ahead", rows: "layer1.engram_of.rows.row.ahead" }]);
    expect(inputs[1]?.dims).toEqual([name === "decode" ? 1 : "T", 2, 2, 4]);
    const all = calls(steps);
    const wanted = all.findIndex((c) => c.buffers.some((b) => b.kind === "input" && b.input === 1));
    const first = all.flatMap((c, i) => (c.label.startsWith("layer0.") ? [i] : []));
    expect(first.length).toBeGreaterThan(5);
    expect(wanted).toBeGreaterThan(Math.max(...first));
  });

  test("each token's hash is done once", () => {
    const hashing = program.phases.filter((p) => calls(p.steps).some((c) => /\.(?:mix|term|row)\b/.test(c.label)));
    expect(hashing.map((p) => p.name)).toEqual(["ahead"]);
    expect(calls(phase("ahead").steps).some((c) => reads(c, "input"))).toBe(true);
  });
});

test("a model without hashed tables looks nothing up", () => {
  const { program } = compileConfig("models/deepseek-v2.ds", latent(2));
  expect(program.tables).toBeUndefined();
  expect(program.phases.flatMap((p) => p.lookups ?? [])).toEqual([]);
});
