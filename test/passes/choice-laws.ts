/** Laws of choices that choose all: `near[t, j]` names points of an axis with no more of them than are chosen. */
import { expect } from "vitest";
import { Builder } from "../../compiler/graph/builder.ts";
import { addDim, type Dim, dim, type Sizes } from "../../compiler/graph/dim.ts";
import type { Graph, Node, Scalar } from "../../compiler/graph/node.ts";
import { add, axis, call, dimValue, mul, name, num, reduce } from "../../compiler/graph/scalar.ts";
import { nodesOf } from "../../compiler/graph/walk.ts";
import { at, blockGraph, indexer, mla, ranges, sum, tiny } from "../graph/blocks.ts";
import { type PassSet, pipelineOf } from "./pass-set.ts";
import { expectSame, runOnly } from "./support.ts";

type Law = (p: PassSet) => void;

const memory = addDim("S0", "T");
const [t, s, j, d] = [axis("t", "T"), axis("s", memory), axis("j", "Q"), axis("d", "D")];
const position = add(name("t"), dimValue("S0"));
const upTo = (high: Dim): Pick<Graph, "bounds"> => ({ bounds: [{ low: memory, high }] });
/** Calls that remember no more than Q = 3 rows, one to each. */
const few: readonly Sizes[] = [
  { ...tiny, T: 1, S0: 0 },
  { ...tiny, T: 1, S0: 2 },
  { ...tiny, T: 2, S0: 1 },
  { ...tiny, T: 3, S0: 0 },
];
const chooses = (g: Graph): boolean => nodesOf(g).some((n) => n.kind === "top_k");

/** No scores and no gather are left, rows for later choices are remembered all the same, and every plan computes the same. */
const allOfMemory: Law = (p) => {
  const { b, g } = blockGraph("dsa", (x, on) => mla(x, on, indexer));
  const bounded = { ...g, ...upTo(dim("Q")) };
  const { graph } = runOnly(b, bounded, [p.selectAll]);
  expect(chooses(graph)).toBe(false);
  expect(graph.effects.map((e) => e.name).sort()).toEqual(["index_keys", "key_rope", "latent"]);
  expectSame(g, graph, { sizes: few });
  for (const [T, S] of [
    [1, 2048],
    [2048, 2048],
  ] as const) {
    const planned = runOnly(b, bounded, pipelineOf(p), { T, S }).graph;
    expect(chooses(planned)).toBe(false);
    for (const chunks of [1, 2]) expectSame(g, planned, { sizes: few, chunks });
  }
};

/** Where one more may be remembered than is chosen, the choice stays, on both sides of the border. */
const oneTooMany: Law = (p) => {
  const { b, g } = blockGraph("dsa", (x, on) => mla(x, on, indexer));
  for (const of of [g, { ...g, ...upTo(addDim("Q", 1)) }]) expect(runOnly(b, of, [p.selectAll]).graph).toBe(of);
  const { graph } = runOnly(b, g, pipelineOf(p), { T: 1, S: 32768 });
  expect(chooses(graph)).toBe(true);
  expectSame(g, graph, { sizes: [...few, { ...tiny, T: 1, S0: 3 }, { ...tiny, T: 2, S0: 2 }] });
};

interface Chosen {
  readonly b: Builder;
  readonly x: Node;
  readonly near: Node;
}
const isVisible = call("le", name("s"), position);
/** Points of memory by a score, those up to the token's own; `where` says which others are left out. */
function chosen(where: Scalar | null = isVisible): Chosen {
  const b = new Builder();
  const x = b.input("x", [memory, "D"]);
  const z = b.input("z", ["T", memory]);
  return { b, x, near: b.topK("near", [t], s, "Q", at(z, "t", "s"), where) };
}
const graphOf = (...results: readonly Node[]): Graph => ({
  name: "g",
  sizes: ranges,
  ...upTo(dim("Q")),
  results,
  effects: [],
});
const isFilled = call("lt", name("j"), add(position, num(1)));

