/** Text of tokens that follow others: decoded and cut into streams as the prompt leaves it. */
import { answerOnly, newStreamSplitter, type ReasoningTags, type StreamSplitter, startAfter } from "./streams.ts";
import type { IncrementalDecoder, Tokenizer } from "./tokenizer.ts";

/** Special tokens are left out, but tags are text: what is between them is told by them. */
export function decoderAfter(
  tokenizer: Tokenizer,
  tokens: readonly number[],
  tags: ReasoningTags | null,
): IncrementalDecoder {
  const keep = tags === null ? [] : [tags.open, tags.close].flatMap((tag) => tokenizer.idOf(tag) ?? []);
  const decoder = tokenizer.newDecoder({ skipSpecial: true, keep });
  // Some decoders drop a space before the first token of a text, and the first of an answer is not that.
  for (const token of tokens) decoder.push(token);
  return decoder;
}

/** From the end of a prompt, as many tokens as hold the longest tag and blanks behind it. */
const tail = 1024;

export function splitterAfter(
  tokenizer: Tokenizer,
  tokens: readonly number[],
  tags: ReasoningTags | null,
): StreamSplitter {
  if (tags === null) return answerOnly;
  return newStreamSplitter(tags, startAfter(tokenizer.decode(tokens.slice(-tail)), tags));
}
