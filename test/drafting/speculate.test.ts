/** Drafting on a model that sees every mistake: what is said, what is remembered, and the mutants that these laws catch. */
import { describe, expect, test } from "vitest";
import { type Choices, newChoices } from "../../runtime/sampling/check-guess.ts";
import { randomFromSeed } from "../../runtime/sampling/random.ts";
import type { SamplingOptions } from "../../runtime/sampling/sampling-options.ts";
import { DraftCounts } from "../../runtime/session/draft-counts.ts";
import { DraftMemory } from "../../runtime/session/draft-memory.ts";
import type { DraftingModel } from "../../runtime/session/drafting-model.ts";
import { generate } from "../../runtime/session/generate.ts";
import { speculate } from "../../runtime/session/speculate.ts";
import { CountedModel, type CountedOptions } from "./counted-model.ts";

type Guess = CountedOptions["guess"];
const right: Guess = (text, model) => model.logits(text);
const wrong: Guess = (text, model) => model.logits(text).map((x) => -x);
const nothing: Guess = (text, model) => model.logits(text).map(() => Number.NaN);
/** Right in so many of a hundred places. */
const often =
  (percent: number): Guess =>
  (text, model) =>
    model.row(text) % 100 < percent ? right(text, model) : wrong(text, model);
/** What the model would have said a place before. */
const late: Guess = (text, model) => model.logits(text.slice(0, -1));

const guesses = { right, wrong, "often right": often(70), nothing, "out of order": late };

interface Saying {
  readonly prompt: readonly number[];
  readonly draft: number;
  readonly maxTokens?: number;
  readonly endId?: number;
  readonly sampling?: SamplingOptions;
  readonly seed?: number;
  readonly signal?: AbortSignal;
}

const pusher = (maxTokens: number, endId: number | undefined) => {
  let count = 0;
  return (id: number) => {
    count += 1;
    return { stop: id === endId || count >= maxTokens ? {} : null };
  };
};

/** With a model that may be another than it says, and choices too. */
function drafting(
  model: DraftingModel,
  memory: DraftMemory,
  { prompt, draft, maxTokens = 40, endId, sampling = { temperature: 0 }, seed = 1, signal }: Saying,
  choices: Choices = newChoices(randomFromSeed(seed), sampling),
) {
  const counts = new DraftCounts();
  const room = Math.min(maxTokens, model.context - model.length - prompt.length + 1);
  const push = pusher(room, endId);
  return { counts, steps: speculate({ prompt, model, memory, choices, push, draft, maxTokens: room, counts, signal }) };
}

async function idsOf(steps: AsyncIterable<{ readonly id: number }>): Promise<readonly number[]> {
  const ids: number[] = [];
  for await (const { id } of steps) ids.push(id);
  return ids;
}

/** What a model says that drafts nothing, and what it holds then. */
async function plainly(model: CountedModel, { prompt, maxTokens = 40, endId, sampling, seed = 1 }: Saying) {
  const room = Math.min(maxTokens, model.context - model.length - prompt.length + 1);
  const { choose } = newChoices(randomFromSeed(seed), sampling ?? { temperature: 0 });
  let logits: ArrayLike<number> = [];
  const next = async (ids: readonly number[]) => {
    for (const id of ids) logits = (await model.advance([id], "next")).logits;
    return logits;
  };
  const ids = await idsOf(generate({ prompt, next, choose, push: pusher(room, endId) }));
  return { ids, tokens: model.tokens() };
}

describe.each(Object.entries(guesses))("guesses that are %s", (name, guess) => {
  test.each([1, 2, 3, 5, 7])("%d at a time: the same text, and the same tokens held", async (draft) => {
    for (let seed = 0; seed < 6; seed += 1) {
      const options = { vocabulary: 11, seed, guess, chunk: 4 + seed };
      const prompt = Array.from({ length: 3 + 4 * seed }, (_, i) => (i * 7 + seed) % 11);
      const sampling = { temperature: 0, repetitionPenalty: seed % 2 === 0 ? 1 : 1.7 };
      const saying = { prompt, draft, sampling, ...(seed % 3 === 2 ? { endId: 4 } : {}) };
      const want = await plainly(new CountedModel(options), saying);
      const model = new CountedModel(options);
      const memory = new DraftMemory();
      const { counts, steps } = drafting(model, memory, saying);
      expect(await idsOf(steps)).toEqual(want.ids);
      expect(model.tokens()).toEqual(want.tokens);
      expect(model.wrong).toEqual([]);
      const { drafted, accepted } = counts.statistics();
      if (name === "wrong") expect(accepted).toBe(0);
      if (name === "nothing") expect(drafted).toBe(0);
      if (name === "right" && sampling.repetitionPenalty === 1) {
        expect(accepted).toBe(drafted);
        const most = Math.ceil(prompt.length / model.chunk) + Math.ceil(want.ids.length / (draft + 1));
        expect(model.calls.advance).toBeLessThanOrEqual(most);
      }
    }
  });
});

