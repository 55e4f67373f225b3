/** What the files beside a checkpoint say of text: its tokenizer, and which ids end a text. */
import type { Part } from "../session/features.ts";
import type { ChatPrompt, chatPromptOf } from "./chat.ts";
import { endOfTextIds } from "./end-of-text.ts";
import { knownTags } from "./reasoning.ts";
import type { ReasoningTags } from "./streams.ts";
import type { readTokenizer, Tokenizer } from "./tokenizer.ts";

export interface TextOfModel {
  /** Null where there is no tokenizer.json, or nothing here reads one. */
  readonly tokenizer: Tokenizer | null;
  readonly endIds: readonly number[];
  /** Around what the model writes to itself before it answers; null where no file speaks of that. */
  readonly tags: ReasoningTags | null;
  /** Read when it is first asked for; null without a tokenizer or a chat template. Throws TextError. */
  readonly chat: () => Promise<ChatPrompt | null>;
}

/** What is loaded where there are files for it. */
export interface TextParts {
  readonly tokenizer: Part<{ readonly readTokenizer: typeof readTokenizer }>;
  readonly chat: Part<{ readonly chatPromptOf: typeof chatPromptOf }>;
}

/**
 * `read`: the text of a file beside the weights, null where there is none. The tokenizer's library is loaded where there is a
 * tokenizer only. Throws TextError.
 */
export async function readTextFiles(
  read: (name: string) => Promise<string | null>,
  parts: TextParts,
): Promise<TextOfModel> {
  const [tokenizerJson, tokenizerConfig, generationConfig, config] = await Promise.all(
    ["tokenizer.json", "tokenizer_config.json", "generation_config.json", "config.json"].map(read),
  );
  const open = parts.tokenizer;
  const tokenizer =
    tokenizerJson == null || open === null ? null : await openTokenizer(open, tokenizerJson, tokenizerConfig ?? null);
  const eosId = tokenizer?.special.eosId ?? null;
  const endIds = endOfTextIds({
    ...(config == null ? {} : { config }),
    ...(generationConfig == null ? {} : { generationConfig }),
    fallback: eosId === null ? [] : [eosId],
  });
  const tags = await tagsOf(tokenizer, tokenizerConfig ?? null, read);
  return { tokenizer, endIds, tags, chat: () => openChat(parts.chat, tokenizer, tokenizerConfig ?? null, read) };
}

async function openChat(
  open: TextParts["chat"],
  tokenizer: Tokenizer | null,
  config: string | null,
  read: (name: string) => Promise<string | null>,
): Promise<ChatPrompt | null> {
  if (tokenizer === null || open === null) return null;
  const [jinja, { chatPromptOf }] = await Promise.all([read("chat_template.jinja"), open()]);
  return chatPromptOf({ ...(jinja === null ? {} : { jinja }), ...(config === null ? {} : { config }) }, tokenizer);
}

/** Few models have a template in a file of its own: it is asked for last. */
async function tagsOf(
  tokenizer: Tokenizer | null,
  config: string | null,
  read: (name: string) => Promise<string | null>,
): Promise<ReasoningTags | null> {
  if (tokenizer === null) return null;
  return knownTags(tokenizer, config) ?? knownTags(null, await read("chat_template.jinja"));
}

async function openTokenizer(
  open: NonNullable<TextParts["tokenizer"]>,
  tokenizer: string,
  config: string | null,
): Promise<Tokenizer> {
  const { readTokenizer } = await open();
  return readTokenizer({ tokenizer, ...(config === null ? {} : { config }) });
}
