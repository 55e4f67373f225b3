/**
 * What passes must keep, each law a function of the passes: `laws.test.ts` holds the real ones to it, `mutants.test.ts`
 * copies with planted faults, each of which some law must refuse.
 */
import { expect } from "vitest";
import { Builder } from "../../compiler/graph/builder.ts";
import { addDim, type Dim, dim } from "../../compiler/graph/dim.ts";
import type { Graph, MapNode, Node, Scalar } from "../../compiler/graph/node.ts";
import { add, axis, call, dimValue, mul, name, num, read, reduce } from "../../compiler/graph/scalar.ts";
import { nodesOf } from "../../compiler/graph/walk.ts";
import {
  at,
  blockGraph,
  indexer,
  layersGraph,
  mla,
  moe,
  ranges,
  type Surroundings,
  silu,
  sum,
} from "../graph/blocks.ts";
import { randomGraph } from "../graph/random-graph.ts";
import { expectSameMeaning } from "../graph/same-meaning.ts";
import { choiceLaws } from "./choice-laws.ts";
import { type PassSet, pipelineOf } from "./pass-set.ts";
import { expectSame, find, has, runOnly, scaled } from "./support.ts";
import { windowLaws } from "./window-laws.ts";

export type Law = (p: PassSet) => void;

const [t, h, r, e, d] = [axis("t", "T"), axis("h", "H"), axis("r", "R"), axis("e", "V"), axis("d", "D")];
const rows = axis("s", "W");
const graphOf = (...results: readonly Node[]): Graph => ({ name: "g", sizes: ranges, results, effects: [] });
const isMap = (n: Node): MapNode => {
  if (n.kind !== "map") throw new Error(`%${n.name} is no map`);
  return n;
};

// Blocks, every pass in turn

const wholePipeline =
  (build: () => { readonly b: Builder; readonly g: Graph }, plans: readonly (readonly [number, number])[]): Law =>
  (p) => {
    for (const [T, S] of plans) {
      const { b, g } = build();
      const { graph } = runOnly(b, g, pipelineOf(p), { T, S });
      for (const chunks of [1, 3]) expectSame(g, graph, { chunks });
    }
  };

/** Scores of ten thousand: the running maximum is really subtracted, also where pieces are merged, empty ones too. */
const loudScores: Law = (p) => {
  const { b, g } = blockGraph("mla", (x, on) => mla(x, on));
  const { graph } = runOnly(b, g, pipelineOf(p), { T: 1 });
  const loud = scaled("w_qb", 1e5);
  for (const chunks of [1, 2, 7, 9]) expectSame(g, graph, { param: loud, chunks, closeness: { relative: 1e-8 } });
};

const exactOnes: Law = (p) => {
  for (const [label, block] of [
    ["moe", moe],
    ["dsa", (x, on) => mla(x, on, indexer)],
  ] as const satisfies readonly (readonly [string, Parameters<typeof blockGraph>[1]])[]) {
    for (const T of [1, 512]) {
      const { b, g } = blockGraph(label, block);
      const passes = [p.simplifyIndices, p.restrictToDemand, p.groupBySelection, p.fuse];
      let before = g;
      for (const pass of passes) {
        const { graph } = runOnly(b, before, [pass], { T });
        expectSame(before, graph, { closeness: "exact" });
        before = graph;
      }
    }
  }
};

// Re-association

/** y[t, h, e] = Σ_s where guard: p[t, h, s] · Σ_r c[s, r]·w[h, e, r]. With few t the cheapest order is (p · c) · w. */
function guarded(where: Scalar | null): { readonly b: Builder; readonly g: Graph } {
  const b = new Builder();
  const p = b.map("p", [t, h, rows], call("tanh", at(b.input("z", ["T", "H", "W"]), "t", "h", "s")));
  const w = b.weight("w", ["H", "V", "R"]);
  const v = b.map("v", [rows, h, e], sum([r], mul(at(b.input("c", ["W", "R"]), "s", "r"), at(w, "h", "e", "r"))));
  const y = b.map("y", [t, h, e], sum([rows], mul(at(p, "t", "h", "s"), at(v, "s", "h", "e")), where));
  return { b, g: graphOf(y) };
}
const firstHalf = call("lt", mul(num(2), name("s")), add(name("t"), dimValue("W")));

