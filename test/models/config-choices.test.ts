/** What a config may ask for: each published one is taken by its text and refused by the others, and so is what none has. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { checkProject } from "../../dsl/checker/check-project.ts";
import { newParseCache } from "../../dsl/checker/load.ts";
import type { Diagnostic } from "../../dsl/diagnostics/diagnostic.ts";
import { spanText } from "../../dsl/diagnostics/source.ts";
import { loadSparseCase } from "../oracle/cases.ts";
import { configs, whyNoConfigs } from "./published-configs.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const cache = newParseCache();
const read = (path: string): string | null => {
  const file = join(root, path.startsWith("std/") ? `dsl/stdlib/${path.slice(4)}` : path);
  return existsSync(file) ? readFileSync(file, "utf8") : null;
};
const check = (model: string, config: object): readonly Diagnostic[] =>
  checkProject({
    entry: `models/${model}.ds`,
    read,
    cache,
    config: { path: "config.json", text: JSON.stringify(config, null, 2) },
  }).diagnostics;

/** The text that takes a published config; V4.1 and the research configs of Engram have none. */
const takenBy: readonly (readonly [configs: RegExp, model: string])[] = [
  [/^deepseek-(llm|r1-)/, "deepseek-llm"],
  [/^deepseek-moe/, "deepseek-moe"],
  [/^deepseek-v2/, "deepseek-v2"],
  [/^deepseek-(v3|v3\.1|r1)\.json$/, "deepseek-v3"],
  [/^deepseek-v3\.2/, "deepseek-v3.2"],
  [/^deepseek-v4-/, "deepseek-v4"],
];
const models = [...new Set(takenBy.map(([, model]) => model))];

/** Everyday a config is offered to its own text and to half of the others. */
const full = process.env["DSC_FULL"] === "1";
describe.skipIf(whyNoConfigs !== "")(`published configs${whyNoConfigs}`, () => {
  test.each(whyNoConfigs === "" ? readdirSync(configs) : ["none"])("%s", (name) => {
    const config = JSON.parse(readFileSync(join(configs, name), "utf8"));
    const wanted = takenBy.filter(([pattern]) => pattern.test(name)).map(([, model]) => model);
    const tried = models.filter((model, i) => full || wanted.includes(model) || i % 2 === name.length % 2);
    const takers = tried.filter((model) => !check(model, config).some(({ severity }) => severity === "error"));
    expect(takers).toEqual(wanted);
  });
});

const plain = (name: string): Record<string, unknown> => JSON.parse(loadSparseCase(name).config);
const moe: Record<string, unknown> = {
  ...{ model_type: "deepseek", hidden_act: "silu", hidden_size: 16, intermediate_size: 24, moe_intermediate_size: 8 },
  ...{ num_hidden_layers: 3, num_attention_heads: 2, num_key_value_heads: 2, vocab_size: 32, n_routed_experts: 8 },
  ...{ n_shared_experts: 2, num_experts_per_tok: 3, first_k_dense_replace: 1, norm_topk_prob: false },
  ...{
    rms_norm_eps: 1e-6,
    max_position_embeddings: 48,
    rope_theta: 10000,
    rope_scaling: null,
    scoring_func: "softmax",
  },
};
const base: Readonly<Record<string, Record<string, unknown>>> = {
  "deepseek-moe": moe,
  "deepseek-v2": plain("v2"),
  "deepseek-v3": plain("v3"),
  "deepseek-v3.2": plain("v3.2"),
};
const yarn = plain("v3")["rope_scaling"] as object;
const fp8 = { quant_method: "fp8", fmt: "e4m3", weight_block_size: [128, 128] };

test.each(Object.keys(base))("the plain config of %s is taken", (model) => {
  expect(check(model, base[model] ?? {})).toEqual([]);
});