/** Sums, maxima and products of what is chosen, directly and through a tensor over the slots; by either way to say a guard. */
const reducedSlots: Law = (p) => {
  const { b, x, near } = chosen();
  const row = at(near, "t", "j");
  const squares = b.map("squares", [t, j], mul(at(x, row, num(0)), at(x, row, num(0))));
  const or = call("le", name("j"), position);
  const g = graphOf(
    b.map("a", [t, d], sum([j], at(x, row, "d"), isFilled)),
    b.map("b", [t], reduce("max", [j], at(squares, "t", "j"), or)),
    b.map("c", [t], sum([j, d], mul(at(squares, "t", "j"), at(x, row, "d")), call("and", isFilled, isEven("d")))),
    b.map("e", [t], sum([j], call("select", isFilled, at(squares, "t", "j"), num(1)), isFilled)),
  );
  const { graph } = runOnly(b, g, [p.selectAll]);
  expect(chooses(graph)).toBe(false);
  expectSame(g, graph, { sizes: few });
};
const isEven = (i: string): Scalar => call("eq", call("mod", name(i), num(2)), num(0));

/** A choice from points of which only a count says how many there are. */
const countedSlots: Law = (p) => {
  const { b, x, near } = chosen(call("and", isVisible, isEven("s")));
  const count = b.map("count", [t], sum([s], num(1), call("and", isVisible, isEven("s"))), "i32");
  const other = b.map("other", [t], sum([s], num(1), isVisible), "i32");
  const total = (of: Node): Node =>
    b.map("y", [t, d], sum([j], at(x, at(near, "t", "j"), "d"), call("lt", name("j"), at(of, "t"))));
  const g = graphOf(total(count));
  const { graph } = runOnly(b, g, [p.selectAll]);
  expect(chooses(graph)).toBe(false);
  expectSame(g, graph, { sizes: few });
  const wrong = graphOf(total(other));
  expect(runOnly(b, wrong, [p.selectAll]).graph).toBe(wrong);
};

/** Whoever can tell in which slot a point stands is a reason to leave the choice as it is. */
const orderedSlots: Law = (p) => {
  const { b, x, near } = chosen();
  const row = at(near, "t", "j");
  const slots = b.map("slots", [t, j], at(x, row, num(0)));
  const gathered = (guard: Scalar | null, body: Scalar): Node => b.map("y", [t], sum([j], body, guard));
  const ofLast = at(near, call("sub", dimValue("T"), num(1)), "j");
  const u = axis("u", "T");
  const kept: readonly (readonly Node[])[] = [
    [near], // the list itself
    [slots], // values in its order
    [b.map("y", [t], at(x, at(near, "t", num(0)), num(0)))], // the best
    [b.map("y", [t], at(slots, "t", num(0)))],
    [gathered(null, at(x, row, num(0)))], // slots that hold nothing
    [gathered(call("lt", name("j"), position), at(x, row, num(0)))], // one less
    [gathered(isFilled, mul(name("j"), at(x, row, num(0))))], // a weight by slot
    [gathered(isFilled, mul(at(x, row, num(0)), at(x, ofLast, num(0))))], // two rows at once
    [gathered(isFilled, mul(at(x, ofLast, num(0)), at(x, row, num(0))))],
    [b.map("y", [], sum([u, j], at(x, at(near, "u", "j"), num(0)), filledFor("u")))], // the row changes beside it
    [b.topK("again", [t], j, 1, at(slots, "t", "j"), isFilled)],
  ];
  for (const results of kept) {
    const g = graphOf(...results);
    expect(runOnly(b, g, [p.selectAll]).graph).toBe(g);
  }
};
const filledFor = (row: string): Scalar => call("lt", name("j"), add(add(name(row), dimValue("S0")), num(1)));

export const choiceLaws = {
  "a choice of all of memory": allOfMemory,
  "a choice from one point more": oneTooMany,
  "slots that are reduced": reducedSlots,
  "slots that a count fills": countedSlots,
  "slots in their order": orderedSlots,
} as const;
