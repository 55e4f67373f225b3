/**
 * What a token activates and leaves behind, with published configs, against an audit made from the papers' formulas: its
 * numbers are in units of 1e9, two digits after the point, and exact in bytes.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { checkProject } from "../../dsl/checker/check-project.ts";
import { newParseCache } from "../../dsl/checker/load.ts";
import { type ParameterTable, parameterTable } from "../../dsl/graph-view/parameter-rows.ts";
import { configs, publishedConfig, whyNoConfigs } from "./published-configs.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const cache = newParseCache();
const read = (path: string): string | null => {
  const file = join(root, path.startsWith("std/") ? `dsl/stdlib/${path.slice(4)}` : path);
  return existsSync(file) ? readFileSync(file, "utf8") : null;
};

const tableOf = (model: string, path: string): ParameterTable => tableFrom(model, readFileSync(path, "utf8"));

function tableFrom(model: string, text: string): ParameterTable {
  const config = { path: "config.json", text };
  const project = checkProject({ entry: `models/${model}.ds`, read, cache, config });
  expect(project.diagnostics).toEqual([]);
  if (project.model === null) throw new Error(`${model} has no model`);
  return parameterTable(project.model, project, "bf16");
}

const billions = (count: number): string => (count / 1e9).toFixed(2);

const audited: readonly (readonly [
  model: string,
  config: string,
  total: string,
  activated: string,
  rest: string,
  bytes: number,
])[] = [
  ["deepseek-llm", "deepseek-llm-7b", "6.91", "6.91", "6.49", 491_520],
  ["deepseek-llm", "deepseek-llm-67b", "67.43", "67.43", "66.59", 389_120],
  ["deepseek-llm", "deepseek-r1-distill-qwen-1.5b", "1.78", "1.78", "1.54", 28_672],
  ["deepseek-llm", "deepseek-r1-distill-qwen-7b", "7.62", "7.62", "7.07", 57_344],
  ["deepseek-llm", "deepseek-r1-distill-qwen-14b", "14.77", "14.77", "13.99", 196_608],
  ["deepseek-llm", "deepseek-r1-distill-qwen-32b", "32.76", "32.76", "31.99", 262_144],
  ["deepseek-llm", "deepseek-r1-distill-llama-8b", "8.03", "8.03", "7.50", 131_072],
  ["deepseek-llm", "deepseek-r1-distill-llama-70b", "70.55", "70.55", "69.50", 327_680],
  ["deepseek-llm", "deepseek-r1-0528-qwen3-8b", "8.19", "8.19", "7.57", 147_456],
  ["deepseek-moe", "deepseek-moe-2b", "1.97", "0.32", "0.31", 46_080],
  ["deepseek-moe", "deepseek-moe-16b", "16.38", "2.83", "2.62", 229_376],
  ["deepseek-moe", "deepseek-moe-145b", "144.48", "22.06", "21.64", 1_015_808],
  ["deepseek-v2", "deepseek-v2-lite", "15.71", "2.66", "2.45", 31_104],
  ["deepseek-v2", "deepseek-v2", "235.74", "21.38", "20.85", 69_120],
  ["deepseek-v3", "deepseek-v3", "671.03", "37.55", "36.63", 70_272],
  ["deepseek-v3", "deepseek-r1", "671.03", "37.55", "36.63", 70_272],
  ["deepseek-v3", "deepseek-v3.1", "671.03", "37.55", "36.63", 70_272],
  ["deepseek-v3.2", "deepseek-v3.2", "671.88", "38.40", "37.48", 85_888],
];

/** DeepSeekMoE by its paper's sizes: h wide, V words, L layers of which `dense` are so, E experts and `shared` of width F. */
const mixture = (h: number, V: number, L: number, dense: number, wide: number, E: number, shared: number, F: number) =>
  2 * V * h + L * (4 * h * h + 2 * h) + h + dense * 3 * h * wide + (L - dense) * (E * h + (E + shared) * 3 * h * F);

/** Counts of the transformers classes on these configs; 14,848 = 58 · 256 biases of routers are buffers there. */
const counted: Readonly<Record<string, number>> = {
  "deepseek-llm-7b": 6_910_365_696,
  "deepseek-llm-67b": 67_425_001_472,
  "deepseek-r1-distill-qwen-1.5b": 1_777_088_000,
  "deepseek-r1-distill-qwen-7b": 7_615_616_512,
  "deepseek-r1-distill-qwen-14b": 14_770_033_664,
  "deepseek-r1-distill-qwen-32b": 32_763_876_352,
  "deepseek-r1-distill-llama-8b": 8_030_261_248,
  "deepseek-r1-distill-llama-70b": 70_553_706_496,
  "deepseek-r1-0528-qwen3-8b": 8_190_735_360,
  "deepseek-moe-2b": mixture(1280, 8000, 9, 0, 3413, 63, 1, 853),
  "deepseek-moe-16b": mixture(2048, 102_400, 28, 1, 10_944, 64, 2, 1408),
  "deepseek-moe-145b": mixture(4096, 102_400, 62, 1, 11_264, 128, 4, 1408),
  "deepseek-v2-lite": 15_706_484_224,
  "deepseek-v2": 235_741_434_880,
  "deepseek-v3": 671_026_404_352 + 14_848,
  "deepseek-r1": 671_026_404_352 + 14_848,
  "deepseek-v3.1": 671_026_404_352 + 14_848,
  "deepseek-v3.2": 671_877_929_216 + 14_848,
};

