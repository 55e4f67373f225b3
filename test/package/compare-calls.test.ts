/** A fault that is planted: the definition that has it is named, not one that follows from it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bindWeights } from "../../backends/reference/bind-weights.ts";
import { loadTarget } from "../../backends/registry.ts";
import { checkedModel } from "../../compiler/cli/compile/checked-model.ts";
import { type Comparing, compareCalls } from "../../compiler/cli/diff/compare-calls.ts";
import { TracedProgram } from "../../compiler/cli/diff/traced-program.ts";
import { Failure } from "../../compiler/cli/failure.ts";
import { formatFinder, tensorReader } from "../../compiler/cli/tensor-reader.ts";
import { compileModel } from "../../compiler/driver/compile.ts";
import { elaborate } from "../../compiler/elaborate/elaborate.ts";
import { realsOf } from "../../compiler/graph/interpret/tensor.ts";
import { isComputed, nodesOf, operandsOf } from "../../compiler/graph/walk.ts";
import { openWeights } from "../../runtime/node/open-weights.ts";
import { runInside } from "../cli/run-inside.ts";
import { root } from "../conformance/bind-text.ts";
import { smallConfig } from "./small-config.ts";

const model = join(root, "models/deepseek-llm.ds");
const calls = [
  { phase: "prefill", tokens: [1, 2, 3] },
  { phase: "decode", tokens: [0] },
];
let folder = "";
let comparing: Comparing;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "dsc-compare-"));
  writeFileSync(join(folder, "config.json"), smallConfig);
  const args = ["tiny", model, "--config", "config.json", "--out", "twin"];
  const made = await runInside(args, folder);
  if (made.code !== 0) throw new Error(made.error);
  comparing = await prepare();
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function prepare(): Promise<Comparing> {
  const silent = () => undefined;
  const colour = { out: false, error: false };
  const lines = (): never => {
    throw new Error("nothing is said to it");
  };
  const terminal = { cwd: folder, columns: 80, colour, out: silent, error: silent, progress: silent, lines };
  const file = join(folder, "twin/config.json");
  const inputs = { config: { file, text: readFileSync(file, "utf8") }, weights: null, settings: new Map() };
  const choices = { target: "wasm", weights: "f32", entry: null, verify: true } as const;
  const checked = checkedModel({ file: model, inputs, choices }, { terminal, home: { folder: root, version: "0" } });
  const packages = await loadTarget("wasm");
  if (checked === null || checked instanceof Failure || packages === null) throw new Error("the model has errors");
  const { declared, entry } = checked;
  const order = { model: checked.model, declared, entry };
  const compiled = compileModel({ ...order, target: packages.target, weights: "f32", compiler: "0" });
  const module = (await packages.emit(compiled)).modules.find(({ name }) => name === "simd.wasm")?.content;
  if (module === undefined || typeof module === "string") throw new Error("there is no module");
  const elaborated = elaborate({ ...order, results: ["next"] });
  const opened = await openWeights(join(folder, "twin"));
  try {
    const { program, reports } = compiled;
    const reader = tensorReader(opened, checked.model);
    const weights = await bindWeights({ elaborated, sizes: program.sizes, reader, format: formatFinder(order) });
    const traced = await TracedProgram.open({ program, module, weights: opened, context: 8, chunk: 4 });
    return { traced, graphs: reports.map(({ phase: name, graph }) => ({ name, graph })), weights, tolerance: 1e-4 };
  } finally {
    await opened.close();
  }
}

test("a program that is right has no difference", () => {
  const { difference, values, worst } = compareCalls(calls, comparing);
  expect(difference).toBeNull();
  expect(values).toBeGreaterThan(20);
  expect(worst).toBeLessThan(1e-5);
});

test("a weight that is another one shows where it is first read", () => {
  const { graph } = comparing.graphs.find(({ name }) => name === "prefill") ?? {};
  if (graph === undefined) throw new Error("there is no prefill");
  const planted = [...comparing.weights].filter(([name]) => name.startsWith("layer."));
  expect(planted.length).toBeGreaterThan(5);
  for (const [name, tensor] of planted) {
    // Twice as large: but for what a norm makes of it, nothing is as it was.
    const other = { dims: tensor.dims, data: realsOf(tensor).map((x) => 2 * x) };
    const weights = new Map(comparing.weights).set(name, other);
    const { difference } = compareCalls(calls, { ...comparing, weights });
    const readers = nodesOf(graph).filter((n) => isComputed(n) && operandsOf(n).some((o) => o.name === name));
    expect(
      readers.map((n) => n.name),
      name,
    ).toContain(difference?.node.name);
    expect(difference).toMatchObject({ phase: "prefill", before: 0, tokens: 3 });
    expect(difference?.found).not.toBe(difference?.reference);
  }
});
