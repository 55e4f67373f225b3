/** Which tags stand around what a model writes to itself: what its files say, and what a caller may say. */
import type { ReasoningTags } from "./streams.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** Of DeepSeek-R1 and all that came from it, and of Qwen3. */
const usualTags: ReasoningTags = { open: "<think>", close: "</think>" };

/** The usual tags where the vocabulary has a token for both, or a file with the chat template has the closing one; else null. */
export function knownTags(tokenizer: Tokenizer | null, template: string | null): ReasoningTags | null {
  const { open, close } = usualTags;
  const tokens = tokenizer !== null && tokenizer.idOf(open) !== null && tokenizer.idOf(close) !== null;
  return tokens || template?.includes(close) === true ? usualTags : null;
}

const longestTag = 256;

/** Whether two texts can be told apart in a text: neither blank at an end, nor one the beginning of the other. */
export function areTags({ open, close }: ReasoningTags): boolean {
  const plain = [open, close].every((tag) => tag !== "" && tag.trim() === tag && tag.length <= longestTag);
  return plain && !open.startsWith(close) && !close.startsWith(open);
}
