import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TextError } from "../../runtime/text/text-error.ts";
import { readTokenizer, type Tokenizer } from "../../runtime/text/tokenizer.ts";
import { byteLevelFile, pieceFile } from "./tiny-tokenizer.ts";

const read = (file: unknown, config?: unknown): Tokenizer =>
  readTokenizer({
    tokenizer: JSON.stringify(file),
    ...(config === undefined ? {} : { config: JSON.stringify(config) }),
  });

const names = { bos_token: "<bos>", eos_token: { content: "<eos>" }, pad_token: "<eos>" };

describe("ids around a text", () => {
  const [bos, eos] = [258, 259];

  test("nothing unless asked; BOS as the config says, as in the published V3 files", () => {
    const tokenizer = read(byteLevelFile, { ...names, add_bos_token: true, add_eos_token: false });
    const plain = tokenizer.encode("ab");
    expect(plain).toEqual([256]);
    expect(tokenizer.encode("ab", "as-configured")).toEqual([bos, 256]);
    expect(tokenizer.encode("", "as-configured")).toEqual([bos]);
    expect(tokenizer.encode("")).toEqual([]);
  });

  test("flags of the config go before the tokenizer's own template", () => {
    const template = {
      type: "TemplateProcessing",
      single: [{ SpecialToken: { id: "<bos>" } }, { Sequence: { id: "A" } }, { SpecialToken: { id: "<eos>" } }],
      special_tokens: { "<bos>": { ids: [bos] }, "<eos>": { ids: [eos] } },
    };
    const file = {
      ...byteLevelFile,
      post_processor: { type: "Sequence", processors: [{ type: "ByteLevel" }, template] },
    };
    expect(read(file).encode("ab", "as-configured")).toEqual([bos, 256, eos]);
    expect(read(file, { ...names, add_bos_token: false }).encode("ab", "as-configured")).toEqual([256, eos]);
    expect(read(file, { ...names, add_eos_token: false }).encode("ab", "as-configured")).toEqual([bos, 256]);
    expect(read(file).special).toMatchObject({ bosId: bos, eosId: eos, padId: null, unknownId: null });
  });

  test("one BOS by the caller's word", () => {
    expect(read(byteLevelFile, { ...names, add_bos_token: false }).encode("ab", "bos")).toEqual([bos, 256]);
    expect(() => read(byteLevelFile).encode("ab", "bos")).toThrow("names no BOS");
    expect(() => read(byteLevelFile, { add_bos_token: true })).toThrow("$.add_bos_token");
  });

  test("names, ids, sizes", () => {
    const tokenizer = read(byteLevelFile, names);
    expect(tokenizer.special).toMatchObject({ bosId: bos, eosId: eos, padId: eos, unknownId: null });
    expect(tokenizer.vocabularySize).toBe(261);
    expect(tokenizer.idOf("<bos>")).toBe(bos);
    expect(tokenizer.idOf("<none>")).toBeNull();
    expect(tokenizer.tokenOf(256)).toBe("ab");
    expect(tokenizer.tokenOf(261)).toBeNull();
    expect(tokenizer.addedTokens.map((token) => token.special)).toEqual([true, true, false]);
  });
});

describe("decoding", () => {
  const tokenizer = read(byteLevelFile, names);

  test("nothing, unknown ids and impossible ids", () => {
    expect(tokenizer.decode([])).toBe("");
    expect(tokenizer.decode([256, 300, 256])).toBe("abab");
    for (const id of [-1, 1.5, Number.NaN, 2 ** 31]) expect(() => tokenizer.decode([id])).toThrow(TextError);
  });

  test("spaces before punctuation stay", () => {
    const text = "ab , a . b ! n't 's";
    expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
    const tidy = read(byteLevelFile, { ...names, clean_up_tokenization_spaces: true });
    expect(tidy.decode(tidy.encode(text))).toBe(text);
  });

  test("special tokens are skipped on demand, others never", () => {
    const ids = tokenizer.encode("<bos>ab<user>b<eos>");
    expect(ids).toEqual([258, 256, 260, 98 - 33, 259]);
    expect(tokenizer.decode(ids)).toBe("<bos>ab<user>b<eos>");
    expect(tokenizer.decode(ids, { skipSpecial: true })).toBe("ab<user>b");
  });

  test("a partial character is held back, and is U+FFFD when nothing completes it", () => {
    const decoder = tokenizer.newDecoder();
    const ids = tokenizer.encode("é€😀a");
    expect(ids.map((id) => decoder.push(id))).toEqual(["", "é", "", "", "€", "", "", "", "😀", "a"]);
    expect(decoder.end()).toBe("");
    const [first = 0, second = 0] = tokenizer.encode("😀");
    expect([decoder.push(first), decoder.push(second), decoder.end()]).toEqual(["", "", "\ufffd"]);
    expect([decoder.push(first), decoder.push(258)]).toEqual(["", "\ufffd<bos>"]);
    expect(decoder.push(65)).toBe("b");
  });

  test("U+FEFF is text like any other", () => {
    expect(tokenizer.decode(tokenizer.encode("\ufeffa\ufeff"))).toBe("\ufeffa\ufeff");
  });
});

