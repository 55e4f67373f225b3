/**
 * Text to token ids and back, from the `tokenizer.json` (and `tokenizer_config.json`) that come with a model.
 *
 * Encoding is done by `@huggingface/tokenizers`; decoding is ours (`decode-steps.ts`), since a stream must give what the
 * whole list gives. The files are not trusted: length, nesting, ids, steps, patterns and growth are bounded by
 * `tokenizer-limits.ts` and the library sees only sections that were checked and restated.
 *
 * What is bounded: memory for a file grows with its length (53 MB of heap for the 7.8 MB of the V3 file), and a
 * text of n characters gives at most a stated multiple of n ids. What is not: the **time** of a regular expression in
 * `pre_tokenizer` or `normalizer`. One can be written that takes longer than anyone waits on a text of fifty characters,
 * and JavaScript cannot stop it; whoever serves files of strangers runs `encode` in a worker that can be ended. Decoding
 * uses no pattern from the file.
 *
 * An added token's text inside the text to encode becomes that token, as in the Rust library: text of strangers can
 * hold `<｜User｜>`.
 */
import { Tokenizer as Library } from "@huggingface/tokenizers";
import { type DecodePlan, newTokenTextStream, readDecoder } from "./decode-steps.ts";
import { readNormalizer, readPreTokenizer } from "./pipeline-steps.ts";
import { asObject, field, readJson } from "./read-json.ts";
import { readSpecialTokens, type SpecialTokens } from "./special-tokens.ts";
import { messageOf, TextError } from "./text-error.ts";
import { tokenizerLimits as limits } from "./tokenizer-limits.ts";
import { type AddedToken, readVocabulary, type Vocabulary } from "./vocabulary.ts";

export interface TokenizerFiles {
  /** The text of `tokenizer.json`. */
  readonly tokenizer: string;
  /** The text of `tokenizer_config.json`. Without it no BOS is known unless the tokenizer's own template has one. */
  readonly config?: string;
}

/**
 * Which ids surround the text:
 * - `"nothing"`        none: for text that already holds them, such as a rendered chat template
 * - `"as-configured"`  what the files say (`special-tokens.ts`); for the published V3 files that is BOS
 * - `"bos"`            one BOS before the text, whatever the files say
 */
export type Surround = "nothing" | "as-configured" | "bos";

export interface DecodeOptions {
  /** Leaves out tokens flagged special; the default is to keep them. V3's `<｜User｜>` is not flagged special. */
  readonly skipSpecial?: boolean;
  /** Ids whose text stays where special tokens are left out. */
  readonly keep?: readonly number[];
}

/** Ids to text as they come; the texts of all calls, joined, are `decode` of all ids. */
export interface IncrementalDecoder {
  /** Text that is complete now; a character whose bytes are not all here is held back. */
  readonly push: (id: number) => string;
  /** What was held back, as U+FFFD. The decoder is then as new. */
  readonly end: () => string;
}

export interface Tokenizer {
  /** 1 + the highest id. A model's own vocabulary is often padded beyond it. */
  readonly vocabularySize: number;
  readonly special: SpecialTokens;
  readonly addedTokens: readonly AddedToken[];
  /** null when no token is written so. */
  readonly idOf: (token: string) => number | null;
  /** The token as the file spells it, not decoded; null when no token has the id. */
  readonly tokenOf: (id: number) => string | null;
  /** Throws {@link TextError}. Lone surrogates are encoded as U+FFFD. */
  readonly encode: (text: string, surround?: Surround) => readonly number[];
  /** Ids without a token (padding of a model's vocabulary) decode to nothing; impossible ids throw {@link TextError}. */
  readonly decode: (ids: Iterable<number>, options?: DecodeOptions) => string;
  readonly newDecoder: (options?: DecodeOptions) => IncrementalDecoder;
}

