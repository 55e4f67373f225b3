/** Every mistake planted in the text of a model is seen by the comparison with its recording. */
import { expect, test } from "vitest";
import { loadCase } from "../oracle/cases.ts";
import { readProject } from "./bind-text.ts";
import { errorsOf, openDense, partsOf } from "./recorded-parts.ts";
import { type Edit, equalTexts, type TextMutant, textMutants } from "./text-mutants.ts";

function edited(edits: readonly Edit[]): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const { file, from, to } of edits) {
    const text = texts.get(file) ?? readProject(file) ?? "";
    if (!text.includes(from)) throw new Error(`${file} has no ${JSON.stringify(from)}`);
    texts.set(
      file,
      text.replace(from, () => to),
    );
  }
  return texts;
}

/** The worst error of any part, in units of what a recorded number may be off. */
async function worstOf({ seenIn, edits }: TextMutant): Promise<number> {
  const oracle = loadCase(seenIn);
  const bound = await openDense(oracle, { texts: edited(edits) });
  const calls = [oracle.ids, ...oracle.steps.map((id) => [id])];
  return Math.max(...Object.values(errorsOf(partsOf(bound, bound.another(), calls), oracle)));
}

// As texts they are right; only the comparison sees the mistake. A thousand times what a recorded number may be off: no
// mutant passes for rounding.
test.each(textMutants)("a mistake is seen: $what", async (mutant) => {
  expect(await worstOf(mutant)).toBeGreaterThan(1000);
});

test.each(equalTexts)("no mistake is seen: $what", async (mutant) => {
  expect(await worstOf(mutant)).toBeLessThanOrEqual(1);
});

test("a token that sees what comes later is refused before it is run", async () => {
  const texts = edited([{ file: "std/attention.ds", from: "s <= pos[t]]", to: "s <= pos[t] + 1]" }]);
  await expect(openDense(loadCase("llama-gqa"), { texts })).rejects.toThrow("DS0232");
});
