/**
 * What is derived from the published texts: V3 and V3.2 elaborated, their graphs rewritten for one token and for many, the
 * results kept as text, and each rewritten graph run at tiny sizes against the one it came from.
 */
import { describe, expect, test } from "vitest";
import { passes, runPasses } from "../../compiler/driver/pipeline.ts";
import type { Elaborated } from "../../compiler/elaborate/elaborate.ts";
import type { Sizes } from "../../compiler/graph/dim.ts";
import { interpretSlowly } from "../../compiler/graph/interpret/slowly.ts";
import { StateStore } from "../../compiler/graph/interpret/state-store.ts";
import { realsOf, type Tensor } from "../../compiler/graph/interpret/tensor.ts";
import type { Graph, Node, Scalar } from "../../compiler/graph/node.ts";
import { parse } from "../../compiler/graph/parse.ts";
import { print } from "../../compiler/graph/print.ts";
import { some } from "../../compiler/graph/scalar.ts";
import { verify } from "../../compiler/graph/verify.ts";
import { expressionsOf, isComputed, nodesOf, regions } from "../../compiler/graph/walk.ts";
import { printReport, type Report } from "../../compiler/passes/pass.ts";
import { gpu } from "../../compiler/target/example-targets.ts";
import { paramTensor } from "../graph/random-values.ts";
import { isClose } from "../graph/same-meaning.ts";
import { elaborateModel, publishedConfig, sizesOf } from "./elaborate-model.ts";

const v3 = elaborateModel({ entry: "models/deepseek-v3.ds", config: publishedConfig(), results: ["logits"] });
const v32 = elaborateModel({
  entry: "models/deepseek-v3.2.ds",
  config: publishedConfig(),
  settings: { exact: "true" },
  results: ["logits"],
});

interface Planned {
  readonly graph: Graph;
  readonly reports: readonly Report[];
}
const planned = new Map<string, Planned>();

/** Rewritten for these sizes of a call at the published sizes. */
function plan(name: string, model: Elaborated, call: { readonly T: number; readonly S0: number }): Planned {
  const key = `${name} ${call.T} ${call.S0}`;
  const known = planned.get(key);
  if (known !== undefined) return known;
  const made = runPasses(model.graph, { builder: model.builder, sizes: sizesOf(model, call), target: gpu });
  planned.set(key, made);
  return made;
}
const decode = { T: 1, S0: 4095 };
const prefill = { T: 4096, S0: 0 };

const printed = (p: Planned): string => `${print(p.graph)}\n${p.reports.map((r) => `// ${printReport(r)}\n`).join("")}`;
const dimsOf = (n: Node): string => n.type.dims.map((d) => d.key).join(" ");
/** Sizes of all tensors that kernels make. */
const stored = (g: Graph): ReadonlySet<string> => new Set(nodesOf(g).filter(isComputed).map(dimsOf));
const dims = (...names: readonly string[]): string =>
  names.map((n) => (n === "S" ? "1*$S0+1*$T" : `1*$${n}`)).join(" ");

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
      config: { ...publishedConfig(), num_hidden_layers: 610 },
      results: ["logits"],
    });
    expect(nodesOf(more.graph).length).toBe(nodesOf(v3.graph).length);
  });
});

describe("derived", () => {
  test.each([
    ["deepseek-v3", v3, "decode", decode],
    ["deepseek-v3", v3, "prefill", prefill],
    ["deepseek-v3.2", v32, "decode", { T: 1, S0: 32767 }],
  ] as const)("%s rewritten, case %#", async (name, model, phase, call) => {
    const made = plan(name, model, call);
    expect(verify(made.graph)).toEqual([]);
    await expect(printed(made)).toMatchFileSnapshot(`../golden/elaborate/${name}.${phase}.dsg`);
  });

  test("one token: keys and values are never expanded per head; many: they are", () => {
    const [few, many] = [stored(plan("deepseek-v3", v3, decode).graph), stored(plan("deepseek-v3", v3, prefill).graph)];
    for (const expanded of [dims("S", "H", "N"), dims("S", "H", "VH")]) {
      expect(few.has(expanded)).toBe(false);
      expect(many.has(expanded)).toBe(true);
    }
  });

  test("attention is one pass: no scores of every token and row are stored", () => {
    for (const call of [decode, prefill])
      expect(stored(plan("deepseek-v3", v3, call).graph).has(dims("T", "H", "S"))).toBe(false);
  });

  test("angles are computed once a call, not in every layer", () => {
    const { graph } = plan("deepseek-v3", v3, decode);
    const order = nodesOf(graph);
    const inLoop = regions(order);
    const angles = order.filter((n) =>
      expressionsOf(n).some((e) => some(e, (x) => x.kind === "call" && (x.fn === "cos" || x.fn === "sin"))),
    );
    expect(angles).toHaveLength(2);
    expect(angles.filter((n) => inLoop.has(n))).toEqual([]);
  });

  test("experts: only those picked; in the order of tokens for one token, sorted by expert for many", () => {
    const [few, many] = [plan("deepseek-v3", v3, decode).graph, plan("deepseek-v3", v3, prefill).graph];
    expect(stored(few).has(dims("T", "E", "F_expert"))).toBe(false);
    expect(stored(few).has(dims("T", "K", "F_expert"))).toBe(true);
    expect(nodesOf(few).some((n) => n.kind === "argsort")).toBe(false);
    expect(nodesOf(many).some((n) => n.kind === "argsort")).toBe(true);
  });

  test("sparse attention: index scores live inside the choice, and only chosen rows are read", () => {
    const { graph } = plan("deepseek-v3.2", v32, { T: 1, S0: 32767 });
    const made = stored(graph);
    expect(made.has(dims("T", "S"))).toBe(false);
    expect(made.has(dims("T", "S", "H_index"))).toBe(false);
    expect(made.has(dims("T", "H", "S"))).toBe(false);
    const choice = nodesOf(graph).find((n) => n.kind === "top_k" && n.k.key === "1*$K_index");
    const heads = (e: Scalar): boolean => e.kind === "reduce" && e.axes.some((a) => a.size.key === "1*$H_index");
    expect(choice?.kind === "top_k" && some(choice.body, heads)).toBe(true);
  });
});

/** Small sizes of the same names; one layer of each kind. */
const tinyConfig = {
  ...publishedConfig(),
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

describe("every plan keeps the meaning, memory included", () => {
  test.each([
    ["models/deepseek-v3.ds", {}, decode],
    ["models/deepseek-v3.ds", {}, prefill],
    ["models/deepseek-v3.2.ds", { exact: "true" }, { T: 1, S0: 32767 }],
    ["models/deepseek-v3.2.ds", { exact: "true" }, prefill],
  ] as const)("%s %o planned for %o", (entry, settings, call) => {
    const tiny = elaborateModel({ entry, config: tinyConfig, settings, results: ["logits"] });
    const published = elaborateModel({ entry, config: publishedConfig(), settings, results: ["logits"] });
    const sizes = sizesOf(tiny, { T: 1, S0: 0 });
    const expected = run(tiny.graph, sizes, 1);
    let graph = tiny.graph;
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
