/** Drafting in packages: what transformers drafts, the same text as without, and what is held wherever a text ends. */
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type { GenerateTextOptions, Model, Session } from "../../runtime/package/entry.ts";
import { type CallResult, TokenSession } from "../../runtime/session/token-session.ts";
import { loadMtpCase, loadReferenceMtpCase, type MtpCase } from "../oracle/references.ts";
import { type MtpPackage, packMtp, reseeded, rigged } from "./mtp-package.ts";

const full = process.env["DSC_FULL"] === "1";
const cases: readonly (readonly [MtpCase, string])[] = [
  [loadMtpCase("v3-mtp"), "deepseek-v3"],
  [loadReferenceMtpCase("v3.2-mtp"), "deepseek-v3.2"],
  ...(full ? ([[loadMtpCase("v3-mtp-eps"), "deepseek-v3"]] as const) : []),
];
const seeds = full ? [1, 2, 3, 4, 5, 6, 7, 8] : [1, 2];

interface Heard {
  readonly ids: readonly number[];
  readonly stop: unknown;
  readonly tokens: readonly number[];
  /** What the session said that it held, after each token. */
  readonly lengths: readonly number[];
}

async function hear(session: Session, prompt: readonly number[], options: GenerateTextOptions): Promise<Heard> {
  const ids: number[] = [];
  const lengths: number[] = [];
  let stop: unknown = null;
  for await (const step of session.generate(prompt, { temperature: 0, endIds: [], ...options })) {
    ids.push(step.token);
    lengths.push(session.length);
    expect(session.tokens.length).toBe(session.length);
    stop = step.stop;
  }
  return { ids, stop, tokens: [...session.tokens], lengths };
}

/** Fails but where the best two logits of a token are nearer than kernels round. */
async function expectSame(model: Model, prompt: readonly number[], want: Heard, got: Heard): Promise<void> {
  const at = want.ids.findIndex((id, i) => id !== got.ids[i]);
  if (at >= 0) {
    const session = model.session();
    const logits = [...(await session.forward([...prompt, ...want.ids.slice(0, at)]))].sort((a, b) => b - a);
    session.dispose();
    if ((logits[0] ?? 0) - (logits[1] ?? 0) < 1e-5 * Math.max(...logits.map(Math.abs))) return;
  }
  expect(got).toEqual(want);
}

const forced = ["right", "wrong", "by chance", "out of order"] as const;
/** Puts other logits in the place of those that are drafted; `text`: what the model would say after the prompt. */
function force(how: (typeof forced)[number], prompt: readonly number[], text: readonly number[]): void {
  const whole = [...prompt, ...text];
  const draft = TokenSession.prototype.draft;
  let known: readonly number[] = [];
  let length = -1;
  vi.spyOn(TokenSession.prototype, "draft").mockImplementation(async function (
    this: TokenSession,
    ids,
    given,
    options,
  ): Promise<CallResult> {
    const result = await draft.call(this, ids, given, options);
    const last = ids[ids.length - 1] ?? 0;
    known = this.length === length ? [...known, last] : [...this.tokens(), last];
    length = this.length;
    const count = result.logits.length;
    const next = whole[known.length] ?? 0;
    const other = (next + 1 + known.length) % count;
    const guess = {
      right: next,
      wrong: other === next ? (next + 1) % count : other,
      "by chance": (known.length * 2654435761) % count,
      "out of order": whole[known.length + 1] ?? 0,
    }[how];
    return { ...result, logits: result.logits.map((_, id) => (id === guess ? 1 : 0)) };
  });
}