const guardTravels: Law = (p) => {
  const { b, g } = guarded(firstHalf);
  const { graph } = runOnly(b, g, [p.associate], { T: 1 });
  expect(has(graph, "v")).toBe(false);
  const guards = ["y", "c_p"].map((n) => {
    const { body } = isMap(find(graph, n));
    return body.kind === "reduce" && body.where !== null;
  });
  expect(guards).toEqual([false, true]);
  expectSame(g, graph);
};

const guardsOfTwoAxes: Law = (p) => {
  // d and s stand in one guard; x has d alone, and once `inner` is taken apart y has s alone
  const b = new Builder();
  const [x, y, w, z] = [
    b.input("x", ["T", "D"]),
    b.input("y", ["W", "R"]),
    b.weight("w", ["D", "R"]),
    b.weight("z", ["D", "T"]),
  ];
  const inner = b.map("inner", [rows, d], sum([r], mul(at(y, "s", "r"), at(w, "d", "r"))));
  const product = mul(at(x, "t", "d"), mul(at(inner, "s", "d"), at(z, "d", "t")));
  const guard = call("le", add(name("d"), name("t")), name("s"));
  const g = graphOf(b.map("out", [t], reduce("sum", [d, rows], product, guard)));
  for (const T of [1, 4096]) expectSame(g, runOnly(b, g, [p.associate], { T }).graph);
};

const guardsOfOrigins: Law = (p) => {
  // one product under two guards: neither node may stand for the other
  const b = new Builder();
  const [a, c, w] = [b.input("a", ["T", "W"]), b.input("c", ["W", "R"]), b.weight("w", ["R", "V"])];
  const product = mul(at(a, "t", "s"), at(c, "s", "r"));
  const some = b.map("some", [t, r], sum([rows], product, call("lt", name("s"), num(2))));
  const all = b.map("all", [t, r], sum([rows], product));
  const out = (n: Node, label: string): Node => b.map(label, [t, e], sum([r], mul(at(n, "t", "r"), at(w, "r", "e"))));
  const g = graphOf(out(some, "x"), out(all, "y"));
  for (const T of [1, 64, 4096]) expectSame(g, runOnly(b, g, [p.associate], { T }).graph);
};

const partlySummedOrigin: Law = (p) => {
  // `inner` holds s, which nothing else does: contracting its factors sums s as well, so the node is not that value
  const b = new Builder();
  const [x, w, u, z] = [
    b.input("x", ["W", "R"]),
    b.weight("w", ["V", "R"]),
    b.weight("u", ["V", "D"]),
    b.input("z", ["D", "T"]),
  ];
  const inner = b.map("inner", [rows, e], sum([r], mul(at(x, "s", "r"), at(w, "e", "r"))));
  const product = mul(at(inner, "s", "e"), mul(at(u, "e", "d"), at(z, "d", "t")));
  const g = graphOf(inner, b.map("y", [t], sum([rows, e, d], product)));
  for (const W of [2, 4096]) {
    const { graph } = runOnly(b, g, [p.associate], { sizes: { W, R: 512, V: 64, D: 64, T: 1 } });
    expect(graph).not.toBe(g);
    expectSame(g, graph);
  }
};

/** Σ_{u, r, e} x[t + u - 1, r]·w[r, e]·k[e, h, u]: x·w first, where no guard keeps the rows of x in range: a convolution. */
const readsInRange: Law = (p) => {
  const b = new Builder();
  const u = axis("u", 3);
  const position = add(name("t"), add(name("u"), num(-1)));
  const inside = call("and", call("le", num(0), position), call("lt", position, dimValue("W")));
  const [x, w, k] = [b.input("x", ["W", "R"]), b.weight("w", ["R", "V"]), b.input("k", ["V", "H", 3])];
  const product = mul(at(x, position, "r"), mul(at(w, "r", "e"), at(k, "e", "h", "u")));
  const g = graphOf(b.map("y", [axis("t", "W"), h], sum([u, r, e], product, inside)));
  expectSame(g, runOnly(b, g, [p.associate], { sizes: { W: 9, R: 64, H: 512, V: 64 } }).graph);
};

