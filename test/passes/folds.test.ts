/** What becomes one pass over an axis. That it computes the same is a law, see `laws.ts`. */
import { describe, expect, test } from "vitest";
import { Builder } from "../../compiler/graph/builder.ts";
import type { Graph, Node } from "../../compiler/graph/node.ts";
import { add, axis, call, dimValue, mul, name, num } from "../../compiler/graph/scalar.ts";
import { foldReductions } from "../../compiler/passes/fold-reductions.ts";
import { fuse } from "../../compiler/passes/fuse.ts";
import { at, blockGraph, indexer, mla, ranges, rmsNorm, sum } from "../graph/blocks.ts";
import { expectSameTensor, reordered } from "../graph/same-meaning.ts";
import { expectGolden, expectSame, find, has, kernels, resultsOf, runAll, runOnly } from "./support.ts";

const [t, l, d] = [axis("t", "T"), axis("l", "L"), axis("d", "D")];
const stepsOf = (n: Node): readonly string[] =>
  n.kind === "map" && n.body.kind === "fold" ? n.body.steps.map((s) => `${s.how} ${s.name}`) : [];

describe("attention in one pass", () => {
  test.each([
    [1, 4096, "latent_p"],
    [4096, 4096, "o"],
  ])("%i tokens: no tensor of scores is left", async (T, S, kernel) => {
    const { b, g } = blockGraph("mla", (x, on) => mla(x, on));
    const { graph } = runAll(b, g, { T, S });
    for (const gone of ["a", "m", "l", "p"]) expect(has(graph, gone)).toBe(false);
    expect(stepsOf(find(graph, kernel))).toEqual(["let a", "max m", "sum l", "sum acc"]);
    await expectGolden(graph, `attention-${T}-tokens`);
  });
  test("keys and values are expanded by kernels of their own: no work unit holds all tokens and all channels", () => {
    const { b, g } = blockGraph("mla", (x, on) => mla(x, on));
    const { graph } = runAll(b, g, { T: 512, S: 4096 });
    expect([has(graph, "k"), has(graph, "v"), has(graph, "a")]).toEqual([true, true, false]);
  });
  test("selected rows: the indexer's scores exist inside of the selection alone", async () => {
    const { b, g } = blockGraph("dsa", (x, on) => mla(x, on, indexer));
    for (const T of [1, 4096]) {
      const { graph } = runAll(b, g, { T, S: 32768 });
      for (const gone of ["dot", "index_score", "k", "v", "a"]) expect(has(graph, gone)).toBe(false);
      if (T === 1) await expectGolden(graph, "sparse-attention");
    }
  });
  test("a selection of everything is dense attention", () => {
    const dense = blockGraph("mla", (x, on) => mla(x, on)).g;
    const { b, g } = blockGraph("mla", (x, on) => mla(x, on, indexer));
    const { graph } = runAll(b, g, { T: 1, S: 32768 });
    const sizes = { D: 6, L: 5, R: 4, N: 3, P: 2, V: 3, H: 2, J: 2, I: 4, T: 3, S0: 2, Q: 5 };
    const [want] = resultsOf(dense, sizes);
    for (const sparse of [g, graph]) {
      const [got] = resultsOf(sparse, sizes);
      if (want === undefined || got === undefined) expect.fail("no result");
      expectSameTensor(want, got, reordered, "attention");
    }
  });
});

describe("a norm before a matrix product", () => {
  const projected = (norm: (b: Builder, x: Node) => Node): { readonly b: Builder; readonly g: Graph } => {
    const b = new Builder();
    const xn = norm(b, b.input("x", ["T", "D"]));
    const w = b.weight("w", ["L", "D"], "e4m3");
    const y = b.map("y", [t, l], sum([d], mul(at(xn, "t", "d"), at(w, "l", "d"))));
    return { b, g: { name: "g", sizes: ranges, results: [y], effects: [] } };
  };
  const gain = (b: Builder) => (i: string | object) => at(b.weight("g", ["D"]), i as string);
  test("its sum of squares is a second accumulator", () => {
    const { b, g } = projected((b, x) => rmsNorm(b, x, gain(b), "D", "xn"));
    const { graph } = runOnly(b, g, [foldReductions, fuse], { T: 1 });
    expect(kernels(graph)).toEqual(["y"]);
    expectSame(g, graph, { chunks: 2 });
  });
  test("also where the norm is written in one node, or as a quotient", () => {
    const c = axis("c", "D");
    for (const inverse of [false, true]) {
      const { b, g } = projected((b, x) => {
        const mean = call("div", sum([c], mul(at(x, "t", "c"), at(x, "t", "c"))), dimValue("D"));
        const root = call(inverse ? "sqrt" : "rsqrt", add(mean, num(1e-6)));
        const scaled = inverse ? call("div", at(x, "t", "d"), root) : mul(at(x, "t", "d"), root);
        return b.map("xn", [t, d], mul(scaled, gain(b)("d")));
      });
      const { graph } = runOnly(b, g, [foldReductions], { T: 1 });
      expect(stepsOf(find(graph, "y"))).toEqual(["sum part", "sum acc"]);
      expectSame(g, graph, { chunks: 2 });
    }
  });
  test("not where every tile of outputs would compute it again for too much", () => {
    const { b, g } = projected((b, x) => rmsNorm(b, x, gain(b), "D", "xn"));
    const slow = {
      flopsPerSecond: 1e6,
      bytesPerSecond: 1e12,
      launchSeconds: 0,
      windowElements: null,
      tile: 1,
      foldTile: 1,
      manyLanes: true,
      maxNesting: 2,
      name: "slow",
    };
    expect(runOnly(b, g, [foldReductions], { T: 1, target: slow }).graph).toBe(g);
  });
});

test("a sum over no points under a guard is 0, so what divides it is chosen only where there are some", () => {
  const b = new Builder();
  const s = axis("s", "W");
  const never = call("lt", name("s"), name("t"));
  const x = b.input("x", ["T", "W"]);
  const total = b.map("total", [t], sum([s], at(x, "t", "s"), never));
  const y = b.map("y", [t], sum([s], call("div", at(x, "t", "s"), at(total, "t")), never));
  const g: Graph = { name: "g", sizes: ranges, results: [y], effects: [] };
  const { graph } = runOnly(b, g, [foldReductions], { T: 64 });
  expect(stepsOf(find(graph, "y"))).toEqual(["sum total", "sum acc", "any some"]);
  expectSame(g, graph, { chunks: 3 });
});
