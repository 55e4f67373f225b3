/** Slips in config.json and in the listing of a checkpoint's tensors, against the models that read them. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { type CheckOptions, checkProject } from "../../dsl/checker/check-project.ts";
import { newParseCache } from "../../dsl/checker/load.ts";
import type { BlockInstance, ModelInstance, WeightInstance } from "../../dsl/checker/result.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string): string | null => {
  const file = join(root, path.startsWith("std/") ? `dsl/stdlib/${path.slice(4)}` : path);
  return existsSync(file) ? readFileSync(file, "utf8") : null;
};
const cache = newParseCache();
const published = readFileSync(join(root, "models/deepseek-v3.2.config.json"), "utf8");
const check = (options: Omit<CheckOptions, "read" | "cache">) => checkProject({ ...options, read, cache });
const codes = (options: Omit<CheckOptions, "read" | "cache">): readonly string[] =>
  check(options).diagnostics.map((d) => d.code);

describe("a wrong config field", () => {
  const rows: readonly (readonly [what: string, find: string | RegExp, replace: string, code: string])[] = [
    ["misspelled", '"kv_lora_rank"', '"kv_lora_rnk"', "DS0120"],
    ["left out", /\n.*"vocab_size".*/, "", "DS0120"],
    ["a string for a size", '"hidden_size": 7168', '"hidden_size": "wide"', "DS0121"],
    ["a fraction for a size", '"hidden_size": 7168', '"hidden_size": 7168.5', "DS0121"],
    ["zero for a size", '"num_attention_heads": 128', '"num_attention_heads": 0', "DS0121"],
    ["a number for a truth value", '"norm_topk_prob": true', '"norm_topk_prob": 1', "DS0121"],
    ["null where none is allowed", '"v_head_dim": 128', '"v_head_dim": null', "DS0122"],
    ["more experts than there are", '"num_experts_per_tok": 8', '"num_experts_per_tok": 300', "DS0123"],
    ["groups that do not divide", '"n_group": 8', '"n_group": 7', "DS0123"],
    ["an odd rotary part", '"qk_rope_head_dim": 64', '"qk_rope_head_dim": 63', "DS0123"],
    ["two draft layers", '"num_nextn_predict_layers": 1', '"num_nextn_predict_layers": 2', "DS0123"],
    ["another activation", '"silu"', '"gelu"', "DS0124"],
    ["another score", '"sigmoid"', '"softmax"', "DS0124"],
    ["another choice of experts", '"noaux_tc"', '"group_limited_greedy"', "DS0124"],
    ["a number for a choice", '"topk_method": "noaux_tc"', '"topk_method": 3', "DS0121"],
    ["another scaling of positions", '"type": "yarn"', '"type": "yarm"', "DS0124"],
    ["scaling without a factor", '"factor": 40,', "", "DS0124"],
    [
      "another quantisation",
      '"model_type"',
      '"quantization_config": { "quant_method": "gptq" }, "model_type"',
      "DS0124",
    ],
    ["a quantisation without a name", '"model_type"', '"quantization_config": { "bits": 4 }, "model_type"', "DS0124"],
    ["another family", '"deepseek_v32"', '"deepseek_v33"', "DS0124"],
    ["queries not compressed", '"q_lora_rank": 1536', '"q_lora_rank": null', "DS0124"],
    ["a list", /^[\s\S]*$/, "[]", "DS0128"],
    ["cut off", /,[^,]*$/, "", "DS0128"],
    ["nested without end", '"model_type"', `"deep": ${"[".repeat(500)}${"]".repeat(500)}, "model_type"`, "DS0128"],
  ];
  test.each(rows)("%s", (_what, find, replace, code) => {
    const text = published.replace(find, replace);
    expect(text).not.toBe(published);
    const found = codes({ entry: "models/deepseek-v3.2.ds", config: { path: "config.json", text } });
    expect(found).toContain(code);
    expect(found.length).toBeLessThanOrEqual(4);
  });
  test("the published one has none", () => {
    expect(codes({ entry: "models/deepseek-v3.2.ds", config: { path: "config.json", text: published } })).toEqual([]);
  });
  test("an option that does not exist, and one of the wrong type", () => {
    const entry = "models/deepseek-v3.2.ds";
    expect(codes({ entry, settings: new Map([["exakt", "true"]]) })).toEqual(["DS0241"]);
    expect(codes({ entry, settings: new Map([["exact", "maybe"]]) })).toEqual(["DS0227"]);
    expect(codes({ entry, settings: new Map([["exact", "true"]]) })).toEqual([]);
  });
});

