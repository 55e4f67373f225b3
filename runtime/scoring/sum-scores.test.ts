import { expect, test } from "vitest";
import type { TextScore } from "./score-text.ts";
import { sumScores } from "./sum-scores.ts";

const score = (nats: number, predictions: number, bytes: number | null = 4 * predictions): TextScore => ({
  ...{ windows: predictions === 0 ? 0 : 1, predictions, nats, bytes },
});

test("a token counts the same, whatever text it stands in", () => {
  const sums = sumScores([score(2, 1), score(2, 4), score(0, 0)]);
  expect(sums).toMatchObject({ texts: 3, windows: 2, predictions: 5, nats: 4, bytes: 20, natsPerToken: 0.8 });
  expect(sums.perplexity).toBeCloseTo(2.225540928492468, 14); // e^0.8
  expect(sums.bitsPerByte).toBeCloseTo(0.2885390081777927, 14); // 4 / ln 2 / 20
  // Residuals 2 - 0.8 and 2 - 3.2; sqrt(2 / 1 · 2.88) / 5.
  expect(sums.standardError).toBeCloseTo(0.48, 14);
});

test("of texts of one length the standard error is that of their means", () => {
  // Means 1, 2 and 3: their standard deviation is 1, of a mean of three 1 / sqrt(3).
  expect(sumScores([score(10, 10), score(20, 10), score(30, 10)]).standardError).toBeCloseTo(Math.sqrt(1 / 3), 14);
});

test("what cannot be known is null", () => {
  expect(sumScores([score(3, 2)])).toMatchObject({ natsPerToken: 1.5, standardError: null });
  expect(sumScores([score(3, 2), score(0, 0)])).toMatchObject({ texts: 2, natsPerToken: 1.5, standardError: null });
  expect(sumScores([score(3, 2, null)])).toMatchObject({ bytes: null, bitsPerByte: null, natsPerToken: 1.5 });
  expect(sumScores([score(3, 2, 0)])).toMatchObject({ bytes: 0, bitsPerByte: null });
  const nothing = { natsPerToken: null, standardError: null, perplexity: null, bitsPerByte: null };
  expect(sumScores([])).toMatchObject({ texts: 0, predictions: 0, nats: 0, ...nothing });
  expect(sumScores([score(0, 0)])).toMatchObject({ texts: 1, predictions: 0, ...nothing });
  const infinite = sumScores([score(Number.POSITIVE_INFINITY, 2), score(1, 1)]);
  expect(infinite).toMatchObject({ natsPerToken: Number.POSITIVE_INFINITY, standardError: null });
});
