/** What the files beside a checkpoint say of text: its tokenizer, and which ids end a text. */
import { endOfTextIds } from "./end-of-text.ts";
import type { Tokenizer } from "./tokenizer.ts";

export interface TextOfModel {
  /** Null where there is no tokenizer.json. */
  readonly tokenizer: Tokenizer | null;
  readonly endIds: readonly number[];
}

/**
 * `read`: the text of a file beside the weights, null where there is none. The tokenizer's library is loaded where there is a
 * tokenizer only. Throws TextError.
 */
export async function readTextFiles(read: (name: string) => Promise<string | null>): Promise<TextOfModel> {
  const [tokenizerJson, tokenizerConfig, generationConfig, config] = await Promise.all(
    ["tokenizer.json", "tokenizer_config.json", "generation_config.json", "config.json"].map(read),
  );
  const tokenizer = tokenizerJson == null ? null : await openTokenizer(tokenizerJson, tokenizerConfig ?? null);
  const eosId = tokenizer?.special.eosId ?? null;
  const endIds = endOfTextIds({
    ...(config == null ? {} : { config }),
    ...(generationConfig == null ? {} : { generationConfig }),
    fallback: eosId === null ? [] : [eosId],
  });
  return { tokenizer, endIds };
}

async function openTokenizer(tokenizer: string, config: string | null): Promise<Tokenizer> {
  const { readTokenizer } = await import("./tokenizer.ts");
  return readTokenizer({ tokenizer, ...(config === null ? {} : { config }) });
}
