/** Text and ids from the small model: what `generate` gives is what `forward` says, token by token. */
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type GenerateTextOptions, loadPackage, type Model, type Session } from "../../runtime/package/entry.ts";
import { greedy } from "../../runtime/sampling/candidates.ts";
import { randomFromSeed } from "../../runtime/sampling/random.ts";
import { sample } from "../../runtime/sampling/sample.ts";
import { byteLevelFile } from "../text/tiny-tokenizer.ts";
import { type PackageOnDisk, writePackage } from "./tiny-package.ts";

const letters = [..."abcdefghijklmnopqrst"];
const [bos, eos] = [21, 22];
const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
const tokenizer = {
  ...byteLevelFile,
  model: {
    ...byteLevelFile.model,
    vocab: Object.fromEntries([...letters, "ab"].map((token, id) => [token, id])),
    merges: ["a b"],
  },
  added_tokens: [
    { id: bos, content: "<s>", ...flags },
    { id: eos, content: "</s>", ...flags },
  ],
};
const config = { add_bos_token: true, bos_token: "<s>", eos_token: "</s>" };

let disk: PackageOnDisk;
let model: Model;
let plain: Model;
beforeAll(async () => {
  disk = await writePackage();
  plain = await loadPackage(disk.base, { weights: join(disk.weights, "model.safetensors"), threads: 1 });
  await plain.tokenizer();
  await writeFile(join(disk.weights, "tokenizer.json"), JSON.stringify(tokenizer));
  await writeFile(join(disk.weights, "tokenizer_config.json"), JSON.stringify(config));
  model = await loadPackage(disk.base, { weights: disk.weights, threads: 1, chunk: 5 });
});
afterAll(async () => {
  model.dispose();
  plain.dispose();
  await rm(disk.folder, { recursive: true });
});

async function collect(session: Session, prompt: string | readonly number[], options: GenerateTextOptions) {
  const tokens: number[] = [];
  let text = "";
  let stop = null;
  for await (const step of session.generate(prompt, options)) {
    tokens.push(step.token);
    text += step.text;
    stop = step.stop;
  }
  return { tokens, text, stop };
}

/** The same by `forward` alone. */
async function byHand(
  prompt: readonly number[],
  count: number,
  choose: (l: Float32Array, before: readonly number[]) => number,
) {
  const session = model.session();
  const tokens: number[] = [];
  let given = prompt;
  for (let i = 0; i < count; i += 1) {
    const id = choose(await session.forward(given), [...prompt, ...tokens]);
    tokens.push(id);
    given = [id];
  }
  session.dispose();
  return tokens;
}

