/** How long a run took, and why it ended, for people and for machines. */

import { printable } from "../../dsl/diagnostics/display.ts";
import { percent } from "../../dsl/graph-view/format-count.ts";
import type { DraftStatistics } from "../../runtime/session/draft-counts.ts";
import type { StopReason } from "../../runtime/text/stopping.ts";

export type RunStop = StopReason | { readonly kind: "context-full" } | { readonly kind: "interrupted" };

export interface RunStatistics {
  readonly promptTokens: number;
  readonly tokens: number;
  /** Until the first token. */
  readonly promptSeconds: number;
  /** From the first token to the last. */
  readonly seconds: number;
  /** Tokens after the first, by that time; null where there is one token or none. */
  readonly tokensPerSecond: number | null;
  /** Tokens of the prompt that did not have to be computed, as they were remembered; where there were any. */
  readonly rememberedTokens?: number;
  /** Calls that checked drafts, tokens that were drafted, and those of them that were right; where tokens are drafted. */
  readonly steps?: number;
  readonly drafted?: number;
  readonly accepted?: number;
  /** The same by place behind the last token. */
  readonly positions?: DraftStatistics["positions"];
}

export interface Stopwatch {
  /** A token has come. */
  readonly token: () => void;
  readonly statistics: () => RunStatistics;
}

/** `promptTokens`: those that are to be computed. `drafts`: counts of a runner that drafts. */
export function stopwatch(promptTokens: number, drafts?: () => DraftStatistics | null): Stopwatch {
  const started = performance.now();
  let first: number | null = null;
  let last = started;
  let tokens = 0;
  return {
    token: () => {
      last = performance.now();
      first ??= last;
      tokens += 1;
    },
    statistics: () => {
      const promptSeconds = ((first ?? performance.now()) - started) / 1000;
      const seconds = first === null ? 0 : (last - first) / 1000;
      const tokensPerSecond = tokens > 1 && seconds > 0 ? (tokens - 1) / seconds : null;
      return { promptTokens, tokens, promptSeconds, seconds, tokensPerSecond, ...drafts?.() };
    },
  };
}

const count = (n: number, word: string): string => `${n} ${word}${n === 1 ? "" : "s"}`;

export function statisticsLine(statistics: RunStatistics, stop: RunStop): string {
  const { promptTokens, tokens, promptSeconds, tokensPerSecond } = statistics;
  const { rememberedTokens = 0, drafted = 0, accepted = 0 } = statistics;
  const behind = rememberedTokens === 0 ? "" : ` behind ${rememberedTokens} remembered`;
  const speed = tokensPerSecond === null ? "" : ` at ${tokensPerSecond.toFixed(1)} a second`;
  return [
    `${count(promptTokens, "prompt token")}${behind} in ${promptSeconds.toFixed(2)} s`,
    `${count(tokens, "token")}${speed}`,
    ...(drafted === 0 ? [] : [`drafted ${drafted}, accepted ${accepted} (${percent(accepted, drafted)})`]),
    `stopped: ${stopText(stop)}`,
  ].join("; ");
}

function stopText(stop: RunStop): string {
  switch (stop.kind) {
    case "end-of-text":
      return `end of text (${stop.id})`;
    case "stop-string":
      return `stop text "${printable(stop.text)}"`;
    case "max-tokens":
      return "as many tokens as were asked for";
    case "context-full":
      return "the model remembers no more";
    case "interrupted":
      return "interrupted";
    default:
      return stop satisfies never;
  }
}
