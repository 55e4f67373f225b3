/** What the reference drafts is what was recorded, number for number; and `dsc run` says the same with and without drafts. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { referenceBackend } from "../../backends/reference/reference-backend.ts";
import { draftEntry } from "../../compiler/cli/draft-entry.ts";
import { type SessionDrafts, sessionDrafts } from "../../compiler/cli/session-drafts.ts";
import { elaborate } from "../../compiler/elaborate/elaborate.ts";
import { checkProject } from "../../dsl/checker/check-project.ts";
import { newParseCache } from "../../dsl/checker/load.ts";
import { newChoices } from "../../runtime/sampling/check-guess.ts";
import { randomFromSeed } from "../../runtime/sampling/random.ts";
import { DraftCounts } from "../../runtime/session/draft-counts.ts";
import { DraftMemory } from "../../runtime/session/draft-memory.ts";
import type { Told } from "../../runtime/session/drafting-model.ts";
import { speculate } from "../../runtime/session/speculate.ts";
import { runInside } from "../cli/run-inside.ts";
import { readProject, root } from "../conformance/bind-text.ts";
import type { OracleTensor } from "../oracle/cases.ts";
import {
  loadMtpCase,
  loadReferenceMtpCase,
  type MtpCase,
  mtpCaseNames,
  referenceMtpCaseNames,
} from "../oracle/references.ts";
import { byteLevelFile } from "../text/tiny-tokenizer.ts";
import { writeWeights } from "./mtp-package.ts";

const cases = [
  ...mtpCaseNames.map((name) => [loadMtpCase(name), "deepseek-v3"] as const),
  ...referenceMtpCaseNames.map((name) => [loadReferenceMtpCase(name), "deepseek-v3.2"] as const),
];
const cache = newParseCache();

/** `texts`: in the place of files. */
async function open(
  { config, settings, weights }: MtpCase,
  text: string,
  texts: ReadonlyMap<string, string> = new Map(),
): Promise<SessionDrafts> {
  const entry = `models/${text}.ds`;
  const read = (path: string): string | null => texts.get(path) ?? readProject(path);
  const checked = checkProject({ entry, read, config: { path: "config.json", text: config }, settings, cache });
  const { bound: model, declared } = checked;
  if (model === null) throw new Error(checked.diagnostics.map((d) => d.title).join("\n"));
  const tensors = weights();
  const infos = new Map([...tensors].map(([name, { shape }]) => [name, { name, shape, dtype: "F32" }] as const));
  const drafts = draftEntry({ model, declared, entry: "forward" }, { tensors });
  if (typeof drafts === "string") throw new Error(drafts);
  const elaborated = elaborate({ model, declared, entry: "forward", results: ["hidden", "logits"] });
  const sizes = Object.fromEntries(
    [...elaborated.graph.sizes].flatMap(([name, { low, high }]) => (low === high ? [[name, low] as const] : [])),
  );
  const session = await referenceBackend.openSession({
    ...{ elaborated, sizes, draft: drafts.elaborated, token: "T", before: "S0" },
    format: () => null,
    reader: {
      find: (name) => infos.get(name) ?? null,
      read: async (name) => Float64Array.from((tensors.get(name) as OracleTensor).data),
      readIntegers: async () => new BigInt64Array(0),
    },
  });
  if (session.draft === null) throw new Error("no entry drafts");
  const { decl, checks, elaborated: draftElaborated } = drafts;
  const width = JSON.parse(config).vocab_size;
  const context = JSON.parse(config).max_position_embeddings;
  return sessionDrafts({ session, draft: session.draft, decl, elaborated, draftElaborated, context, width, checks });
}

interface Seen extends Told {
  readonly known: number;
}

/** Greedy text, and what was drafted for it. */
async function run(model: SessionDrafts, prompt: readonly number[], count: number, draft: number) {
  const seen: Seen[] = [];
  model.use({ chunk: 4, signal: new AbortController().signal, before: async () => undefined });
  const watched: SessionDrafts = Object.create(model, {
    draft: {
      value: async (ids: readonly number[], rows: Told["rows"]) => {
        const told = await model.draft(ids, rows);
        seen.push({ ...told, known: model.length + 1 });
        return told;
      },
    },
  });
  const choices = newChoices(randomFromSeed(1), { temperature: 0 });
  const counts = new DraftCounts();
  let left = count;
  const push = () => {
    left -= 1;
    return { stop: left === 0 ? {} : null };
  };
  const ids: number[] = [];
  const memory = new DraftMemory();
  const order = { prompt, model: watched, memory, choices, push, draft, maxTokens: count, counts };
  for await (const { id } of speculate(order)) ids.push(id);
  return { ids, seen, statistics: counts.statistics(), held: model.length };
}

