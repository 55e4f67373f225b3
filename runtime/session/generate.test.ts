import { expect, test } from "vitest";
import { generate } from "./generate.ts";

/** A model whose best token is always one more than the last. */
function counting(stopAt: number) {
  const calls: (readonly number[])[] = [];
  const seen: (readonly number[])[] = [];
  return {
    calls,
    seen,
    options: {
      prompt: [3, 4],
      next: (ids: readonly number[]) => {
        calls.push(ids);
        return [(ids.at(-1) ?? 0) + 1];
      },
      choose: (logits: ArrayLike<number>, previous: readonly number[]) => {
        seen.push([...previous]);
        return logits[0] ?? 0;
      },
      push: (id: number) => ({ stop: id === stopAt ? { kind: "end" } : null }),
    },
  };
}

test("the prompt goes in once, then each token but the last", async () => {
  const { calls, seen, options } = counting(7);
  const ids: number[] = [];
  for await (const { id } of generate(options)) ids.push(id);
  expect(ids).toEqual([5, 6, 7]);
  expect(calls).toEqual([[3, 4], [5], [6]]);
  expect(seen).toEqual([
    [3, 4],
    [3, 4, 5],
    [3, 4, 5, 6],
  ]);
});

test("an abort ends it before the next call of the model", async () => {
  const { calls, options } = counting(100);
  const abort = new AbortController();
  const ids: number[] = [];
  const run = async (): Promise<void> => {
    for await (const { id } of generate({ ...options, signal: abort.signal })) {
      ids.push(id);
      if (ids.length === 3) abort.abort("enough");
    }
  };
  await expect(run()).rejects.toBe("enough");
  expect(ids).toEqual([5, 6, 7]);
  expect(calls).toHaveLength(3);
});
