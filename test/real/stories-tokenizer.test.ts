import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readTokenizer } from "../../runtime/text/tokenizer.ts";
import { root } from "../conformance/bind-text.ts";
import { storiesTokenizerJson } from "./stories-tokenizer.ts";

interface Golden {
  readonly cases: readonly {
    readonly prompt: string;
    readonly prompt_ids: readonly number[];
    readonly ids: readonly number[];
    readonly text?: string;
  }[];
}

const data = process.env["DSC_TEST_DATA"];
const folder = data === undefined ? undefined : join(data, "data/stories260K");
const present = folder !== undefined && existsSync(join(folder, "tok512.bin"));
const bytes = present ? new Uint8Array(readFileSync(join(folder, "tok512.bin"))) : new Uint8Array();
const golden: Golden = present ? JSON.parse(readFileSync(join(folder, "golden.json"), "utf8")) : { cases: [] };

const files: readonly (readonly [string, () => string])[] = [
  ["of stories260K", () => storiesTokenizerJson(bytes)],
  ["that TinySeek ships with", () => readFileSync(join(root, "models/tinyseek/tokenizer.json"), "utf8")],
];

describe.skipIf(!present).each(files)("the tokenizer %s (skipped without DSC_TEST_DATA)", (_, file) => {
  const tokenizer = present ? readTokenizer({ tokenizer: file() }) : undefined;

  test("encodes the recorded prompts and decodes the recorded ids", () => {
    expect(golden.cases.length).toBeGreaterThan(4);
    for (const { prompt, prompt_ids, ids, text } of golden.cases) {
      expect(tokenizer?.encode(prompt, "as-configured")).toEqual(prompt_ids);
      expect(tokenizer?.decode(prompt_ids, { skipSpecial: true })).toBe(prompt);
      if (text !== undefined) expect(tokenizer?.decode(ids, { skipSpecial: true })).toBe(text);
      // Generated text encodes to the ids that were generated, up to the cut at the end.
      const again = tokenizer?.encode(tokenizer.decode(ids, { skipSpecial: true }), "as-configured") ?? [];
      expect(again.slice(0, -2)).toEqual(ids.slice(0, again.length - 2));
    }
    expect(tokenizer?.special.bosId).toBe(1);
    expect(tokenizer?.vocabularySize).toBe(512);
  });

  test("joins pairs as the C program does", () => {
    const { scoreOf, idOf } = readScores(bytes);
    const path = join(data ?? "", "data/corpora/tinystories-sample.txt");
    const stories = existsSync(path) ? readFileSync(path, "utf8").split("<|endoftext|>").slice(0, 40) : [];
    const odd = ["", " ", "   ", "zzzzzz", "ééé 😀", "aaaa aaa", "\n\n\n", "  the  the", "!!!!???"];
    for (const text of [...odd, ...stories.map((story) => story.trim())]) {
      expect(tokenizer?.encode(text), text).toEqual(encodeByScore(text, idOf, scoreOf));
    }
  });
});

interface Scores {
  readonly idOf: ReadonlyMap<string, number>;
  readonly scoreOf: readonly number[];
}

function readScores(file: Uint8Array): Scores {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const idOf = new Map<string, number>();
  const scoreOf: number[] = [];
  for (let at = 4; at < file.length; ) {
    const length = view.getInt32(at + 4, true);
    const text = new TextDecoder().decode(file.subarray(at + 8, at + 8 + length));
    if (scoreOf.length >= 259) idOf.set(text, scoreOf.length);
    scoreOf.push(view.getFloat32(at, true));
    at += 8 + length;
  }
  return { idOf, scoreOf };
}

/** The joining loop of the C program, `encode` in `run.c`: best score, leftmost of equals. */
function encodeByScore(text: string, idOf: ReadonlyMap<string, number>, scoreOf: readonly number[]): readonly number[] {
  if (text === "") return [];
  const utf8 = new TextEncoder();
  const pieces = [...` ${text}`].flatMap((char): { readonly id: number; readonly text: string | undefined }[] => {
    const id = idOf.get(char);
    if (id !== undefined) return [{ id, text: char }];
    return [...utf8.encode(char)].map((byte) => ({ id: byte + 3, text: undefined }));
  });
  for (;;) {
    let best: { readonly at: number; readonly id: number; readonly text: string } | undefined;
    for (let at = 0; at + 1 < pieces.length; at += 1) {
      const [left, right] = [pieces[at]?.text, pieces[at + 1]?.text];
      if (left === undefined || right === undefined) continue;
      const id = idOf.get(left + right);
      const score = id === undefined ? undefined : scoreOf[id];
      if (id === undefined || score === undefined) continue;
      if (best === undefined || score > (scoreOf[best.id] ?? 0)) best = { at, id, text: left + right };
    }
    if (best === undefined) return pieces.map(({ id }) => id);
    pieces.splice(best.at, 2, { id: best.id, text: best.text });
  }
}
