/** Candidates as nodes: what they are for any logits, ties and masks included, and that kernels for a GPU say the same. */
import { describe, expect, test } from "vitest";
import { webgpuPackages } from "../../backends/wgsl/compile-target.ts";
import { webgpuCost, webgpuTarget } from "../../backends/wgsl/target.ts";
import { runCase } from "../../compiler/conformance/graph-case.ts";
import { interpreterMachine } from "../../compiler/conformance/interpreter-machine.ts";
import { withBestTokens } from "../../compiler/driver/best-tokens.ts";
import type { Elaborated } from "../../compiler/elaborate/elaborate.ts";
import { Builder } from "../../compiler/graph/builder.ts";
import { prepare, realsOf, StateStore, tensor } from "../../compiler/graph/interpret.ts";
import type { Node } from "../../compiler/graph/node.ts";
import { parse } from "../../compiler/graph/parse.ts";
import { printProblem, verify } from "../../compiler/graph/verify.ts";
import { programText } from "../../compiler/package/program-text.ts";
import { UnsupportedError } from "../../compiler/program/unsupported.ts";
import { bestTokens, choiceOutputs } from "../../runtime/artifact/best-tokens.ts";
import { readProgram } from "../../runtime/artifact/read-program.ts";
import { bestOf } from "../../runtime/session/best-of.ts";
import { compileConfig, llama } from "./compiled-models.ts";

function logitsOf(vocabulary: number, dims: "V" | "T, V"): Elaborated {
  const text = `graph @g {\n  size S0 in 0..8\n  size T in 1..8\n  size V = ${vocabulary}\n  %next : f32[${dims}] = input\n  return %next\n}\n`;
  const builder = new Builder();
  const parsed = parse(text, builder);
  if (!parsed.ok) throw new Error(parsed.message);
  const none = { weights: new Map(), runs: new Map(), aliases: new Map(), places: new Map(), inputs: new Map() };
  return { graph: parsed.graph, builder, results: ["next"], ...none };
}

const chosen = ["next", ...choiceOutputs.best, ...choiceOutputs.greedy];

/** Few different numbers, so that many are equal. */
const steps = (count: number, different: number): Float64Array =>
  Float64Array.from({ length: count }, (_, i) => ((Math.imul(i + 7, 2654435761) >>> 7) % different) / 8 - 4);

interface Best {
  readonly ids: readonly number[];
  readonly logits: readonly number[];
  readonly weights: number;
}
/** By sorting all of them. */
function sorted(row: Float64Array, k: number, inverse: number): Best {
  const ids = [...row.keys()].sort((a, b) => (row[b] ?? 0) - (row[a] ?? 0) || a - b).slice(0, k);
  const logits = ids.map((i) => row[i] ?? 0);
  const weights = row.reduce((n, x) => n + Math.exp((x - (logits[0] ?? 0)) * inverse), 0);
  return { ids, logits, weights };
}

