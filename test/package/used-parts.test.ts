/** The tokenizer as packages carry it does what the whole library does, with every step that is let through. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { usedKinds, usedParts } from "../../compiler/cli/bundle/used-parts.ts";
import { readTokenizer } from "../../runtime/text/tokenizer.ts";
import { root } from "../conformance/bind-text.ts";
import { byteLevelFile, pieceFile } from "../text/tiny-tokenizer.ts";

const folder = mkdtempSync(join(tmpdir(), "dsc-parts-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let carried: { readonly readTokenizer: typeof readTokenizer };
let bytes: Readonly<Record<"whole" | "used", number>>;
beforeAll(async () => {
  const bundled = async (plugins: readonly (typeof usedParts)[]): Promise<Uint8Array> => {
    const { outputFiles } = await build({
      ...{ entryPoints: [join(root, "runtime/text/tokenizer.ts")], bundle: true, format: "esm", minify: true },
      ...{ write: false, plugins: [...plugins], conditions: ["browser", "import"] },
    });
    return outputFiles[0]?.contents ?? new Uint8Array(0);
  };
  const [whole, used] = [await bundled([]), await bundled([usedParts])];
  bytes = { whole: whole.length, used: used.length };
  writeFileSync(join(folder, "tokenizer.mjs"), used);
  carried = await import(pathToFileURL(join(folder, "tokenizer.mjs")).href);
}, 60_000);

const texts = ["", "ab ab  ab\n12345 Straße Ⅻ ﬁ é \u0301 x, y!", " <user>ab<bos> ab", "日本語 ▁ \ud83d\ude00 $&$1"];
const split = { type: "Split", pattern: { Regex: "\\s+|\\p{L}+" }, behavior: "Isolated", invert: false };
const normalizers: readonly object[] = [
  ...["NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents"].map((type) => ({ type })),
  { type: "Prepend", prepend: "a" },
  { type: "Replace", pattern: { String: "a" }, content: "b" },
  { type: "Strip", strip_left: true, strip_right: true },
];
const preTokenizers: readonly object[] = [
  ...["Digits", "Punctuation", "Whitespace", "WhitespaceSplit", "ByteLevel", "Metaspace"].map((type) => ({ type })),
  split,
  { type: "Sequence", pretokenizers: [split, { type: "ByteLevel", use_regex: false }] },
];

test("each step, on texts of several scripts", () => {
  const files = [
    byteLevelFile,
    pieceFile,
    ...normalizers.map((normalizer) => ({ ...byteLevelFile, normalizer })),
    ...preTokenizers.flatMap((pre_tokenizer) => [byteLevelFile, pieceFile].map((f) => ({ ...f, pre_tokenizer }))),
  ];
  const encoded = (read: typeof readTokenizer, file: object): readonly (readonly number[] | string)[] => {
    const tokenizer = read({ tokenizer: JSON.stringify(file) });
    return texts.map((text) => {
      try {
        return tokenizer.encode(text);
      } catch (error) {
        return error instanceof Error ? error.message : "";
      }
    });
  };
  let ids = 0;
  for (const file of files) {
    const whole = encoded(readTokenizer, file);
    expect(encoded(carried.readTokenizer, file)).toEqual(whole);
    ids += whole.flat().filter((id) => typeof id === "number").length;
  }
  expect(ids).toBeGreaterThan(500);
});

test("what is never asked for is left out", () => {
  expect(bytes.whole - bytes.used).toBeGreaterThan(10_000);
});

test("a kind of step is known to both, and no more are", () => {
  const types = normalizers.map((n) => Reflect.get(n, "type"));
  expect([...types, "Sequence"].sort()).toEqual([...(usedKinds["create_normalizer"] ?? [])].sort());
});