describe("SentencePiece style", () => {
  const tokenizer = read(pieceFile);

  test("a blank is put before, one is dropped after, unknown characters go by bytes", () => {
    const ids = tokenizer.encode("ab é", "as-configured");
    expect(ids.map((id) => tokenizer.tokenOf(id))).toEqual(["<s>", "▁ab", "▁", "<0xC3>", "<0xA9>"]);
    expect(tokenizer.decode(ids, { skipSpecial: true })).toBe("ab é");
    expect(tokenizer.decode(ids)).toBe("<s> ab é");
    const decoder = tokenizer.newDecoder({ skipSpecial: true });
    expect([...ids.map((id) => decoder.push(id)), decoder.end()]).toEqual(["", "ab", " ", "", "é", ""]);
  });

  test("only one blank is dropped, and only at the start", () => {
    expect(tokenizer.decode(tokenizer.encode("  ab"))).toBe("  ab");
    expect(tokenizer.decode(tokenizer.encode("ab ab"))).toBe("ab ab");
    expect(tokenizer.decode(tokenizer.encode("é ab"))).toBe("é ab");
  });
});

/** No half of a surrogate pair stands alone: with the `u` flag, `\p{Cs}` matches only such. */
const isWellFormed = (text: string): boolean => !/\p{Cs}/u.test(text);

describe("streams", () => {
  const files = [read(byteLevelFile, names), read(pieceFile)];

  test("a stream of any ids is the decoding of all", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(270)), fc.boolean(), fc.constantFrom(...files), (ids, skipSpecial, tokenizer) => {
        const decoder = tokenizer.newDecoder({ skipSpecial });
        const parts = ids.map((id) => decoder.push(id));
        const text = parts.join("") + decoder.end();
        expect(text).toBe(tokenizer.decode(ids, { skipSpecial }));
        // A part never ends inside a surrogate pair.
        for (const part of parts) expect(isWellFormed(part)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test("any well-formed text comes back", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.constantFrom(...files), (text, tokenizer) => {
        // SentencePiece's mark is a blank when it comes back.
        fc.pre(isWellFormed(text) && !text.includes("▁"));
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
      }),
      { numRuns: 500 },
    );
  });
});

