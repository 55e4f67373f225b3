import { describe, expect, test } from "vitest";
import { dim } from "../../compiler/graph/dim.ts";
import { interpretSlowly } from "../../compiler/graph/interpret/slowly.ts";
import { prepare, type RunOptions, realsOf, StateStore, type Tensor, tensor } from "../../compiler/graph/interpret.ts";
import { parse } from "../../compiler/graph/parse.ts";
import { print } from "../../compiler/graph/print.ts";
import { printProblem, verify } from "../../compiler/graph/verify.ts";
import { paramTensor } from "./random-values.ts";
import { expectSameTensor, reordered } from "./same-meaning.ts";
import { llamaSizes, smallLlama } from "./small-llama.ts";

const weights = new Map<string, Tensor>();
const options = (tokens: readonly number[], state: StateStore, S0: number): RunOptions => {
  const sizes = { ...llamaSizes, S0, T: tokens.length };
  return {
    sizes,
    state,
    param: (n) => {
      if (n.kind === "input") return tensor([tokens.length], tokens);
      const known = weights.get(n.name) ?? paramTensor(n, sizes, 3, dim(1));
      weights.set(n.name, known);
      return known;
    },
  };
};
const tokens = [5, 17, 300, 2, 2, 511, 44];
const logits = (found: readonly Tensor[], row: number): Tensor => {
  const all = found[0] === undefined ? new Float64Array(0) : realsOf(found[0]);
  return tensor([512], all.slice(row * 512, (row + 1) * 512));
};

describe("a small Llama", () => {
  const [nodes, fold] = [smallLlama("nodes"), smallLlama("fold")];
  test("is well formed, and its text is it", () => {
    for (const g of [nodes, fold]) {
      expect(verify(g).map(printProblem)).toEqual([]);
      const again = parse(print(g));
      expect(again.ok && print(again.graph)).toBe(print(g));
    }
  });
  test("token by token it says what it says to all at once; streamed attention says the same", () => {
    const [one, all] = [new StateStore(), new StateStore()];
    const [naive, streamed] = [prepare(nodes), prepare(fold)];
    const whole = naive.run(options(tokens, all, 0));
    tokens.forEach((t, i) => {
      const step = streamed.run(options([t], one, i));
      expectSameTensor(logits(whole, i), logits(step, 0), reordered, `token ${i}`);
    });
    expect(one.rows("k.state")).toBe(tokens.length);
    one.rollback(3);
    const again = streamed.run(options(tokens.slice(4), one, 4));
    expectSameTensor(logits(whole, 6), logits(again, 2), reordered, "after a rollback");
  });
  test("slowly, bit for bit", () => {
    for (const g of [nodes, fold]) {
      const [a, b] = [new StateStore(), new StateStore()];
      const prepared = prepare(g);
      for (const [i, t] of [
        [0, 9],
        [1, 8],
      ] as const) {
        const [slow, fast] = [interpretSlowly(g, options([t], a, i)), prepared.run(options([t], b, i))];
        expectSameTensor(logits(slow, 0), logits(fast, 0), "bits", `token ${i}`);
      }
    }
  });
});
