/** What a checkpoint's folder says of text: its tokenizer, its chat template, and which ids end a text. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { type ChatVariables, chatText } from "../../runtime/text/chat.ts";
import { type ChatMessage, type ChatTemplate, parseChatTemplate } from "../../runtime/text/chat-template.ts";
import { endOfTextIds } from "../../runtime/text/end-of-text.ts";
import { knownTags } from "../../runtime/text/reasoning.ts";
import type { ReasoningTags } from "../../runtime/text/streams.ts";
import { chooseTemplate, readTemplates } from "../../runtime/text/template-files.ts";
import { readTokenizer, type Tokenizer } from "../../runtime/text/tokenizer.ts";
import { Failure } from "./failure.ts";
import { nameFrom } from "./project.ts";
import { readText, sizeLimits } from "./read-file.ts";

export interface TextFiles {
  /** Null where the folder has no tokenizer.json. */
  readonly tokenizer: Tokenizer | null;
  readonly endIds: readonly number[];
  /** Around what the model writes to itself before it answers; null where no file speaks of that. */
  readonly tags: ReasoningTags | null;
  /** The texts of its chat templates, by name. Throws TextError. */
  readonly templates: () => ReadonlyMap<string, string>;
  /** A conversation as a prompt that the assistant answers. `variables`: what else the template reads. Throws TextError. */
  readonly chat: (messages: readonly ChatMessage[], variables?: ChatVariables) => string;
}

/** `config`: the text of the model's config. `template`: a file with a chat template instead of the folder's. Throws TextError. */
export function openText(
  folder: string,
  config: string,
  cwd: string,
  template: string | null = null,
): TextFiles | Failure {
  const texts = new Map<string, string>();
  const named = template === null ? null : resolve(cwd, template);
  for (const name of ["tokenizer.json", "tokenizer_config.json", "generation_config.json", "chat_template.jinja"]) {
    const own = name === "chat_template.jinja" ? named : null;
    const file = own ?? join(folder, name);
    if (own === null && !existsSync(file)) continue;
    const text = readText(file, nameFrom(cwd, file), sizeLimits.json);
    if (text instanceof Failure) return text;
    texts.set(name, text);
  }
  const tokenizerJson = texts.get("tokenizer.json");
  const tokenizerConfig = texts.get("tokenizer_config.json");
  const generationConfig = texts.get("generation_config.json");
  const jinja = texts.get("chat_template.jinja");
  const about = tokenizerConfig === undefined ? {} : { config: tokenizerConfig };
  const tokenizer = tokenizerJson === undefined ? null : readTokenizer({ tokenizer: tokenizerJson, ...about });
  const eosId = tokenizer?.special.eosId ?? null;
  const templates = (): ReadonlyMap<string, string> =>
    readTemplates({ ...about, ...(jinja === undefined ? {} : { jinja }) });
  let parsed: ChatTemplate | null = null;
  return {
    tokenizer,
    endIds: endOfTextIds({
      config,
      ...(generationConfig === undefined ? {} : { generationConfig }),
      fallback: eosId === null ? [] : [eosId],
    }),
    tags: tokenizer === null ? null : (knownTags(tokenizer, tokenizerConfig ?? null) ?? knownTags(null, jinja ?? null)),
    templates,
    chat: (messages, variables) => {
      parsed ??= parseChatTemplate(chooseTemplate(templates()));
      return chatText(parsed, tokenizer, messages, variables);
    },
  };
}
