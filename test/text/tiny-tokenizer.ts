/**
 * Two `tokenizer.json` of a few hundred entries for tests: byte-level as DeepSeek's, and SentencePiece style.
 *
 * Byte-level: ids 0..255 the byte alphabet in its published order (`!` is 0), 256 `ab`, 257 `Ġab`, then added tokens.
 */
const printable = (byte: number): boolean =>
  (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
const bytes = Array.from({ length: 256 }, (_, byte) => byte);
const alphabet = [
  ...bytes.filter(printable).map((byte) => String.fromCharCode(byte)),
  ...bytes.filter((byte) => !printable(byte)).map((_, i) => String.fromCharCode(0x100 + i)),
];

const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false };
const ids = (tokens: readonly string[]): Readonly<Record<string, number>> =>
  Object.fromEntries(tokens.map((token, id) => [token, id]));

export const byteLevelFile = {
  version: "1.0",
  added_tokens: [
    { id: 258, content: "<bos>", special: true, ...flags },
    { id: 259, content: "<eos>", special: true, ...flags },
    { id: 260, content: "<user>", special: false, ...flags },
  ],
  normalizer: { type: "Sequence", normalizers: [] },
  pre_tokenizer: {
    type: "Sequence",
    pretokenizers: [
      { type: "Split", pattern: { Regex: "\\p{N}{1,3}" }, behavior: "Isolated", invert: false },
      { type: "Split", pattern: { Regex: "\\s+(?!\\S)|\\s+| ?\\p{L}+" }, behavior: "Isolated", invert: false },
      { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false },
    ],
  },
  post_processor: { type: "ByteLevel", add_prefix_space: true, trim_offsets: false, use_regex: true },
  decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
  model: {
    type: "BPE",
    dropout: null,
    unk_token: null,
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: false,
    byte_fallback: false,
    vocab: ids([...alphabet, "ab", "Ġab"]),
    merges: ["a b", "Ġ ab"],
  },
} as const;

const byteTokens = bytes.map((byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);

export const pieceFile = {
  version: "1.0",
  added_tokens: [
    { id: 0, content: "<unk>", special: true, ...flags },
    { id: 1, content: "<s>", special: true, ...flags },
  ],
  normalizer: {
    type: "Sequence",
    normalizers: [
      { type: "Prepend", prepend: "▁" },
      { type: "Replace", pattern: { String: " " }, content: "▁" },
    ],
  },
  pre_tokenizer: null,
  post_processor: {
    type: "TemplateProcessing",
    single: [{ SpecialToken: { id: "<s>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
    special_tokens: { "<s>": { id: "<s>", ids: [1], tokens: ["<s>"] } },
  },
  decoder: {
    type: "Sequence",
    decoders: [
      { type: "Replace", pattern: { String: "▁" }, content: " " },
      { type: "ByteFallback" },
      { type: "Fuse" },
      { type: "Strip", content: " ", start: 1, stop: 0 },
    ],
  },
  model: {
    type: "BPE",
    unk_token: "<unk>",
    fuse_unk: true,
    byte_fallback: true,
    vocab: ids(["<unk>", "<s>", ...byteTokens, "▁", "a", "b", "ab", "▁ab"]),
    merges: ["a b", "▁ ab"],
  },
} as const;
