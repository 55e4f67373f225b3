import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Json } from "../../compiler/cli/import/model-table.ts";
import { modelFileFor, readModelTable } from "../../compiler/cli/import/model-table.ts";
import { type PlacedTensor, placedTensors } from "../../compiler/cli/tiny/placed-tensors.ts";
import { seededNumbers } from "../../compiler/cli/tiny/seeded-numbers.ts";
import { checkProject } from "../../dsl/checker/check-project.ts";
import { type TensorData, writeSafetensors } from "../../runtime/formats/write-safetensors.ts";
import { openWeights } from "../../runtime/node/open-weights.ts";
import { readProject, root } from "../conformance/bind-text.ts";
import { configs, whyNoConfigs } from "../models/published-configs.ts";
import { loadCase, loadSparseCase } from "../oracle/cases.ts";
import { byteLevelFile } from "../text/tiny-tokenizer.ts";
import { writeCheckpoint } from "./checkpoint.ts";
import { project } from "./run-dsc.ts";
import { runInside } from "./run-inside.ts";

const engramLm = join(root, "models/engram-lm.ds");

/** As it may be published: what follows from other numbers is left out. */
const engram = {
  ...{ max_ngram_size: 3, n_head_per_ngram: 2, n_embed_per_ngram: 16, engram_vocab_size: [50, 60], kernel_size: 4 },
  ...{ pad_id: 2, layer_ids: [1, 3], seed: 0, conv_norm_eps: 1e-5 },
};
const engramConfig = {
  ...{ hidden_size: 32, num_hidden_layers: 4, vocab_size: 288, num_attention_heads: 2, kv_lora_rank: 16 },
  ...{ qk_nope_head_dim: 8, qk_rope_head_dim: 8, v_head_dim: 8, q_lora_rank: null, intermediate_size: 48 },
  ...{ moe_intermediate_size: 16, n_routed_experts: 4, num_experts_per_tok: 2, n_shared_experts: 1, hc_mult: 2 },
  ...{ first_k_dense_replace: 1, routed_scaling_factor: 1, rms_norm_eps: 1e-6, max_position_embeddings: 64 },
  ...{ model_type: "deepseek_v2", hidden_act: "silu", eos_token_id: 287 },
  engram,
};

function engramFolder(): string {
  const cwd = project({});
  mkdirSync(join(cwd, "model"));
  writeFileSync(join(cwd, "model/config.json"), JSON.stringify(engramConfig, null, 2));
  writeFileSync(join(cwd, "model/tokenizer.json"), JSON.stringify(byteLevelFile));
  return cwd;
}

const tensorsOf = (config: string): readonly PlacedTensor[] =>
  placedTensors(
    checkProject({ entry: "models/engram-lm.ds", read: readProject, config: { path: "config.json", text: config } }),
  );

async function writeTensors(file: string, tensors: readonly PlacedTensor[]): Promise<void> {
  const chunks: Uint8Array[] = [];
  const data = tensors.map(
    (one): TensorData => ({
      ...{ name: one.name, dtype: "F32", shape: one.shape },
      data: () => [new Uint8Array(Float32Array.from(seededNumbers(1, one)).buffer)],
    }),
  );
  for await (const chunk of writeSafetensors(data)) chunks.push(chunk);
  writeFileSync(file, Buffer.concat(chunks));
}

const importJson = async (cwd: string, ...args: readonly string[]) => {
  const ran = await runInside(["import", "model", "--json", ...args], cwd);
  return { code: ran.code, report: JSON.parse(ran.out) };
};