describe("pre-tokenizers that the library does otherwise than the Rust one", () => {
  const pieces = (step: unknown, text: string): readonly string[] => {
    // Merges of everything with everything: what is not one token was split.
    const letters = [..."ab1٣½,!_é▁ "];
    const pairs = letters.flatMap((a) => letters.map((b) => [a, b] as const));
    const vocab = [...letters, ...pairs.map(([a, b]) => a + b)];
    const tokenizer = read({
      model: { type: "BPE", vocab: Object.fromEntries(vocab.map((token, id) => [token, id])), merges: pairs },
      pre_tokenizer: step,
      decoder: { type: "Sequence", decoders: [{ type: "Fuse" }] },
    });
    return tokenizer.encode(text).map((id) => tokenizer.tokenOf(id) ?? "");
  };

  test.each<[string, unknown, string, readonly string[]]>([
    [
      "Digits one by one, of any script",
      { type: "Digits", individual_digits: true },
      "a1٣½b",
      ["a", "1", "٣", "½", "b"],
    ],
    ["Digits together", { type: "Digits", individual_digits: false }, "a1٣b", ["a", "1٣", "b"]],
    ["Punctuation one by one", { type: "Punctuation" }, "a,!b", ["a", ",", "!", "b"]],
    ["Punctuation together", { type: "Punctuation", behavior: "Contiguous" }, "a,!b", ["a", ",!", "b"]],
    ["Whitespace keeps letters of any script together", { type: "Whitespace" }, "aé ,!", ["aé", ",!"]],
    ["WhitespaceSplit", { type: "WhitespaceSplit" }, "a, b", ["a,", "b"]],
    ["Metaspace splits before its mark", { type: "Metaspace" }, "a b", ["▁a", "▁b"]],
    ["Metaspace without splitting", { type: "Metaspace", split: false, prepend_scheme: "never" }, "a b", ["a▁", "b"]],
    [
      "a split that keeps its matches only",
      { type: "Split", pattern: { Regex: "[ab]" }, behavior: "Removed", invert: true },
      "a,b",
      ["a", "b"],
    ],
  ])("%s", (_name, step, text, expected) => {
    expect(pieces(step, text)).toEqual(expected);
  });

  test("a dollar in a normalizer's content is a dollar", () => {
    const tokenizer = read({
      model: { type: "BPE", vocab: { $: 0, "&": 1, a: 2 }, merges: [] },
      normalizer: { type: "Replace", pattern: { String: "a" }, content: "$&" },
      decoder: { type: "Sequence", decoders: [] },
    });
    expect(tokenizer.encode("a")).toEqual([0, 1]);
  });
});

