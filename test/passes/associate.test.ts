/** Re-association: what is found at which sizes, and that it computes the same. Planted mutants: `mutants.ts`. */
import { describe, expect, test } from "vitest";
import { Builder } from "../../compiler/graph/builder.ts";
import type { DType, Graph } from "../../compiler/graph/node.ts";
import { add, axis, call, dimValue, mul, name, num, reduce } from "../../compiler/graph/scalar.ts";
import { associate, associateWith } from "../../compiler/passes/associate.ts";
import { splitConcat } from "../../compiler/passes/split-concat.ts";
import { at, blockGraph, mla, moe, ranges, sum } from "../graph/blocks.ts";
import { decisions, dimsOf, expectGolden, expectSame, find, has, runOnly } from "./support.ts";

describe("absorbed latent attention", () => {
  const { b, g } = blockGraph("mla", mla);
  test("few tokens: keys and values are never expanded; many: they are", async () => {
    const few = runOnly(b, g, [splitConcat, associate], { T: 1 });
    const many = runOnly(b, g, [splitConcat, associate], { T: 4096 });
    const expanded = [few.graph, many.graph].flatMap((x) => [has(x, "k"), has(x, "v")]);
    expect(expanded).toEqual([false, false, true, true]);
    expect(decisions(few.reports).slice(1)).toEqual([
      "associate %a: ((w_ukv . q) . latent)",
      "associate %o: (w_ukv . (latent . p))",
    ]);
    expectSame(g, few.graph);
    expectSame(g, many.graph);
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
function chain(dtype: DType): { b: Builder; g: Graph } {
  const b = new Builder();
  const x = b.input("x", ["T", "D"]);
  const [t, r, n, d] = [axis("t", "T"), axis("r", "R"), axis("n", "N"), axis("d", "D")];
  const A = b.weight("A", ["D", "R"], dtype);
  const h = b.map("h", [t, r], sum([d], mul(at(x, "t", "d"), at(A, "d", "r"))));
  const y = b.map("y", [t, n], sum([r], mul(at(h, "t", "r"), at(b.weight("B", ["R", "N"], dtype), "r", "n"))));
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

describe("guards", () => {
  const memory = axis("s", "W");
  const [t, h, r, e] = [axis("t", "T"), axis("h", "H"), axis("r", "R"), axis("e", "V")];
  /** y[t, h, e] = Σ_s where s <= t + S0: p[t, h, s] · Σ_r c[s, r]·w[h, e, r]: absorbed for few t. */
  const guarded = (where: ReturnType<typeof call> | null) => {
    const b = new Builder();
    const p = b.map("p", [t, h, memory], call("tanh", at(b.input("z", ["T", "H", "W"]), "t", "h", "s")));
    const c = b.input("c", ["W", "R"]);
    const v = b.map(
      "v",
      [memory, h, e],
      sum([r], mul(at(c, "s", "r"), at(b.weight("w", ["H", "V", "R"]), "h", "e", "r"))),
    );
    const y = b.map("y", [t, h, e], sum([memory], mul(at(p, "t", "h", "s"), at(v, "s", "h", "e")), where));
    return { b, g: { name: "guarded", sizes: ranges, results: [y], effects: [] } satisfies Graph };
  };
  test("a guard goes with its axis into the node that sums it, once", () => {
    const { b, g } = guarded(call("lt", mul(num(2), name("s")), add(name("t"), dimValue("S0"))));
    const { graph } = runOnly(b, g, [associate], { T: 1 });
    expect(has(graph, "v")).toBe(false);
    const texts = [find(graph, "y"), find(graph, "c_p")].map((n) => (n.kind === "map" ? n.body : null));
    const guards = texts.map((x) => (x?.kind === "reduce" ? x.where !== null : null));
    expect(guards).toEqual([false, true]);
    expectSame(g, graph);
  });
  test("a guard that no one factor holds leaves the term alone", () => {
    const b = new Builder();
    const [x, y] = [b.input("x", ["T", "D"]), b.input("y", ["W", "R"])];
    const [d, s] = [axis("d", "D"), axis("s", "W")];
    const inner = b.map("inner", [s, d], sum([r], mul(at(y, "s", "r"), at(b.weight("w", ["D", "R"]), "d", "r"))));
    const z = b.weight("z", ["D", "T"]);
    // d and s are in one guard, but x has d alone and y has s alone once `inner` is taken apart
    const product = mul(at(x, "t", "d"), mul(at(inner, "s", "d"), at(z, "d", "t")));
    const out = b.map("out", [t], reduce("sum", [d, s], product, call("le", add(name("d"), name("t")), name("s"))));
    const g: Graph = { name: "g", sizes: ranges, results: [out], effects: [] };
    const { graph } = runOnly(b, g, [associate], { T: 1 });
    expect(graph).toBe(g);
  });
  test("a node keeps its guard: the same factors under another guard are no substitute for it", () => {
    // first: Σ_s where s < 2 of a·b; out uses the same product under no guard, so it must not read `first`
    const b = new Builder();
    const [a, c, w] = [b.input("a", ["T", "W"]), b.input("c", ["W", "R"]), b.weight("w", ["R", "V"])];
    const product = mul(at(a, "t", "s"), at(c, "s", "r"));
    const first = b.map("first", [t, r], sum([memory], product, call("lt", name("s"), num(2))));
    const all = b.map("all", [t, r], sum([memory], product));
    const out = (n: typeof first, label: string) =>
      b.map(label, [t, e], sum([r], mul(at(n, "t", "r"), at(w, "r", "e"))));
    const g: Graph = { name: "g", sizes: ranges, results: [out(first, "x"), out(all, "y")], effects: [] };
    for (const T of [1, 64, 4096]) expectSame(g, runOnly(b, g, [associate], { T }).graph);
  });
  test("a read that only its guard keeps in range is not moved", () => {
    const b = new Builder();
    const [x, w] = [b.input("x", ["W", "R"]), b.weight("w", ["H", "V", "R"])];
    const u = axis("u", 3);
    const position = add(name("t"), add(name("u"), num(-1)));
    const inside = call("and", call("le", num(0), position), call("lt", position, dimValue("W")));
    const v = b.map("v", [memory, h, e], sum([r], mul(at(x, "s", "r"), at(w, "h", "e", "r"))));
    const k = b.weight("k", ["H", "V", 3, "W"]);
    const body = sum([u, e], mul(at(v, position, "h", "e"), at(k, "h", "e", "u", "t")), inside);
    const g: Graph = { name: "g", sizes: ranges, results: [b.map("y", [axis("t", "W"), h], body)], effects: [] };
    const { graph } = runOnly(b, g, [associate], { T: 1, sizes: { W: 9, R: 512, H: 4, V: 512 } });
    expectSame(g, graph);
  });
  test("what divides moves out of a sum only where the sum has points: 0 · (1/0) is not 0", () => {
    const b = new Builder();
    const { g, b: b1 } = guarded(call("lt", name("s"), name("t")));
    const y = find(g, "y");
    if (y.kind !== "map" || y.body.kind !== "reduce") throw new Error("not the sum that was built");
    const count = b1.map("count", [t], sum([memory], num(1), call("lt", name("s"), name("t"))));
    const weighted = b1.map("weighted", y.domain, { ...y.body, body: call("div", y.body.body, at(count, "t")) });
    const whole: Graph = { ...g, results: [weighted] };
    expectSame(whole, runOnly(b1, whole, [associate], { T: 1 }).graph);
    expect(b.size).toBe(0);
  });
});

describe("what stays as it is", () => {
  test("a plan that makes nothing new only merges sums: experts stay nodes that can be restricted and grouped", () => {
    const { b, g } = blockGraph("moe", moe);
    for (const T of [1, 512]) {
      const { graph } = runOnly(b, g, [associate], { T });
      expect(dimsOf(find(graph, "ye"))).toEqual(["T", "E", "D"]);
    }
  });
  test("work that a repeat does once is not taken apart inside of it", () => {
    const b = new Builder();
    const [d, r] = [axis("d", "D"), axis("r", "R")];
    const [x, A] = [b.input("x", ["T", "D"]), b.weight("A", ["R", "D"])];
    const once = b.map("once", [t, r], sum([d], mul(at(x, "t", "d"), at(A, "r", "d"))));
    const { carry, index } = b.loop("h", { dtype: "f32", dims: once.type.dims });
    const B = b.weight("B", [4, "R", "R"]);
    const scaled = mul(at(once, "t", "q"), at(B, { kind: "read", value: index, at: [] }, "r", "q"));
    const body = b.map("body", [t, r], add(at(carry, "t", "r"), sum([axis("q", "R")], scaled)));
    const y = b.repeat("layers", { count: 4, init: once, carry, index, body });
    const g: Graph = { name: "g", sizes: ranges, results: [y], effects: [] };
    const { graph } = runOnly(b, g, [associate], { sizes: { T: 4096, D: 4, R: 4096 } });
    expect(graph).toBe(g);
  });
});
