/** The dense family against recordings of transformers: embeddings, every block, the last norm, every logit. */
import { describe, expect, test } from "vitest";
import { caseNames, loadCase } from "../oracle/cases.ts";
import { errorsOf, openRecorded, partsOf } from "./recorded-parts.ts";

describe.each(caseNames)("%s agrees with its recording", (name) => {
  const oracle = loadCase(name);
  const all = [...oracle.ids, ...oracle.steps];
  const opened = openRecorded(oracle);
  const rows: readonly (readonly [how: string, calls: readonly (readonly number[])[], chunk: number])[] = [
    ["the prompt in one call, then single steps", [oracle.ids, ...oracle.steps.map((id) => [id])], 64],
    ["everything in one call", [all], 64],
    ["everything in chunks of five", [all], 5],
    ["a token a call", all.map((id) => [id]), 64],
  ];
  test.each(rows)("%s", async (_how, calls, chunk) => {
    const bound = await opened;
    const errors = errorsOf(partsOf(bound, bound.another(), calls, chunk), oracle);
    for (const error of Object.values(errors)) expect(error, JSON.stringify(errors)).toBeLessThanOrEqual(1);
  });
});