/** The same where half of an axis reads x, which has no more than V rows. */
const branchesInRange: Law = (p) => {
  const b = new Builder();
  const f = axis("f", dimSum("V", "N"));
  const [x, w, k] = [b.input("x", ["V", "R"]), b.weight("w", ["R", "D"]), b.input("k", ["D", "H"])];
  const dot = sum([r, d], mul(at(x, "f", "r"), mul(at(w, "r", "d"), at(k, "d", "h"))));
  const g = graphOf(b.map("y", [f, h], call("select", call("lt", name("f"), dimValue("V")), dot, num(7))));
  expectSame(g, runOnly(b, g, [p.associate], { sizes: { V: 9, N: 1, R: 64, H: 512, D: 64 } }).graph);
};

/** 0.5, z[t] and 1 / q[t] in the sum and in the node that it reads. */
const outerFactors: Law = (p) => {
  const b = new Builder();
  const [x, w, u] = [b.input("x", ["T", "D"]), b.weight("w", ["R", "D"]), b.weight("u", ["V", "R"])];
  const [z, q] = [b.input("z", ["T"]), b.input("q", ["T"])];
  const inner = b.map("inner", [t, r], mul(num(0.5), sum([d], mul(at(x, "t", "d"), at(w, "r", "d")))));
  const product = call("div", mul(at(z, "t"), mul(at(inner, "t", "r"), at(u, "e", "r"))), at(q, "t"));
  const y = b.map("y", [t], sum([r, e], mul(product, at(b.input("v", ["V"]), "e"))));
  const g = graphOf(y);
  const { graph } = runOnly(b, g, [p.associate], { sizes: { T: 4096, D: 64, R: 64, V: 64 } });
  expect(graph).not.toBe(g);
  expectSame(g, graph);
};

const emptySums: Law = (p) => {
  // a softmax over no positions weighs nothing: 0, and not 0 · (1/0)
  const never = call("lt", name("s"), name("t")); // no s for t = 0
  const { b, g } = guarded(never);
  const y = isMap(find(g, "y"));
  if (y.body.kind !== "reduce") throw new Error("not the sum that was built");
  const total = b.map("total", [t], sum([rows], num(1), never));
  const mean = b.map("mean", y.domain, { ...y.body, body: call("div", y.body.body, at(total, "t")) });
  for (const pass of [p.associate, p.foldReductions]) {
    for (const T of [1, 64]) expectSame(graphOf(mean), runOnly(b, graphOf(mean), [pass], { T }).graph);
  }
};

// Concatenations

/** Σ_c over [a | b | x] with a weight, and a read of the middle part. */
const threeParts: Law = (p) => {
  for (const monoid of ["sum", "max", "product"] as const) {
    const b = new Builder();
    const [x, y, z, w] = [
      b.input("x", ["T", "N"]),
      b.input("y", ["T", "R"]),
      b.input("z", ["T", "V"]),
      b.weight("w", [addAll()]),
    ];
    const c = axis("c", addAll());
    const past = (n: string): Scalar => call("sub", name("c"), dimValue(n === "N" ? "N" : two()));
    const later = call("select", call("lt", name("c"), dimValue(two())), at(y, "t", past("N")), at(z, "t", past("R")));
    const cat = b.map("cat", [t, c], call("select", call("lt", name("c"), dimValue("N")), at(x, "t", "c"), later));
    const body = mul(at(cat, "t", "c"), at(w, "c"));
    const some = b.map("some", [t], reduce(monoid, [c], body, call("le", name("c"), add(name("t"), num(4)))));
    const whole = b.map("whole", [t], reduce(monoid, [c], body));
    const part = b.map("part", [t, r], at(cat, "t", add(name("r"), dimValue("N"))));
    const g = graphOf(whole, some, part);
    const { graph } = runOnly(b, g, [p.splitConcat]);
    expect(has(graph, "cat")).toBe(false);
    expectSame(g, graph);
  }
};
const two = () => dimSum("N", "R");
const addAll = () => dimSum("N", "R", "V");

