/** What a chat has come to so far. */
import type { RunStatistics } from "../run-statistics.ts";

export interface Totals {
  readonly answers: number;
  /** Of prompts, computed; and those that were remembered instead. */
  readonly promptTokens: number;
  readonly rememberedTokens: number;
  readonly tokens: number;
  /** Of computing prompts, and of writing answers. */
  readonly promptSeconds: number;
  readonly seconds: number;
  readonly drafted: number;
  readonly accepted: number;
}

export const noTotals: Totals = {
  ...{ answers: 0, promptTokens: 0, rememberedTokens: 0, tokens: 0, promptSeconds: 0, seconds: 0 },
  ...{ drafted: 0, accepted: 0 },
};

export const withAnswer = (totals: Totals, statistics: RunStatistics): Totals => ({
  answers: totals.answers + 1,
  promptTokens: totals.promptTokens + statistics.promptTokens,
  rememberedTokens: totals.rememberedTokens + (statistics.rememberedTokens ?? 0),
  tokens: totals.tokens + statistics.tokens,
  promptSeconds: totals.promptSeconds + statistics.promptSeconds,
  seconds: totals.seconds + statistics.seconds,
  drafted: totals.drafted + (statistics.drafted ?? 0),
  accepted: totals.accepted + (statistics.accepted ?? 0),
});

/** `remembered` of `context`: tokens that the model holds now. */
export function totalsText(totals: Totals, remembered: number, context: number): string {
  const { answers, promptTokens, rememberedTokens, tokens, promptSeconds, seconds, drafted, accepted } = totals;
  // The first token of each answer comes with its prompt.
  const later = tokens - answers;
  const speed = later > 0 && seconds > 0 ? `, ${(later / seconds).toFixed(1)} a second` : "";
  return [
    `${answers} answer${answers === 1 ? "" : "s"}, ${tokens} tokens in ${seconds.toFixed(2)} s${speed}`,
    `prompts: ${promptTokens} tokens computed in ${promptSeconds.toFixed(2)} s, ${rememberedTokens} remembered`,
    ...(drafted === 0 ? [] : [`drafts: ${accepted} of ${drafted} were right`]),
    `memory: ${remembered}${Number.isFinite(context) ? ` of ${context}` : ""} tokens`,
  ].join("\n");
}
