/** Re-association: what is found at which sizes. That it computes the same is a law, see `laws.ts`. */
import { describe, expect, test } from "vitest";
import { Builder } from "../../compiler/graph/builder.ts";
import type { DType, Graph, Node } from "../../compiler/graph/node.ts";
import { add, axis, call, mul, name, read, reduce } from "../../compiler/graph/scalar.ts";
import { associate, associateWith } from "../../compiler/passes/associate.ts";
import { splitConcat } from "../../compiler/passes/split-concat.ts";
import { gpu } from "../../compiler/target/example-targets.ts";
import { at, blockGraph, mla, moe, ranges, sum } from "../graph/blocks.ts";
import { decisions, dimsOf, expectGolden, expectSame, find, has, runOnly } from "./support.ts";

const [t, r, n, d] = [axis("t", "T"), axis("r", "R"), axis("n", "N"), axis("d", "D")];

describe("absorbed latent attention", () => {
  const { b, g } = blockGraph("mla", (x, on) => mla(x, on));
  test("few tokens: keys and values are never expanded; many: they are", async () => {
    const few = runOnly(b, g, [splitConcat, associate], { T: 1 });
    const many = runOnly(b, g, [splitConcat, associate], { T: 4096 });
    const expanded = [few.graph, many.graph].flatMap((x) => [has(x, "k"), has(x, "v")]);
    expect(expanded).toEqual([false, false, true, true]);
    expect(decisions(few.reports).slice(1)).toEqual([
      "associate %a: ((w_ukv . q) . latent)",
      "associate %o: (w_ukv . (latent . p))",
    ]);
    await expectGolden(few.graph, "mla-absorbed");
    await expectGolden(many.graph, "mla-naive");
  });
  test("in no plan does a weight meet another: both are read at every call as they are", () => {
    const allowed = associateWith({ premultiply: true });
    for (const T of [1, 64, 300, 4096]) {
      const { reports } = runOnly(b, g, [splitConcat, allowed], { T, S: 131072 });
      expect(decisions(reports).join("\n")).not.toMatch(/w_\w+ \. w_/);
    }
  });
});

/** y = x · A · B with A: D×R, B: R×N. */
function chain(dtype: DType): { readonly b: Builder; readonly g: Graph } {
  const b = new Builder();
  const [x, A, B] = [b.input("x", ["T", "D"]), b.weight("A", ["D", "R"], dtype), b.weight("B", ["R", "N"], dtype)];
  const h = b.map("h", [t, r], sum([d], mul(at(x, "t", "d"), at(A, "d", "r"))));
  const y = b.map("y", [t, n], sum([r], mul(at(h, "t", "r"), at(B, "r", "n"))));
  return { b, g: { name: "chain", sizes: ranges, results: [y], effects: [] } };
}

describe("weights times weights", () => {
  const multiplies = (dtype: DType, R: number, premultiply: boolean): boolean => {
    const { b, g } = chain(dtype);
    const { graph } = runOnly(b, g, [associateWith({ premultiply })], { sizes: { T: 64, D: 256, R, N: 256 } });
    expectSame(g, graph);
    return has(graph, "A_B") || has(graph, "B_A");
  };
  test("a wide bottleneck, where it is allowed", () => expect(multiplies("f32", 4096, true)).toBe(true));
  test("not of low rank: the product is larger than its parts", () => expect(multiplies("f32", 16, true)).toBe(false));
  test("not unless it is allowed", () => expect(multiplies("f32", 4096, false)).toBe(false));
  test("never what is quantised", () => expect(multiplies("e4m3", 4096, true)).toBe(false));
});

describe("what stays as it is", () => {
  test("a node that somebody else computes anyway", () => {
    // x · (A · B) takes 393k multiply-adds, (x · A) · B 459k, of which 197k are those of x · A
    const b = new Builder();
    const [x, A, B] = [b.input("x", ["T", "D"]), b.input("A", ["D", "R"]), b.input("B", ["R", "N"])];
    const h = b.map("h", [t, r], sum([d], mul(at(x, "t", "d"), at(A, "d", "r"))));
    const y = b.map("y", [t, n], sum([r], mul(at(h, "t", "r"), at(B, "r", "n"))));
    const slow = { ...gpu, flopsPerSecond: 1e6, bytesPerSecond: 1e12 };
    const plan = { target: slow, sizes: { T: 64, D: 48, R: 64, N: 64 } };
    const graphOf = (...results: readonly Node[]): Graph => ({ name: "g", sizes: ranges, results, effects: [] });
    expect(has(runOnly(b, graphOf(y), [associate], plan).graph, "h")).toBe(false);
    expect(runOnly(b, graphOf(y, h), [associate], plan).graph).toEqual(graphOf(y, h));
  });
  test("a guard that no one factor holds leaves the term alone", () => {
    const b = new Builder();
    const s = axis("s", "W");
    const [x, y] = [b.input("x", ["T", "D"]), b.input("y", ["W", "R"])];
    const inner = b.map("inner", [s, d], sum([r], mul(at(y, "s", "r"), at(b.weight("w", ["D", "R"]), "d", "r"))));
    const product = mul(at(x, "t", "d"), mul(at(inner, "s", "d"), at(b.weight("z", ["D", "T"]), "d", "t")));
    const out = b.map("out", [t], reduce("sum", [d, s], product, call("le", add(name("d"), name("t")), name("s"))));
    const g: Graph = { name: "g", sizes: ranges, results: [out], effects: [] };
    expect(runOnly(b, g, [associate], { T: 1 }).graph).toBe(g);
  });
  test("a plan that makes nothing new only merges sums: experts stay nodes that can be restricted and grouped", () => {
    const { b, g } = blockGraph("moe", moe);
    for (const T of [1, 512]) {
      const { graph } = runOnly(b, g, [associate], { T });
      expect(dimsOf(find(graph, "ye"))).toEqual(["T", "E", "D"]);
    }
  });
  test("work that a repeat does once is not taken apart inside of it", () => {
    const b = new Builder();
    const [x, A, B] = [b.input("x", ["T", "D"]), b.weight("A", ["R", "D"]), b.weight("B", [4, "R", "R"])];
    const once = b.map("once", [t, r], sum([d], mul(at(x, "t", "d"), at(A, "r", "d"))));
    const { carry, index } = b.loop("h", once.type);
    const turned = sum([axis("q", "R")], mul(at(once, "t", "q"), at(B, read(index, []), "r", "q")));
    const body = b.map("body", [t, r], add(at(carry, "t", "r"), turned));
    const y = b.repeat("layers", { count: 4, init: once, carry, index, body });
    const g: Graph = { name: "g", sizes: ranges, results: [y], effects: [] };
    expect(runOnly(b, g, [associate], { sizes: { T: 4096, D: 4, R: 4096 } }).graph).toBe(g);
  });
});
