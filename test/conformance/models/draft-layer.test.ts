/** The layer behind the last of a checkpoint of V3: not there, not described, and with an embedding that is not the model's. */
import { afterAll, describe, expect, test } from "vitest";
import { checkProject } from "../../../dsl/checker/check-project.ts";
import type { WeightsMismatchError } from "../../../runtime/artifact/errors.ts";
import type { OracleTensor } from "../../oracle/cases.ts";
import { loadMtpCase, type MtpCase } from "../../oracle/references.ts";
import { bindText, readProject } from "../bind-text.ts";
import { type CompiledOracle, compileOracle } from "./oracle-package.ts";

const recorded = loadMtpCase("v3-mtp");
const config: { readonly num_hidden_layers: number } = JSON.parse(recorded.config);
const behind = `model.layers.${config.num_hidden_layers}.`;
const copy = `${behind}embed_tokens.weight`;
type Tensors = ReadonlyMap<string, OracleTensor>;

const embedding = (): OracleTensor => {
  const tensor = recorded.weights().get("model.embed_tokens.weight");
  if (tensor === undefined) throw new Error("no embedding");
  return tensor;
};
const another = (tensors: Tensors, change: (data: Float32Array) => void): Tensors => {
  const data = embedding().data.slice();
  change(data);
  return new Map([...tensors, [copy, { ...embedding(), data }]]);
};
const all = recorded.weights();
const rows: readonly (readonly [
  what: string,
  drafts: number,
  tensors: Tensors,
  code: string | null,
  kind: string | null,
])[] = [
  ["all that is described", 1, all, null, null],
  ["without the layer", 1, new Map([...all].filter(([name]) => !name.startsWith(behind))), null, null],
  ["with an equal embedding", 1, another(all, () => undefined), null, null],
  ["a layer that the config does not have", 0, all, "DS0502", "extra"],
  ["an embedding with another number", 1, another(all, (data) => data.fill(7, 3, 4)), null, "copies-differ"],
];

/** By what the config says; weights are no part of a package. */
const compiled = new Map<number, Promise<CompiledOracle>>();
afterAll(async () => {
  for (const made of compiled.values()) (await made).remove();
});

describe.each(rows)("%s", (_what, drafts, tensors, code, kind) => {
  const oracle: MtpCase = {
    ...recorded,
    config: JSON.stringify({ ...config, num_nextn_predict_layers: drafts }),
    weights: () => tensors,
  };

  test("dsc check --weights", () => {
    const listing = [...tensors].map(([name, { shape }]) => [name, { dtype: "F32", shape }]);
    const { diagnostics } = checkProject({
      entry: "models/deepseek-v3.ds",
      read: readProject,
      config: { path: "config.json", text: oracle.config },
      weights: { path: "header.json", text: JSON.stringify(Object.fromEntries(listing)) },
    });
    expect([...new Set(diagnostics.map((d) => d.code))]).toEqual(code === null ? [] : [code]);
  });

  test("the reference", async () => {
    const bound = bindText({ entry: "models/deepseek-v3.ds", config: oracle.config, tensors, results: ["logits"] });
    if (kind === "copies-differ") await expect(bound).rejects.toMatchObject({ code: kind, tensor: copy });
    else expect((await bound).forward(oracle.ids).results.get("logits")).toHaveLength(oracle.ids.length);
  });

  test("a package", async () => {
    const made = compiled.get(drafts) ?? compileOracle(oracle.config, { text: "deepseek-v3" });
    compiled.set(drafts, made);
    const loaded = (await made).load(tensors);
    if (kind !== null) {
      const error = await loaded.catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "weights-mismatch" });
      const { problems } = error as WeightsMismatchError;
      expect(new Set(problems.map((problem) => problem.kind))).toEqual(new Set([kind]));
      return;
    }
    const model = await loaded;
    const found = await model.session().forward(oracle.ids);
    const want = oracle.logits[oracle.ids.length - 1] ?? [];
    const most = Math.max(...want.map(Math.abs));
    expect(Math.max(...want.map((value, i) => Math.abs(value - (found[i] ?? Number.NaN)) / most))).toBeLessThan(1e-5);
    model.dispose();
  }, 120_000);
});
