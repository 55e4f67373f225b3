/**
 * What a token activates and leaves behind, with published configs, against an audit made from the papers' formulas: its
 * numbers are in units of 1e9, two digits after the point, and exact in bytes.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { checkProject } from "../../dsl/checker/check-project.ts";
import { newParseCache } from "../../dsl/checker/load.ts";
import { type ParameterTable, parameterTable } from "../../dsl/graph-view/parameter-rows.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const configs = join(process.env["DSC_TEST_DATA"] ?? join(root, "../shared"), "architectures/configs");
const cache = newParseCache();
const read = (path: string): string | null => {
  const file = join(root, path.startsWith("std/") ? `dsl/stdlib/${path.slice(4)}` : path);
  return existsSync(file) ? readFileSync(file, "utf8") : null;
};

function tableOf(model: string, path: string): ParameterTable {
  const config = { path: "config.json", text: readFileSync(path, "utf8") };
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
  ["deepseek-v2", "deepseek-v2-lite", "15.71", "2.66", "2.45", 31_104],
  ["deepseek-v2", "deepseek-v2", "235.74", "21.38", "20.85", 69_120],
  ["deepseek-v3", "deepseek-v3", "671.03", "37.55", "36.63", 70_272],
  ["deepseek-v3", "deepseek-r1", "671.03", "37.55", "36.63", 70_272],
  ["deepseek-v3", "deepseek-v3.1", "671.03", "37.55", "36.63", 70_272],
  ["deepseek-v3.2", "deepseek-v3.2", "671.88", "38.40", "37.48", 85_888],
];

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
  "deepseek-v2-lite": 15_706_484_224,
  "deepseek-v2": 235_741_434_880,
  "deepseek-v3": 671_026_404_352 + 14_848,
  "deepseek-r1": 671_026_404_352 + 14_848,
  "deepseek-v3.1": 671_026_404_352 + 14_848,
  "deepseek-v3.2": 671_877_929_216 + 14_848,
};

const found = existsSync(configs);
describe.skipIf(!found)(`activated parameters${found ? "" : " (skipped: no configs, set DSC_TEST_DATA)"}`, () => {
  test.each(audited)("%s with %s", (model, config, total, activated, rest, bytes) => {
    const table = tableOf(model, join(configs, `${config}.json`));
    const { all, activated: used, embedding } = table.total;
    expect(all).toBe(counted[config]);
    expect([billions(all), billions(used), billions(used - embedding)]).toEqual([total, activated, rest]);
    expect(table.tokenBytes).toBe(bytes);
  });
});

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
