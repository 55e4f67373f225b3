/** Selected points, in the order of tokens and grouped. That it computes the same is a law, see `laws.ts`. */
import { describe, expect, test } from "vitest";
import { evalDim } from "../../compiler/graph/dim.ts";
import type { Graph } from "../../compiler/graph/node.ts";
import { isComputed, nodesOf } from "../../compiler/graph/walk.ts";
import { groupBySelection } from "../../compiler/passes/group-by-selection.ts";
import { restrictToDemand } from "../../compiler/passes/restrict-to-demand.ts";
import { flops, flopsAt, isSorted, timeOf } from "../../compiler/target/cost.ts";
import { gpu } from "../../compiler/target/example-targets.ts";
import { blockGraph, moe, publishedAt } from "../graph/blocks.ts";
import { decisions, dimsOf, expectGolden, find, kernels, runAll, runOnly } from "./support.ts";

const costs = (g: Graph, T: number): { readonly gigaflops: number; readonly micros: number } => {
  const sizes = publishedAt(T, 4096);
  const list = nodesOf(g).filter(isComputed);
  return {
    gigaflops: list.reduce((s, n) => s + flopsAt(n, sizes), 0) / 1e9,
    micros: list.reduce((s, n) => s + timeOf(n, sizes, gpu), 0) * 1e6,
  };
};

describe("experts", () => {
  const { b, g } = blockGraph("moe", moe);
  const restricted = runOnly(b, g, [restrictToDemand]).graph;
  test("only what is picked is computed; the router's scores are whole", () => {
    expect(dimsOf(find(restricted, "g"))).toEqual(["T", "K", "F"]);
    expect(dimsOf(find(restricted, "score"))).toEqual(["T", "E"]);
    const wide = nodesOf(restricted).filter((n) => isComputed(n) && dimsOf(n).includes("E"));
    expect(wide.map((n) => n.name)).toEqual(["z", "score"]);
  });
  test("few rows stay in the order of tokens, many are sorted by expert", async () => {
    const one = runOnly(b, restricted, [groupBySelection], { T: 1 });
    const many = runOnly(b, restricted, [groupBySelection], { T: 64 });
    expect(decisions([...one.reports, ...many.reports])).toEqual([
      "group-by-selection %pick: rows in the order of tokens",
      "group-by-selection %pick: rows sorted by what they select",
    ]);
    expect(one.graph).toBe(restricted);
    expect(dimsOf(find(many.graph, "g"))).toEqual(["K * T", "F"]);
    expect(isSorted(find(many.graph, "pick_group"))).toBe(true);
    await expectGolden(one.graph, "experts-by-token");
    await expectGolden(many.graph, "experts-grouped");
  });
  test("fusion leaves the order that kernels read off", () => {
    const { graph } = runAll(b, g, { T: 512 });
    expect(isSorted(find(graph, "pick_group"))).toBe(true);
    expect(dimsOf(find(graph, "ye"))).toEqual(["K * T", "D"]); // its readers take rows in the order of tokens
  });
  test("one token, fused: score, selection, both products, and one kernel for both projections and the residual", () => {
    const { graph } = runAll(b, g, { T: 1 });
    expect(kernels(graph)).toEqual(["score", "pick", "act", "shared_a", "x_moe"]);
  });
  test("what is not picked costs nothing; grouping pays by the number of rows", () => {
    expect(costs(g, 1).gigaflops / costs(restricted, 1).gigaflops).toBeGreaterThan(25);
    const grouped = runOnly(b, restricted, [groupBySelection], { T: 64 }).graph;
    expect(costs(grouped, 64).micros).toBeLessThan(costs(restricted, 64).micros / 2);
  });
  test("flops as a size and at sizes are one number", () => {
    const sizes = publishedAt(8, 4096);
    for (const n of nodesOf(restricted).filter(isComputed)) expect(evalDim(flops(n), sizes)).toBe(flopsAt(n, sizes));
  });
});
