import { expect, test } from "vitest";
import { fnv1a, mulberry32 } from "../../compiler/cli/tiny/seeded-numbers.ts";
import { caseNames, loadCase, loadSparseCase, type OracleTensor, recordingError, sparseCaseNames } from "./cases.ts";
import { checksum, seededTensor } from "./seeded-weights.ts";

function row(tensor: OracleTensor | undefined, i: number): readonly number[] {
  const width = tensor?.shape.at(-1) ?? 0;
  return [...(tensor?.data.subarray(i * width, (i + 1) * width) ?? [])];
}

const bestOf = (values: readonly number[]): number => values.indexOf(Math.max(...values));

test("the generator gives the values that are published for it", () => {
  expect(fnv1a(new TextEncoder().encode("foobar"))).toBe(0xbf9cf968);
  const next = mulberry32(1);
  expect([next(), next(), next()]).toEqual([2693262067, 11749833, 2265367787]);
});

test("seeded values are exact in bf16 and f16", () => {
  const kinds = ["model.norm.weight", "q_proj.bias", "model.embed_tokens.weight", "q_proj.weight"];
  for (const name of [...kinds, "gate.e_score_correction_bias"]) {
    const values = seededTensor(7, name, [64, 33]);
    expect(new Set(values).size).toBeGreaterThan(60);
    // 8 bits of significand, at least 2^-14, the least normal number of f16
    for (const value of values) {
      const exponent = value === 0 ? 0 : Math.floor(Math.log2(Math.abs(value)));
      expect(exponent).toBeGreaterThanOrEqual(-14);
      expect(Number.isInteger(value * 2 ** (7 - exponent))).toBe(true);
    }
  }
});

const all = [...caseNames.map(loadCase), ...sparseCaseNames.map(loadSparseCase)];

test.each(all)("$name is what its weights give", ({ config, weights, ids, steps, hidden, logits }) => {
  const given = weights();
  const fields: { readonly num_hidden_layers: number; readonly tie_word_embeddings: boolean } = JSON.parse(config);
  const tokens = [...ids, ...steps];
  const blocks = Array.from({ length: fields.num_hidden_layers }, (_, l) => `block.${l}`);
  expect([...hidden.keys()]).toEqual(["embed", ...blocks, "norm"]);
  for (const rows of [...hidden.values(), logits]) expect(rows).toHaveLength(tokens.length);

  const embed = given.get("model.embed_tokens.weight");
  expect(hidden.get("embed")).toEqual(tokens.map((id) => row(embed, id)));
  expect(given.has("lm_head.weight")).toBe(!fields.tie_word_embeddings);
  const head = given.get("lm_head.weight") ?? embed;
  const last = hidden.get("norm") ?? [];
  logits.forEach((scores, t) => {
    scores.forEach((score, v) => {
      const terms = row(head, v).map((w, d) => w * (last[t]?.[d] ?? Number.NaN));
      const sum = terms.reduce((a, b) => a + b, 0);
      const error = terms.reduce((bound, term) => bound + recordingError(term), recordingError(score));
      expect(Math.abs(sum - score)).toBeLessThanOrEqual(error);
    });
  });
  expect(logits.slice(ids.length - 1, -1).map(bestOf)).toEqual(steps);
});

test.each(sparseCaseNames)("choices of %s are as many as its config says", (name) => {
  const { config, ids, steps, experts, selected } = loadSparseCase(name);
  const fields = JSON.parse(config);
  const layers = Array.from({ length: fields.num_hidden_layers }, (_, l) => l);
  expect([...experts.keys()]).toEqual(layers.slice(fields.first_k_dense_replace));
  expect([...selected.keys()]).toEqual(fields.index_topk === undefined ? [] : layers);
  const length = ids.length + steps.length;
  for (const { sets, gaps } of [...experts.values(), ...selected.values()]) {
    expect(sets).toHaveLength(length);
    expect(gaps).toHaveLength(length);
    for (const set of sets) expect(set).toEqual([...new Set(set)].sort((a, b) => a - b));
    for (const gap of gaps) expect(gap ?? 1).toBeGreaterThan(0);
  }
  for (const { sets } of experts.values()) {
    const perGroup = fields.n_routed_experts / fields.n_group;
    for (const set of sets) {
      expect(set).toHaveLength(fields.num_experts_per_tok);
      const groups = new Set(set.map((expert) => Math.floor(expert / perGroup)));
      expect(groups.size).toBeLessThanOrEqual(fields.topk_group);
    }
  }
  for (const { sets } of selected.values())
    sets.forEach((set, t) => {
      expect(set).toHaveLength(Math.min(fields.index_topk, t + 1));
      expect(Math.max(...set)).toBeLessThanOrEqual(t);
    });
});

test("a tensor has one checksum", () => {
  expect(checksum(new Float32Array([1, -2]))).toBe(checksum(new Float32Array([1, -2])));
  expect(checksum(new Float32Array([0]))).not.toBe(checksum(new Float32Array([-0])));
});