test("several texts in one session, with everything that a caller may do between them", async () => {
  const random = randomFromSeed(11);
  const below = (n: number): number => Math.floor(random.nextFraction() * n);
  for (let round = 0; round < 60; round += 1) {
    const options = { vocabulary: 7, seed: round, guess: often(80), context: 160, chunk: 5, checks: 4 };
    const [model, plain] = [new CountedModel(options), new CountedModel(options)];
    const memory = new DraftMemory();
    for (let turn = 0; turn < 5; turn += 1) {
      const saying = {
        prompt: Array.from({ length: 1 + below(9) }, () => below(7)),
        draft: 1 + below(3),
        maxTokens: 1 + below(12),
        endId: below(9),
      };
      const want = await plainly(plain, saying);
      expect(await idsOf(drafting(model, memory, saying).steps)).toEqual(want.ids);
      expect(model.tokens()).toEqual(want.tokens);
      expect(model.wrong).toEqual([]);
      // Every pair is of the text, and none is beyond it.
      expect(model.drafted).toBeLessThan(Math.max(1, model.length));
      const change = below(5);
      for (const one of [model, plain]) {
        if (change === 1) one.rollback(Math.min(one.length, 1 + (round % 7)));
        if (change === 2) for (let i = 0; i <= round % 6; i += 1) await one.advance([i], "next");
        if (change === 3) {
          one.rollback(2);
          for (let i = 0; i < 2; i += 1) await one.advance([round % 7], "next");
        }
        if (change === 4) {
          one.rollback(one.length);
          one.undraft(one.drafted);
        }
      }
    }
  }
});

test("where it is one token behind, one is computed again; where it is many, it begins anew", async () => {
  const options = { vocabulary: 7, seed: 3, guess: right, checks: 4 };
  const model = new CountedModel(options);
  const memory = new DraftMemory();
  await idsOf(drafting(model, memory, { prompt: [1, 2, 3, 4, 5, 6], draft: 2, maxTokens: 9 }).steps);
  expect(model.drafted + memory.waiting).toBe(model.length);
  model.rollback(4);
  await idsOf(drafting(model, memory, { prompt: [1], draft: 2, maxTokens: 9 }).steps);
  expect(model.calls.again).toBe(1);
  expect(model.drafted + memory.waiting).toBe(model.length);
  for (let i = 0; i < 6; i += 1) await model.advance([i], "next");
  const start = model.length;
  await idsOf(drafting(model, memory, { prompt: [1], draft: 2, maxTokens: 9 }).steps);
  expect(model.calls.again).toBe(1);
  expect(model.drafted + memory.waiting).toBe(model.length - start);
  expect(model.wrong).toEqual([]);
});

describe("a text that ends early", () => {
  test.each([0, 1, 2, 3, 4, 5, 6])("left after %d more tokens: held as without drafts", async (more) => {
    const options = { vocabulary: 9, seed: 5, guess: right };
    const model = new CountedModel(options);
    const memory = new DraftMemory();
    const ids: number[] = [];
    for await (const { id } of drafting(model, memory, { prompt: [1, 2, 3], draft: 4 }).steps) {
      ids.push(id);
      if (ids.length > more) break;
    }
    expect(model.tokens()).toEqual([1, 2, 3, ...ids.slice(0, -1)]);
    const next = { prompt: [8, 8], draft: 4 };
    const plain = new CountedModel(options);
    for (const id of model.tokens()) await plain.advance([id], "next");
    expect(await idsOf(drafting(model, memory, next).steps)).toEqual((await plainly(plain, next)).ids);
    expect(model.wrong).toEqual([]);
  });

  test.each([1, 2, 3, 4, 5])("aborted after token %d: held as without drafts", async (more) => {
    const model = new CountedModel({ vocabulary: 9, seed: 5, guess: right });
    const abort = new AbortController();
    const ids: number[] = [];
    const run = async (): Promise<void> => {
      const saying = { prompt: [1, 2, 3], draft: 3, signal: abort.signal };
      for await (const { id } of drafting(model, new DraftMemory(), saying).steps) {
        ids.push(id);
        if (ids.length === more) abort.abort("enough");
      }
    };
    await expect(run()).rejects.toBe("enough");
    expect(model.tokens()).toEqual([1, 2, 3, ...ids.slice(0, -1)]);
  });

  test("in the prompt: neither is held", async () => {
    const model = new CountedModel({ vocabulary: 9, seed: 5, guess: right, chunk: 3 });
    const memory = new DraftMemory();
    await idsOf(drafting(model, memory, { prompt: [1, 2, 3, 4], draft: 1, maxTokens: 3 }).steps);
    const before = model.tokens();
    const abort = new AbortController();
    const whole = model.advance.bind(model);
    const saying = { prompt: [1, 2, 3, 4, 5, 6, 7], draft: 1, signal: abort.signal };
    model.advance = (ids, logits) => {
      abort.abort("enough");
      return whole(ids, logits);
    };
    await expect(idsOf(drafting(model, memory, saying).steps)).rejects.toBe("enough");
    model.advance = whole;
    expect(model.tokens()).toEqual(before);
    await idsOf(drafting(model, memory, { prompt: [1], draft: 1, maxTokens: 3 }).steps);
    expect(model.wrong).toEqual([]);
  });
});