describe.each(cases)("$name", (oracle, text) => {
  const { ids: prompt, steps, drafts } = oracle;
  let packed: MtpPackage;
  let model: Model;
  beforeAll(async () => {
    packed = await packMtp(oracle, text);
    model = await packed.load(oracle.weights());
  }, 240_000);
  afterAll(() => packed?.remove());
  afterEach(() => vi.restoreAllMocks());

  test("drafts what was recorded, token by token, and says what was recorded", async () => {
    const seen: { readonly known: number; readonly logits: Float32Array }[] = [];
    const draft = TokenSession.prototype.draft;
    vi.spyOn(TokenSession.prototype, "draft").mockImplementation(async function (this: TokenSession, ...given) {
      const result = await draft.apply(this, given);
      seen.push({ known: this.length + 1, logits: result.logits });
      return result;
    });
    // Two more, so that all that were recorded are looked at.
    const heard = await hear(model.session(), prompt, { maxTokens: steps.length + 2 });
    expect(heard.ids.slice(0, steps.length)).toEqual(steps);
    const looked = drafts.filter(({ accepted }) => accepted !== null);
    expect(seen.slice(0, looked.length).map(({ known }) => known)).toEqual(looked.map(({ known }) => known));
    const most = Math.max(...oracle.draftLogits.flat().map(Math.abs));
    for (const [j, { token }] of looked.entries()) {
      const logits = [...(seen[j]?.logits ?? [])];
      expect(logits.indexOf(Math.max(...logits))).toBe(token);
      for (const [v, want] of (oracle.draftLogits[j] ?? []).entries())
        expect(Math.abs((logits[v] ?? Number.NaN) - want) / most).toBeLessThan(1e-4);
    }
    // What cannot come any more is not drafted.
    const session = model.session();
    expect((await hear(session, prompt, { maxTokens: steps.length })).ids).toEqual(steps);
    const useful = looked.filter(({ known }) => known < prompt.length + steps.length - 1);
    const counts = { drafted: useful.length, accepted: useful.filter(({ accepted }) => accepted === true).length };
    expect(counts.accepted).toBeGreaterThan(0);
    expect(session.statistics).toEqual({ ...counts, steps: expect.any(Number), positions: [counts] });
  });

  test("says the same as without drafts, whatever is drafted", async () => {
    let said = 0;
    for (const seed of seeds) {
      const other = await packed.load(reseeded(oracle, seed));
      const start = prompt.map((id, i) => (id + seed * i) % 14);
      const want = await hear(other.session(), start, { draft: 0 });
      expect(want.stop).toEqual({ kind: "context-full" });
      for (const draft of [1, 2, 3, 5, 7]) {
        await expectSame(other, start, want, await hear(other.session(), start, { draft }));
        said += want.ids.length;
        for (const how of forced) {
          force(how, start, want.ids);
          const session = other.session();
          await expectSame(other, start, want, await hear(session, start, { draft }));
          vi.restoreAllMocks();
          said += want.ids.length;
          const { drafted = 0, accepted = 0, steps: calls = 0 } = session.statistics ?? {};
          if (how === "wrong") expect(accepted).toBe(0);
          if (how === "right") {
            expect(accepted).toBe(drafted);
            expect(calls).toBe(Math.ceil((want.ids.length - 1) / (draft + 1)));
          }
          session.dispose();
        }
      }
      other.dispose();
    }
    expect(said).toBeGreaterThanOrEqual(1000);
  }, 120_000);

  test.each([0, 2 ** -7, 2 ** -5])(
    "says the same where its own drafts are right often: rigged by %d",
    async (scale) => {
      const other = await packed.load(rigged(oracle, scale));
      const [plain, session] = [other.session(), other.session()];
      let [drafted, accepted] = [0, 0];
      for (const draft of [1, 2, 3, 7])
        for (const start of [prompt, [3], [1, 2, 3, 4, 5]]) {
          for (const one of [plain, session]) one.reset();
          const want = await hear(plain, start, { draft: 0 });
          await expectSame(other, start, want, await hear(session, start, { draft }));
          drafted += session.statistics?.drafted ?? 0;
          accepted += session.statistics?.accepted ?? 0;
        }
      if (scale === 0) expect(accepted).toBe(drafted);
      else expect([accepted / drafted > 0.15, accepted < drafted]).toEqual([true, true]);
      other.dispose();
    },
  );

  test("with a penalty for tokens that were there, drafted ones included", async () => {
    const options = { repetitionPenalty: 1.5 };
    const want = await hear(model.session(), prompt, { ...options, draft: 0 });
    for (const how of forced) {
      force(how, prompt, want.ids);
      await expectSame(model, prompt, want, await hear(model.session(), prompt, { ...options, draft: 3 }));
      vi.restoreAllMocks();
    }
  });

  test("refused tokens leave no trace: the bytes of a session that was never given them", async () => {
    const right = (await hear(model.session(), prompt, { draft: 0 })).ids;
    const bytesOf = async (how: (typeof forced)[number] | "nothing"): Promise<Uint8Array> => {
      if (how === "nothing") {
        const draft = TokenSession.prototype.draft;
        vi.spyOn(TokenSession.prototype, "draft").mockImplementation(async function (this: TokenSession, ...given) {
          const result = await draft.apply(this, given);
          return { ...result, logits: result.logits.map(() => Number.NaN) };
        });
      } else force(how, prompt, right);
      const session = model.session();
      await hear(session, prompt, { draft: 5, maxTokens: 12 });
      vi.restoreAllMocks();
      return session.save();
    };
    const want = await bytesOf("nothing");
    expect(await bytesOf("wrong")).toEqual(want);
    expect(await bytesOf("by chance")).toEqual(want);
  });

  test("ends where it would without drafts, and holds the same", async () => {
    const plain = await hear(model.session(), prompt, { draft: 0 });
    for (const draft of [1, 4, 7])
      for (let at = 1; at < 10; at += 1) {
        const id = plain.ids[at] ?? 0;
        for (const options of [{ maxTokens: at }, { endIds: [id] }, { endIds: [id], maxTokens: at }]) {
          const want = await hear(model.session(), prompt, { ...options, draft: 0 });
          force("right", prompt, plain.ids);
          const session = model.session();
          expect(await hear(session, prompt, { ...options, draft })).toEqual(want);
          vi.restoreAllMocks();
          // And goes on as if nothing had been drafted.
          const again = model.session();
          await hear(again, prompt, { ...options, draft: 0 });
          const more = [3, 1, id];
          await expectSame(
            model,
            [...want.tokens, ...more],
            await hear(again, more, { draft: 0, maxTokens: 6 }),
            await hear(session, more, { draft, maxTokens: 6 }),
          );
          for (const one of [session, again]) one.dispose();
        }
      }
  }, 60_000);

  test("an abort, and a loop that is left, hold the same", async () => {
    const { ids } = await hear(model.session(), prompt, { draft: 0 });
    for (let count = 1; count < 8; count += 1) {
      force("right", prompt, ids);
      const left = model.session();
      let seen = 0;
      for await (const _ of left.generate(prompt, { temperature: 0, endIds: [], draft: 3 })) {
        seen += 1;
        if (seen === count) break;
      }
      expect([...left.tokens]).toEqual([...prompt, ...ids.slice(0, count - 1)]);
      const aborted = model.session();
      const stop = new AbortController();
      const run = async (): Promise<void> => {
        seen = 0;
        const options = { temperature: 0, endIds: [], draft: 3, signal: stop.signal };
        for await (const _ of aborted.generate(prompt, options)) {
          seen += 1;
          if (seen === count) stop.abort("enough");
        }
      };
      await expect(run()).rejects.toBe("enough");
      expect([...aborted.tokens]).toEqual([...prompt, ...ids.slice(0, count - 1)]);
      vi.restoreAllMocks();
      for (const one of [left, aborted]) one.dispose();
    }
  });

  test("takes up a session whatever was done to it", async () => {
    const session = model.session();
    const plain = model.session();
    const saved = new Map<Session, Uint8Array>();
    const turns: readonly ((one: Session) => unknown)[] = [
      (one) => one.forward([1, 2, 3]),
      (one) => one.rollback(4),
      async (one) => {
        saved.set(one, await one.save());
      },
      (one) => one.forward(prompt),
      (one) => one.restore(saved.get(one) ?? new Uint8Array()),
      (one) => one.reset(),
    ];
    for (const turn of turns) {
      const options = { maxTokens: 5 };
      const want = await hear(plain, prompt.slice(0, 2), { ...options, draft: 0 });
      const before = want.tokens.slice(0, want.tokens.length - want.ids.length + 1);
      await expectSame(model, before, want, await hear(session, prompt.slice(0, 2), { ...options, draft: 2 }));
      for (const one of [plain, session]) await turn(one);
      expect(session.length).toBe(plain.length);
    }
  });

  test("one seed gives one answer", async () => {
    const options = { temperature: 1.5, topK: 9, minP: 0.01, seed: 5, maxTokens: 20, draft: 2 };
    const [a, b] = [await hear(model.session(), prompt, options), await hear(model.session(), prompt, options)];
    expect(a).toEqual(b);
  });

  test.each([[8], [-1], [0.5], ["2"], [Number.NaN]])("draft %o is refused", async (draft) => {
    const session = model.session();
    const run = hear(session, prompt, { draft: draft as number });
    await expect(run).rejects.toMatchObject({ code: "bad-option" });
    expect(session.length).toBe(0);
  });

  describe("of a checkpoint", () => {
    const layer = `model.layers.${JSON.parse(oracle.config).num_hidden_layers}.`;
    const without = (drop: (name: string) => boolean) => new Map([...oracle.weights()].filter(([name]) => !drop(name)));

    test("without the layer: it says so, generates as it does, and takes no memory for it", async () => {
      const lacking = await packed.load(without((name) => name.startsWith(layer)));
      expect(lacking.info.draft).toEqual({ available: false, reason: "no-weights" });
      expect(model.info.draft).toEqual({ available: true, most: 7 });
      expect(lacking.info.memory.weights).toBeLessThan(model.info.memory.weights);
      expect(lacking.info.memory.session).toBeLessThan(model.info.memory.session);
      const session = lacking.session();
      expect((await hear(session, prompt, { maxTokens: steps.length })).ids).toEqual(steps);
      expect(session.statistics).toBeNull();
      await expect(hear(lacking.session(), prompt, { draft: 1 })).rejects.toMatchObject({
        code: "no-draft",
        reason: "no-weights",
      });
      // What it remembers is the same.
      expect((await model.restore(await session.save())).length).toBe(session.length);
    });

    test("with the copies alone, which are the main model's", async () => {
      const copies = /\.(?:embed_tokens|shared_head\.head)\.weight$/;
      const lacking = await packed.load(without((name) => name.startsWith(layer) && !copies.test(name)));
      expect(lacking.info.draft).toEqual({ available: false, reason: "no-weights" });
    });

    test("with some of it: it is refused, and what is missing is named", async () => {
      const loading = packed.load(without((name) => /\.(?:eh_proj|enorm)\.weight$/.test(name)));
      await expect(loading).rejects.toMatchObject({
        code: "weights-mismatch",
        count: 2,
        problems: expect.arrayContaining([
          expect.objectContaining({ kind: "missing", tensor: `${layer}eh_proj.weight` }),
          expect.objectContaining({ kind: "missing", tensor: `${layer}enorm.weight` }),
        ]),
      });
    });

    test("that has it and is loaded without", async () => {
      const lacking = await packed.load(oracle.weights(), { draft: false });
      expect(lacking.info.draft).toEqual({ available: false, reason: "not-loaded" });
      expect(lacking.info.memory.weights).toBeLessThan(model.info.memory.weights);
      expect((await hear(lacking.session(), prompt, { maxTokens: steps.length })).ids).toEqual(steps);
      await expect(hear(lacking.session(), prompt, { draft: 2 })).rejects.toMatchObject({ reason: "not-loaded" });
    });
  });

  // It takes seconds a model.
  const once = test.runIf(full || text === cases[0]?.[1]);
  once("from the command line, with drafts and without", { timeout: 60_000 }, async () => {
    const args = ["run", "out", "--weights", "weights0", "--ids", prompt.join(), "--json"];
    const count = ["--max-tokens", String(steps.length), "--end-ids", "15"];
    for (const draft of [[], ["--draft", "off"], ["--draft", "3"], ["--draft", "2", "--chunk", "3"]]) {
      const { code, out, error } = await packed.run(...args, ...count, ...draft);
      expect([code, error]).toEqual([0, ""]);
      const { ids, statistics } = JSON.parse(out);
      expect(ids).toEqual(steps);
      if (draft[1] === "off") expect(statistics).not.toHaveProperty("drafted");
      else expect(statistics.accepted).toBeGreaterThan(0);
    }
    const refused = await packed.run(...args, "--draft", "8");
    expect([refused.code, refused.error]).toEqual([1, "dsc: draft 8: at most 7 tokens are checked at a time\n"]);
    const bench = ["bench", "out", "--weights", "weights0", "--prompt", "9", "--tokens", "20", "--runs", "1", "--json"];
    const { drafts } = JSON.parse((await packed.run(...bench, "--draft", "2")).out);
    expect(drafts).toMatchObject({ draft: 2, plainSeconds: {}, draftedSeconds: {} });
    expect(drafts.drafted).toBeGreaterThanOrEqual(drafts.accepted);
    expect(JSON.parse((await packed.run(...bench, "--draft", "off")).out).drafts).toBeNull();
  });

  test("with threads, and prompts in small pieces", async () => {
    const want = await hear(model.session(), prompt, { draft: 0 });
    const other = await packed.load(oracle.weights(), { threads: 2, chunk: 4 });
    // The last token of a call that checks was not guessed.
    expect(other.info.draft).toEqual({ available: true, most: 3 });
    await expectSame(other, prompt, want, await hear(other.session(), prompt, { draft: 3 }));
    other.dispose();
  });
});
