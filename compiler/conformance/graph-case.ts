/** What a conformance suite runs: a graph, what its inputs and weights are, and the calls, each held to the reference. */
import type { Row } from "../driver/conformance.ts";
import { fixedSizes } from "../driver/phases.ts";
import { runPasses } from "../driver/pipeline.ts";
import { ElaborationError } from "../elaborate/context.ts";
import type { Builder } from "../graph/builder.ts";
import type { Sizes } from "../graph/dim.ts";
import type { Graph, Param } from "../graph/node.ts";
import { print } from "../graph/print.ts";
import { UnsupportedError } from "../program/unsupported.ts";
import { graphProgram } from "./graph-program.ts";
import type { Machine } from "./machine.ts";
import { GraphRun, type Values } from "./run-graph.ts";

export type Weights = "f32" | "bf16" | "f16";
/** Tokens of a call, after so many rows; fewer than there are: those behind them are forgotten. */
export interface CaseCall {
  readonly T: number;
  readonly S0: number;
}
export interface CaseGraph {
  readonly graph: Graph;
  /** Of the graph: with it the graph goes through the passes. */
  readonly builder: Builder | null;
  readonly given: (n: Param, sizes: Sizes) => Values;
}
export interface GraphCase {
  readonly kind: string;
  readonly subject: string;
  /** For people: what is fixed. */
  readonly sizes: string;
  readonly calls: readonly CaseCall[];
  /** Compiled for calls of one token alone, as when decoding: their number is a number in kernels then. */
  readonly single?: boolean;
  /** Types in which weights are tried; f32 alone where there are none. */
  readonly weights: readonly Weights[];
  /** Throws ElaborationError for what cannot be elaborated yet. */
  readonly make: () => CaseGraph;
}

const names = { tokens: "T", before: "S0" };

/** Runs a case; a fault of it is its outcome. */
export async function runCase(c: GraphCase, weights: Weights, machine: Machine): Promise<Row> {
  const { kind, subject, calls } = c;
  const sizes = `${c.sizes}${c.sizes === "" ? "" : " "}T=${calls.map((x) => (x.S0 === 0 ? x.T : `${x.S0}+${x.T}`)).join(",")}`;
  const row = { kind, subject, dtype: weights === "f32" ? "f32" : `${weights} weights`, sizes };
  const started = performance.now();
  const seconds = (): number => (performance.now() - started) / 1000;
  try {
    const found = await compare(c, weights, machine);
    const outcome = found.wrong === null ? "passed" : "failed";
    return { ...row, outcome, error: found.share, seconds: seconds(), note: found.wrong ?? found.note };
  } catch (error) {
    const unsupported = error instanceof UnsupportedError || error instanceof ElaborationError;
    const note = error instanceof Error ? error.message : String(error);
    return { ...row, outcome: unsupported ? "unsupported" : "failed", error: null, seconds: seconds(), note };
  }
}

interface Compared {
  readonly share: number;
  /** Where it is wrong. */
  readonly wrong: string | null;
  readonly note: string | null;
}

async function compare(c: GraphCase, weights: Weights, machine: Machine): Promise<Compared> {
  const { graph, builder, given } = c.make();
  const fixed = { ...fixedSizes(graph), ...(c.single === true ? { T: 1 } : {}) };
  // For the call of the most tokens: what schedules do for many is what goes wrong for few, and at the ends of tiles.
  const most = c.calls.reduce<CaseCall>((a, b) => (b.T > a.T ? b : a), { T: 1, S0: 0 });
  const planned = { ...fixed, ...most };
  const compiled = builder === null ? graph : runPasses(graph, { builder, sizes: planned, target: machine.cost }).graph;
  const program = graphProgram({ graph: compiled, planned, fixed, target: machine.kernel, weights, ...names });
  const memory = await machine.open(program.kernels);
  const rows = Math.max(...c.calls.map(({ T, S0 }) => T + S0)) + 1;
  const run = new GraphRun({
    reference: graph,
    program,
    memory,
    rows,
    ...names,
    given,
    arithmetic: machine.arithmetic,
  });
  let [share, elements, unknown] = [0, 0, 0];
  for (const call of c.calls) {
    run.rollback(call.S0);
    const found = await run.call({ ...fixed, ...call });
    share = Math.max(share, found.share);
    elements += found.elements;
    unknown += found.unknown;
    if (found.wrong !== null)
      return { share, note: null, wrong: `${call.T} tokens after ${call.S0}: ${found.wrong}\n${print(compiled)}` };
  }
  return { share, wrong: null, note: unknown === 0 ? null : `rounding decides ${unknown} of ${elements}` };
}
