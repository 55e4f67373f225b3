/** Models placed with published configs have the published numbers of parameters: an outside truth for sizes and names. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { checkProject } from "../../dsl/checker/check-project.ts";
import { drawText } from "../../dsl/graph-view/draw-text.ts";
import { publishedConfig, whyNoConfigs } from "./published-configs.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string): string | null => {
  const file = join(root, path.startsWith("std/") ? `dsl/stdlib/${path.slice(4)}` : path);
  return existsSync(file) ? readFileSync(file, "utf8") : null;
};

/** Counts of the published checkpoints, duplicates left out; those of V4 by the architecture's own formulas. */
const published: readonly (readonly [model: string, config: string, count: string])[] = [
  ["deepseek-llm", "deepseek-llm-7b", "6,910,365,696"],
  ["deepseek-llm", "deepseek-llm-67b", "67,425,001,472"],
  ["deepseek-llm", "deepseek-r1-distill-qwen-1.5b", "1,777,088,000"],
  ["deepseek-llm", "deepseek-r1-distill-llama-8b", "8,030,261,248"],
  ["deepseek-llm", "deepseek-r1-0528-qwen3-8b", "8,190,735,360"],
  ["deepseek-v2", "deepseek-v2-lite", "15,706,484,224"],
  ["deepseek-v2", "deepseek-v2", "235,741,434,880"],
  ["deepseek-v3", "deepseek-v3", "671,026,419,200"],
  ["deepseek-v3.2", "deepseek-v3.2", "671,877,944,064"],
];

describe.skipIf(whyNoConfigs !== "")(`parameters${whyNoConfigs}`, () => {
  test.each(published)("%s with %s", (model, config, count) => {
    const text = publishedConfig(config);
    const result = checkProject({ entry: `models/${model}.ds`, read, config: { path: `${config}.json`, text } });
    expect(result.diagnostics).toEqual([]);
    expect(result.model).not.toBeNull();
    if (result.model === null) return;
    expect(drawText(result.model)).toContain(`${count}`);
  });
});

test("the config beside the model gives the published count of V3.2 without its draft layer", () => {
  const text = readFileSync(join(root, "models/deepseek-v3.2.config.json"), "utf8");
  const { model } = checkProject({ entry: "models/deepseek-v3.2.ds", read, config: { path: "config.json", text } });
  expect(model === null ? "" : drawText(model)).toContain("671,877,944,064");
});
