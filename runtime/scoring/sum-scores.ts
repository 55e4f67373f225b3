/** Scores of several texts as one. */
import type { TextScore } from "./score-text.ts";

export interface ScoreSums {
  readonly texts: number;
  readonly windows: number;
  readonly predictions: number;
  readonly nats: number;
  /** Null where ids have no text. */
  readonly bytes: number | null;
  /** Of a prediction, over all texts; null where there is none. So are those below, which follow from it. */
  readonly natsPerToken: number | null;
  /** Of `natsPerToken`, were the texts drawn anew; null with fewer than two texts that have predictions, and where it is infinite. */
  readonly standardError: number | null;
  /** e to the nats of a token. */
  readonly perplexity: number | null;
  /** nats / (ln 2 · bytes); null without bytes. It compares models of different vocabularies. */
  readonly bitsPerByte: number | null;
}

export function sumScores(scores: readonly TextScore[]): ScoreSums {
  const counted = scores.filter(({ predictions }) => predictions > 0);
  const total = (of: (score: TextScore) => number): number => counted.reduce((sum, score) => sum + of(score), 0);
  const predictions = total((s) => s.predictions);
  const nats = total((s) => s.nats);
  const bytes = scores.some((s) => s.bytes === null) ? null : total((s) => s.bytes ?? 0);
  const mean = predictions === 0 ? null : nats / predictions;
  return {
    texts: scores.length,
    windows: total((s) => s.windows),
    ...{ predictions, nats, bytes },
    natsPerToken: mean,
    standardError: mean === null ? null : standardError(counted, mean, predictions),
    perplexity: mean === null ? null : Math.exp(mean),
    bitsPerByte: mean === null || bytes === null || bytes === 0 ? null : nats / Math.LN2 / bytes,
  };
}

/**
 * Of a ratio of sums over n texts, sum(nats) / sum(predictions): sqrt(n / (n - 1) · sum((nats - mean · predictions)²)) / sum(predictions)
 * (Cochran, Sampling Techniques, section 6.4). Tokens of one text go together, so they are not taken for independent.
 */
function standardError(scores: readonly TextScore[], mean: number, predictions: number): number | null {
  const n = scores.length;
  if (n < 2 || !Number.isFinite(mean)) return null;
  const squares = scores.reduce((sum, s) => sum + (s.nats - mean * s.predictions) ** 2, 0);
  return Math.sqrt((n / (n - 1)) * squares) / predictions;
}