/** `value` is what the title and the label on config.json say was found at `path`. */
describe("a text that the model does not have is refused, with its place, the value and what is taken", () => {
  const rows: readonly (readonly [model: string, fields: object, path: string, value: string, taken: string])[] = [
    ["deepseek-v2", { topk_method: "noaux_tc" }, "topk_method", "noaux_tc", '"greedy" or "group_limited_greedy"'],
    ["deepseek-v2", { topk_method: "best" }, "topk_method", "best", '"greedy" or "group_limited_greedy"'],
    ["deepseek-v2", { scoring_func: "sigmoid" }, "scoring_func", "sigmoid", '"softmax"'],
    ["deepseek-v2", { hidden_act: "gelu" }, "hidden_act", "gelu", '"silu"'],
    ["deepseek-v2", { quantization_config: fp8 }, "quantization_config.quant_method", "fp8", '"none"'],
    [
      "deepseek-v2",
      { rope_scaling: { ...yarn, type: "linear" } },
      "rope_scaling.type",
      "linear",
      '"default" or "yarn"',
    ],
    ["deepseek-v3", { topk_method: "greedy" }, "topk_method", "greedy", '"noaux_tc"'],
    ["deepseek-v3", { topk_method: "group_limited_greedy" }, "topk_method", "group_limited_greedy", '"noaux_tc"'],
    ["deepseek-v3", { scoring_func: "softmax" }, "scoring_func", "softmax", '"sigmoid"'],
    ["deepseek-v3", { scoring_func: "sqrtsoftplus" }, "scoring_func", "sqrtsoftplus", '"sigmoid"'],
    ["deepseek-v3", { model_type: "deepseek_v32" }, "model_type", "deepseek_v32", '"deepseek_v3"'],
    ["deepseek-v3", { hidden_act: "relu" }, "hidden_act", "relu", '"silu"'],
    [
      "deepseek-v3",
      { rope_scaling: { ...yarn, type: undefined, rope_type: "dynamic" } },
      ...(["rope_scaling.rope_type", "dynamic", '"default" or "yarn"'] as const),
    ],
    [
      "deepseek-v3",
      { rope_scaling: undefined, rope_parameters: { ...yarn, type: undefined, rope_type: "llama3" } },
      ...(["rope_parameters.rope_type", "llama3", '"default" or "yarn"'] as const),
    ],
    [
      "deepseek-v3",
      { quantization_config: { ...fp8, quant_method: "awq" } },
      ...(["quantization_config.quant_method", "awq", '"none" or "fp8"'] as const),
    ],
    ["deepseek-v3", { quantization_config: { ...fp8, fmt: "e5m2" } }, "quantization_config.fmt", "e5m2", '"e4m3"'],
    ["deepseek-v3.2", { model_type: "deepseek_v3" }, "model_type", "deepseek_v3", '"deepseek_v32"'],
    ["deepseek-v3.2", { topk_method: "greedy" }, "topk_method", "greedy", '"noaux_tc"'],
    ["deepseek-moe", { topk_method: "group_limited_greedy" }, "topk_method", "group_limited_greedy", '"greedy"'],
    ["deepseek-moe", { scoring_func: "sigmoid" }, "scoring_func", "sigmoid", '"softmax"'],
    ["deepseek-moe", { rope_scaling: { type: "yarn" } }, "rope_scaling.type", "yarn", '"default"'],
    ["deepseek-moe", { model_type: "llama" }, "model_type", "llama", '"deepseek"'],
  ];
  test.each(rows)("%s: %j", (model, fields, path, value, taken) => {
    const found = check(model, { ...base[model], ...fields });
    expect(found.map(({ code }) => code)).toEqual(["DS0124"]);
    const [only] = found;
    expect(only?.title).toContain(`\`${path}\` ${JSON.stringify(value)}`);
    expect(only?.primary.span.source.path).toMatch(/^models\//);
    expect(only?.primary.text).toContain(taken);
    expect(only?.secondary.map(({ span }) => [span.source.path, spanText(span)])).toEqual([
      ["config.json", JSON.stringify(value)],
    ]);
  });

  test("the file that has it is named", () => {
    const [v2] = check("deepseek-v2", { ...base["deepseek-v2"], topk_method: "noaux_tc" });
    const [v3] = check("deepseek-v3", { ...base["deepseek-v3"], topk_method: "greedy" });
    expect([v2?.help, v3?.help]).toEqual([
      "noaux_tc: deepseek-v3.ds",
      "greedy and group_limited_greedy: deepseek-v2.ds",
    ]);
  });
});

describe("other wishes of a config that would be passed over", () => {
  const rows: readonly (readonly [model: string, fields: object])[] = [
    ["deepseek-v3", { quantization_config: { ...fp8, weight_block_size: [64, 64] } }],
    ["deepseek-v3", { quantization_config: { ...fp8, weight_block_size: null } }],
    ["deepseek-v3", { quantization_config: { bits: 4 } }],
    ["deepseek-v3", { rope_scaling: { factor: 4 } }],
    ["deepseek-v3", { rope_scaling: { type: "yarn" } }],
    ["deepseek-v3", { rope_parameters: { rope_theta: 7 } }],
    ["deepseek-v3", { tie_word_embeddings: true }],
    ["deepseek-v2", { moe_layer_freq: 2 }],
    ["deepseek-v2", { use_mla: false }],
    ["deepseek-v3.2", { index_head_dim: 96 }], // the Hadamard transform halves
    ["deepseek-moe", { n_group: 4 }],
    ["deepseek-moe", { routed_scaling_factor: 2 }],
    ["deepseek-moe", { attention_bias: true }],
  ];
  test.each(rows)("%s: %j", (model, fields) => {
    expect(check(model, { ...base[model], ...fields }).map(({ code }) => code)).toEqual(["DS0124"]);
  });
  test("a list that is too short", () => {
    const quantization_config = { ...fp8, weight_block_size: [128] };
    expect(check("deepseek-v3", { ...base["deepseek-v3"], quantization_config }).map(({ code }) => code)).toEqual([
      "DS0121",
    ]);
  });
});

describe("absent, null and 0 are the same absence", () => {
  const rows: readonly (readonly [model: string, field: string, values: readonly unknown[]])[] = [
    ["deepseek-v2", "q_lora_rank", [undefined, null, 0]],
    ["deepseek-v2", "n_shared_experts", [undefined, null, 0]],
    ["deepseek-moe", "n_shared_experts", [undefined, null, 0]],
    ["deepseek-v3", "num_nextn_predict_layers", [undefined, null, 0]],
    ["deepseek-v3", "quantization_config", [undefined, null]],
    ["deepseek-moe", "rope_scaling", [undefined, null, { type: "default" }]],
    ["deepseek-moe", "first_k_dense_replace", [undefined, null, 0]],
  ];
  test.each(rows)("%s: %s", (model, field, values) => {
    for (const value of values) expect(check(model, { ...base[model], [field]: value }), `${value}`).toEqual([]);
  });
  test("one group, written or not", () => {
    const one = { topk_method: "greedy", n_group: 1, topk_group: 1 };
    for (const fields of [one, { ...one, n_group: null, topk_group: null }, { ...one, n_group: undefined }])
      expect(check("deepseek-v2", { ...base["deepseek-v2"], ...fields, topk_group: 1 })).toEqual([]);
  });
});