/** Configs without a text that counts them: the paper gives no widths of Engram's research models, and V4 is counted elsewhere. */
const uncounted = /^(engram-|deepseek-v4)/;

test.skipIf(whyNoConfigs !== "")("every config of a text system is in the table", () => {
  const names = readdirSync(configs).map((name) => name.replace(/\.json$/, ""));
  expect(names.filter((name) => !uncounted.test(name)).sort()).toEqual(audited.map(([, name]) => name).sort());
});

describe.skipIf(whyNoConfigs !== "")(`activated parameters${whyNoConfigs}`, () => {
  test.each(audited)("%s with %s", (model, config, total, activated, rest, bytes) => {
    const table = tableOf(model, join(configs, `${config}.json`));
    const { all, activated: used, embedding } = table.total;
    expect(all).toBe(counted[config]);
    expect([billions(all), billions(used), billions(used - embedding)]).toEqual([total, activated, rest]);
    expect(table.tokenBytes).toBe(bytes);
  });
});

/** The published file of a research model, with widths of a backbone that it does not give. */
function engramOf(name: string): ParameterTable {
  const published = JSON.parse(publishedConfig(name));
  const { num_hidden_layers: L, engram } = published;
  const places: readonly number[] = engram.layer_ids_paper_1_based.map((layer: number) => layer - 1);
  const orders = engram.ngram_orders.map(() => Array(engram.n_head_per_ngram).fill(engram.engram_vocab_size_per_head));
  const inLayers = <T>(there: T, elsewhere: T): readonly T[] =>
    Array.from({ length: L }, (_, l) => (places.includes(l) ? there : elsewhere));
  const nothing: readonly number[][] = orders.map((heads: readonly number[]) => heads.map(() => 0));
  const text = JSON.stringify({
    ...{ hidden_size: published.hidden_size, num_hidden_layers: L, hc_mult: published.hc_mult, vocab_size: 129_280 },
    ...{ n_routed_experts: published.n_routed_experts, num_experts_per_tok: published.num_experts_per_tok },
    ...{ n_shared_experts: published.n_shared_experts, num_attention_heads: 32, kv_lora_rank: 512, q_lora_rank: 1536 },
    ...{ qk_nope_head_dim: 128, qk_rope_head_dim: 64, v_head_dim: 128, intermediate_size: 8192 },
    ...{ moe_intermediate_size: 1408, first_k_dense_replace: 1, routed_scaling_factor: 1, rms_norm_eps: 1e-6 },
    ...{ max_position_embeddings: 4096, hidden_act: "silu" },
    engram: {
      ...{ max_ngram_size: engram.max_ngram_size, n_head_per_ngram: engram.n_head_per_ngram, pad_id: engram.pad_id },
      ...{ n_embed_per_ngram: engram.n_head_per_ngram * engram.head_dim, kernel_size: engram.kernel_size },
      ...{ conv_norm_eps: 1e-5, compressed_vocab_size: 1000, layer_ids: places },
      multipliers: inLayers([3, 5, 7], [0, 0, 0]),
      primes: inLayers(orders, nothing),
    },
  });
  return tableFrom("engram-lm", text);
}

test.skipIf(whyNoConfigs !== "")(
  "what Engram's research models differ in are tables of which a token fetches rows",
  () => {
    const [small, large] = [engramOf("engram-27b").total, engramOf("engram-40b").total];
    const perRow = 2 * 2 * 8 * 80; // layers, orders, heads, channels
    expect(large.all - small.all).toBe(perRow * (7_239_680 - 2_262_400));
    expect(large.activated).toBe(small.activated);
    // beside the audit's 5.79 and 18.53 billion in tables both have the same backbone
    expect(large.all - perRow * 7_239_680).toBe(small.all - 5_791_744_000);
    expect(small.all - small.activated).toBeGreaterThan(5_791_744_000);
  },
);

test("V3.2 leaves 248 of 256 experts out in each of 58 layers; its draft module stands apart", () => {
  const { total, optional } = tableOf("deepseek-v3.2", join(root, "models/deepseek-v3.2.config.json"));
  const expert = 3 * 7168 * 2048;
  expect(total.all - total.activated).toBe(58 * 248 * expert);
  expect(total.embedding).toBe(129_280 * 7168);
  // V3's draft module, 11,610,068,224, and an indexer of its own
  const indexer = 1536 * 8192 + 7168 * 128 + 2 * 128 + 7168 * 64;
  expect(optional?.total.all).toBe(11_610_068_224 + indexer);
  expect(optional?.tokenBytes).toBe(2 * (576 + 128));
});
