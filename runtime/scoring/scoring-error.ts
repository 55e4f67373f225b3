/**
 * - `bad-window`    a window in which nothing can be counted, or overlaps that leave nothing new
 * - `bad-logits`    a logit is nan or +inf, or all are -inf: there are no probabilities
 * - `bad-id`        an id that the logits do not have
 */
export type ScoringErrorCode = "bad-window" | "bad-logits" | "bad-id";

export class ScoringError extends Error {
  readonly code: ScoringErrorCode;

  constructor(code: ScoringErrorCode, message: string) {
    super(message);
    this.name = "ScoringError";
    this.code = code;
  }
}
