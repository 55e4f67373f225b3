/**
 * What phases of the published models compute, held to what hand-written engines do: by questions about the tensors of a plan,
 * and as short texts that a person can compare with the papers.
 */
import { describe, expect, test } from "vitest";
import type { Scalar } from "../../compiler/graph/node.ts";
import { print } from "../../compiler/graph/print.ts";
import { some } from "../../compiler/graph/scalar.ts";
import { printProblem, verify } from "../../compiler/graph/verify.ts";
import { nodesOf } from "../../compiler/graph/walk.ts";
import { isSorted } from "../../compiler/target/cost.ts";
import { dims, type ModelName, outline, type PlannedFor, plan, readsIn, stored } from "./planned-model.ts";

/** Under the crossover of V3.2 no more rows are remembered than each token would choose. */
const chosen = 2048;
const cases: readonly (readonly [ModelName, string, PlannedFor])[] = [
  ["deepseek-v3", "decode", { T: 1, S0: 4095 }],
  ["deepseek-v3", "prefill", { T: 1024, S0: 0 }],
  ["deepseek-v3.2", "decode", { T: 1, S0: 32767 }],
  ["deepseek-v3.2", "decode-dense", { T: 1, S0: 2047, atMost: chosen }],
  ["deepseek-v3.2", "prefill", { T: 1024, S0: 31744 }],
  ["deepseek-v3.2", "prefill-dense", { T: 1024, S0: 1024, atMost: chosen }],
];
const planOf = (model: ModelName, phase: string) =>
  plan(model, cases.find(([m, p]) => m === model && p === phase)?.[2] ?? { T: 0, S0: 0 });

describe.each(cases)("%s, %s", (model, phase, call) => {
  test("as a short text", async () => {
    const { graph } = plan(model, call);
    expect(verify(graph).map(printProblem)).toEqual([]);
    await expect(outline(graph, /^layer3|^h\b/)).toMatchFileSnapshot(`../golden/plans/${model}.${phase}.txt`);
  });
});

describe("latent attention", () => {
  const expanded = [dims("S", "H", "N"), dims("S", "H", "VH")];
  test.each([
    ["deepseek-v3", "decode"],
    ["deepseek-v3.2", "decode"],
    ["deepseek-v3.2", "decode-dense"],
    ["deepseek-v3.2", "prefill"], // each token has rows of its own, which are shared by its heads
  ] as const)("%s, %s: no head has keys or values of its own", (model, phase) => {
    const { graph } = planOf(model, phase);
    const made = stored(graph);
    expect(expanded.filter((x) => made.has(x))).toEqual([]);
    expect(made.has(dims("T", "K_index", "H", "N"))).toBe(false);
    expect(print(graph)).not.toMatch(/f32\[S0 \+ T, H, (N|VH)\]/);
  });
  test.each([
    ["deepseek-v3", "prefill"],
    ["deepseek-v3.2", "prefill-dense"],
  ] as const)("%s, %s: keys and values are expanded once for all tokens", (model, phase) => {
    const { graph } = planOf(model, phase);
    expect(expanded.filter((x) => !stored(graph).has(x))).toEqual([]);
    expect(print(graph)).toMatch(/f32\[S0 \+ T, H, N\]/);
  });
  test.each(cases)("%s, %s: no score of a token, head and row is stored", (model, _, call) => {
    const made = stored(plan(model, call).graph);
    for (const heads of ["H", "H_index"])
      for (const order of [
        ["T", heads, "S"],
        ["T", "S", heads],
        [heads, "T", "S"],
      ])
        expect(made.has(dims(...order)), order.join()).toBe(false);
    expect(made.has(dims("T", "S"))).toBe(false);
  });
});

describe("sparse attention", () => {
  const remembered = /\.attn\.(latent|key_rope)$/;
  const heads = (e: Scalar): boolean => e.kind === "reduce" && e.axes.some((a) => a.size.key === "1*$H_index");
  test.each(["decode", "prefill"])("%s: only chosen rows are read, and scores live inside the choice", (phase) => {
    const { graph } = planOf("deepseek-v3.2", phase);
    const reads = readsIn(graph, remembered);
    expect(reads.length).toBeGreaterThan(0);
    for (const { at } of reads) {
      const [row] = at;
      expect(row?.kind === "read" && row.value.kind === "top_k" && row.value.k.key).toBe("1*$K_index");
    }
    const choices = nodesOf(graph).filter((n) => n.kind === "top_k" && n.k.key === "1*$K_index");
    expect(choices).toHaveLength(2);
    expect(choices.every((n) => n.kind === "top_k" && some(n.body, heads))).toBe(true);
  });
  test.each(["decode-dense", "prefill-dense"])("%s: nothing is scored, and its keys are remembered", (phase) => {
    const { graph } = planOf("deepseek-v3.2", phase);
    const nodes = nodesOf(graph);
    expect(nodes.filter((n) => n.kind === "top_k" && n.k.key === "1*$K_index")).toEqual([]);
    expect(
      nodes.filter((n) => /indexer\.(score|g|q|y_w_w|q_r_q_n|near)/.test(n.name) && !/q\.[cs]$/.test(n.name)),
    ).toEqual([]);
    expect(readsIn(graph, /indexer\.key$/)).toEqual([]);
    const appended = nodes.flatMap((n) => (n.kind === "append" ? [n.name] : []));
    expect(appended.filter((n) => n.endsWith("indexer.key"))).toHaveLength(2);
    for (const { at } of readsIn(graph, remembered)) expect(at[0]?.kind).toBe("name");
  });
});

describe("experts", () => {
  const weights = /\.expert\.w_(gate|up|down)$/;
  test.each(cases)("%s, %s: weights are read of chosen experts alone", (model, phase, call) => {
    const { graph } = plan(model, call);
    const reads = readsIn(graph, weights);
    expect(new Set(reads.map((r) => r.value.name)).size).toBe(3);
    for (const { at } of reads) {
      const expert = at[1];
      if (expert?.kind !== "read") throw new Error("an expert that is not looked up");
      const many = phase.startsWith("prefill");
      expect([expert.value.kind, isSorted(expert.value)]).toEqual(many ? ["map", true] : ["top_k", false]);
    }
    expect(stored(graph).has(dims("T", "E", "F_expert"))).toBe(false);
  });
});
