/**
 * Laws of latent and sparse attention, on models of random numbers: absorbed or naive, all of memory or what is chosen of it, and
 * however a text is cut into calls, the logits and what is remembered are the same. In f64, and as kernels within their rounding.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { wasmMachine } from "../../backends/wasm/kernel-machine.ts";
import { graphProgram } from "../../compiler/conformance/graph-program.ts";
import { interpreterMachine } from "../../compiler/conformance/interpreter-machine.ts";
import type { Machine } from "../../compiler/conformance/machine.ts";
import { GraphRun } from "../../compiler/conformance/run-graph.ts";
import { fixedSizes } from "../../compiler/driver/phases.ts";
import { runPasses } from "../../compiler/driver/pipeline.ts";
import type { Elaborated } from "../../compiler/elaborate/elaborate.ts";
import { addDim, dim } from "../../compiler/graph/dim.ts";
import { StateStore } from "../../compiler/graph/interpret/state-store.ts";
import { realsOf, type Tensor } from "../../compiler/graph/interpret/tensor.ts";
import { prepare } from "../../compiler/graph/interpret.ts";
import type { Graph, Param } from "../../compiler/graph/node.ts";
import { nodesOf } from "../../compiler/graph/walk.ts";
import { elaborateModel, publishedConfig, sizesOf } from "../elaborate/elaborate-model.ts";
import { dims, stored } from "../elaborate/planned-model.ts";
import { seeded } from "../fuzz/random.ts";
import { paramTensor } from "../graph/random-values.ts";
import { isClose } from "../graph/same-meaning.ts";

const full = process.env["DSC_FULL"] === "1";
const tokens = 9;

const published = publishedConfig();
const tiny = {
  ...published,
  hidden_size: 12,
  num_hidden_layers: 2,
  first_k_dense_replace: 1,
  vocab_size: 11,
  num_attention_heads: 2,
  num_key_value_heads: 2,
  kv_lora_rank: 6,
  qk_nope_head_dim: 4,
  qk_rope_head_dim: 4,
  v_head_dim: 3,
  q_lora_rank: 5,
  intermediate_size: 7,
  moe_intermediate_size: 5,
  n_routed_experts: 8,
  num_experts_per_tok: 3,
  n_group: 4,
  topk_group: 2,
  max_position_embeddings: 32,
  index_n_heads: 2,
  index_head_dim: 8,
  index_topk: 4,
};

interface Tried {
  readonly entry: string;
  readonly config?: object;
  readonly settings?: Readonly<Record<string, string>>;
  /** Rows that are remembered at most, where plans may rely on it. */
  readonly atMost?: number;
  /** Whether a plan for many tokens expands keys and values. */
  readonly expands: boolean;
}
const v2 = { topk_method: "group_limited_greedy", scoring_func: "softmax", norm_topk_prob: false };
const models: Readonly<Record<string, Tried>> = {
  "V2, queries not compressed": {
    entry: "models/deepseek-v2.ds",
    config: { ...v2, q_lora_rank: null },
    expands: true,
  },
  V2: { entry: "models/deepseek-v2.ds", config: v2, expands: true },
  V3: { entry: "models/deepseek-v3.ds", expands: true },
  "V3.2, some rows chosen": { entry: "models/deepseek-v3.2.ds", settings: { exact: "true" }, expands: false },
  "V3.2, all rows chosen": {
    entry: "models/deepseek-v3.2.ds",
    config: { index_topk: tokens },
    settings: { exact: "true" },
    atMost: tokens,
    expands: true,
  },
};

interface Model {
  readonly elaborated: Elaborated;
  readonly few: Graph;
  readonly many: Graph;
}
const made = new Map<string, Model>();
/** A tiny model, and its plans for one published token and for many. */
function modelOf(name: string): Model {
  const known = made.get(name);
  if (known !== undefined) return known;
  const { entry, config = {}, settings = {}, atMost } = models[name] ?? expect.fail(name);
  const results = ["logits"];
  const model_type = entry.includes("v3.2") ? "deepseek_v32" : entry.includes("v3") ? "deepseek_v3" : "deepseek_v2";
  const elaborated = elaborateModel({ entry, config: { ...tiny, ...config, model_type }, settings, results });
  const large = { ...published, ...config, index_topk: 2048, model_type };
  const sizes = elaborateModel({ entry, config: large, settings, results });
  const bounds = atMost === undefined ? {} : { bounds: [{ low: addDim("S0", "T"), high: dim(atMost) }] };
  const planned = (T: number, S0: number): Graph =>
    runPasses(
      { ...elaborated.graph, ...bounds },
      { builder: elaborated.builder, sizes: sizesOf(sizes, { T, S0 }), target: wasmMachine.cost },
    ).graph;
  const model = { elaborated, few: planned(1, 4095), many: planned(2048, 2048) };
  made.set(name, model);
  return model;
}

