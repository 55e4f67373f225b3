/** Which configs of the dense family `models/deepseek-llm.ds` takes, with the tensors it then wants, and which it refuses. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { type CheckOptions, checkProject } from "../../dsl/checker/check-project.ts";
import { newParseCache } from "../../dsl/checker/load.ts";
import { caseNames, loadCase } from "../oracle/cases.ts";
import { configs, whyNoConfigs } from "./published-configs.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const cache = newParseCache();
const read = (path: string): string | null => {
  const file = join(root, path.startsWith("std/") ? `dsl/stdlib/${path.slice(4)}` : path);
  return existsSync(file) ? readFileSync(file, "utf8") : null;
};
const check = (config: string, more: Pick<CheckOptions, "settings" | "weights"> = {}) =>
  checkProject({
    entry: "models/deepseek-llm.ds",
    read,
    cache,
    config: { path: "config.json", text: config },
    ...more,
  }).diagnostics;

test.each(caseNames)("the config and the tensors of %s", (name) => {
  const { config, weights } = loadCase(name);
  const listing = [...weights()].map(([tensor, { shape }]) => [tensor, { dtype: "BF16", shape }]);
  const text = JSON.stringify(Object.fromEntries(listing));
  expect(check(config, { weights: { path: "header.json", text } })).toEqual([]);
});

describe.skipIf(whyNoConfigs !== "")(`published configs${whyNoConfigs}`, () => {
  const names =
    whyNoConfigs === "" ? readdirSync(configs).filter((name) => /^deepseek-(llm|r1-)/.test(name)) : ["none"];
  test.each(names)("%s", (name) => {
    expect(names).toHaveLength(9);
    expect(check(readFileSync(join(configs, name), "utf8"))).toEqual([]);
  });
});

describe("what the model does not have is refused", () => {
  const plain = JSON.parse(loadCase("llama-gqa").config);
  const rows: readonly (readonly [what: string, fields: object])[] = [
    ["another family", { model_type: "mistral" }],
    ["another activation", { hidden_act: "gelu" }],
    ["biases in the feed-forward part", { mlp_bias: true }],
    ["a sliding window", { model_type: "qwen2", use_sliding_window: true, sliding_window: 16 }],
    ["a rotation of part of a head", { partial_rotary_factor: 0.5 }],
    ["a rotation of part of a head", { rope_scaling: { type: "linear", factor: 2, partial_rotary_factor: 0.5 } }],
    ["dynamic scaling", { rope_scaling: { rope_type: "dynamic", factor: 2 } }],
    ["longrope scaling", { rope_scaling: { rope_type: "longrope", factor: 2, short_factor: [], long_factor: [] } }],
    ["scaling by a factor that is not there", { rope_scaling: { rope_type: "linear" } }],
    ["both spellings at once", { rope_scaling: { type: "linear", factor: 2 }, rope_parameters: { rope_theta: 1 } }],
    ["an attention factor without YaRN", { rope_scaling: { type: "linear", factor: 2, attention_factor: 1 } }],
  ];
  test.each(rows)("%s", (_what, fields) => {
    expect(check(JSON.stringify({ ...plain, ...fields })).map(({ code }) => code)).toEqual(["DS0124"]);
  });
  test("an odd head", () => {
    expect(check(JSON.stringify({ ...plain, head_dim: 7 })).map(({ code }) => code)).toEqual(["DS0123"]);
  });
});

test("YaRN's factor on cos and sin is an option, where there is YaRN", () => {
  const settings = new Map([["attention_factor", "1.0"]]);
  expect(check(loadCase("qwen3-yarn").config, { settings })).toEqual([]);
  expect(check(loadCase("qwen3").config, { settings }).map(({ code }) => code)).toEqual(["DS0124"]);
});