/** select(2 <= c, …) and select(not c < 2, …): the same cut from the other side, and a cut beyond the axis. */
const otherCuts: Law = (p) => {
  const b = new Builder();
  const [x, y] = [b.input("x", ["T", 8]), b.input("y", ["T", 8])];
  const c = axis("c", 8);
  const conditions = [
    call("le", num(2), name("c")),
    call("not", call("lt", name("c"), num(3))),
    call("lt", num(2), name("c")),
    call("le", name("c"), num(4)),
    call("lt", name("c"), num(9)),
    call("and", call("le", num(1), name("c")), call("lt", name("c"), num(5))),
    call("lt", add(name("c"), num(1)), num(4)),
  ];
  const results = conditions.flatMap((condition, i) => {
    const either = call("select", condition, at(x, "t", "c"), at(y, "t", "c"));
    return [either, mul(at(x, "t", "c"), either)].map((body, k) => {
      const choice = b.map(`choice${i}${k}`, [t, c], body);
      return b.map(`y${i}${k}`, [t], sum([c], mul(at(choice, "t", "c"), at(choice, "t", "c"))));
    });
  });
  const g = graphOf(...results);
  expectSame(g, runOnly(b, g, [p.splitConcat]).graph);
};

// Selections

/** Scores that the selection itself wants whole, read again at what it selects; two readers of the selected values. */
const sharedSelections: Law = (p) => {
  const b = new Builder();
  const j = axis("j", "K");
  const [x, w, bias] = [b.input("x", ["T", "D"]), b.weight("w", ["E", "D"]), b.weight("bias", ["E"])];
  const ex = axis("e", "E");
  const score = b.map("score", [t, ex], sum([d], mul(at(x, "t", "d"), at(w, "e", "d"))));
  const pick = b.topK("pick", [t], ex, "K", add(at(score, "t", "e"), at(bias, "e")));
  const wide = b.map("wide", [t, ex, d], mul(at(x, "t", "d"), at(w, "e", "d")));
  const row = at(pick, "t", "j");
  const y = b.map(
    "y",
    [t, d],
    sum([j], mul(at(score, "t", row), at(wide, "t", row, "d")), call("le", name("j"), name("t"))),
  );
  const z = b.map("z", [t, j, d], at(wide, "t", row, "d"));
  const g = graphOf(y, z);
  const { graph } = runOnly(b, g, [p.restrictToDemand]);
  for (const once of ["score", "wide"]) expect(nodesOf(graph).filter((n) => n.name === once)).toHaveLength(1);
  expectSame(g, graph, { closeness: "exact" });
  expectSame(g, runOnly(b, g, pipelineOf(p)).graph);
};

/** A grouped node that also somebody reads at other slots, and by another token. */
const groupedReaders: Law = (p) => {
  const b = new Builder();
  const j = axis("j", "K");
  const ex = axis("e", "E");
  const [x, w, gate] = [b.input("x", ["T", "D"]), b.weight("w", ["E", "R", "D"]), b.input("gate", ["T", "E"])];
  const pick = b.topK("pick", [t], ex, "K", at(gate, "t", "e"));
  const g0 = b.map("g0", [t, j, r], sum([d], mul(at(x, "t", "d"), at(w, at(pick, "t", "j"), "r", "d"))));
  const g1 = b.map("g1", [t, j, r], mul(at(g0, "t", "j", "r"), at(gate, "t", at(pick, "t", "j"))));
  const turned = call("sub", call("sub", dimValue("K"), num(1)), name("j"));
  const g2 = b.map("g2", [t, j, r], add(at(g1, "t", "j", "r"), at(g1, "t", turned, "r")));
  const first = call("sub", call("sub", dimValue("T"), num(1)), name("t"));
  const g = graphOf(b.map("y", [t, r], sum([j], mul(at(g2, "t", "j", "r"), at(g1, first, "j", "r")))), pick);
  const top = isTopK(find(g, "pick"));
  expectSame(g, p.groupBy(b, g, top), { closeness: "exact" });
};
const isTopK = (n: Node) => {
  if (n.kind !== "top_k") throw new Error(`%${n.name} selects nothing`);
  return n;
};

