/** Drafting with the small model, that has a tokenizer: texts that end inside of drafts, several memories, and what callers do meanwhile. */
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { nodeHost } from "../../runtime/node/node-host.ts";
import { type GenerateTextOptions, loadPackage, type Model, type Session } from "../../runtime/package/entry.ts";
import { loadInto } from "../../runtime/package/load-package.ts";
import { wasmPlayer } from "../../runtime/package/wasm-player.ts";
import { withoutDraft } from "../../runtime/session/optional-weights.ts";
import { TokenSession } from "../../runtime/session/token-session.ts";
import { draftingOver, draftingProgram } from "../runtime/drafting-program.ts";
import { limitFor, orderOf } from "../runtime/limit-memories.ts";
import { f32Tensor, type PackageOnDisk, tinyTensors, writePackage } from "../runtime/tiny-package.ts";
import { sizes } from "../runtime/tiny-program.ts";
import { wideProgram } from "../runtime/wide-program.ts";
import { byteLevelFile } from "../text/tiny-tokenizer.ts";

const letters = [..."abcdefghijklmnopqrstuvwx"];
const tokenizer = {
  ...byteLevelFile,
  model: { ...byteLevelFile.model, vocab: Object.fromEntries(letters.map((l, id) => [l, id])), merges: [] },
  added_tokens: [],
};
const scale = f32Tensor(
  "model.draft.g",
  [sizes.D],
  Float32Array.from({ length: sizes.D }, (_, d) => (d - 3) / 4),
);

let disk: PackageOnDisk;
let model: Model;
beforeAll(async () => {
  disk = await writePackage({ program: draftingProgram, tensors: [...tinyTensors, scale] });
  await writeFile(join(disk.weights, "tokenizer.json"), JSON.stringify(tokenizer));
  model = await loadPackage(disk.base, { weights: disk.weights, threads: 1, chunk: 8 });
});
afterAll(async () => {
  model.dispose();
  await rm(disk.folder, { recursive: true });
});
afterEach(() => vi.restoreAllMocks());

async function hear(session: Session, prompt: string, options: GenerateTextOptions) {
  let text = "";
  const lengths: number[] = [];
  let stop: unknown = null;
  for await (const step of session.generate(prompt, { temperature: 0, endIds: [], ...options })) {
    text += step.text;
    lengths.push(session.length);
    stop = step.stop;
  }
  return { text, lengths, stop, tokens: [...session.tokens] };
}

/** Every guess is right: what the model itself would say, which another session knows. */
function rightly(): void {
  const oracle = model.session();
  const draft = TokenSession.prototype.draft;
  let known: readonly number[] = [];
  let length = -1;
  vi.spyOn(TokenSession.prototype, "draft").mockImplementation(async function (
    this: TokenSession,
    ids,
    given,
    options,
  ) {
    const result = await draft.call(this, ids, given, options);
    known = [...(this.length === length ? known : this.tokens()), ids[ids.length - 1] ?? 0];
    length = this.length;
    oracle.reset();
    return { ...result, logits: known.length < 48 ? await oracle.forward(known) : result.logits };
  });
}

describe.each([1, 3, 7])("%d at a time", (draft) => {
  test("stop texts end where they would, wherever drafts end", async () => {
    const whole = (await hear(model.session(), "cab", { draft: 0 })).text;
    expect(whole.length).toBeGreaterThan(30);
    for (let at = 0; at < 20; at += 1)
      for (const length of [1, 2, 3, 5]) {
        const stop = whole.slice(at, at + length);
        const want = await hear(model.session(), "cab", { draft: 0, stop });
        expect(want.stop).toEqual({ kind: "stop-string", text: stop });
        rightly();
        expect(await hear(model.session(), "cab", { draft, stop })).toEqual(want);
        vi.restoreAllMocks();
        expect(await hear(model.session(), "cab", { draft, stop })).toEqual(want);
      }
  });

  test("chances: what is held is all that was said but the last", async () => {
    for (let seed = 0; seed < 12; seed += 1) {
      const session = model.session();
      const options = { temperature: 1.5, topP: 0.9, repetitionPenalty: 1.1, seed, draft, maxTokens: 3 + seed };
      const { text, tokens } = await hear(session, "hello", options);
      expect(text).toHaveLength(3 + seed);
      const said = (await model.tokenizer())?.encode(`hello${text}`) ?? [];
      expect(tokens).toEqual(said.slice(0, -1));
    }
  });
});

test("a session that is disposed in the middle, and nothing else while it drafts", async () => {
  const session = model.session();
  for await (const _ of session.generate("cab", { draft: 3, endIds: [] })) {
    await expect(session.forward([1])).rejects.toMatchObject({ code: "busy" });
    expect(() => session.rollback(1)).toThrow(/busy/);
    session.dispose();
    break;
  }
  const other = model.session();
  const run = async (): Promise<void> => {
    for await (const _ of other.generate("cab", { draft: 3, endIds: [] })) other.dispose();
  };
  await expect(run()).rejects.toMatchObject({ code: "disposed" });
});

test.each([
  [2, 1],
  [3, 2],
])("in %d memories, with %d threads: the same, and without the layer less", async (count, threads) => {
  // Weights have to be larger than all else to be cut.
  const height = 512;
  const wide = draftingOver(wideProgram(height, 0));
  const tensors = tinyTensors.map((t) => {
    if (!/layers/.test(t.name)) return t;
    const rows = new Float32Array(height * sizes.D);
    new Uint8Array(rows.buffer).set(t.bytes);
    return f32Tensor(t.name, [height, sizes.D], rows);
  });
  const place = await writePackage({ program: wide, tensors: [...tensors, scale] });
  await writeFile(join(place.weights, "tokenizer.json"), JSON.stringify(tokenizer));
  const order = orderOf(wide, 48, threads);
  const load = (program: typeof wide, draft: boolean) => {
    const host = { ...nodeHost(place.worker), memoryBytes: limitFor({ ...order, program }, count) };
    return loadInto({
      base: place.base,
      options: { weights: place.weights, threads, draft },
      host,
      player: wasmPlayer,
    });
  };
  const several = await load(wide, true);
  expect(several.info).toMatchObject({ threads, memory: { memories: count }, draft: { available: true } });
  for (const draft of [0, 1, 5]) {
    const want = await hear(model.session(), "cabcabcab", { draft });
    expect(await hear(several.session(), "cabcabcab", { draft })).toEqual(want);
  }
  const without = await load(withoutDraft(wide), false);
  expect(without.info.draft).toEqual({ available: false, reason: "not-loaded" });
  expect(without.info.memory.session).toBeLessThan(several.info.memory.session);
  const { text } = await hear(model.session(), "cabcabcab", { draft: 0 });
  expect((await hear(without.session(), "cabcabcab", {})).text).toBe(text);
  for (const one of [several, without]) one.dispose();
  await rm(place.folder, { recursive: true });
});

test("a model that drafts nothing says so", async () => {
  const plain = await writePackage();
  const loaded = await loadPackage(plain.base, { weights: plain.weights, threads: 1 });
  expect(loaded.info.draft).toEqual({ available: false, reason: "no-entry" });
  const run = async (): Promise<void> => {
    for await (const _ of loaded.session().generate([1], { draft: true })) throw new Error("it said something");
  };
  await expect(run()).rejects.toMatchObject({ code: "no-draft", reason: "no-entry" });
  loaded.dispose();
  await rm(plain.folder, { recursive: true });
});