/** Throws {@link TextError} for anything that is not a supported, consistent tokenizer. */
export function readTokenizer(files: TokenizerFiles): Tokenizer {
  const bounds = { maxLength: limits.fileLength, maxDepth: limits.depth };
  const file = asObject(readJson(files.tokenizer, "tokenizer.json", bounds), "$");
  const config =
    files.config === undefined
      ? {}
      : asObject(
          readJson(files.config, "tokenizer_config.json", { ...bounds, maxLength: limits.configLength }),
          "$ of tokenizer_config.json",
        );
  const vocabulary = readVocabulary(field(file, "model"), field(file, "added_tokens"));
  const special = readSpecialTokens(field(file, "post_processor"), config, vocabulary.idOf);
  const plan = readDecoder(field(file, "decoder"));
  const library = openLibrary(vocabulary, field(file, "normalizer"), field(file, "pre_tokenizer"));
  return assemble(vocabulary, special, plan, library);
}

function openLibrary(vocabulary: Vocabulary, normalizer: unknown, preTokenizer: unknown): Library {
  const normalizers = readNormalizer(normalizer, "$.normalizer");
  const pretokenizers = readPreTokenizer(preTokenizer, "$.pre_tokenizer");
  const definition = {
    normalizer: normalizers.length === 0 ? null : { type: "Sequence", normalizers },
    pre_tokenizer: pretokenizers.length === 0 ? null : { type: "Sequence", pretokenizers },
    model: vocabulary.model,
    added_tokens: vocabulary.added,
    post_processor: null,
    decoder: null,
  };
  try {
    return new Library(definition, { clean_up_tokenization_spaces: false });
  } catch (error) {
    throw new TextError("library", `the tokenizer cannot be built: ${messageOf(error)}`, { path: "$" });
  }
}

function assemble(vocabulary: Vocabulary, special: SpecialTokens, plan: DecodePlan, library: Library): Tokenizer {
  const { idOf, textOf, added } = vocabulary;
  const addedIds = new Set(added.map((token) => token.id));
  const specialIds = new Set(added.filter((token) => token.special).map((token) => token.id));
  let highest = -1;
  for (const id of textOf.keys()) highest = Math.max(highest, id);

  const newDecoder = (options: DecodeOptions = {}): IncrementalDecoder => {
    const stream = newTokenTextStream(plan);
    const kept = new Set(options.keep);
    const skipped = (id: number): boolean => options.skipSpecial === true && specialIds.has(id) && !kept.has(id);
    return {
      push: (id) => {
        checkId(id);
        const token = textOf.get(id);
        if (token === undefined || skipped(id)) return "";
        return stream.push(token, addedIds.has(id));
      },
      end: () => stream.end(),
    };
  };

  return {
    vocabularySize: highest + 1,
    special,
    addedTokens: added,
    idOf: (token) => idOf.get(token) ?? null,
    tokenOf: (id) => textOf.get(id) ?? null,
    encode: (text, surround = "nothing") => surrounded(encodeText(library, text), special, surround),
    decode: (ids, options) => {
      const decoder = newDecoder(options);
      let text = "";
      for (const id of ids) text += decoder.push(id);
      return text + decoder.end();
    },
    newDecoder,
  };
}

function checkId(id: number): void {
  if (!Number.isInteger(id) || id < 0 || id >= 2 ** 31) throw new TextError("bad-id", `${id} is not a token id`);
}

function encodeText(library: Library, text: string): readonly number[] {
  if (text.length > limits.textLength) {
    throw new TextError("too-large", `a text of ${text.length} characters, at most ${limits.textLength} are encoded`);
  }
  let ids: readonly unknown[];
  try {
    ids = library.encode(text, { add_special_tokens: false }).ids;
  } catch (error) {
    throw new TextError("library", `the text cannot be encoded: ${messageOf(error)}`);
  }
  return ids.map((id) => {
    if (typeof id !== "number") throw new TextError("library", "a piece of the text has no id");
    return id;
  });
}

function surrounded(ids: readonly number[], special: SpecialTokens, surround: Surround): readonly number[] {
  switch (surround) {
    case "nothing":
      return ids;
    case "as-configured":
      return [...special.prefix, ...ids, ...special.suffix];
    case "bos":
      if (special.bosId === null) throw new TextError("shape", "the tokenizer names no BOS token");
      return [special.bosId, ...ids];
    default:
      surround satisfies never;
      throw new TextError("shape", "no such way to surround a text");
  }
}