describe("a wrong checkpoint", () => {
  const config = JSON.stringify({
    hidden_size: 8,
    num_hidden_layers: 2,
    vocab_size: 16,
    intermediate_size: 12,
    num_attention_heads: 2,
    rms_norm_eps: 1e-6,
    max_position_embeddings: 64,
    hidden_act: "silu",
    model_type: "llama",
  });
  const entry = "models/deepseek-llm.ds";
  const { model } = check({ entry, config: { path: "config.json", text: config } });
  const good = listingOf(model);
  const withListing = (change: (tensors: Record<string, unknown>) => void): readonly string[] => {
    const tensors = structuredClone(good);
    change(tensors);
    return codes({
      entry,
      config: { path: "config.json", text: config },
      weights: { path: "header.json", text: JSON.stringify(tensors) },
    });
  };

  test("the right one has nothing wrong", () => {
    expect(Object.keys(good)).toHaveLength(2 * 9 + 3);
    expect(withListing(() => undefined)).toEqual([]);
  });
  test("a tensor is missing", () => {
    expect(withListing((t) => delete t["model.layers.1.mlp.up_proj.weight"])).toEqual(["DS0501"]);
  });
  test("a tensor is not used", () => {
    expect(withListing((t) => Object.assign(t, { "model.layers.0.extra": { dtype: "BF16", shape: [1] } }))).toEqual([
      "DS0502",
    ]);
  });
  test("a tensor that is ignored may be there", () => {
    const name = "model.layers.0.self_attn.rotary_emb.inv_freq";
    expect(withListing((t) => Object.assign(t, { [name]: { dtype: "F32", shape: [4] } }))).toEqual([]);
  });
  test("axes are swapped", () => {
    expect(withListing((t) => Object.assign(t, { "lm_head.weight": { dtype: "BF16", shape: [8, 16] } }))).toEqual([
      "DS0503",
    ]);
  });
  test("integers where numbers are declared", () => {
    expect(withListing((t) => Object.assign(t, { "lm_head.weight": { dtype: "I8", shape: [16, 8] } }))).toEqual([
      "DS0504",
    ]);
  });
  test("two spellings", () => {
    const twice = { "model.layers.0.mlp.w1.weight": { dtype: "BF16", shape: [12, 8] } };
    expect(withListing((t) => Object.assign(t, twice))).toEqual(["DS0505"]);
  });
  test("no listing at all", () => {
    expect(
      codes({ entry, config: { path: "config.json", text: config }, weights: { path: "header.json", text: "3" } }),
    ).toEqual(["DS0510"]);
  });
});

/** Every tensor the model asks for, first spelling, in its declared shape. */
function listingOf(model: ModelInstance | null): Record<string, unknown> {
  const tensors: Record<string, unknown> = {};
  const add = (weight: WeightInstance, members: ReadonlyMap<string, number>): void => {
    const expand = (name: string): readonly string[] => {
      const hole = /\{(\w+)\}/.exec(name);
      if (hole === null) return [name];
      return Array.from({ length: members.get(hole[1] ?? "") ?? 0 }, (_, i) =>
        expand(name.replace(hole[0], String(i))),
      ).flat();
    };
    for (const name of expand(weight.tensors[0] ?? "")) tensors[name] = { dtype: "BF16", shape: weight.sizes };
  };
  const visit = (block: BlockInstance, outer: ReadonlyMap<string, number>): void => {
    const members = block.family === null ? outer : new Map([...outer, [block.family.index, block.family.count ?? 0]]);
    for (const weight of block.weights) add(weight, members);
    for (const part of block.parts) visit(part, members);
  };
  for (const weight of model?.weights ?? []) add(weight, new Map());
  for (const block of model?.blocks ?? []) visit(block, new Map());
  return tensors;
}
