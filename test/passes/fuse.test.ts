/** Which producers become part of their readers, and why others stay. That it computes the same is a law, see `laws.ts`. */
import { describe, expect, test } from "vitest";
import { Builder } from "../../compiler/graph/builder.ts";
import { mulDim } from "../../compiler/graph/dim.ts";
import type { Graph, Node } from "../../compiler/graph/node.ts";
import { add, axis, call, mul, name, num, read } from "../../compiler/graph/scalar.ts";
import { fuse } from "../../compiler/passes/fuse.ts";
import { printReport } from "../../compiler/passes/pass.ts";
import { at, blockGraph, ranges, sum, swiglu } from "../graph/blocks.ts";
import { expectGolden, expectSame, kernels, runOnly } from "./support.ts";

const [t, d] = [axis("t", "T"), axis("d", "D")];
const graphOf = (...results: readonly Node[]): Graph => ({ name: "g", sizes: ranges, results, effects: [] });

describe("prices", () => {
  test("a gated layer is two kernels: the product is not computed again for every output", async () => {
    const { b, g } = blockGraph("ffn", (x, { b, weight }) => swiglu(b, x, weight, "F", "ffn"));
    const { graph, reports } = runOnly(b, g, [fuse], { T: 1 });
    expect(kernels(graph)).toEqual(["ffn_a", "ffn_y"]);
    const kept = reports.filter((r) => r.node === "ffn_a").map(printReport);
    expect(kept).toEqual([
      "fuse: %ffn_a: a kernel of its own (a reduction repeated; times computed 14, seconds lost 95.61u, seconds saved 2.004u)",
    ]);
    expectSame(g, graph, { closeness: "exact" });
    await expectGolden(graph, "gated-layer");
  });
  test("rope is an epilogue of its projection: both reads of a pair lie in one tile", () => {
    const b = new Builder();
    const pairs = mulDim(2, "P");
    const [x, w] = [b.input("x", ["T", "D"]), b.weight("w", [pairs, "D"])];
    const q = b.map("q", [t, axis("c", pairs)], sum([d], mul(at(x, "t", "d"), at(w, "c", "d"))));
    const self = add(mul(num(2), name("i")), name("u"));
    const partner = call("sub", add(mul(num(2), name("i")), num(1)), name("u"));
    const turn = (n: string) => at(b.input(n, ["T", "P"]), "t", "i");
    const sign = call("sub", mul(num(2), name("u")), num(1));
    const body = add(mul(at(q, "t", self), turn("cos")), mul(mul(sign, at(q, "t", partner)), turn("sin")));
    const g = graphOf(b.map("qr", [t, axis("i", "P"), axis("u", 2)], body));
    const { graph } = runOnly(b, g, [fuse], { T: 4096 });
    expect(kernels(graph)).toEqual(["qr"]);
    expectSame(g, graph, { closeness: "exact" });
  });
  test("what a repeat reads and does not change is computed once, not in every round", () => {
    const b = new Builder();
    const x = b.input("x", ["T", "D"]);
    const w = b.weight("w", ["D", "D"]);
    const table = b.map("table", [t, d], sum([axis("c", "D")], mul(at(x, "t", "c"), at(w, "d", "c"))));
    const { carry, index } = b.loop("h", table.type);
    const gain = at(b.weight("g", [61]), read(index, []));
    const twice = b.map("twice", [t, d], mul(at(carry, "t", "d"), num(2)));
    const body = b.map("body", [t, d], mul(gain, mul(at(twice, "t", "d"), at(table, "t", "d"))));
    const g = graphOf(b.repeat("layers", { count: 61, init: x, carry, index, body }));
    const { graph } = runOnly(b, g, [fuse], { sizes: { T: 4096, D: 7168 } });
    expect(kernels(graph)).toEqual(["table", "body"]);
  });
  test("stages that double their expression stop where it gets too long", () => {
    const b = new Builder();
    let x: Node = b.input("x", ["T", 2]);
    for (let i = 0; i < 12; i += 1) {
      const other = call("sub", num(1), name("u"));
      x = b.map(`stage${i}`, [t, axis("u", 2)], add(mul(at(x, "t", "u"), num(0.5)), at(x, "t", other)));
    }
    const { graph } = runOnly(b, graphOf(x), [fuse], { T: 64 });
    expect(kernels(graph).length).toBeGreaterThan(1);
    expect(kernels(graph).length).toBeLessThan(6);
    expectSame(graphOf(x), graph, { closeness: "exact" });
  });
});