describe("chosen by chance", () => {
  const vocabulary = 3;
  const count = 10_000;
  /** How far counts of the first three tokens are from their probabilities: chi-squared of 26 degrees. */
  async function distance(draft: number, change: (choices: Choices) => Choices): Promise<number> {
    const options = { vocabulary, seed: 2, guess: often(50), chunk: 8 };
    const seen = new Float64Array(vocabulary ** 3);
    const random = randomFromSeed(draft);
    const sampling = { temperature: 1.3, repetitionPenalty: 1.5 };
    const choices = change(newChoices(random, sampling));
    for (let i = 0; i < count; i += 1) {
      const model = new CountedModel(options);
      const { steps } = drafting(model, new DraftMemory(), { prompt: [0], draft, maxTokens: 4 }, choices);
      const [a = 0, b = 0, c = 0] = await idsOf(steps);
      const cell = (a * vocabulary + b) * vocabulary + c;
      seen[cell] = (seen[cell] ?? 0) + 1;
    }
    const model = new CountedModel(options);
    const shares = (text: readonly number[]): readonly number[] => {
      const logits = model.logits(text).map((x, id) => (text.includes(id) ? (x < 0 ? x * 1.5 : x / 1.5) : x));
      const all = logits.map((x) => Math.exp(x / 1.3));
      return all.map((x) => x / all.reduce((sum, y) => sum + y, 0));
    };
    let off = 0;
    for (const [a, pa] of shares([0]).entries())
      for (const [b, pb] of shares([0, a]).entries())
        for (const [c, pc] of shares([0, a, b]).entries()) {
          const want = count * pa * pb * pc;
          off += ((seen[(a * vocabulary + b) * vocabulary + c] ?? 0) - want) ** 2 / want;
        }
    return off;
  }
  /** One in ten thousand is beyond it. */
  const bound = 59;
  const same = (choices: Choices): Choices => choices;

  test.each([1, 2, 3])("%d at a time: as likely as the model says", async (draft) => {
    expect(await distance(draft, same)).toBeLessThan(bound);
  });
  test.each<[string, (choices: Choices) => Choices]>([
    ["accepts always", (c) => ({ ...c, check: (_, guess) => ({ id: guess.id, accepted: true }) })],
    [
      "draws from p and not from what is left of it",
      (c) => ({
        ...c,
        check: (logits, guess, previous) => {
          const checked = c.check(logits, guess, previous);
          return checked.accepted ? checked : { id: c.choose(logits, previous), accepted: false };
        },
      }),
    ],
    ["has a penalty that does not see drafts", (c) => ({ ...c, check: (l, g) => c.check(l, g, [0]) })],
  ])("a mutant that %s is caught", async (_, change) => {
    expect(await distance(2, change)).toBeGreaterThan(2 * bound);
  });
});

describe("mutants of the loop are caught", () => {
  const options = { vocabulary: 11, seed: 4, guess: often(60) };
  const saying = { prompt: [1, 2, 3, 4], draft: 3 };
  /** Whether the text, what is held and what was fed are right. */
  async function holds(change: (model: CountedModel) => DraftingModel): Promise<boolean> {
    const want = await plainly(new CountedModel(options), saying);
    const model = new CountedModel(options);
    try {
      const ids = await idsOf(drafting(change(model), new DraftMemory(), saying).steps);
      const tokens = model.tokens();
      return (
        model.wrong.length === 0 &&
        JSON.stringify([ids, tokens]) === JSON.stringify([want.ids, want.tokens]) &&
        model.drafted < model.length
      );
    } catch (error) {
      if (error instanceof RangeError) return false;
      throw error;
    }
  }
  /** The model with some of it otherwise. */
  const with_ = (model: CountedModel, other: Partial<DraftingModel>): DraftingModel =>
    new Proxy(model, {
      get: (target, name) => {
        if (name in other) return Reflect.get(other, name);
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });

  test("the loop itself holds", async () => {
    expect(await holds((model) => with_(model, {}))).toBe(true);
  });
  test.each<[string, (model: CountedModel) => Partial<DraftingModel>]>([
    ["guesses stay in the drafting entry", () => ({ undraft: () => undefined })],
    ["refused tokens stay in the model", () => ({ rollback: () => undefined })],
    [
      "one refused token stays in the model",
      (model) => ({ rollback: (count) => model.rollback(Math.max(0, count - 1)) }),
    ],
    [
      "logits are those of a row before",
      (model) => ({
        advance: async (ids, logits) => {
          const told = await model.advance(ids, logits);
          const width = told.logits.length / ids.length;
          if (logits === "next" || ids.length === 1) return told;
          const shifted = told.logits.slice();
          shifted.copyWithin(width, 0);
          return { ...told, logits: shifted };
        },
      }),
    ],
    [
      "rows are those of a token before",
      (model) => ({
        advance: async (ids, logits) => {
          const told = await model.advance(ids, logits);
          return { ...told, rows: told.rows.map((rows) => rows.slice().copyWithin(2, 0)) };
        },
      }),
    ],
  ])("%s", async (_, change) => {
    expect(await holds((model) => with_(model, change(model)))).toBe(false);
  });
});
