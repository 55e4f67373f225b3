/** The tokenizer in a vocabulary-only GGUF file as a `tokenizer.json` text. */
import { gguf } from "@huggingface/gguf";

/** `splits`: the regular expressions that the file's `tokenizer.ggml.pre` names, in order. */
export async function ggufTokenizerJson(path: string, splits: readonly string[]): Promise<string> {
  const file = await gguf(path, { allowLocalFile: true });
  const metadata: { readonly [key: string]: unknown } = { ...file.metadata };
  const tokens = texts(metadata["tokenizer.ggml.tokens"]);
  const types = metadata["tokenizer.ggml.token_type"];
  if (!Array.isArray(types)) throw new Error("the file has no token types");
  // 1 is a normal token; 3 (control) and 4 (user-defined) are matched in the text before it is split.
  const added = tokens.flatMap((content, id) => {
    const type = Number(types[id]);
    if (type !== 3 && type !== 4) return [];
    return [{ id, content, special: type === 3, normalized: false, single_word: false, lstrip: false, rstrip: false }];
  });
  return JSON.stringify({
    version: "1.0",
    added_tokens: added,
    normalizer: null,
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        ...splits.map((regex) => ({ type: "Split", pattern: { Regex: regex }, behavior: "Isolated", invert: false })),
        { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false },
      ],
    },
    post_processor: null,
    decoder: { type: "ByteLevel" },
    model: {
      type: "BPE",
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: texts(metadata["tokenizer.ggml.merges"]),
    },
  });
}

function texts(value: unknown): readonly string[] {
  if (!Array.isArray(value)) throw new Error("the file has no such list");
  return value.map(String);
}
