import { describe, expect, test } from "vitest";
import { type ScoredModel, scoreText, type TextOfIds, type TextScore } from "./score-text.ts";
import { ScoringError } from "./scoring-error.ts";
import { longestStride, type WindowPlan } from "./windows.ts";

const vocabulary = 5;
/** Depends on each id before and on its place, so that whatever is remembered too long or too short is seen. */
const logitsBehind = (ids: readonly number[]): readonly number[] =>
  Array.from({ length: vocabulary }, (_, v) =>
    ids.reduce((sum, id, at) => sum + Math.sin((id + 1) * (v + 2) + 3 * at), 100 * v),
  ).map((x) => x % 7);

function remembering(chunk: number): ScoredModel & { readonly calls: number[] } {
  let known: number[] = [];
  const calls: number[] = [];
  return {
    chunk,
    calls,
    forward: async (ids) => {
      calls.push(ids.length);
      return ids.flatMap((id) => {
        known.push(id);
        return logitsBehind(known);
      });
    },
    reset: () => {
      known = [];
    },
  };
}

/** -log of a share, as a probability is defined. */
function lossOf(id: number, behind: readonly number[]): number {
  const weights = logitsBehind(behind).map((x) => Math.exp(x));
  return -Math.log((weights[id] ?? 0) / weights.reduce((a, b) => a + b, 0));
}

async function scoresOf(
  model: ScoredModel,
  ids: readonly number[],
  plan: Omit<WindowPlan, "stride"> & { readonly stride?: number },
  decoder: TextOfIds | null = null,
): Promise<readonly TextScore[]> {
  const whole = { stride: longestStride(plan.context, plan.prefix), ...plan };
  const scores: TextScore[] = [];
  for await (const score of scoreText(model, { ids, plan: whole, decoder })) scores.push(score);
  return scores;
}
const last = (scores: readonly TextScore[]): TextScore => scores.at(-1) ?? expect.fail("there is no score");

const ids = [1, 4, 2, 0, 3, 3, 1, 2, 4, 0, 1];
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

describe.each([1, 2, 3, 100])("in calls of at most %i tokens", (chunk) => {
  test("a text in one window", async () => {
    const model = remembering(chunk);
    const { nats, ...counts } = last(await scoresOf(model, ids, { context: 12, prefix: [2], cut: false }));
    expect(counts).toEqual({ windows: 1, predictions: 11, bytes: null });
    expect(nats).toBeCloseTo(sum(ids.map((id, t) => lossOf(id, [2, ...ids.slice(0, t)]))), 12);
    // Nothing is predicted from the last one.
    expect(sum(model.calls)).toBe(11);
    expect(Math.max(...model.calls)).toBeLessThanOrEqual(chunk);
  });

  test("windows that do not overlap, and a cut", async () => {
    const expected = ids.map((id, t) => lossOf(id, [2, ...ids.slice(t - (t % 4), t)]));
    const plan = { context: 5, prefix: [2], cut: false };
    const whole = last(await scoresOf(remembering(chunk), ids, plan));
    expect([whole.windows, whole.predictions]).toEqual([3, 11]);
    expect(whole.nats).toBeCloseTo(sum(expected), 12);
    const first = last(await scoresOf(remembering(chunk), ids, { ...plan, cut: true }));
    expect([first.windows, first.predictions]).toEqual([1, 4]);
    expect(first.nats).toBeCloseTo(sum(expected.slice(0, 4)), 12);
  });

  test("windows that overlap: what was counted is context", async () => {
    // The first holds ids 0 to 3; the others go on by one, behind three.
    const expected = ids.map((id, t) => lossOf(id, [2, ...ids.slice(t < 4 ? 0 : t - 3, t)]));
    const { nats, ...counts } = last(
      await scoresOf(remembering(chunk), ids, { context: 5, prefix: [2], stride: 1, cut: false }),
    );
    expect(counts).toEqual({ windows: 8, predictions: 11, bytes: null });
    expect(nats).toBeCloseTo(sum(expected), 12);
  });

  test("without a prefix", async () => {
    // Windows of three: ids 0 to 2, 2 to 4, 4 to 6 and so on.
    const expected = ids.slice(1).map((id, i) => lossOf(id, ids.slice(i - (i % 2), i + 1)));
    const { nats, ...counts } = last(await scoresOf(remembering(chunk), ids, { context: 3, prefix: [], cut: false }));
    expect(counts).toEqual({ windows: 5, predictions: 10, bytes: null });
    expect(nats).toBeCloseTo(sum(expected), 12);
  });
});

