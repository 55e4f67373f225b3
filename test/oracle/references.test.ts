import { expect, test } from "vitest";
import { type OracleCase, type OracleTensor, type Rows, recordingError } from "./cases.ts";
import {
  engramCaseNames,
  engramLmCaseNames,
  loadEngramCase,
  loadEngramLmCase,
  loadMtpCase,
  loadReferenceCase,
  loadReferenceMtpCase,
  type Memory,
  moeCaseNames,
  mtpCaseNames,
  officialCaseNames,
  referenceMtpCaseNames,
} from "./references.ts";

const bestOf = (values: readonly number[]): number => values.indexOf(Math.max(...values));
const rowOf = (tensor: OracleTensor | undefined, i: number): readonly number[] => {
  const width = tensor?.shape.at(-1) ?? 0;
  return [...(tensor?.data.subarray(i * width, (i + 1) * width) ?? [])];
};

/** Whether rows of logits are what the head makes of rows of hidden states. */
function expectHead(head: OracleTensor | undefined, hidden: Rows, logits: Rows): void {
  expect(logits).toHaveLength(hidden.length);
  logits.forEach((scores, t) => {
    scores.forEach((score, v) => {
      const terms = rowOf(head, v).map((w, d) => w * (hidden[t]?.[d] ?? Number.NaN));
      const error = terms.reduce((bound, term) => bound + recordingError(term), recordingError(score));
      expect(Math.abs(terms.reduce((a, b) => a + b, 0) - score)).toBeLessThanOrEqual(error);
    });
  });
}

function expectWhole(oracle: OracleCase): void {
  const { config, weights, ids, steps, hidden, logits, experts } = oracle;
  const fields = JSON.parse(config);
  const made = weights();
  const layers = Array.from({ length: fields.num_hidden_layers }, (_, l) => l);
  expect([...hidden.keys()]).toEqual(["embed", ...layers.map((l) => `block.${l}`), "norm"]);
  const embed = made.get("model.embed_tokens.weight");
  expect(hidden.get("embed")).toEqual([...ids, ...steps].map((id) => rowOf(embed, id)));
  expectHead(made.get("lm_head.weight"), hidden.get("norm") ?? [], logits);
  expect(logits.slice(ids.length - 1, -1).map(bestOf)).toEqual(steps);
  for (const layer of layers.slice(fields.first_k_dense_replace))
    for (const set of experts.get(layer)?.sets ?? [[]]) expect(set).toHaveLength(fields.num_experts_per_tok);
}

test.each([...moeCaseNames, ...officialCaseNames])("%s is what its weights give", (name) => {
  const oracle = loadReferenceCase(name);
  expectWhole(oracle);
  const kept: number | undefined = JSON.parse(oracle.config).index_topk;
  for (const { sets, gaps } of oracle.selected.values())
    sets.forEach((set, t) => {
      expect(set).toHaveLength(Math.min(kept ?? 0, t + 1));
      // no f32 rounding, nor a number of fp8 that it takes to the next, changes a set
      expect(gaps[t] ?? 1).toBeGreaterThanOrEqual(2e-3);
    });
});

const drafting = [...mtpCaseNames.map(loadMtpCase), ...referenceMtpCaseNames.map(loadReferenceMtpCase)];

test.each(drafting)("drafts of $name follow from one another", (oracle) => {
  expectWhole(oracle);
  const { ids, steps, drafts, draftHidden, draftLogits, weights } = oracle;
  const tokens = [...ids, ...steps];
  const made = weights();
  const { num_hidden_layers: layers }: { readonly num_hidden_layers: number } = JSON.parse(oracle.config);
  const twice = made.get(`model.layers.${layers}.shared_head.head.weight`);
  expect(twice?.data).toEqual(made.get("lm_head.weight")?.data);
  expect(draftLogits.map(bestOf)).toEqual(drafts.map(({ token }) => token));
  expectHead(
    twice,
    drafts.map(({ known }) => draftHidden[known - 2] ?? []),
    draftLogits,
  );
  expect(new Set(drafts.map(({ accepted }) => accepted)).size).toBeGreaterThan(1);
  let known = ids.length + 1;
  for (const draft of drafts) {
    expect(draft.known).toBe(known);
    if (draft.accepted !== null) expect(tokens[known] === draft.token).toBe(draft.accepted);
    known += draft.accepted === true ? 2 : 1;
  }
  expect(known).toBeGreaterThanOrEqual(tokens.length);
});

/** Row numbers, from the definition, in whole numbers without an end. */
function rowsOf({ multipliers, primes }: Memory, compressed: readonly number[], pad: number): Rows {
  return compressed.map((_, t) =>
    primes.flatMap((sizes, order) => {
      const mix = multipliers
        .slice(0, order + 2)
        .reduce((sum, by, back) => sum ^ (BigInt(t < back ? pad : (compressed[t - back] ?? Number.NaN)) * by), 0n);
      return sizes.map((size) => Number(mix % BigInt(size)));
    }),
  );
}

const remembering = [...engramCaseNames.map(loadEngramCase), ...engramLmCaseNames.map(loadEngramLmCase)];

test.each(remembering)("rows and gates of $name are those of its ids", (recorded) => {
  const { ids, tokenMap, memories, config } = recorded;
  const fields = JSON.parse(config);
  const tokens = "steps" in recorded ? [...ids, ...recorded.steps] : ids;
  const pad = tokenMap[fields.engram?.pad_id ?? fields.engram_pad_token_id] ?? Number.NaN;
  const compressed = tokens.map((id) => tokenMap[id] ?? Number.NaN);
  expect(Math.max(...tokenMap) + 1).toBe(fields.engram?.compressed_vocab_size ?? fields.engram_compressed_vocab_size);
  expect(Math.max(...tokenMap)).toBeLessThan(fields.vocab_size - 1);
  const primes = [...memories.values()].flatMap((memory) => memory.primes.flat());
  expect(new Set(primes).size).toBe(primes.length);
  for (const memory of memories.values()) {
    expect(memory.rows).toEqual(rowsOf(memory, compressed, pad));
    memory.z.forEach((row, t) => {
      row.forEach((z, m) => {
        const gate = 1 / (1 + Math.exp(-Math.sign(z) * Math.sqrt(Math.abs(z))));
        expect(memory.gates[t]?.[m]).toBeCloseTo(gate, 8);
      });
    });
    for (const row of memory.added) expect(row).toHaveLength(fields.hc_mult * fields.hidden_size);
  }
});

test.each(engramCaseNames)("tensors of %s are made again", (name) => {
  const { tensors, memories, ids } = loadEngramCase(name);
  const made = tensors();
  for (const [layer, { primes }] of memories) {
    expect(made.get(`streams.${layer}`)?.shape[0]).toBe(ids.length);
    const rows = primes.flat().reduce((a, b) => a + b, 0);
    const tables = [...made].filter(
      ([tensor]) => tensor.includes(`layers.${layer}.engram`) && tensor.includes("embed"),
    );
    expect(tables.length).toBeGreaterThan(0);
    for (const [, { shape }] of tables) expect(shape[0]).toBe(rows);
  }
});

test.each(engramLmCaseNames)("%s is what its weights give", (name) => expectWhole(loadEngramLmCase(name)));