/** The largest difference, as a share of the largest number. */
function apart(got: ArrayLike<number>, want: readonly number[]): number {
  const most = Math.max(...want.map(Math.abs));
  return Math.max(...want.map((x, i) => Math.abs((got[i] ?? Number.NaN) - x) / most));
}

describe.each(cases)("$name", (oracle, text) => {
  const { ids: prompt, steps, drafts, draftHidden, draftLogits } = oracle;
  const looked = drafts.filter(({ accepted }) => accepted !== null);
  /** How far what is drafted is from what was recorded; null where other tokens are. */
  async function distance(texts?: ReadonlyMap<string, string>): Promise<number | null> {
    const { ids, seen } = await run(await open(oracle, text, texts), prompt, steps.length + 2, 1);
    expect(ids.slice(0, steps.length)).toEqual(steps);
    // Prompts are fed in pieces, of which nothing is drafted.
    const made = seen.filter(({ known }) => known > prompt.length).slice(0, looked.length);
    if (made.map(({ known }) => known).join() !== looked.map(({ known }) => known).join()) return null;
    const width = draftHidden[0]?.length ?? 0;
    return Math.max(
      ...made.flatMap(({ known, logits, rows }, j) => [
        apart(logits, draftLogits[j] ?? []),
        apart((rows[0] ?? []).slice(-width), draftHidden[known - 2] ?? []),
      ]),
    );
  }

  test("drafts what was recorded", async () => {
    expect(await distance()).toBeLessThan(1e-7);
  });

  const mtp = readProject("std/mtp.ds") ?? "";
  test.each([
    [
      "the embedding behind the hidden state",
      "(enorm(next[t]) | hnorm(hidden[t]))",
      "(hnorm(hidden[t]) | enorm(next[t]))",
    ],
    ["the hidden state without its norm", "hnorm(hidden[t]))", "hidden[t])"],
    ["a result without its norm", "y[t]    := norm(v[t])", "y[t]    := v[t]"],
  ])("a text with %s is caught", async (_, from, to) => {
    expect(mtp).toContain(from);
    const off = await distance(new Map([["std/mtp.ds", mtp.replace(from, to)]])).catch((error: Error) => error.message);
    if (typeof off === "string") expect(off).toMatch(/is not used|never read|hnorm|norm/);
    else expect(off ?? 1).toBeGreaterThan(1e-3);
  });

  let undrafted: ReturnType<typeof run> | null = null;
  test.each([1, 2, 3, 7])("%d at a time: the same text", async (draft) => {
    undrafted ??= open(oracle, text).then((model) => run(model, prompt, 30, 0));
    const plain = await undrafted;
    const drafted = await run(await open(oracle, text), prompt, 30, draft);
    expect(drafted.ids).toEqual(plain.ids);
    expect(drafted.held).toBe(plain.held);
    expect(plain.statistics.drafted).toBe(0);
    expect(drafted.statistics.drafted).toBeGreaterThan(10);
  });
});