// Folds

/** The sum is over half of the row, the maximum over all of it: another domain, so no fold joins them. */
const otherGuards: Law = (p) => {
  const b = new Builder();
  const x = b.input("x", ["W"]);
  const m = b.map("m", [], reduce("max", [rows], at(x, "s")));
  const half = call("lt", mul(num(2), name("s")), add(name("s"), num(2)));
  const g = graphOf(b.map("y", [], sum([rows], call("exp", call("sub", at(x, "s"), at(m))), half)));
  const { graph } = runOnly(b, g, [p.foldReductions], { T: 1 });
  expect(has(graph, "m")).toBe(true);
  expectSame(g, graph);
};

/** m is used by an additive term, so no rescaling makes up for a maximum that grows. */
const notRescalable: Law = (p) => {
  const b = new Builder();
  const x = b.input("x", ["T", "W"]);
  const m = b.map("m", [t], reduce("max", [rows], at(x, "t", "s")));
  const l = b.map("l", [t], sum([rows], call("exp", call("sub", at(x, "t", "s"), at(m, "t")))));
  const results = [
    sum([rows], add(at(m, "t"), at(x, "t", "s"))),
    sum([rows], call("exp", call("sub", at(m, "t"), at(x, "t", "s")))),
    sum([rows], call("exp", call("sub", at(x, "t", "s"), at(l, "t")))),
    sum([rows], mul(at(x, "t", "s"), call("maximum", at(x, "t", "s"), at(l, "t")))),
  ].map((body, i) => b.map(`y${i}`, [t], body));
  const g = graphOf(...results);
  for (const chunks of [1, 3]) expectSame(g, runOnly(b, g, [p.foldReductions]).graph, { chunks });
};

/** Two sums in one node, one of them in a branch. */
const severalSums: Law = (p) => {
  const b = new Builder();
  const [x, w] = [b.input("x", ["T", "D"]), b.weight("w", ["V", "D"])];
  const ss = b.map("ss", [t], sum([d], mul(at(x, "t", "d"), at(x, "t", "d"))));
  const normed = b.map("normed", [t, d], mul(at(x, "t", "d"), call("rsqrt", add(at(ss, "t"), num(1e-6)))));
  const dot = (row: Scalar): Scalar => sum([d], mul(at(normed, "t", "d"), at(w, row, "d")));
  const f = axis("f", dimSum("V", "V"));
  const upper = call("lt", name("f"), dimValue("V"));
  const past = call("sub", name("f"), dimValue("V"));
  for (const other of [mul(num(2), dot(past)), num(7)]) {
    const y = b.map("y", [t, f], call("select", upper, dot(name("f")), other));
    const { graph } = runOnly(b, graphOf(y), [p.foldReductions]);
    expect(has(graph, "ss")).toBe(false);
    expectSame(graphOf(y), graph, { chunks: 2 });
  }
};

