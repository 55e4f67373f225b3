/** Any graph as a program that a machine can play: a phase for each result, with inputs and weights bound where they stand. */
import type { BufferElem, Phase, StateDecl } from "../../runtime/artifact/program.ts";
import { noStrategies } from "../directives/placed-rules.ts";
import { fixedSizes } from "../driver/phases.ts";
import { narrowFormat } from "../elaborate/narrowed.ts";
import type { Sizes } from "../graph/dim.ts";
import type { Graph, Node, Param } from "../graph/node.ts";
import { nodesOf } from "../graph/walk.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { KernelPool } from "../program/kernel-pool.ts";
import { buildPhase } from "../program/phase-builder.ts";
import type { KernelReport } from "../program/phase-order.ts";
import { StateTable } from "../program/state-table.ts";
import type { KernelTarget } from "../target/kernel-target.ts";

export interface GraphProgram {
  readonly graph: Graph;
  /** One for each result of the graph. */
  readonly phases: readonly Phase[];
  readonly kernels: readonly Kernel[];
  /** Inputs and weights, as bindings number them. */
  readonly given: readonly Param[];
  readonly states: readonly StateDecl[];
  readonly elemOf: (n: Node) => BufferElem;
  readonly reports: readonly KernelReport[];
}

export interface GraphOrder {
  readonly graph: Graph;
  /** Sizes that schedules are chosen for. */
  readonly planned: Sizes;
  readonly target: KernelTarget;
  /** How real weights are kept. */
  readonly weights: "f32" | "bf16" | "f16";
  /** Names of the tokens of a call, and of the rows remembered before it. */
  readonly tokens: string;
  readonly before: string;
  /** Sizes that are numbers in kernels; those of the config without it. */
  readonly fixed?: Sizes;
}

export function graphProgram(order: GraphOrder): GraphProgram {
  const { graph, planned, target, tokens, before } = order;
  const given: Param[] = [];
  const states = new StateTable();
  const pool = new KernelPool(target);
  const elemOf = (n: Node): BufferElem => elemIn(n, order.weights);
  for (const n of nodesOf(graph)) if (n.kind === "input" || n.kind === "weight") given.push(n);
  const built = graph.results.map((result, i) =>
    buildPhase({
      name: `result${i}`,
      entry: graph.name,
      results: [result.name],
      from: 1,
      to: graph.sizes.get(tokens)?.high ?? 1,
      graph: { ...graph, results: [result] },
      fixed: order.fixed ?? fixedSizes(graph),
      planned,
      tokens,
      before,
      target,
      pool,
      strategy: noStrategies,
      elemOf,
      inputs: [],
      given: (n) => ({ kind: "weight", weight: given.indexOf(n) }),
      state: (n, copies, row) => states.add(n, { entry: graph.name, copies, row, elem: elemOf(n) }),
    }),
  );
  return {
    graph,
    phases: built.map((b) => b.phase),
    kernels: pool.kernels,
    given,
    states: states.decls,
    elemOf,
    reports: built.flatMap((b) => b.reports),
  };
}

function elemIn(n: Node, weights: GraphOrder["weights"]): BufferElem {
  const { dtype, dims } = n.type;
  if (dtype === "bool" || dtype === "i64") return dtype;
  if (dtype === "i8" && (n.kind === "weight" || narrowFormat(n) !== null)) return dtype;
  if (dtype === "i32" || dtype === "i8" || dtype === "u8") return "i32";
  return n.kind === "weight" && dims.length > 0 ? weights : "f32";
}
