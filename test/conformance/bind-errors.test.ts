/** Checkpoints that do not fit the text, where no checker has seen their listing: each fault by its code and its tensor. */
import { expect, test } from "vitest";
import { BindError, type BindErrorCode } from "../../backends/reference/bind-error.ts";
import { bindText, type GivenTensor } from "./bind-text.ts";

const text = `model hop {
  config {
    V : dim = $.v
  }
  runtime T : dim in 1..8
  weight next  : [V] in V at "next"
  weight table : [V, V]   at "table" or "old.table" copy at "draft.table"
  entry forward(ids: [T] in V) -> logits: [T, V] {
    logits[t,v] := table[next[ids[t]],v]
  }
  loop chat = sample forward
}
`;
const right: Readonly<Record<string, GivenTensor>> = {
  next: { shape: [3], data: [1, 2, 0] },
  table: { shape: [3, 3], data: [0, 1, 2, 3, 4, 5, 6, 7, 8] },
};
const bind = (tensors: Readonly<Record<string, GivenTensor>>) =>
  bindText({
    entry: "hop.ds",
    text,
    config: '{"v": 3}',
    tensors: new Map(Object.entries(tensors)),
    results: ["logits"],
  });

test("what fits is bound, under either spelling, with an equal copy or without", async () => {
  const { table, ...rest } = right;
  if (table === undefined) throw new Error("no table");
  const twice = { ...right, "draft.table": table };
  for (const tensors of [right, twice, { ...rest, "old.table": table }]) {
    const { forward } = await bind(tensors);
    expect(forward([2, 0]).results.get("logits")).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
  }
});

const { next, table } = right;
test.each<[BindErrorCode, string, Readonly<Record<string, GivenTensor | undefined>>]>([
  ["missing-tensor", "next", { table }],
  ["missing-tensor", "table", { next }],
  ["two-spellings", "table", { ...right, "old.table": table }],
  ["wrong-shape", "next", { ...right, next: { shape: [4], data: [0, 0, 0, 0] } }],
  ["wrong-shape", "table", { ...right, table: { shape: [9], data: table?.data ?? [] } }],
  ["copies-differ", "draft.table", { ...right, "draft.table": { shape: [3, 3], data: [0, 1, 2, 3, 4, 5, 6, 7, 9] } }],
  ["copies-differ", "draft.table", { ...right, "draft.table": { shape: [9], data: table?.data ?? [] } }],
  ["index-out-of-range", "next", { ...right, next: { shape: [3], data: [1, 3, 0] } }],
  ["index-out-of-range", "next", { ...right, next: { shape: [3], data: [1, -1, 0] } }],
])("%s of %s", async (code, tensor, given) => {
  const tensors = Object.entries(given).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  const error: unknown = await bind(Object.fromEntries(tensors)).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(BindError);
  expect(error).toMatchObject({ code, tensor });
});