test("scores grow call by call, and the last is the whole", async () => {
  const scores = await scoresOf(remembering(4), ids, { context: 12, prefix: [2], cut: false });
  expect(scores.map((s) => s.predictions)).toEqual([4, 8, 11, 11]);
  expect(scores[3]).toEqual(scores[2]);
  expect(scores[0]?.nats).toBeCloseTo(sum(ids.slice(0, 4).map((id, t) => lossOf(id, [2, ...ids.slice(0, t)]))), 12);
  expect(await scoresOf(remembering(4), [], { context: 12, prefix: [2], cut: false })).toEqual([
    { windows: 0, predictions: 0, nats: 0, bytes: null },
  ]);
});

test("bytes are those of the counted ids' text in UTF-8, with what the decoder holds back", async () => {
  const texts = ["a", "é", "", "😀", "€"];
  const told: number[] = [];
  const decoder: TextOfIds = {
    push: (id) => {
      told.push(id);
      return texts[id] ?? "";
    },
    end: () => "\uFFFD",
  };
  const plan = { context: 3, prefix: [], cut: false };
  const score = last(await scoresOf(remembering(100), ids, plan, decoder));
  expect(told).toEqual(ids.slice(1));
  expect(score.bytes).toBe(
    Buffer.byteLength(
      ids
        .slice(1)
        .map((id) => texts[id])
        .join(""),
    ) + 3,
  );
});

const fixed = (row: readonly number[]): ScoredModel => ({
  chunk: 8,
  forward: async (given) => given.flatMap(() => row),
  reset: () => undefined,
});
const natsOf = async (row: readonly number[], id: number): Promise<number> =>
  last(await scoresOf(fixed(row), [id], { context: 4, prefix: [0], cut: false })).nats;

test("logits of any size have a loss; only what has no probabilities is refused", async () => {
  expect(await natsOf([1000, 1000], 1)).toBeCloseTo(Math.LN2, 12);
  expect(await natsOf([-1000, -1002], 1)).toBeCloseTo(2 + Math.log1p(Math.exp(-2)), 12);
  expect(await natsOf([0, Number.NEGATIVE_INFINITY], 0)).toBe(0);
  expect(await natsOf([0, Number.NEGATIVE_INFINITY], 1)).toBe(Number.POSITIVE_INFINITY);
  const { NaN: nan, NEGATIVE_INFINITY: none, POSITIVE_INFINITY: all } = Number;
  for (const row of [
    [0, nan],
    [nan, 0],
    [none, none],
    [0, all],
  ])
    await expect(natsOf(row, 0)).rejects.toMatchObject({ name: "ScoringError", code: "bad-logits" });
  await expect(natsOf([0, 0], 2)).rejects.toThrow(
    new ScoringError("bad-id", "token 2 is none of the 2 that have logits"),
  );
});

test("what the model throws comes through, and what was counted before is known", async () => {
  const model = remembering(4);
  const stopped = new Error("stopped");
  const scores: TextScore[] = [];
  const scoring = async (): Promise<void> => {
    const forward: ScoredModel["forward"] = async (given) => {
      if (model.calls.length === 2) throw stopped;
      return model.forward(given);
    };
    const plan = { context: 12, prefix: [2], stride: 11, cut: false };
    for await (const score of scoreText({ ...model, forward }, { ids, plan, decoder: null })) scores.push(score);
  };
  await expect(scoring()).rejects.toBe(stopped);
  expect(scores.map((s) => s.predictions)).toEqual([4, 8]);
});