describe("hostile files", () => {
  const model = byteLevelFile.model;
  const changed = (change: object): object => ({ ...byteLevelFile, ...change });
  const modelWith = (change: object): object => changed({ model: { ...model, ...change } });
  const preTokenizer = (step: object): object => changed({ pre_tokenizer: step });
  const added = (change: object): object => changed({ added_tokens: [{ id: 300, content: "<x>", ...change }] });

  test.each<[string, unknown, string, string]>([
    ["no object", [], "shape", "$: expected an object, found a list"],
    ["no model", { decoder: { type: "ByteLevel" } }, "shape", "$.model"],
    ["another model", modelWith({ type: "Unigram" }), "unsupported", "$.model.type"],
    ["marks on parts of words", modelWith({ end_of_word_suffix: "</w>" }), "unsupported", "$.model.end_of_word_suffix"],
    ["dropout", modelWith({ dropout: 0.1 }), "unsupported", "$.model.dropout"],
    ["a vocabulary list", modelWith({ vocab: [] }), "shape", "$.model.vocab"],
    ["an id that is a text", modelWith({ vocab: { a: "1" } }), "shape", '$.model.vocab["a"]'],
    ["an id that is no integer", modelWith({ vocab: { a: 0.5 } }), "shape", '$.model.vocab["a"]'],
    ["an id that would take all memory", modelWith({ vocab: { a: 4e9 } }), "too-large", '$.model.vocab["a"]'],
    ["an id twice", modelWith({ vocab: { a: 1, b: 1 }, merges: [] }), "shape", '$.model.vocab["b"]'],
    ["merges of nothing known", modelWith({ merges: ["x yz"] }), "shape", "$.model.merges[0]"],
    ["a merge into nothing known", modelWith({ merges: ["a !"] }), "shape", "$.model.merges[0]"],
    ["a merge of three", modelWith({ merges: ["a b c"] }), "shape", "$.model.merges[0]"],
    ["a merge of one", modelWith({ merges: ["a"] }), "shape", "$.model.merges[0]"],
    ["a merge of numbers", modelWith({ merges: [[1, 2]] }), "shape", "$.model.merges[0]"],
    ["merges of two forms", modelWith({ merges: ["a b", ["a", "b"]] }), "shape", "$.model.merges[1]"],
    ["an unknown token that is unknown", modelWith({ unk_token: "<none>" }), "shape", "$.model.unk_token"],
    ["a flag that is a text", modelWith({ byte_fallback: "yes" }), "shape", "$.model.byte_fallback"],
    ["an added token without text", added({ content: "" }), "shape", "$.added_tokens[0].content"],
    ["a long added token", added({ content: "x".repeat(257) }), "too-large", "$.added_tokens[0].content"],
    ["an added token that takes an id", added({ id: 0 }), "shape", "$.added_tokens[0]"],
    ["an added token of another id", added({ content: "ab" }), "shape", "$.added_tokens[0]"],
    ["an unknown step", preTokenizer({ type: "Custom" }), "unsupported", "$.pre_tokenizer.type"],
    [
      "a split that drops its matches",
      preTokenizer({ type: "Split", pattern: { String: "a" }, behavior: "Removed" }),
      "unsupported",
      "$.pre_tokenizer.behavior",
    ],
    [
      "an empty pattern",
      preTokenizer({ type: "Split", pattern: { Regex: "" }, behavior: "Isolated" }),
      "shape",
      "$.pre_tokenizer.pattern.Regex",
    ],
    [
      "a pattern that is none",
      preTokenizer({ type: "Split", pattern: { Regex: "(" }, behavior: "Isolated" }),
      "library",
      "cannot be built",
    ],
    [
      "many steps",
      preTokenizer({
        type: "Sequence",
        pretokenizers: Array.from({ length: 40 }, () => ({ type: "WhitespaceSplit" })),
      }),
      "too-large",
      "more than 32 steps",
    ],
    [
      "a normalizer that multiplies",
      changed({
        normalizer: {
          type: "Sequence",
          normalizers: Array.from({ length: 4 }, () => ({
            type: "Replace",
            pattern: { Regex: "." },
            content: "0123456789",
          })),
        },
      }),
      "too-large",
      "$.normalizer.normalizers[3].content",
    ],
    ["no decoder", changed({ decoder: null }), "shape", "$.decoder"],
    ["another decoder", changed({ decoder: { type: "WordPiece" } }), "unsupported", "$.decoder.type"],
    [
      "decoder steps in another order",
      changed({ decoder: { type: "Sequence", decoders: [{ type: "Fuse" }, { type: "ByteFallback" }] } }),
      "unsupported",
      "$.decoder.decoders",
    ],
    [
      "a template without a text",
      changed({ post_processor: { type: "TemplateProcessing", single: [], special_tokens: {} } }),
      "shape",
      "$.post_processor.single",
    ],
    [
      "a template of an id without a token",
      changed({
        post_processor: {
          type: "TemplateProcessing",
          single: [{ SpecialToken: { id: "<b>" } }, { Sequence: { id: "A" } }],
          special_tokens: { "<b>": { ids: [999] } },
        },
      }),
      "shape",
      "$.post_processor",
    ],
  ])("%s", (_name, file, code, message) => {
    const attempt = (): unknown => read(file);
    expect(attempt).toThrow(TextError);
    expect(attempt).toThrow(message);
    expect(attempt).toThrow(expect.objectContaining({ code }));
  });

  test("texts that are no JSON, too deep or too long", () => {
    const code = (tokenizer: string): string => {
      try {
        readTokenizer({ tokenizer });
      } catch (error) {
        if (error instanceof TextError) return error.code;
      }
      return "none";
    };
    expect(code("")).toBe("not-json");
    expect(code("[".repeat(1_000_000))).toBe("too-deep");
    expect(code(`{"a": "${"[".repeat(100)}"}`)).toBe("shape");
    expect(code('{"a": "\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["}')).toBe("shape");
    expect(code(" ".repeat(64 * 2 ** 20 + 1))).toBe("too-large");
  });

  test("names of the language's own objects are names like any other", () => {
    const file = `{"model": {"type": "BPE", "vocab": {"__proto__": 0, "constructor": 1, "p": 2}, "merges": []},
      "added_tokens": [{"id": 0, "content": "__proto__"}, {"id": 1, "content": "constructor"}],
      "decoder": {"type": "ByteLevel"}}`;
    const tokenizer = readTokenizer({ tokenizer: file });
    expect(tokenizer.encode("__proto__constructorp")).toEqual([0, 1, 2]);
    expect(tokenizer.decode([0, 1, 2])).toBe("__proto__constructorp");
  });

  test("a text beyond the limit", () => {
    expect(() => read(byteLevelFile).encode("a".repeat(2 ** 24 + 1))).toThrow("at most");
  });
});