/** m[c] is a maximum over an axis of the same size, but c is bound inside of the sum that would fold it. */
const boundReductions: Law = (p) => {
  const b = new Builder();
  const [x, z, k] = [b.input("x", ["W", "D"]), b.input("z", ["T", "W"]), b.input("k", ["W", "D"])];
  const m = b.map("m", [d], reduce("max", [rows], at(x, "s", "d")));
  const total = b.map("total", [t], sum([rows], at(z, "t", "s")));
  const inner = sum([d], mul(at(k, "s", "d"), at(m, "d")));
  const scaled = call("div", mul(at(z, "t", "s"), inner), at(total, "t"));
  const g = graphOf(b.map("y", [t], sum([rows], scaled)));
  const { graph } = runOnly(b, g, [p.foldReductions]);
  expect([has(graph, "m"), has(graph, "total")]).toEqual([true, false]);
  expectSame(g, graph, { chunks: 2 });
};

// Fusion

/** A read inside of a repeat of what is computed outside, of a carried value, and an append that nobody reads. */
const repeats: Law = (p) => {
  const { b, g } = layersGraph("repeat", { dense: 1, sparse: 2 });
  const { graph } = runOnly(b, g, pipelineOf(p), { T: 1 });
  expectSame(g, graph, { chunks: 2, sizes: smallCalls });
};
const smallCalls = [
  { D: 4, L: 3, R: 2, N: 2, P: 1, V: 2, H: 2, E: 3, K: 2, F: 2, W: 3, J: 1, I: 1, Q: 2, T: 2, S0: 1 },
  { D: 3, L: 2, R: 3, N: 1, P: 2, V: 1, H: 1, E: 4, K: 3, F: 3, W: 2, J: 1, I: 1, Q: 2, T: 1, S0: 0 },
];

/** A map of i32 with an i64 body and the other way round: reading it is not computing it. */
const wideNumbers: Law = (p) => {
  const b = new Builder();
  const ids = b.input("ids", ["T"], "i64");
  const big = num(2 ** 40);
  const wide = b.map("wide", [t], mul(mul(at(ids, "t"), big), big), "i64");
  const index = b.map("index", [t], call("mod", add(at(wide, "t"), at(ids, "t")), num(7)), "i32");
  const real = b.map("real", [t], mul(at(ids, "t"), big));
  const y = b.map("y", [t], add(mul(at(real, "t"), big), at(b.weight("w", [7]), at(index, "t"))));
  const g = graphOf(y);
  expectSame(g, runOnly(b, g, [p.fuse]).graph, { closeness: "exact" });
};

/** Two readers at different indices, one inside of a reduction whose axis has the producer's own name. */
const captures: Law = (p) => {
  const b = new Builder();
  const x = b.input("x", ["T", "D"]);
  const scaled2 = b.map("p", [t, d], add(mul(num(2), at(x, "t", "d")), dimValue("D")));
  const inner = b.map(
    "q",
    [t],
    sum([d], mul(at(scaled2, "t", "d"), at(scaled2, "t", call("sub", call("sub", dimValue("D"), num(1)), name("d"))))),
  );
  const s2 = axis("s", "T");
  const g = graphOf(b.map("y", [t, d], add(at(inner, "t"), sum([s2], mul(at(inner, "s"), at(scaled2, "s", "d"))))));
  const once = b.map("once", [t], sum([d], mul(at(x, "t", "d"), num(3))));
  const twice = graphOf(b.map("z", [t, d], mul(at(once, "t"), at(x, "t", "d"))));
  const small = runOnly(b, twice, [p.fuse], { sizes: { T: 4, D: 4 } }).graph;
  expect(has(small, "once")).toBe(false);
  expectSame(twice, small, { closeness: "exact" });
  for (const T of [1, 4096]) {
    for (const D of [1, 4]) expectSame(g, runOnly(b, g, [p.fuse], { sizes: { T, D } }).graph, { closeness: "exact" });
  }
};

