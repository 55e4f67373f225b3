/** Latent attention, experts and indexers against recordings: every block, every logit, every choice, however tokens come. */
import { describe, expect, test } from "vitest";
import { loadSparseCase, type OracleCase, type Rows, recordingError, sparseCaseNames } from "../oracle/cases.ts";
import { loadReferenceCase, moeCaseNames, officialCaseNames } from "../oracle/references.ts";
import { type BoundText, bindText } from "./bind-text.ts";
import { settingsOf, textOf } from "./text-of.ts";

/** What transformers computes, and what the official code does: V3.2 with its transform and 8-bit numbers, DeepSeekMoE. */
const cases = [
  ...sparseCaseNames.map(loadSparseCase).map((oracle) => ({ ...oracle, settings: settingsOf(oracle.config) })),
  ...[...officialCaseNames, ...moeCaseNames].map(loadReferenceCase),
];

const steps = 8;
/** Lengths of prompts, with steps of one token behind each: one, odd, and longer than a chunk. */
const cuts = [
  { prompt: 1, chunk: undefined },
  { prompt: 7, chunk: undefined },
  { prompt: 21, chunk: 16 },
] as const;

/** How far the worst number is from the recording, in units of what a recorded number may be off. */
function worst(found: Rows, recorded: Rows): number {
  let most = found.length === recorded.length ? 0 : Number.POSITIVE_INFINITY;
  recorded.forEach((row, t) => {
    row.forEach((value, i) => {
      const error = Math.abs((found[t]?.[i] ?? Number.NaN) - value) / recordingError(value);
      most = Number.isNaN(error) ? Number.POSITIVE_INFINITY : Math.max(most, error);
    });
  });
  return most;
}

const labels: ReadonlyMap<string, string> = new Map([
  ["layer.y", "block"],
  ["layer.mlp.gate.pick", "experts"],
  ["layer.attn.indexer.near", "selected"],
]);

/** Rows by part: `logits`, `norm`, and `block.0`, `experts.1`, `selected.0` and on, for the positions of all calls. */
function run({ session, forward }: BoundText, calls: readonly (readonly number[])[], chunk?: number) {
  session.rollback(session.length);
  const found = new Map<string, (readonly number[])[]>();
  const add = (name: string, rows: Rows): void => {
    found.set(name, [...(found.get(name) ?? []), ...rows]);
  };
  for (const ids of calls) {
    const { results, observed } = forward(ids, chunk === undefined ? {} : { chunk });
    for (const [name, rows] of results) add(name === "hidden" ? "norm" : name, rows);
    for (const { path, member, rows } of observed) add(`${labels.get(path) ?? path}.${member}`, rows);
  }
  return found;
}

/** A choice has no order. */
const ascending = (row: readonly number[]): readonly number[] => [...row].sort((a, b) => a - b);

function expectChoices(found: ReadonlyMap<string, Rows>, { experts, selected }: OracleCase, count: number): void {
  for (const [layer, { sets }] of experts)
    expect(found.get(`experts.${layer}`)?.map(ascending), `experts of layer ${layer}`).toEqual(sets.slice(0, count));
  for (const [layer, { sets }] of selected) {
    // the first t + 1 places: the others are left over where fewer tokens are seen than would be kept
    const rows = found.get(`selected.${layer}`)?.map((row, t) => ascending(row.slice(0, t + 1)));
    expect(rows, `tokens selected by layer ${layer}`).toEqual(sets.slice(0, count));
  }
}

describe.each(cases)("$name", (oracle) => {
  const tokens = [...oracle.ids, ...oracle.steps];
  const recorded = new Map([...oracle.hidden, ["logits", oracle.logits] as const]);
  recorded.delete("embed"); // rows of a weight: `$name is what its weights give` of the oracle compares them
  const bound = bindText({
    entry: `models/${textOf(oracle.config)}.ds`,
    config: oracle.config,
    settings: oracle.settings,
    tensors: oracle.weights(),
    results: ["logits", "hidden"],
    keep: (label) => labels.has(label),
  });

  test.each(cuts.filter(({ prompt }) => prompt + steps <= tokens.length))(
    "a prompt of $prompt and steps",
    async ({ prompt, chunk }) => {
      const count = prompt + steps;
      const calls = [tokens.slice(0, prompt), ...tokens.slice(prompt, count).map((id) => [id])];
      const found = run(await bound, calls, chunk);
      const errors = Object.fromEntries(
        [...recorded].map(([part, rows]) => [part, worst(found.get(part) ?? [], rows.slice(0, count))]),
      );
      for (const error of Object.values(errors)) expect(error, JSON.stringify(errors)).toBeLessThanOrEqual(1);
      expectChoices(found, oracle, count);
    },
  );
});
