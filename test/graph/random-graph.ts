/**
 * Random well-formed graphs, a function of their seed alone: what elaboration and passes produce, at sizes small enough to
 * run. Values stay small and smooth (no rounding, no comparison of computed reals), so that a rewrite that changes only the
 * order of additions changes results by little.
 */
import type { Builder } from "../../compiler/graph/builder.ts";
import type { Sizes } from "../../compiler/graph/dim.ts";
import { StateStore } from "../../compiler/graph/interpret/state-store.ts";
import type { Tensor } from "../../compiler/graph/interpret/tensor.ts";
import type { Graph, Param } from "../../compiler/graph/node.ts";
import { Maker, S, type Scope, T } from "./random-graph/maker.ts";
import { elementwise } from "./random-graph/plain.ts";
import { step } from "./random-graph/steps.ts";
import { paramTensor, stateTensor } from "./random-values.ts";

export interface RandomGraphOptions {
  /** Operations that build the graph; 10 if not given. */
  readonly steps?: number;
  /** Whether folds occur; true if not given. */
  readonly folds?: boolean;
  /** Sizes that vectors and tiles fit into, or nearly so, and calls of many tokens; false if not given. */
  readonly large?: boolean;
}
export interface RandomInputs {
  readonly param: (node: Param) => Tensor;
  /** A store of its own at each call, with the rows that `sizes` says. */
  readonly state: () => StateStore;
}
export interface RandomGraph {
  readonly graph: Graph;
  readonly builder: Builder;
  /** One row of size 1 and S0 = 0 are among them. */
  readonly sizes: readonly Sizes[];
  /** By name, so that they are the same for every graph made from this one. */
  readonly params: (sizes: Sizes) => RandomInputs;
}

export function randomGraph(
  seed: number,
  { steps = 10, folds = true, large = false }: RandomGraphOptions = {},
): RandomGraph {
  const make = new Maker(seed, folds, large);
  const scope: Scope = { pool: [], effects: [], layer: null };
  scope.pool.push(make.b.input("x", [T, "D"]), make.b.input("y", [S, "D"]));
  for (let i = 0; i < steps; i += 1) step(make, scope);
  const computed = scope.pool.filter((n) => n.kind !== "input" && n.kind !== "weight" && n.kind !== "state");
  const last = computed.at(-1) ?? elementwise(make, scope, scope.pool[0] ?? make.b.input("x", [T, "D"]));
  const results = [last, ...Array.from({ length: make.r.below(3) }, () => make.r.pick([last, ...computed]))];
  const graph: Graph = { name: `random${make.seed}`, sizes: make.sizes, results, effects: scope.effects };
  const config: Record<string, number> = {};
  for (const [n, range] of make.sizes) if (range.low === range.high) config[n] = range.low;
  const calls = large ? largeCalls : smallCalls;
  const sizes = calls.map(([old, now]): Sizes => ({ ...config, S0: old, T: now }));
  return { graph, builder: make.b, sizes, params: (at) => inputsOf(make, at) };
}

function inputsOf(make: Maker, sizes: Sizes): RandomInputs {
  const known = new Map<string, Tensor>();
  const param = (node: Param): Tensor => {
    const at = `${node.kind}:${node.name}`;
    const value = known.get(at) ?? paramTensor(node, sizes, make.seed, make.limits.get(node.name) ?? null);
    known.set(at, value);
    return value;
  };
  const state = (): StateStore => {
    const store = new StateStore();
    for (const s of make.states) store.put(s.state, s.leading, stateTensor(s.state, sizes, make.seed));
    return store;
  };
  return { param, state };
}

/** Rows before a call, and its tokens. */
const smallCalls: readonly (readonly [number, number])[] = [
  [0, 1],
  [5, 1],
  [2, 3],
  [0, 5],
];
const largeCalls: readonly (readonly [number, number])[] = [
  [0, 1],
  [15, 1],
  [3, 9],
  [0, 32],
  [7, 33],
];