/** The value of a repeat is read through half of a concatenation that nobody asks for; its rows are remembered anyway. */
const strandedRepeats: Law = (p) => {
  const b = new Builder();
  const x = b.input("x", ["T", "D"]);
  const { carry, index } = b.loop("h", x.type);
  const memory = addDim("S0", "T");
  const kept = b.append("kept", b.state("state", [2, "S0", "D"]), [read(index, [])], carry, memory);
  const body = b.map("body", [t, d], mul(num(0.5), at(carry, "t", "d")));
  const layers = b.repeat("layers", { count: 2, init: x, carry, index, body, effects: [kept] });
  const c = axis("c", addDim("D", "D"));
  const past = call("sub", name("c"), dimValue("D"));
  const cat = b.map(
    "cat",
    [t, c],
    call("select", call("lt", name("c"), dimValue("D")), at(layers, "t", "c"), at(x, "t", past)),
  );
  const g = graphOf(b.map("y", [t, d], at(cat, "t", add(name("d"), dimValue("D")))));
  expectSame(g, runOnly(b, g, pipelineOf(p)).graph);
};

// Factors that outputs share

/** Σ_f w[d, f]·silu(g[t, f])·u[t, f]: the gated product is computed apart, once for all d. */
const sharedFactors: Law = (p) => {
  const { b, g } = blockGraph("ffn", (x, on) => gated(x, on));
  const { graph } = runOnly(b, g, [p.outlineFactors]);
  expect(has(graph, "y.factor")).toBe(true);
  expectSame(g, graph);
  expectSame(g, runOnly(b, g, pipelineOf(p)).graph, { chunks: 2 });
};
function gated(x: Node, { b, weight }: Surroundings): Node {
  const f = axis("f", "F");
  const [w1, w3, w2] = [weight("w1", ["F", "D"]), weight("w3", ["F", "D"]), weight("w2", ["D", "F"])];
  const dot = (label: string, w: typeof w1): Node => b.map(label, [t, f], sum([d], mul(at(x, "t", "d"), w("f", "d"))));
  const [g, u] = [dot("g", w1), dot("u", w3)];
  return b.map("y", [t, d], sum([f], mul(w2("d", "f"), mul(silu(at(g, "t", "f")), at(u, "t", "f")))));
}

/** The same with a factor that is read one row before, where there is one. */
const guardedFactors: Law = (p) => {
  const { b, g } = blockGraph("ffn", (x, on) => {
    const f = axis("f", "F");
    const [w1, w2] = [on.weight("w1", ["F", "D"]), on.weight("w2", ["D", "F"])];
    const dot = on.b.map("g", [t, f], sum([d], mul(at(x, "t", "d"), w1("f", "d"))));
    const before = at(dot, add(name("t"), num(-1)), "f");
    return on.b.map("y", [t, d], sum([f], mul(w2("d", "f"), silu(before)), call("le", num(1), name("t"))));
  });
  expectSame(g, runOnly(b, g, [p.outlineFactors]).graph);
};

// Index arithmetic

const indexArithmetic: Law = (p) => {
  const b = new Builder();
  const x = b.input("x", ["T", dimSum("P", "P")]);
  const [i, u, c] = [axis("i", "P"), axis("u", 2), axis("c", dimSum("P", "P"))];
  const pair = add(mul(num(2), name("i")), name("u"));
  const [half, rest] = [call("floordiv", name("c"), num(2)), call("mod", name("c"), num(2))];
  const join = (q: Scalar, m: Scalar): Scalar => add(mul(num(2), q), m);
  const results = [
    b.map("a", [t, c], at(x, "t", join(half, rest))),
    b.map("b", [t, i, u], at(x, "t", join(call("floordiv", pair, num(2)), call("mod", pair, num(2))))),
    b.map("c", [t, i, u], at(x, "t", call("floordiv", add(pair, num(1)), num(2)))),
    b.map("d", [t, c], call("select", call("lt", name("c"), dimValue("P")), at(x, "t", half), num(1))),
    b.map("e", [t], sum([c], at(x, "t", "c"), call("le", name("c"), dimValue(dimSum("P", "P"))))),
    b.map("f", [t], sum([c], at(x, "t", "c"), call("lt", add(name("c"), num(1)), dimValue(dimSum("P", "P"))))),
    b.map(
      "g",
      [t, c],
      at(x, "t", join(call("floordiv", name("c"), num(2)), call("mod", add(name("c"), num(1)), num(2)))),
    ),
    b.map("i", [t, c], call("select", call("eq", name("c"), num(0)), num(1), at(x, "t", "c"))),
    b.map("j", [t, i, u], call("select", call("eq", name("u"), num(-1)), num(1), at(x, "t", pair))),
    b.topK("h", [t], c, 2, at(x, "t", "c"), call("le", num(0), name("c"))),
  ];
  const g = graphOf(...results);
  expectSame(g, runOnly(b, g, [p.simplifyIndices]).graph, { closeness: "exact" });
};

