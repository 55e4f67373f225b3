/** Says what of the text after some tokens may be shown, and when it ends. */
import { decoderAfter, splitterAfter } from "./after-prompt.ts";
import { newStopper, type StopOptions, type Stopper } from "./stopping.ts";
import type { ReasoningTags } from "./streams.ts";
import type { Tokenizer } from "./tokenizer.ts";

export function stopperAfter(
  tokenizer: Tokenizer,
  tokens: readonly number[],
  tags: ReasoningTags | null,
  options: StopOptions,
): Stopper {
  const streams = splitterAfter(tokenizer, tokens, tags);
  return newStopper(decoderAfter(tokenizer, tokens, tags), { ...options, streams });
}
