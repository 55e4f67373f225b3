/** What `dsc perplexity` found, for people and for machines. */
import { longCount } from "../../../dsl/graph-view/format-count.ts";
import type { TextScore } from "../../../runtime/scoring/score-text.ts";
import { type ScoreSums, sumScores } from "../../../runtime/scoring/sum-scores.ts";

export interface DocumentScore {
  /** Ordinal among all of the file, from 0. */
  readonly document: number;
  /** Ids of its text. */
  readonly tokens: number;
  readonly score: TextScore;
}

export interface PerplexityResult {
  readonly documents: readonly DocumentScore[];
  /** Ids of a window; infinite where a model remembers any number. */
  readonly context: number;
  readonly stride: number;
  readonly cut: boolean;
  /** Ctrl-C has ended it: the last document may be scored in part. */
  readonly interrupted: boolean;
  /** Of encoding and running. */
  readonly seconds: number;
}

export const sumsOf = ({ documents }: Pick<PerplexityResult, "documents">): ScoreSums =>
  sumScores(documents.map((d) => d.score));

/** Numbers that JSON lacks are texts, as in `dsc logits`. */
export function perplexityJson(result: PerplexityResult): string {
  const { context, stride, cut, interrupted, seconds } = result;
  const { texts, ...sums } = sumsOf(result);
  const documents = result.documents.map(({ document, tokens, score: { windows, predictions, nats, bytes } }) => ({
    ...{ document, tokens, windows, predictions, nats, bytes },
    natsPerToken: predictions === 0 ? null : nats / predictions,
  }));
  const fields = { ...sums, context, stride, cut, interrupted, seconds, documents };
  const exact = (_key: string, value: unknown): unknown =>
    typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
  return `${JSON.stringify(fields, exact)}\n`;
}

const plural = (count: number, word: string): string => `${longCount(count)} ${word}${count === 1 ? "" : "s"}`;

export function perplexityText(result: PerplexityResult): string {
  const { texts, windows, predictions, bytes, natsPerToken, standardError, perplexity, bitsPerByte } = sumsOf(result);
  const tokens = result.documents.reduce((sum, document) => sum + document.tokens, 0);
  const places = (value: number | null): string => value?.toFixed(4) ?? "unknown";
  const error = standardError === null ? "" : ` ± ${places(standardError)}`;
  const rows = [
    ["nats per token", `${places(natsPerToken)}${error}`],
    ["perplexity", places(perplexity)],
    ...(bytes === null ? [] : [["bits per byte", places(bitsPerByte)]]),
    [
      "predictions",
      `${longCount(predictions)} of ${plural(tokens, "token")}, in ${plural(windows, "window")} of ${plural(texts, "document")}`,
    ],
    ...(bytes === null ? [] : [["bytes", longCount(bytes)]]),
  ];
  return rows.map(([name = "", value = ""]) => `${name.padEnd(16)}${value}\n`).join("");
}

export function speedLine(result: PerplexityResult): string {
  const { predictions } = sumsOf(result);
  const { seconds, interrupted } = result;
  const speed = predictions > 0 && seconds > 0 ? `, ${(predictions / seconds).toFixed(0)} predictions a second` : "";
  return `${seconds.toFixed(2)} s${speed}${interrupted ? "; interrupted" : ""}\n`;
}