// Random graphs

const seeds = 60;
const randomOnes =
  (exact: boolean): Law =>
  (p) => {
    const list = exact
      ? [p.simplifyIndices, p.restrictToDemand, p.groupBySelection, p.fuse]
      : [p.splitConcat, p.associate, p.foldReductions];
    for (let seed = 1; seed <= seeds; seed += 1) {
      const { graph: g, builder, sizes, params } = randomGraph(seed);
      for (const pass of list) {
        const plan = { ...sizes[0], ...(seed % 2 === 0 ? { T: 64, S0: 64 } : {}) };
        const { graph } = runOnly(builder, g, [pass], { sizes: plan });
        if (graph !== g)
          expectSameMeaning(g, graph, { sizes, params, ...(exact ? { closeness: "exact" as const } : {}) });
      }
    }
  };
const randomPipelines: Law = (p) => {
  for (let seed = 1; seed <= seeds; seed += 1) {
    const { graph: g, builder, sizes, params } = randomGraph(seed, { steps: 14 });
    const { graph } = runOnly(builder, g, pipelineOf(p), { sizes: sizes[seed % sizes.length] ?? {} });
    expectSameMeaning(g, graph, { sizes, params, chunks: 1 + (seed % 3) });
  }
};

function dimSum(...names: readonly string[]): Dim {
  return names.reduce<Dim>((a, n) => addDim(a, n), dim(0));
}

export const laws = {
  "latent attention, all passes": wholePipeline(
    () => blockGraph("mla", (x, on) => mla(x, on)),
    [
      [1, 4096],
      [4096, 4096],
    ],
  ),
  "sparse attention, all passes": wholePipeline(
    () => blockGraph("dsa", (x, on) => mla(x, on, indexer)),
    [
      [1, 32768],
      [4096, 32768],
    ],
  ),
  "experts, all passes": wholePipeline(
    () => blockGraph("moe", moe),
    [
      [1, 4096],
      [512, 4096],
    ],
  ),
  "repeated layers, all passes": repeats,
  "scores of ten thousand": loudScores,
  "exact passes, bit for bit": exactOnes,
  "a guard goes with its axis, once": guardTravels,
  "a guard of two axes": guardsOfTwoAxes,
  "one product under two guards": guardsOfOrigins,
  "a node that has summed less": partlySummedOrigin,
  "reads that a guard keeps in range": readsInRange,
  "reads that a branch keeps in range": branchesInRange,
  "factors without a summed index": outerFactors,
  "sums over nothing": emptySums,
  "concatenations of three parts": threeParts,
  "cuts from either side": otherCuts,
  "selections that are shared": sharedSelections,
  "readers of grouped rows": groupedReaders,
  "reductions under other guards": otherGuards,
  "sums that cannot be rescaled": notRescalable,
  "several sums in a node": severalSums,
  "reductions that vary with a bound index": boundReductions,
  "repeats that only remember": strandedRepeats,
  "whole numbers of 64 bit": wideNumbers,
  "names of producers and readers": captures,
  "factors that outputs share": sharedFactors,
  "factors that a guard keeps in range": guardedFactors,
  "index arithmetic": indexArithmetic,
  ...choiceLaws,
  ...windowLaws,
  "random graphs, exact passes": randomOnes(true),
  "random graphs, other passes": randomOnes(false),
  "random graphs, all passes": randomPipelines,
} as const satisfies Record<string, Law>;
export type LawName = keyof typeof laws;