test("constants of hashed n-grams are worked out, and the model runs with them", async () => {
  const cwd = engramFolder();
  const first = await importJson(cwd);
  expect(first.report.constants.files.map(({ name, state }: { name: string; state: string }) => [name, state])).toEqual(
    [
      ["config.dsc.json", "written"],
      ["extra.dsc.safetensors", "written"],
    ],
  );
  const downloaded = readFileSync(join(cwd, "model/config.json"), "utf8");
  expect(downloaded).toBe(JSON.stringify(engramConfig, null, 2));
  const config = readFileSync(join(cwd, "model/config.dsc.json"), "utf8");
  const written = JSON.parse(config);
  // Primes by hand: heads go on from one another, over orders that overlap and over layers.
  expect(written.engram.primes).toEqual([
    [
      [0, 0],
      [0, 0],
    ],
    [
      [53, 59],
      [61, 67],
    ],
    [
      [0, 0],
      [0, 0],
    ],
    [
      [71, 73],
      [79, 83],
    ],
  ]);
  expect({ ...written, engram }).toEqual(engramConfig);
  // 261 ids: upper case, and `Ġab` beside `ab`, are spelled like others.
  expect(written.engram.compressed_vocab_size).toBeLessThan(261 - 26);

  const tensors = tensorsOf(config).filter(({ name }) => !name.endsWith(".token_map"));
  await writeTensors(join(cwd, "model/model.safetensors"), tensors);
  const second = await importJson(cwd);
  expect(second).toMatchObject({ code: 0, report: { ok: true, problems: [] } });
  expect(second.report.model).toMatchObject({ name: "engram_lm", type: "deepseek_v2" });
  expect(second.report.constants.files.map(({ state }: { state: string }) => state)).toEqual(["same", "same"]);

  const weights = await openWeights(join(cwd, "model"));
  const map = [...(await weights.read("model.layers.3.engram.token_map"))];
  await weights.close();
  const { vocab } = byteLevelFile.model;
  const of = (token: string): number => map[vocab[token] ?? -1] ?? -1;
  expect(map).toHaveLength(288);
  expect([of("A"), of("Ġab")]).toEqual([of("a"), of("ab")]);
  expect(of("b")).not.toBe(of("a"));
  expect(map[287]).toBe(map[2]); // an id without a token counts as padding

  const run = (...args: readonly string[]) =>
    runInside(["run", engramLm, "--weights", "model", "--max-tokens", "4", "--json", ...args], cwd);
  const plain = JSON.parse((await run("--ids", `${vocab["a"]},${vocab["b"]},${vocab["c"]}`)).out);
  expect(plain.ids.length).toBeGreaterThan(0);
});

test("what is there already stays, unless it is to be replaced", async () => {
  const cwd = engramFolder();
  await importJson(cwd);
  const file = join(cwd, "model/config.dsc.json");
  const own = readFileSync(file, "utf8").replace('"seed": 0', '"seed": 0, "mine": true');
  writeFileSync(file, own);
  const kept = await runInside(["import", "model"], cwd);
  expect(kept.out).toContain("config.dsc.json is there with something else and stays (--force replaces it)");
  expect(readFileSync(file, "utf8")).toBe(own);
  const forced = await importJson(cwd, "--force");
  expect(forced.report.constants.files[0].state).toBe("replaced");
  expect(readFileSync(file, "utf8")).not.toContain("mine");
  expect(readdirSync(join(cwd, "model")).sort()).toEqual([
    "config.dsc.json",
    "config.json",
    "extra.dsc.safetensors",
    "tokenizer.json",
  ]);
});

test("constants that cannot be worked out are told by the field that is missing", async () => {
  const cwd = engramFolder();
  const write = (change: object): void =>
    writeFileSync(
      join(cwd, "model/config.json"),
      JSON.stringify({ ...engramConfig, engram: { ...engram, ...change } }),
    );
  const problems = async (): Promise<string> => (await importJson(cwd)).report.problems.join("\n");
  write({ engram_vocab_size: [50] });
  expect(await problems()).toContain("engram.engram_vocab_size is [50]; a list of 2 of whole numbers");
  write({ layer_ids: [4] });
  expect(await problems()).toContain("engram.layer_ids is [4]; a list of whole numbers up to 3 is expected");
  write({ compressed_vocab_size: 261 });
  expect(await problems()).toContain("engram.compressed_vocab_size is 261, and this tokenizer has ");
  rmSync(join(cwd, "model/tokenizer.json"));
  write({});
  expect(await problems()).toContain("engram.multipliers follow from the tokenizer, which is not there");
  expect(existsSync(join(cwd, "model/config.dsc.json"))).toBe(false);
});

test("a checkpoint that fits: what it is, what it has, and how to go on", async () => {
  const oracle = loadCase("llama-gqa");
  const cwd = project({});
  await writeCheckpoint(join(cwd, "model"), oracle, { dtype: "BF16", shards: 2 });
  const { code, report } = await importJson(cwd);
  const tensors = [...oracle.weights()];
  const elements = tensors.reduce((sum, [, { data }]) => sum + data.length, 0);
  expect(code).toBe(0);
  expect(report).toMatchObject({
    ...{ ok: true, folder: "model", config: "config.json", parameters: elements, tokenizer: null, templates: [] },
    model: { name: "deepseek_llm", type: "llama" },
    weights: {
      files: ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"],
      ...{ tensors: tensors.length, bytes: 2 * elements },
      dtypes: [{ dtype: "BF16", tensors: tensors.length, elements, bytes: 2 * elements }],
    },
    entries: [{ name: "forward", lacks: [], role: "sampled" }],
  });
  // Its first suggestion does what it says.
  const [next = ""] = report.next as readonly string[];
  const [, ...args] = next.split(" ");
  expect(next).toContain("run");
  expect(await runInside([...args, "--max-tokens", "2"], cwd)).toMatchObject({ code: 0 });
  const text = await runInside(["import", "model"], cwd);
  expect(text.out).toMatch(/^model: can be used\n {2}model .*deepseek-llm.ds \(model_type llama\)\n/);
});

