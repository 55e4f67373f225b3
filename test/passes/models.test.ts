/** Whole models from their text, planned at the published sizes and run at tiny ones, before and after all passes. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { elaborate } from "../../compiler/elaborate/elaborate.ts";
import type { Sizes } from "../../compiler/graph/dim.ts";
import type { Graph } from "../../compiler/graph/node.ts";
import { nodesOf } from "../../compiler/graph/walk.ts";
import { checkProject } from "../../dsl/checker/check-project.ts";
import { expectSame, runAll } from "./support.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string): string | null => {
  const file = join(root, path.startsWith("std/") ? `dsl/stdlib/${path.slice(4)}` : path);
  return existsSync(file) ? readFileSync(file, "utf8") : null;
};
const published = JSON.parse(read("models/deepseek-v3.2.config.json") ?? "{}") as Record<string, unknown>;

function forward(config: Record<string, unknown>, model = "deepseek-v3.2") {
  const text = JSON.stringify({ ...config, model_type: model.replace("deepseek-v", "deepseek_v").replace(".", "") });
  const { bound, declared, diagnostics } = checkProject({
    entry: `models/${model}.ds`,
    read,
    config: { path: "config.json", text },
  });
  expect(diagnostics).toEqual([]);
  if (bound === null) throw new Error("the config was refused");
  return elaborate({ model: bound, declared, entry: "forward", results: ["logits"] });
}

const fixed = (g: Graph): Sizes =>
  Object.fromEntries([...g.sizes].flatMap(([n, { low, high }]) => (low === high ? [[n, low] as const] : [])));

/** Small enough to run, and every size another one. */
const small = {
  ...published,
  hidden_size: 6,
  num_hidden_layers: 3,
  first_k_dense_replace: 1,
  vocab_size: 8,
  num_attention_heads: 2,
  kv_lora_rank: 5,
  qk_nope_head_dim: 3,
  qk_rope_head_dim: 4,
  v_head_dim: 2,
  q_lora_rank: 4,
  intermediate_size: 7,
  moe_intermediate_size: 3,
  n_routed_experts: 8,
  num_experts_per_tok: 2,
  n_group: 4,
  topk_group: 2,
  index_n_heads: 2,
  index_head_dim: 8,
  index_topk: 3,
};

describe("a model of repeated layers with sparse attention and experts", () => {
  const large = forward(published).graph;
  const { graph, builder } = forward(small);
  test.each([
    [1, 4096],
    [512, 32768],
  ])("planned for %i tokens of %i", (T, S) => {
    const { graph: done } = runAll(builder, graph, { sizes: { ...fixed(large), T, S0: S - T } });
    const calls = [
      { T: 1, S0: 4 },
      { T: 3, S0: 0 },
    ];
    expectSame(graph, done, {
      sizes: calls.map((c) => ({ ...fixed(graph), ...c })),
      chunks: 2,
      closeness: { relative: 1e-9 },
    });
  });
  test("with dense attention, all tokens at once and one behind many", () => {
    const dense = forward(small, "deepseek-v3");
    const planned = fixed(forward(published, "deepseek-v3").graph);
    for (const [T, S] of [
      [1, 4096],
      [4096, 4096],
    ] as const) {
      const { graph: done } = runAll(dense.builder, dense.graph, { sizes: { ...planned, T, S0: S - T } });
      const sizes = [{ ...fixed(dense.graph), T: 3, S0: 2 }];
      expectSame(dense.graph, done, { sizes, chunks: 3, closeness: { relative: 1e-9 } });
    }
  });
  test("passes take the published sizes; the graph does not grow with the number of layers", () => {
    const count = (layers: number): number => {
      const { graph: g, builder: b } = forward({ ...published, num_hidden_layers: layers });
      return nodesOf(runAll(b, g, { sizes: { ...fixed(g), T: 1, S0: 4095 } }).graph).length;
    };
    expect(count(5)).toBe(count(61));
  });
});
