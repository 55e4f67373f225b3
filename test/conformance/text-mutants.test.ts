/** Every mistake planted in the text of a model is seen by the comparison with its recording. */
import { expect, test } from "vitest";
import { loadCase, loadSparseCase, type OracleCase, sparseCaseNames } from "../oracle/cases.ts";
import { loadReferenceCase, officialCaseNames } from "../oracle/references.ts";
import { readProject } from "./bind-text.ts";
import { errorsOf, openRecorded, partsOf } from "./recorded-parts.ts";
import { equalSparseTexts, sparseTextMutants } from "./sparse-text-mutants.ts";
import { type Edit, equalTexts, type TextMutant, textMutants } from "./text-mutants.ts";
import { settingsOf } from "./text-of.ts";

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

/** A recording, and the settings with which the text computes what it holds. */
function caseOf(name: string): { readonly oracle: OracleCase; readonly settings: ReadonlyMap<string, string> } {
  if (officialCaseNames.includes(name)) {
    const oracle = loadReferenceCase(name);
    return { oracle, settings: oracle.settings };
  }
  const oracle = sparseCaseNames.includes(name) ? loadSparseCase(name) : loadCase(name);
  return { oracle, settings: settingsOf(oracle.config) };
}

/** The worst error of any part, in units of what a recorded number may be off. */
async function worstOf({ seenIn, edits }: TextMutant): Promise<number> {
  const { oracle, settings } = caseOf(seenIn);
  const bound = await openRecorded(oracle, { texts: edited(edits), settings });
  const calls = [oracle.ids, ...oracle.steps.map((id) => [id])];
  const errors = Object.entries(errorsOf(partsOf(bound, bound.another(), calls), oracle));
  // rows of a weight, which other definitions read where they stand: not all texts compute them apart
  return Math.max(...errors.flatMap(([part, error]) => (part === "embed" ? [] : [error])));
}

// As texts they are right; only the comparison sees the mistake. A thousand times what a recorded number may be off: no
// mutant passes for rounding.
test.each([...textMutants, ...sparseTextMutants])("a mistake is seen: $what", async (mutant) => {
  expect(await worstOf(mutant)).toBeGreaterThan(1000);
});

test.each([...equalTexts, ...equalSparseTexts])("no mistake is seen: $what", async (mutant) => {
  expect(await worstOf(mutant)).toBeLessThanOrEqual(1);
});

test("a token that sees what comes later is refused before it is run", async () => {
  const texts = edited([{ file: "std/attention.ds", from: "s <= pos[t]]", to: "s <= pos[t] + 1]" }]);
  await expect(openRecorded(loadCase("llama-gqa"), { texts })).rejects.toThrow("DS0232");
});
