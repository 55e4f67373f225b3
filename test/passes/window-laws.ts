/** Laws of weights so large that a launch may have a part of them. */
import { expect } from "vitest";
import { Builder } from "../../compiler/graph/builder.ts";
import type { Graph, Node, Scalar } from "../../compiler/graph/node.ts";
import { add, axis, call, mul, name, num, read } from "../../compiler/graph/scalar.ts";
import { nodesOf } from "../../compiler/graph/walk.ts";
import { gpu } from "../../compiler/target/example-targets.ts";
import type { CostTarget } from "../../compiler/target/target.ts";
import { at, ranges, sum } from "../graph/blocks.ts";
import type { PassSet } from "./pass-set.ts";
import { expectSame, find, has, runOnly } from "./support.ts";

type Law = (p: PassSet) => void;

const [t, d] = [axis("t", "T"), axis("d", "D")];
const graphOf = (...results: readonly Node[]): Graph => ({ name: "g", sizes: ranges, results, effects: [] });
const inParts: CostTarget = { ...gpu, windowElements: 1024 };
/** Which of V experts or rows each token picked, in K slots, by what x says. */
const picked = (b: Builder, x: Node): Node =>
  b.topK("pick", [t], axis("v", "V"), "K", at(x, "t", add(name("v"), num(0))));

/** Two that read the same rows of a table; one is a sum. They have one node of them where the table may be in parts, and else none. */
const rowsOfTables: Law = (p) => {
  const b = new Builder();
  const pick = picked(b, b.input("scores", ["T", "V"]));
  const [table, w, x] = [b.weight("table", ["V", "D"], "bf16"), b.weight("w", ["F", "D"]), b.input("x", ["T", "D"])];
  const row = (of: Scalar): Scalar => at(table, read(pick, [of, num(0)]), "d");
  const product = b.map("product", [t, axis("f", "F")], sum([d], mul(at(w, "f", "d"), row(name("t")))));
  const residual = b.map("residual", [t, d], add(at(x, "t", "d"), row(name("t"))));
  const g = graphOf(product, residual);
  const { graph } = runOnly(b, g, [p.outlineRows], { target: inParts });
  expect(nodesOf(graph).filter((n) => n.name === "table.rows")).toHaveLength(1);
  expectSame(g, graph, { closeness: "exact" });
  expect(has(runOnly(b, graph, [p.fuse], { target: inParts }).graph, "table.rows")).toBe(true);
  expect(runOnly(b, g, [p.outlineRows]).graph).toBe(g);
  // Where nothing but windows speaks for a node of them.
  const rows = find(graph, "table.rows");
  const once = graphOf(b.map("once", [t, d], add(at(x, "t", "d"), at(rows, "t", "d"))));
  const fused = (target: CostTarget): boolean => has(runOnly(b, once, [p.fuse], { target }).graph, "table.rows");
  expect([fused(gpu), fused(inParts)]).toEqual([false, true]);
  // The row of the token before, where there is one.
  const before = call("select", call("le", num(1), name("t")), row(add(name("t"), num(-1))), num(0));
  const guarded = graphOf(b.map("before", [t, d], before));
  expectSame(guarded, runOnly(b, guarded, [p.outlineRows], { target: inParts }).graph, { closeness: "exact" });
};

/** Σ_k p[t, k]·Σ_f w[pick[t, k], d, f]·h[t, k, f]: of one kernel, where all of w is at hand; else one point wants several parts. */
const sumsOfParts: Law = (p) => {
  const b = new Builder();
  const pick = picked(b, b.input("scores", ["T", "V"]));
  const [k, f] = [axis("k", "K"), axis("f", "F")];
  const [w, h] = [b.weight("w", ["V", "D", "F"]), b.input("h", ["T", "K", "F"])];
  const expert = b.map("expert", [t, k, d], sum([f], mul(at(w, at(pick, "t", "k"), "d", "f"), at(h, "t", "k", "f"))));
  const g = graphOf(
    b.map("mixed", [t, d], sum([k], mul(at(b.input("p", ["T", "K"]), "t", "k"), at(expert, "t", "k", "d")))),
  );
  const fused = (target: CostTarget): Graph => runOnly(b, g, [p.fuse], { target, T: 1 }).graph;
  expect([has(fused(gpu), "expert"), has(fused(inParts), "expert")]).toEqual([false, true]);
  // Nor where two weights are in parts that have nothing to do with each other.
  const rows = b.weight("rows", ["D", "F"]);
  const scaled = b.map("scaled", [t, k, d], sum([f], mul(at(rows, "d", "f"), at(h, "t", "k", "f"))));
  const both = graphOf(
    b.map("both", [t, k, d], mul(at(scaled, "t", "k", "d"), sum([f], at(w, at(pick, "t", "k"), "d", "f")))),
  );
  const together = (target: CostTarget): Graph => runOnly(b, both, [p.fuse], { target, T: 1 }).graph;
  expect([has(together(gpu), "scaled"), has(together(inParts), "scaled")]).toEqual([false, true]);
};

export const windowLaws = {
  "rows of tables that may be in parts": rowsOfTables,
  "sums of weights that may be in parts": sumsOfParts,
} as const;