describe("generate", () => {
  test("takes the best token at temperature 0", async () => {
    const session = model.session();
    const { tokens, text, stop } = await collect(session, [1, 2, 3, 4, 5, 6, 7], {
      temperature: 0,
      maxTokens: 9,
      endIds: [],
    });
    expect(tokens).toEqual(await byHand([1, 2, 3, 4, 5, 6, 7], 9, greedy));
    expect(text).toBe((await model.tokenizer())?.decode(tokens, { skipSpecial: true }));
    expect(stop).toEqual({ kind: "max-tokens", count: 9 });
    expect(session.length).toBe(7 + 8);
  });
  test("says that the context was full where that, and not the caller, was the limit", async () => {
    const session = plain.session();
    const prompt = Array.from({ length: plain.info.context - 2 }, (_, i) => i % 20);
    const { tokens, stop } = await collect(session, prompt, { temperature: 0, endIds: [], maxTokens: 50 });
    expect(tokens.length).toBe(3); // the last one is given back and not remembered
    expect(stop).toEqual({ kind: "context-full" });
    session.dispose();
  });

  test("the same seed gives the same tokens, with all options", async () => {
    const options = { temperature: 2, topK: 9, topP: 0.95, minP: 0.01, repetitionPenalty: 1.3 };
    const random = randomFromSeed(5);
    const want = await byHand([1, 2], 12, (logits, before) => sample(logits, random, options, before));
    for (let i = 0; i < 2; i += 1) {
      const session = model.session();
      const { tokens } = await collect(session, [1, 2], { ...options, seed: 5, maxTokens: 12, endIds: [] });
      expect(tokens).toEqual(want);
      session.dispose();
    }
  });

  test("the penalty is for what the session held before, too", async () => {
    const options = { temperature: 0, repetitionPenalty: 50, maxTokens: 5, endIds: [] };
    const session = model.session();
    const start = [1, 2, 3, 4, 6, 8, 10];
    await session.forward(start);
    const { tokens } = await collect(session, [5], options);
    const random = randomFromSeed(0);
    expect(tokens).toEqual(await byHand([...start, 5], 5, (logits, before) => sample(logits, random, options, before)));
    expect(tokens).not.toEqual(await byHand([...start, 5], 5, greedy));
  });

  test("a text gets BOS at the start of a session, and not later", async () => {
    const session = model.session();
    await collect(session, "cab", { maxTokens: 1, endIds: [] });
    expect([...session.tokens]).toEqual([bos, 2, 20]);
    await collect(session, "t", { maxTokens: 1, endIds: [] });
    expect([...session.tokens]).toEqual([bos, 2, 20, 19]);
  });

  test("ends at an end id, at a stop text, and when the context is full", async () => {
    const greedyOptions = { temperature: 0, maxTokens: 20, endIds: [] };
    const { tokens, text } = await collect(model.session(), [7, 3, 9], greedyOptions);
    const id = tokens[4] ?? -1;
    const first = tokens.indexOf(id);
    const ended = await collect(model.session(), [7, 3, 9], { ...greedyOptions, endIds: [id] });
    expect(ended).toMatchObject({ tokens: tokens.slice(0, first + 1), stop: { kind: "end-of-text", id } });
    if (text.length > 3) {
      const stop = text.slice(2, 4);
      const stopped = await collect(model.session(), [7, 3, 9], { ...greedyOptions, stop });
      expect(stopped).toMatchObject({ text: text.slice(0, text.indexOf(stop)), stop: { kind: "stop-string" } });
    }
    const full = model.session();
    await collect(full, [7, 3, 9], { temperature: 0, endIds: [] });
    expect(full.length).toBe(model.info.context);
    await expect(collect(full, [1], {})).rejects.toMatchObject({ code: "context-length" });
  });

  test("without a tokenizer ids only", async () => {
    const session = plain.session();
    const { tokens, text } = await collect(session, [1, 2], { maxTokens: 3, endIds: [], temperature: 0 });
    expect([tokens, text]).toEqual([await byHand([1, 2], 3, greedy), ""]);
    await expect(collect(session, "abc", {})).rejects.toMatchObject({ code: "no-tokenizer" });
    await expect(collect(session, [1], { stop: "a" })).rejects.toMatchObject({ code: "no-tokenizer" });
  });

  test("nothing else while it generates; a loop that is left ends it", async () => {
    const session = model.session();
    for await (const _ of session.generate([1], { endIds: [] })) {
      await expect(session.forward([1])).rejects.toMatchObject({ code: "busy" });
      await expect(collect(session, [1], {})).rejects.toMatchObject({ code: "busy" });
      break;
    }
    await session.forward([1]);
  });

  test("an abort between tokens", async () => {
    const session = model.session();
    const stop = new AbortController();
    const seen: number[] = [];
    const run = async (): Promise<void> => {
      for await (const { token } of session.generate([1, 2], { endIds: [], signal: stop.signal })) {
        seen.push(token);
        if (seen.length === 3) stop.abort("enough");
      }
    };
    await expect(run()).rejects.toBe("enough");
    expect([...session.tokens]).toEqual([1, 2, ...seen.slice(0, 2)]);
    await session.forward([1]);
  });

  test.each<object>([
    { temperature: -1 },
    { seed: 0.5 },
    { maxTokens: 0 },
    { maxTokens: "3" },
    { stop: "" },
    { stop: 5 },
    { stop: [1] },
    { endIds: 5 },
    { endIds: ["a"] },
    { signal: {} },
  ])("%o is refused and changes nothing", async (options) => {
    const session = model.session();
    await expect(collect(session, [1], { ...options })).rejects.toMatchObject({ code: "bad-option" });
    expect(session.length).toBe(0);
    await session.forward([1]);
  });

  test.each<[unknown, string]>([
    [[], "bad-token"],
    [[1.5], "bad-token"],
    [[24], "bad-token"],
    [null, "bad-token"],
    [{ length: -1 }, "bad-token"],
    [Array.from({ length: 49 }, () => 1), "context-length"],
  ])("a prompt of %o is refused and changes nothing", async (prompt, code) => {
    const session = model.session();
    await expect(collect(session, prompt as number[], {})).rejects.toMatchObject({ code });
    expect(session.length).toBe(0);
    await session.forward([1]);
  });
});