/** A text in pieces: how many tokens each call takes. */
const pieces = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: tokens }).map((list) => {
  const cut: number[] = [];
  for (let left = tokens, i = 0; left > 0; i += 1) {
    const next = Math.min(left, list[i] ?? left);
    cut.push(next);
    left -= next;
  }
  return cut;
});

const isIds = (n: Param): boolean => n.kind === "input";
function idsOf(seed: number): readonly number[] {
  const random = seeded(seed);
  return Array.from({ length: tokens }, () => random.below(tiny.vocab_size));
}

interface Ran {
  readonly logits: readonly number[];
  readonly remembered: ReadonlyMap<string, Tensor>;
}
function run(graph: Graph, seed: number, cut: readonly number[]): Ran {
  const [state, prepared, ids] = [new StateStore(), prepare(graph), idsOf(seed)];
  const logits: number[] = [];
  let before = 0;
  for (const T of cut) {
    const sizes = { ...fixedSizes(graph), T, S0: before };
    const own = { dims: [T], data: Float64Array.from(ids.slice(before, before + T)) };
    const param = (n: Param): Tensor => (isIds(n) ? own : paramTensor(n, sizes, seed));
    const [result] = prepared.run({ sizes, state, param });
    logits.push(...(result === undefined ? [] : realsOf(result)));
    before += T;
  }
  const states = nodesOf(graph).flatMap((n) => (n.kind === "state" ? [n.name] : []));
  return { logits, remembered: new Map(states.map((n) => [n, state.read(n) ?? expect.fail(`%${n} is lost`)])) };
}

function expectSame(a: Ran, b: Ran, what: string): void {
  const same = (x: ArrayLike<number>, y: ArrayLike<number>, name: string): void => {
    expect(y.length, `${what}: ${name}`).toBe(x.length);
    const at = Array.from(x).findIndex((v, i) => !isClose(v, y[i] ?? Number.NaN, { relative: 1e-9 }));
    expect(at, `${what}: ${name}[${at}] is ${y[at]}, not ${x[at]}`).toBe(-1);
  };
  same(a.logits, b.logits, "logits");
  expect([...b.remembered.keys()].sort(), what).toEqual([...a.remembered.keys()].sort());
  for (const [name, rows] of a.remembered) same(realsOf(rows), realsOf(b.remembered.get(name) ?? rows), name);
}

describe.each(Object.keys(models))("%s", (name) => {
  test("few tokens are absorbed, many expanded where all of memory is attended to", () => {
    const { few, many } = modelOf(name);
    const expanded = dims("S", "H", "N");
    expect([stored(few).has(expanded), stored(many).has(expanded)]).toEqual([false, models[name]?.expands]);
  });

  test("absorbed, naive and as written are one, in one call and in any", () => {
    const { elaborated, few, many } = modelOf(name);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 30 }), pieces, (seed, cut) => {
        const whole = run(elaborated.graph, seed, [tokens]);
        for (const [what, graph] of Object.entries({ written: elaborated.graph, few, many }))
          for (const calls of [[tokens], cut]) expectSame(whole, run(graph, seed, calls), `${what}, ${calls.join()}`);
      }),
      { numRuns: full ? 40 : 3, ...(full ? {} : { seed: 11 }), interruptAfterTimeLimit: 200_000 },
    );
  });
});

/** Kernels of a plan, call after call, each held to the reference. */
async function expectRuns(machine: Machine, name: string, graph: Graph, seed: number, cut: readonly number[]) {
  const { elaborated } = modelOf(name);
  const fixed = fixedSizes(graph);
  const names = { tokens: "T", before: "S0" };
  const planned = { ...fixed, T: Math.max(...cut), S0: 0 };
  const program = graphProgram({ graph, planned, target: machine.kernel, weights: "f32", ...names });
  const memory = await machine.open(program.kernels);
  let before = 0;
  const ids = idsOf(seed);
  const given = (n: Param, sizes: Readonly<Record<string, number>>): ArrayLike<number> =>
    isIds(n) ? ids.slice(before, before + (sizes["T"] ?? 0)) : realsOf(paramTensor(n, sizes, seed));
  const running = new GraphRun({ reference: elaborated.graph, program, memory, rows: tokens + 1, ...names, given });
  for (const T of cut) {
    const { wrong, elements, unknown } = await running.call({ ...fixed, T, S0: before });
    expect(wrong, `${T} tokens after ${before}`).toBeNull();
    expect(unknown, "what rounding decides").toBeLessThan(elements);
    before += T;
  }
}

const machines = [wasmMachine, interpreterMachine(wasmMachine.cost, wasmMachine.kernel)];
describe.each(machines)("on $name", (machine) => {
  test.each(Object.keys(models))("%s", async (name) => {
    const { few, many } = modelOf(name);
    const plans = full ? [few, many] : machine === wasmMachine ? [few, many] : [many];
    for (const [i, graph] of plans.entries())
      for (const cut of full ? [[tokens], [4, 1, 3, 1], [1, 1, 7]] : [[4, 1, 3, 1]])
        await expectRuns(machine, name, graph, 5 + i, cut);
  });
});
