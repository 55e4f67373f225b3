import { expect, test } from "vitest";
import { tokenStates, tokenTotal } from "../../dsl/graph-view/token-memory.ts";
import { block, deepseekV32, model } from "../cli/sample-model.ts";

const settings = [
  { name: "S", kind: "runtime" as const, type: "memory in 1..64", value: null },
  { name: "R", kind: "field" as const, type: "dim", value: "12" },
];

function rowsOf(...shapes: readonly string[]): readonly (number | null)[] {
  const states = shapes.map((shape, i) => ({ name: `s${i}`, shape }));
  return tokenStates(model({ settings, blocks: [block("b", "f", { states })] })).map((state) => state.row);
}

test("a token of DeepSeek-V3.2 leaves 61 x (576 + 128) numbers, and one layer's more in the draft layer", () => {
  const states = tokenStates(deepseekV32);
  expect(states.map(({ path, copies, row }) => [path, copies, row])).toEqual([
    ["layer.attn.latent", 61, 512],
    ["layer.attn.key_rope", 61, 64],
    ["layer.attn.indexer.key", 61, 128],
    ["draft_layer.layer.attn.latent", 1, 512],
    ["draft_layer.layer.attn.key_rope", 1, 64],
    ["draft_layer.layer.attn.indexer.key", 1, 128],
  ]);
  expect(tokenTotal(states)).toBe(42_944 + 704);
});

test("the size of a row is read from the shape", () => {
  expect(rowsOf("[S, R]", "[S div 4, R]", "[S, (2, R | 8)]", "[S, (R / 2, 2)]", "[S, 2 * R - 4]", "[S] f32")).toEqual([
    12,
    3,
    null,
    12,
    20,
    1,
  ]);
});

test("a shape that cannot be read is not known", () => {
  expect(rowsOf("[R, S]", "[S, Q]", "[S, R", "S, R", "", "[S, (R]", "[S, R]]", "[S, R] f32 f32", "[S, R / 0]")).toEqual(
    Array(9).fill(null),
  );
  expect(rowsOf(`[S, ${"(".repeat(5000)}R${")".repeat(5000)}]`)).toEqual([null]);
  expect(tokenTotal([{ path: "a", shape: "[S]", copies: null, row: 1 }])).toBe(null);
});
