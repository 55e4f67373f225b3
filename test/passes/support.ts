/** Proof of a pass: the graph is run before and after, at tiny sizes, whatever sizes the plan was made for. */
import { expect } from "vitest";
import { passes as allPasses, type Passed, runPasses } from "../../compiler/driver/pipeline.ts";
import type { Builder } from "../../compiler/graph/builder.ts";
import { printDim, type Sizes } from "../../compiler/graph/dim.ts";
import { interpretSlowly } from "../../compiler/graph/interpret/slowly.ts";
import { leadingRanks, StateStore } from "../../compiler/graph/interpret/state-store.ts";
import { realsOf, type Tensor, tensor } from "../../compiler/graph/interpret/tensor.ts";
import type { Graph, Node, Param } from "../../compiler/graph/node.ts";
import { print } from "../../compiler/graph/print.ts";
import { printProblem, verify } from "../../compiler/graph/verify.ts";
import { isComputed, nodesOf } from "../../compiler/graph/walk.ts";
import type { Pass, Report } from "../../compiler/passes/pass.ts";
import { gpu } from "../../compiler/target/example-targets.ts";
import type { CostTarget } from "../../compiler/target/target.ts";
import { publishedAt, tiny } from "../graph/blocks.ts";
import type { RandomInputs } from "../graph/random-graph.ts";
import { paramTensor, stateTensor } from "../graph/random-values.ts";
import { type Closeness, expectSameMeaning } from "../graph/same-meaning.ts";

/** One token with and without rows before it, several tokens behind few rows, and nothing remembered. */
export const calls: readonly Sizes[] = [
  { ...tiny, T: 1, S0: 6 },
  { ...tiny, T: 3, S0: 2 },
  { ...tiny, T: 4, S0: 0 },
  { ...tiny, T: 1, S0: 0 },
];

export interface Values {
  readonly param?: (node: Param, value: Tensor) => Tensor;
}
export const inputsOf =
  (g: Graph, values: Values = {}) =>
  (sizes: Sizes): RandomInputs => ({
    param: (node) => {
      const value = paramTensor(node, sizes, 1);
      return values.param?.(node, value) ?? value;
    },
    state: () => {
      const store = new StateStore();
      const ranks = leadingRanks(g);
      for (const n of nodesOf(g)) if (n.kind === "state") store.put(n, ranks.get(n) ?? 0, stateTensor(n, sizes, 1));
      return store;
    },
  });

export interface SameOptions extends Values {
  readonly closeness?: Closeness;
  readonly chunks?: number;
  readonly sizes?: readonly Sizes[];
}
export function expectSame(before: Graph, after: Graph, options: SameOptions = {}): void {
  const { closeness, chunks, sizes = calls } = options;
  expectSameMeaning(before, after, {
    sizes,
    params: inputsOf(before, options),
    ...(closeness === undefined ? {} : { closeness }),
    ...(chunks === undefined ? {} : { chunks }),
  });
}

/** What a graph computes at given sizes. */
export function resultsOf(g: Graph, sizes: Sizes, values: Values = {}): readonly Tensor[] {
  const { param, state } = inputsOf(g, values)(sizes);
  return interpretSlowly(g, { sizes, param, state: state() });
}

/** A plan for the published sizes with T tokens of a call, after which S are remembered. */
export interface PlanFor {
  readonly T?: number;
  readonly S?: number;
  readonly sizes?: Sizes;
  readonly target?: CostTarget;
}
export function runOnly(b: Builder, g: Graph, passes: readonly Pass[], plan: PlanFor = {}): Passed {
  const sizes = plan.sizes ?? publishedAt(plan.T ?? 1, plan.S ?? 4096);
  const problems = (x: Graph): readonly string[] => verify(x).map(printProblem);
  return runPasses(g, { builder: b, sizes, target: plan.target ?? gpu, passes, verify: problems });
}
export const runAll = (b: Builder, g: Graph, plan: PlanFor = {}): Passed => runOnly(b, g, allPasses, plan);

export const find = (g: Graph, name: string): Node => {
  const found = nodesOf(g).find((n) => n.name === name && isComputed(n));
  if (found === undefined) throw new Error(`no %${name} in\n${print(g)}`);
  return found;
};
export const has = (g: Graph, name: string): boolean => nodesOf(g).some((n) => n.name === name && isComputed(n));
export const dimsOf = (n: Node): readonly string[] => n.type.dims.map(printDim);
export const kernels = (g: Graph): readonly string[] =>
  nodesOf(g)
    .filter(isComputed)
    .map((n) => n.name);
export const decisions = (reports: readonly Report[]): readonly string[] =>
  reports.map((r) => `${r.pass} %${r.node}: ${r.decision}`);

/** Text of a graph without its list of sizes. */
export const textOf = (g: Graph): string => print(g).replace(/^ {2}size .*\n/gm, "");
export const expectGolden = async (g: Graph, file: string): Promise<void> =>
  expect(textOf(g)).toMatchFileSnapshot(`../golden/graph/${file}.dsg`);

/** The values of one param scaled. */
export const scaled =
  (name: string, by: number) =>
  (node: Param, value: Tensor): Tensor =>
    node.name !== name
      ? value
      : tensor(
          value.dims,
          realsOf(value).map((x) => x * by),
        );