test("optional parts that the checkpoint lacks, and entries that need them", async () => {
  const oracle = loadSparseCase("v3");
  const cwd = project({});
  const config = JSON.stringify({ ...JSON.parse(oracle.config), num_nextn_predict_layers: 1 });
  await writeCheckpoint(join(cwd, "model"), { ...oracle, config });
  const { report } = await importJson(cwd);
  expect(report.optional).toEqual([{ name: "draft_layer", present: false }]);
  expect(report.entries).toMatchObject([
    { name: "forward", lacks: [], role: "sampled" },
    { name: "propose", lacks: ["draft_layer"], role: "drafts" },
  ]);
});

test("what the text does not have is told with field, value and place", async () => {
  const oracle = loadCase("llama-gqa");
  const cwd = project({});
  await writeCheckpoint(join(cwd, "model"), oracle);
  const config = JSON.parse(readFileSync(join(cwd, "model/config.json"), "utf8"));
  delete config.rope_scaling;
  delete config.rope_parameters;
  const text = JSON.stringify({ ...config, rope_scaling: { rope_type: "dynamic", factor: 2 } }, null, 1);
  writeFileSync(join(cwd, "model/config.json"), text);
  const ran = await runInside(["import", "model"], cwd);
  const line = text.split("\n").findIndex((one) => one.includes("dynamic")) + 1;
  expect(ran.code).toBe(1);
  expect(ran.out).toContain(
    `not supported: here scaling = "dynamic"; it is "default" or "linear" or "llama3" or "yarn" (model/config.json:${line})`,
  );
});

test("folders that are no model, and models that no text describes", async () => {
  const cwd = project({ "model/other.txt": "" });
  const said = async (...args: readonly string[]) => {
    const ran = await runInside(["import", "model", ...args], cwd);
    return `${ran.code} ${ran.error}`;
  };
  expect(await said()).toContain("3 dsc: there is no model/config.json");
  writeFileSync(join(cwd, "model/config.json"), "[]");
  expect(await said()).toContain("1 dsc: model/config.json is not a JSON object");
  writeFileSync(join(cwd, "model/config.json"), "{}");
  expect(await said()).toContain("1 dsc: config.json has no model_type");
  writeFileSync(join(cwd, "model/config.json"), '{"model_type": "deepseek_v33"}');
  expect(await said()).toMatch(/^1 dsc: no model file describes model_type "deepseek_v33"\n.*near it is deepseek_v3/);
  writeFileSync(join(cwd, "model/pytorch_model.bin"), "");
  const named = await runInside(["import", "model", "--model", join(root, "models/deepseek-llm.ds")], cwd);
  expect(named.out).toContain("this is a pickle file");
  expect(named.code).toBe(1);
});

const texts: readonly (readonly [RegExp, string])[] = [
  [/^deepseek-(llm|r1-)/, "deepseek-llm.ds"],
  [/^deepseek-moe/, "deepseek-moe.ds"],
  [/^deepseek-v2/, "deepseek-v2.ds"],
  [/^deepseek-(v3|v3\.1|r1)\.json$/, "deepseek-v3.ds"],
  [/^deepseek-v3\.2/, "deepseek-v3.2.ds"],
  [/^deepseek-v4-/, "deepseek-v4.ds"],
  [/^engram/, "engram-lm.ds"],
];

describe.skipIf(whyNoConfigs !== "")("published configs (skipped without DSC_TEST_DATA)", () => {
  const table = readModelTable(root);
  const names = whyNoConfigs === "" ? readdirSync(configs) : [];
  const named = names.flatMap((name) =>
    texts.flatMap(([pattern, text]) => (pattern.test(name) ? [[name, text] as const] : [])),
  );

  test("most are described", () => expect(named.length).toBeGreaterThan(18));

  test.each(named)("%s is described by %s", (name, text) => {
    const config: Json = JSON.parse(readFileSync(join(configs, name), "utf8"));
    const file = modelFileFor(config, table);
    expect(typeof file === "string" ? basename(file) : file.message).toBe(text);
  });
});
