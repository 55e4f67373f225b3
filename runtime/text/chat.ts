/** Conversations as prompts, by the chat template and the tokenizer beside a model's weights. */
import { type ChatMessage, type ChatTemplate, type JsonValue, parseChatTemplate } from "./chat-template.ts";
import { chooseTemplate, readTemplates, type TemplateFiles } from "./template-files.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** What a template reads besides messages, such as `thinking`. */
export type ChatVariables = { readonly [name: string]: JsonValue };

/** Up to where the assistant answers. Throws TextError. */
export function chatText(
  template: ChatTemplate,
  tokenizer: Tokenizer | null,
  messages: readonly ChatMessage[],
  variables: ChatVariables = {},
): string {
  const text = (id: number | null | undefined): string | null => (id == null ? null : (tokenizer?.tokenOf(id) ?? null));
  const [bosToken, eosToken] = [text(tokenizer?.special.bosId), text(tokenizer?.special.eosId)];
  return template.render({
    messages,
    variables,
    addGenerationPrompt: true,
    ...(bosToken === null ? {} : { bosToken }),
    ...(eosToken === null ? {} : { eosToken }),
  });
}

/** Token ids of a conversation, up to where the assistant answers. Throws TextError. */
export type ChatPrompt = (messages: readonly ChatMessage[], variables?: ChatVariables) => readonly number[];

/** Null where the files have no template. Throws TextError. */
export function chatPromptOf(files: TemplateFiles, tokenizer: Tokenizer): ChatPrompt | null {
  const templates = readTemplates(files);
  if (templates.size === 0) return null;
  const template = parseChatTemplate(chooseTemplate(templates));
  return (messages, variables) => tokenizer.encode(chatText(template, tokenizer, messages, variables), "nothing");
}
