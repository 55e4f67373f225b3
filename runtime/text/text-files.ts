/** What the files beside a checkpoint say of text: its tokenizer, and which ids end a text. */
import type { Part } from "../session/features.ts";
import type { ChatPrompt, chatPromptOf } from "./chat.ts";
import { endOfTextIds } from "./end-of-text.ts";
import { newIdStopper } from "./id-stopper.ts";
import type { StopOptions, Stopper } from "./stopping.ts";
import type { ReasoningTags } from "./streams.ts";
import type * as Texts from "./texts.ts";
import type { Tokenizer } from "./tokenizer.ts";

export interface TextOfModel {
  /** Null where there is no tokenizer.json, or nothing here reads one. */
  readonly tokenizer: Tokenizer | null;
  readonly endIds: readonly number[];
  /** Around what the model writes to itself before it answers; null where no file speaks of that. */
  readonly tags: ReasoningTags | null;
  /** Of what is generated after these tokens. Without a tokenizer there is no text, and ids alone end it. */
  readonly stopper: (tokens: readonly number[], tags: ReasoningTags | null, options: StopOptions) => Stopper;
  /** Read when it is first asked for; null without a tokenizer or a chat template. Throws TextError. */
  readonly chat: () => Promise<ChatPrompt | null>;
}

/** What is loaded where there are files for it. */
export interface TextParts {
  readonly tokenizer: Part<typeof Texts>;
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
  const asked = parts.tokenizer === null ? [] : ["tokenizer.json", "tokenizer_config.json"];
  const files = ["generation_config.json", "config.json", ...asked];
  const [generationConfig, config, tokenizerJson, tokenizerConfig = null] = await Promise.all(files.map(read));
  const texts =
    tokenizerJson == null || parts.tokenizer === null
      ? null
      : openTexts(await parts.tokenizer(), tokenizerJson, tokenizerConfig);
  const eosId = texts?.tokenizer.special.eosId ?? null;
  const endIds = endOfTextIds({
    ...(config == null ? {} : { config }),
    ...(generationConfig == null ? {} : { generationConfig }),
    fallback: eosId === null ? [] : [eosId],
  });
  const tokenizer = texts?.tokenizer ?? null;
  return {
    ...{ tokenizer, endIds },
    tags: (await texts?.tags(read)) ?? null,
    stopper: texts?.stopper ?? ((_tokens, _tags, options) => newIdStopper(options)),
    chat: () => openChat(parts.chat, tokenizer, tokenizerConfig, read),
  };
}

function openTexts({ readTokenizer, knownTags, stopperAfter }: typeof Texts, json: string, config: string | null) {
  const tokenizer = readTokenizer({ tokenizer: json, ...(config === null ? {} : { config }) });
  const stopper: TextOfModel["stopper"] = (...following) => stopperAfter(tokenizer, ...following);
  /** Few models have a template in a file of its own: it is asked for last. */
  const tags = async (read: (name: string) => Promise<string | null>): Promise<ReasoningTags | null> =>
    knownTags(tokenizer, config) ?? knownTags(null, await read("chat_template.jinja"));
  return { tokenizer, stopper, tags };
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
