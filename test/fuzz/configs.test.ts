/** Configs changed at random, and configs beyond reason: diagnostics, an ElaborationError or a graph, and never long. */
import { describe, expect, test } from "vitest";
import { ElaborationError } from "../../compiler/elaborate/context.ts";
import { elaborate } from "../../compiler/elaborate/elaborate.ts";
import { checkProject } from "../../dsl/checker/check-project.ts";
import { readProject } from "../conformance/bind-text.ts";
import { loadCase, loadSparseCase } from "../oracle/cases.ts";
import { cpuTime } from "./cpu-time.ts";
import { runConfigCases } from "./run-config-cases.ts";

const full = process.env["DSC_FULL"] === "1";

describe("no config brings another exception than ElaborationError, or a graph that is not right", () => {
  const runs = full ? 6 : 1;
  const count = full ? 250 : 60;
  for (let run = 0; run < runs; run += 1) {
    test(`${count} configs from seed ${run * count + 1}`, { timeout: 900_000 }, () => {
      const { ends, failures, slowest } = runConfigCases(run * count + 1, count);
      expect(failures).toEqual([]);
      expect(slowest.ms).toBeLessThan(10_000);
      // A run that is refused at the door tests little.
      expect(ends.get("graph") ?? 0).toBeGreaterThan(count / 4);
      expect(ends.size).toBeGreaterThan(3);
    });
  }
});

const dense = loadCase("llama-gqa").config;
const sparse = loadSparseCase("v3").config;
const monsters: readonly (readonly [entry: string, config: string, fields: object, end: string])[] = [
  ["deepseek-llm", dense, { num_hidden_layers: 50_000 }, "graph"],
  ["deepseek-llm", dense, { num_hidden_layers: 4_194_304 }, "`h` has more than the 100000 rows"],
  ["deepseek-llm", dense, { num_hidden_layers: 2 ** 53 - 1 }, "`h` has more than the 100000 rows"],
  ["deepseek-llm", dense, { vocab_size: 2 ** 53 - 1 }, "graph"],
  [
    "deepseek-v3",
    sparse,
    { n_routed_experts: 2 ** 40, n_group: 1, topk_group: 1 },
    "a family of 1099511627776 members",
  ],
  [
    "deepseek-v3",
    sparse,
    { n_routed_experts: 99_999, n_group: 1, topk_group: 1, num_hidden_layers: 60 },
    "a weight of ",
  ],
];

test.each(monsters)("%s, %#: it ends as it should, at once", (entry, config, fields, end) => {
  const started = cpuTime();
  const checked = checkProject({
    entry: `models/${entry}.ds`,
    read: readProject,
    config: { path: "config.json", text: JSON.stringify({ ...JSON.parse(config), ...fields }) },
  });
  expect(checked.diagnostics).toEqual([]);
  if (checked.bound === null) throw new Error("no model");
  let found = "graph";
  try {
    elaborate({ model: checked.bound, declared: checked.declared, entry: "forward" });
  } catch (error) {
    if (!(error instanceof ElaborationError)) throw error;
    found = error.message;
  }
  expect(found).toContain(end);
  expect(cpuTime() - started).toBeLessThan(20_000);
});

test("a recurrence that is written out row by row has a bound", () => {
  const text = `model steps {
  config {
    D : dim = $.d
    n : int = $.n where n >= 1
  }
  runtime T : dim in 1..8
  entry forward(x: [T, D]) -> y: [T, D] {
    r[0,t]     := x[t]
    r[i + 1,t] := r[i,t] * 2
    y[t]       := r[n,t]
  }
}
`;
  const elaborated = (n: number): unknown => {
    const config = { path: "config.json", text: JSON.stringify({ d: 4, n }) };
    const { bound, declared } = checkProject({ entry: "steps.ds", read: () => text, config });
    return bound === null ? null : elaborate({ model: bound, declared, entry: "forward" });
  };
  expect(elaborated(256)).not.toBeNull();
  for (const n of [257, 99_999, 1e6]) expect(() => elaborated(n)).toThrow(ElaborationError);
});

test.each([[[]], ["much"], [true]])("an option that the config gives as %j is no exception", (attention_factor) => {
  const yarn: { readonly rope_parameters: object } = JSON.parse(loadCase("llama-yarn-factor-parameters").config);
  const text = JSON.stringify({ ...yarn, rope_parameters: { ...yarn.rope_parameters, attention_factor } });
  const checked = checkProject({
    entry: "models/deepseek-llm.ds",
    read: readProject,
    config: { path: "config.json", text },
  });
  const { bound, declared } = checked;
  if (bound === null) return expect(checked.diagnostics).not.toEqual([]);
  expect(() => elaborate({ model: bound, declared, entry: "forward" })).toThrow(ElaborationError);
});
