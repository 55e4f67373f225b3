/** Latent attention, experts and indexers against recordings of transformers: every block, every logit, prompt and steps. */
import { expect, test } from "vitest";
import { loadSparseCase, type OracleCase, type Rows, recordingError, sparseCaseNames } from "../oracle/cases.ts";
import { bindText } from "./bind-text.ts";
import { settingsOf, textOf } from "./text-of.ts";

/** How far the worst number is from the recording, in units of what a recorded number may be off. */
function worst(found: Rows, recorded: Rows): number {
  let most = 0;
  recorded.forEach((row, t) => {
    row.forEach((value, i) => {
      const error = Math.abs((found[t]?.[i] ?? Number.NaN) - value) / recordingError(value);
      most = Number.isNaN(error) ? Number.POSITIVE_INFINITY : Math.max(most, error);
    });
  });
  return most;
}

async function run(oracle: OracleCase): Promise<ReadonlyMap<string, Rows>> {
  const found = new Map<string, (readonly number[])[]>();
  const add = (name: string, rows: Rows): void => {
    found.set(name, [...(found.get(name) ?? []), ...rows]);
  };
  const session = await bindText({
    entry: `models/${textOf(oracle.config)}.ds`,
    config: oracle.config,
    settings: settingsOf(oracle.config),
    tensors: oracle.weights(),
    results: ["logits", "hidden"],
    keep: (label) => label === "layer.y",
  });
  for (const ids of [oracle.ids, ...oracle.steps.map((id) => [id])]) {
    const { results, observed } = session.forward(ids);
    for (const [name, rows] of results) add(name === "hidden" ? "norm" : name, rows);
    for (const { path, member, rows } of observed) if (path === "layer.y") add(`block.${member}`, rows);
  }
  return found;
}

/** `norm_topk_prob: false`, which the texts of V3 refuse. */
const refused = new Set(["v3-unnormed", "v3.2-heads"]);

test.each(sparseCaseNames.filter((name) => !refused.has(name)))("%s agrees with its recording", async (name) => {
  const oracle = loadSparseCase(name);
  const found = await run(oracle);
  const recorded = new Map([...oracle.hidden, ["logits", oracle.logits] as const]);
  recorded.delete("embed"); // rows of a weight: `%s is what its weights give` of the oracle compares them
  const errors = Object.fromEntries([...recorded].map(([part, rows]) => [part, worst(found.get(part) ?? [], rows)]));
  for (const error of Object.values(errors)) expect(error, JSON.stringify(errors)).toBeLessThanOrEqual(1);
});
