/**
 * What is derived from the published texts: V3 and V3.2 elaborated, their graphs rewritten for one token and for many, the
 * results kept as text, and each rewritten graph run at tiny sizes against the one it came from.
 */
import { describe, expect, test } from "vitest";
import { passes, runPasses } from "../../compiler/driver/pipeline.ts";
import { addDim, dim, type Sizes } from "../../compiler/graph/dim.ts";
import { interpretSlowly } from "../../compiler/graph/interpret/slowly.ts";
import { StateStore } from "../../compiler/graph/interpret/state-store.ts";
import { realsOf, type Tensor } from "../../compiler/graph/interpret/tensor.ts";
import type { Graph } from "../../compiler/graph/node.ts";
import { parse } from "../../compiler/graph/parse.ts";
import { print } from "../../compiler/graph/print.ts";
import { some } from "../../compiler/graph/scalar.ts";
import { verify } from "../../compiler/graph/verify.ts";
import { expressionsOf, nodesOf, regions } from "../../compiler/graph/walk.ts";
import { printReport } from "../../compiler/passes/pass.ts";
import { gpu } from "../../compiler/target/example-targets.ts";
import { paramTensor } from "../graph/random-values.ts";
import { isClose } from "../graph/same-meaning.ts";
import { elaborateModel, publishedConfig, sizesOf } from "./elaborate-model.ts";
import { type Planned, plan, publishedModel } from "./planned-model.ts";

const v3 = publishedModel("deepseek-v3");
const v32 = publishedModel("deepseek-v3.2");
const decode = { T: 1, S0: 4095 };
const prefill = { T: 4096, S0: 0 };

const printed = (p: Planned): string => `${print(p.graph)}\n${p.reports.map((r) => `// ${printReport(r)}\n`).join("")}`;

describe("elaborated", () => {
  test.each([
    ["deepseek-v3", v3],
    ["deepseek-v3.2", v32],
  ])("%s as text", async (name, model) => {
    expect(verify(model.graph)).toEqual([]);
    const text = print(model.graph);
    await expect(text).toMatchFileSnapshot(`../golden/elaborate/${name}.dsg`);
    const again = parse(text);
    expect(again.ok && print(again.graph)).toBe(text);
  });

  test("the graph does not grow with the layers", () => {
    const more = elaborateModel({
      entry: "models/deepseek-v3.ds",
      config: { ...publishedConfig("models/deepseek-v3.ds"), num_hidden_layers: 610 },
      results: ["logits"],
    });
    expect(nodesOf(more.graph).length).toBe(nodesOf(v3.graph).length);
  });
});

describe("derived", () => {
  test.each([
    ["deepseek-v3", "decode", decode],
    ["deepseek-v3", "prefill", prefill],
    ["deepseek-v3.2", "decode", { T: 1, S0: 32767 }],
  ] as const)("%s rewritten, case %#", async (name, phase, call) => {
    const made = plan(name, call);
    expect(verify(made.graph)).toEqual([]);
    await expect(printed(made)).toMatchFileSnapshot(`../golden/elaborate/${name}.${phase}.dsg`);
  });

  test("angles are computed once a call, not in every layer", () => {
    const { graph } = plan("deepseek-v3", decode);
    const order = nodesOf(graph);
    const inLoop = regions(order);
    const angles = order.filter((n) =>
      expressionsOf(n).some((e) => some(e, (x) => x.kind === "call" && (x.fn === "cos" || x.fn === "sin"))),
    );
    expect(angles).toHaveLength(2);
    expect(angles.filter((n) => inLoop.has(n))).toEqual([]);
  });
});

/** Small sizes of the same names; one layer of each kind. */
const tinyConfig = {
  hidden_size: 12,
  num_hidden_layers: 3,
  first_k_dense_replace: 1,
  vocab_size: 11,
  num_attention_heads: 2,
  kv_lora_rank: 6,
  qk_nope_head_dim: 4,
  qk_rope_head_dim: 4,
  v_head_dim: 3,
  q_lora_rank: 5,
  intermediate_size: 7,
  moe_intermediate_size: 5,
  n_routed_experts: 8,
  num_experts_per_tok: 3,
  n_group: 4,
  topk_group: 2,
  max_position_embeddings: 32,
  index_n_heads: 2,
  index_head_dim: 6,
  index_topk: 3,
};

function run(graph: Graph, sizes: Sizes, chunks: number): readonly (readonly Tensor[])[] {
  const state = new StateStore();
  const results: (readonly Tensor[])[] = [];
  let before = 0;
  for (const tokens of [4, 1, 2]) {
    const call = { ...sizes, T: tokens, S0: before };
    results.push(interpretSlowly(graph, { sizes: call, state, chunks, param: (node) => paramTensor(node, call, 7) }));
    before += tokens;
  }
  return results;
}

/** Rows that are remembered in all by the calls of `run`. */
const most = 7;

describe("every plan keeps the meaning, memory included", () => {
  test.each([
    ["models/deepseek-v3.ds", {}, decode, 3],
    ["models/deepseek-v3.ds", {}, prefill, 3],
    ["models/deepseek-v3.2.ds", { exact: "true" }, { T: 1, S0: 32767 }, 3],
    ["models/deepseek-v3.2.ds", { exact: "true" }, prefill, 3],
    ["models/deepseek-v3.2.ds", { exact: "true" }, { T: 1, S0: 2047 }, most],
    ["models/deepseek-v3.2.ds", { exact: "true" }, { T: 2048, S0: 0 }, most],
  ] as const)("%s %o planned for %o, %i chosen", (entry, settings, call, index_topk) => {
    const config = publishedConfig(entry);
    const small = { ...config, ...tinyConfig, index_topk };
    const tiny = elaborateModel({ entry, config: small, settings, results: ["logits"] });
    const published = elaborateModel({ entry, config, settings, results: ["logits"] });
    const sizes = sizesOf(tiny, { T: 1, S0: 0 });
    const expected = run(tiny.graph, sizes, 1);
    let graph: Graph =
      index_topk < most ? tiny.graph : { ...tiny.graph, bounds: [{ low: addDim("S0", "T"), high: dim(most) }] };
    for (const pass of passes) {
      const made = runPasses(graph, {
        builder: tiny.builder,
        sizes: sizesOf(published, call),
        target: gpu,
        passes: [pass],
      }).graph;
      expect(verify(made), pass.name).toEqual([]);
      graph = made;
      // Tokens that a plan's order of additions moves by more than rounding would choose other experts: none may.
      for (const chunks of [1, 3]) {
        const got = run(graph, sizes, chunks);
        expected.forEach((call1, c) => {
          const [a, b] = [realsOf(call1[0] as Tensor), realsOf(got[c]?.[0] as Tensor)];
          const worst = a.findIndex((v, i) => !isClose(v, b[i] ?? Number.NaN, { relative: 1e-10 }));
          expect(worst, `${pass.name}, call ${c}: ${a[worst]} became ${b[worst]}`).toBe(-1);
        });
      }
    }
  });
});