describe.each([
  ["fewer than are named", 40, "V"],
  ["one block", 512, "V"],
  ["several blocks, the last one cut short", 5000, "V"],
  ["whole blocks", 6144, "V"],
  ["several rows of several blocks", 4500, "T, V"],
] as const)("%s", (_, vocabulary, dims) => {
  const k = Math.min(64, vocabulary);
  const rows = dims === "V" ? 1 : 3;
  const e = withBestTokens(logitsOf(vocabulary, dims), 64);

  test("are those that sorting finds, equal ones by their ids", () => {
    expect(verify(e.graph).map(printProblem)).toEqual([]);
    expect(e.results).toEqual(chosen);
    for (const different of [3, 40, 1000]) {
      const logits = steps(rows * vocabulary, different);
      const shape = dims === "V" ? [vocabulary] : [rows, vocabulary];
      const options = {
        sizes: { T: rows, S0: 0, V: vocabulary },
        state: new StateStore(),
        param: (n: Node) => (n.name === "next" ? tensor(shape, logits) : tensor([1], [1.5])),
      };
      const found = prepare(e.graph).run(options).map(realsOf);
      for (let r = 0; r < rows; r += 1) {
        const want = sorted(logits.subarray(r * vocabulary, (r + 1) * vocabulary), k, 1.5);
        const own = (values: Float64Array | undefined, n: number) => [...(values ?? [])].slice(r * n, (r + 1) * n);
        expect(own(found[1], k)).toEqual(want.ids);
        expect(own(found[2], k)).toEqual(want.logits);
        const parts = own(found[3], (found[3]?.length ?? 0) / rows);
        expect(parts.reduce((n, x) => n + x, 0)).toBeCloseTo(want.weights, 9);
        const names = ["", "", "", "", "greedy_ids", "greedy_logits", "greedy_numbers"] as const;
        const results = new Map(
          names.map((n, i) => [n, (n === "greedy_ids" ? Int32Array : Float32Array).from(found[i] ?? [])] as const),
        );
        const [best] = bestOf(results, rows, rows - r, vocabulary);
        expect([[...(best?.ids ?? [])], [...(best?.logits ?? [])]]).toEqual([
          want.ids.slice(0, 1),
          want.logits.slice(0, 1),
        ]);
        expect(best?.total).toBeLessThan(vocabulary);
      }
    }
  });

  test("a logit that is none is told of", () => {
    for (const at of [0, vocabulary - 1]) {
      const logits = steps(rows * vocabulary, 40).fill(Number.NaN, at, at + 1);
      const shape = dims === "V" ? [vocabulary] : [rows, vocabulary];
      const options = {
        sizes: { T: rows, S0: 0, V: vocabulary },
        state: new StateStore(),
        param: (n: Node) => (n.name === "next" ? tensor(shape, logits) : tensor([1], [1.5])),
      };
      const numbers = realsOf(prepare(e.graph).run(options)[6] ?? tensor([0], []));
      const blocks = numbers.length / rows;
      expect([...numbers].map(Number.isNaN).indexOf(true)).toBe(at === 0 ? 0 : blocks - 1);
      expect([...numbers].filter(Number.isNaN)).toHaveLength(1);
    }
  });

  test("as kernels for a GPU", { timeout: 60_000 }, async () => {
    const machine = interpreterMachine(webgpuCost, webgpuTarget);
    const given = (n: { readonly name: string }) =>
      n.name === "next" ? steps(rows * vocabulary, 40) : Float64Array.of(0.75);
    const make = () => ({ graph: e.graph, builder: e.builder, given });
    const about = { kind: "program", subject: "best tokens", sizes: "", calls: [{ T: rows, S0: 0 }], weights: [] };
    expect(await runCase({ ...about, make }, "f32", machine)).toMatchObject({ outcome: "passed", note: null });
  });
});

test("a program for WebGPU names them wherever a token is chosen", () => {
  const { program } = compileConfig("models/deepseek-llm.ds", llama(1), webgpuPackages.target);
  const about = program.phases.map(({ name, inputs, outputs }) => [
    name,
    inputs.map((i) => i.name),
    outputs.map((o) => o.name),
  ]);
  expect(about).toEqual([
    ["decode", ["ids", "inverse_temperature"], chosen],
    ["prefill", ["ids", "inverse_temperature"], chosen],
    ["score", ["ids"], ["logits"]],
  ]);
  const { kernels, phases } = program;
  // Kernels are not spelled here, so nobody says how they are bound.
  const text = programText({ ...program, kernels, phases });
  expect(readProgram(new TextEncoder().encode(text)).phases).toEqual(phases);
});

test("a name that means something else is refused", () => {
  const e = logitsOf(64, "V");
  expect(() => withBestTokens({ ...e, inputs: new Map([[bestTokens.inverseTemperature, null]]) }, 64)).toThrow(
    UnsupportedError,
  );
});