describe("dsc run", () => {
  const oracle = loadMtpCase("v3-mtp");
  const layer = `model.layers.${JSON.parse(oracle.config).num_hidden_layers}.`;
  let folder = "";
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "dsc-drafts-"));
    const all = oracle.weights();
    const places = {
      whole: all,
      without: new Map([...all].filter(([name]) => !name.startsWith(layer))),
      some: new Map([...all].filter(([name]) => !name.endsWith("eh_proj.weight"))),
    };
    for (const [place, weights] of Object.entries(places)) {
      mkdirSync(join(folder, place));
      writeFileSync(join(folder, place, "config.json"), oracle.config);
      await writeWeights(join(folder, place, "model.safetensors"), weights);
    }
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const run = (weights: string, ...more: readonly string[]) =>
    runInside(
      [
        "run",
        join(root, "models/deepseek-v3.ds"),
        "--weights",
        weights,
        "--ids",
        oracle.ids.join(),
        "--end-ids",
        "15",
      ].concat(more),
      folder,
    );
  const json = async (weights: string, ...more: readonly string[]) => {
    const { code, out, error } = await run(weights, "--json", "--max-tokens", String(oracle.steps.length), ...more);
    expect([code, error]).toEqual([0, ""]);
    return JSON.parse(out);
  };

  test("drafts a token at a time if nothing is said, and none with off", async () => {
    const drafted = await json("whole");
    expect(drafted.ids).toEqual(oracle.steps);
    const { statistics } = drafted;
    expect(statistics.drafted).toBeGreaterThan(5);
    expect(statistics.accepted).toBeGreaterThan(0);
    expect(statistics.positions).toEqual([{ drafted: statistics.drafted, accepted: statistics.accepted }]);
    for (const off of ["off", "0"]) {
      const plain = await json("whole", "--draft", off);
      expect(plain).toMatchObject({ ids: oracle.steps, stop: drafted.stop });
      expect(plain.statistics).not.toHaveProperty("drafted");
    }
    expect((await json("whole", "--draft", "4", "--chunk", "3")).ids).toEqual(oracle.steps);
  });
  test("says how many were right", async () => {
    const { error } = await run("whole", "--max-tokens", "12");
    expect(error).toMatch(/; drafted \d+, accepted \d+ \([\d.]+ %\); stopped: /);
  });
  test("chosen by chance, the same seed gives the same text", async () => {
    const options = ["--temperature", "1", "--seed", "4", "--draft", "2", "--repetition-penalty", "1.2"];
    expect((await json("whole", ...options)).ids).toEqual((await json("whole", ...options)).ids);
  });
  test("without the layer: as ever, and refused where drafts are asked for", async () => {
    const plain = await json("without");
    expect(plain.ids).toEqual(oracle.steps);
    expect(plain.statistics).not.toHaveProperty("drafted");
    const { code, error } = await run("without", "--draft", "1");
    expect([code, error]).toEqual([
      1,
      expect.stringMatching(/no tokens can be drafted: the checkpoint has no weights/),
    ]);
  });
  test("with a part of it: refused, with its name", async () => {
    const { code, error } = await run("some");
    expect([code, error]).toEqual([1, expect.stringMatching(/DS0509(?:.|\n)*eh_proj\.weight/)]);
  });
  test("values of definitions are those of plain calls", async () => {
    const { taps, statistics } = await json("whole", "--taps", "norm.y");
    expect(taps["norm.y"]).toHaveLength(1);
    expect(statistics).not.toHaveProperty("drafted");
    const { code, error } = await run("whole", "--json", "--taps", "norm.y", "--draft", "1");
    expect([code, error]).toEqual([2, expect.stringMatching(/do not go together/)]);
  });
  test("a chat says and remembers the same", async () => {
    const letters = [..."abcdefghijklmn"];
    const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
    const added = ["<s>", "</s>"].map((content, i) => ({ id: letters.length + i, content, ...flags }));
    const vocab = Object.fromEntries(letters.map((letter, id) => [letter, id]));
    const tokenizer = { ...byteLevelFile, model: { ...byteLevelFile.model, vocab, merges: [] }, added_tokens: added };
    writeFileSync(join(folder, "whole/tokenizer.json"), JSON.stringify(tokenizer));
    const template = "<s>{% for m in messages %}{{ m.content }}{% endfor %}";
    writeFileSync(join(folder, "whole/chat_template.jinja"), template);
    const chat = async (draft: string) => {
      const args = ["chat", join(root, "models/deepseek-v3.ds"), "--weights", "whole", "--json", "--max-tokens", "7"];
      const lines = ["abc", "de", "/undo", "fg", "h"];
      const { code, out, error } = await runInside([...args, "--draft", draft], folder, lines);
      expect([code, error.includes("drafts")]).toEqual([0, false]);
      return out
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line));
    };
    const told = (all: Awaited<ReturnType<typeof chat>>) =>
      all.map(({ ids, answer, stop, statistics: { promptTokens, rememberedTokens } }) => [
        ...[ids, answer, stop, promptTokens],
        rememberedTokens,
      ]);
    const plain = await chat("off");
    const drafted = await chat("2");
    rmSync(join(folder, "whole/tokenizer.json"));
    expect(told(drafted)).toEqual(told(plain));
    expect(told(plain).map((row) => row.at(-1))).not.toEqual([undefined, undefined, undefined, undefined]);
    expect(drafted.every(({ statistics }) => statistics.drafted > 0)).toBe(true);
  });
  test.each(["x", "-1", "8", "1.5"])("--draft %s is refused", async (count) => {
    expect((await run("whole", "--draft", count)).code).toBeGreaterThan(0);
  });
});
