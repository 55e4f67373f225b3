/** What token ids decide is numbered apart: what is cut out, and that both graphs together compute what the one did. */
import { expect, test } from "vitest";
import { Builder } from "../../compiler/graph/builder.ts";
import { prepare, realsOf, StateStore, type Tensor, tensor } from "../../compiler/graph/interpret.ts";
import type { Graph } from "../../compiler/graph/node.ts";
import { parse } from "../../compiler/graph/parse.ts";
import { verify } from "../../compiler/graph/verify.ts";
import { nodesOf } from "../../compiler/graph/walk.ts";
import { lookAhead } from "../../compiler/passes/look-ahead.ts";

const [V, D, R] = [7, 3, 11];
const hashed = [
  "%ids : i32[T] = input",
  "%x : f32[T, D] = input",
  "%table : f32[R, D] = weight",
  "%embed : f32[V, D] = weight",
  "%seen : i32[S0] = state",
  "%kept : f32[S0, D] = state",
  "%seen1 : i32[S0 + T] = append %ids to %seen[]",
  "%kept1 : f32[S0 + T, D] = append %x to %kept[]",
  "%row : i64[T, 2] = map [t, j] mod(%ids[t] * 5 + select(0 <= t + S0 - 1, %seen1[t + S0 - 1], 0) * 3 + j, R)",
];
function graph(lines: readonly string[]): { readonly b: Builder; readonly g: Graph } {
  const b = new Builder();
  const text = [
    "graph @g {",
    `size V = ${V}`,
    `size D = ${D}`,
    `size R = ${R}`,
    "size T in 1..8",
    "size S0 in 0..20",
    ...lines,
    "}",
  ].join("\n");
  const parsed = parse(text, b);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed));
  return { b, g: parsed.graph };
}
const kinds = (g: Graph, kind: string): readonly string[] =>
  nodesOf(g).flatMap((n) => (n.kind === kind ? [n.name] : []));

test("rows of a hashed table", () => {
  const { b, g } = graph([
    ...hashed,
    "%e : f32[T, D] = map [t, d] %table[%row[t, 0], d] + %table[%row[t, 1], d]",
    "%y : f32[T, D] = map [t, d] %e[t, d] * %x[t, d] + sum[s: S0 + T where s <= t + S0](%kept1[s, d]) + %embed[%ids[t], d]",
    "effect %seen1, %kept1",
    "return %y",
  ]);
  const cut = lookAhead(b, g);
  if (cut === null) throw new Error("nothing was cut");
  expect(verify(cut.graph)).toEqual([]);
  expect(verify(cut.ahead)).toEqual([]);
  expect(cut.lookups.map((l) => [l.table.name, l.input, l.rows])).toEqual([["table", "table.rows", "row.ahead"]]);
  expect(cut.names).toEqual(["row.ahead"]);
  expect(cut.ahead.results[0]?.type.dtype).toBe("i32");
  expect([kinds(cut.ahead, "weight"), kinds(cut.ahead, "state")]).toEqual([[], ["seen"]]);
  expect([[...kinds(cut.graph, "weight")].sort(), kinds(cut.graph, "state")]).toEqual([["embed"], ["kept"]]);

  const [table, embed] = [R, V].map((n) =>
    tensor(
      [n, D],
      Array.from({ length: n * D }, (_, i) => Math.sin(i + n)),
    ),
  );
  const [whole, main, ahead] = [g, cut.graph, cut.ahead].map((one) => ({
    run: prepare(one),
    state: new StateStore(),
  }));
  let before = 0;
  for (const ids of [[3], [1, 6, 0, 5], [2, 2]]) {
    const T = ids.length;
    const x = tensor(
      [T, D],
      Array.from({ length: T * D }, (_, i) => Math.cos(i + before)),
    );
    const given: Record<string, Tensor | undefined> = { ids: tensor([T], ids), x, table, embed };
    const play = (one: typeof whole): readonly Tensor[] => {
      if (one === undefined) throw new Error("no graph");
      const param = ({ name }: { readonly name: string }): Tensor => given[name] ?? tensor([0], []);
      return one.run.run({ sizes: { V, D, R, T, S0: before }, state: one.state, param });
    };
    const [want] = play(whole);
    const [rows] = play(ahead);
    const numbers = rows === undefined ? [] : [...realsOf(rows)];
    const looked = numbers.flatMap((n) => [...realsOf(table ?? tensor([0], []))].slice(n * D, (n + 1) * D));
    given["table.rows"] = tensor([T, 2, D], looked);
    given["table"] = undefined;
    const [got] = play(main);
    expect(got).toEqual(want);
    before += T;
  }
});

test("two ways into one table, one numbered once", () => {
  const { b, g } = graph([
    ...hashed,
    "%other : i32[T] = map [t] mod(%ids[t] * 2, R)",
    "%y : f32[T, D] = map [t, d] %table[%row[t, 0], d] + %table[%other[t], d] + %table[%row[t, 1], d] * %x[t, d]",
    "effect %seen1, %kept1",
    "return %y",
  ]);
  const cut = lookAhead(b, g);
  expect(cut?.lookups.map((l) => [l.input, l.rows])).toEqual([
    ["table.rows", "row.ahead"],
    ["table.rows1", "other.ahead"],
  ]);
});

test("memory that the rest reads too is written by both", () => {
  const { b, g } = graph([
    ...hashed,
    "%y : f32[T, D] = map [t, d] %table[%row[t, 0], d] * %seen1[t]",
    "effect %seen1, %kept1",
    "return %y",
  ]);
  const cut = lookAhead(b, g);
  if (cut === null) throw new Error("nothing was cut");
  expect([cut.ahead, cut.graph].map((one) => one.effects.map((e) => e.name))).toEqual([["seen1"], ["seen1", "kept1"]]);
  expect(verify(cut.graph)).toEqual([]);
});

test.each([
  ["what ids index themselves", ["%y : f32[T, D] = map [t, d] %table[%ids[t], d]"]],
  [
    "a table that is read in another way too",
    ["%y : f32[T, D] = map [t, d] %table[%row[t, 0], d] + sum[r: R](%table[r, d])"],
  ],
  [
    "rows that what was computed decides",
    [
      "%pick : i32[T] = map [t] select(0 < %x[t, 0], mod(%ids[t], R), 0)",
      "%y : f32[T, D] = map [t, d] %table[%pick[t], d]",
    ],
  ],
  [
    "rows that hang on memory of what was computed",
    [
      "%told : i32[S0] = state",
      "%tell : i32[T] = map [t] select(0 < %x[t, 0], 1, 0)",
      "%told1 : i32[S0 + T] = append %tell to %told[]",
      "%pick : i32[T] = map [t] mod(%told1[t] + %ids[t], R)",
      "%y : f32[T, D] = map [t, d] %table[%pick[t], d]",
      "effect %told1, %seen1, %kept1",
    ],
  ],
])("%s stays", (_, lines) => {
  const effects = lines.some((l) => l.startsWith("effect")) ? [] : ["effect %seen1, %kept1"];
  const { b, g } = graph([...hashed, ...lines, ...effects, "return %y"]);
  expect(lookAhead(b, g)).toBeNull();
});
