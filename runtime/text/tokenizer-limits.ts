/**
 * How large a tokenizer may be. Published files stay far below: the largest known to us has 262,144 entries, 33 MB.
 */
export const tokenizerLimits = {
  /** UTF-16 units of `tokenizer.json`. */
  fileLength: 64 * 2 ** 20,
  /** UTF-16 units of `tokenizer_config.json`, `generation_config.json` and `config.json`. */
  configLength: 4 * 2 ** 20,
  /** Nesting of brackets in any of these files. */
  depth: 32,
  /** Ids are below this. */
  ids: 2 ** 22,
  /** UTF-16 units of one vocabulary entry. */
  entryLength: 4096,
  addedTokens: 2 ** 16,
  /** UTF-16 units of one added token; the library keeps a tree node for each. */
  addedTokenLength: 256,
  /** Steps of the normalizer, the pre-tokenizer or the decoder, nested ones included. */
  steps: 32,
  /** UTF-16 units of one regular expression. */
  patternLength: 16_384,
  /** How many times longer a normalizer may make a text, by the product of its steps' worst cases. */
  growth: 4096,
  /** UTF-16 units of one text to encode. */
  textLength: 2 ** 24,
} as const;
