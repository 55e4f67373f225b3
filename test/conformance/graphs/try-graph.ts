/** A random graph on a machine, held to the reference; what differs is told with the graph's text. */
import { graphProgram } from "../../../compiler/conformance/graph-program.ts";
import type { Machine } from "../../../compiler/conformance/machine.ts";
import { GraphRun } from "../../../compiler/conformance/run-graph.ts";
import { fixedSizes } from "../../../compiler/driver/phases.ts";
import { runPasses } from "../../../compiler/driver/pipeline.ts";
import { evalDim, type Sizes } from "../../../compiler/graph/dim.ts";
import { print } from "../../../compiler/graph/print.ts";
import { nodesOf } from "../../../compiler/graph/walk.ts";
import type { RandomGraph } from "../../graph/random-graph.ts";
import { stateTensor } from "../../graph/random-values.ts";

export interface TryOptions {
  readonly machine: Machine;
  /** Whether the graph goes through the passes first. */
  readonly passes: boolean;
  readonly weights: "f32" | "bf16" | "f16";
  /** Only calls of one token, compiled for them alone. */
  readonly single?: boolean;
}
export interface Tried {
  /** What is wrong, with the graph and sizes. */
  readonly failure: string | null;
  readonly share: number;
  readonly elements: number;
  readonly unknown: number;
}

const callOf = { tokens: "T", before: "S0" };

export async function tryGraph(made: RandomGraph, seed: number, options: TryOptions): Promise<Tried> {
  const { machine, passes, weights } = options;
  const { graph, builder } = made;
  let [share, elements, unknown] = [0, 0, 0];
  const planned = made.sizes[seed % made.sizes.length] ?? {};
  // One token, as when decoding, is a number in kernels.
  const single = options.single === true;
  const fixed = single ? { fixed: { ...fixedSizes(graph), T: 1 } } : {};
  const compiled = passes ? runPasses(graph, { builder, sizes: planned, target: machine.cost }).graph : graph;
  const said = (at: Sizes, what: string): Tried => ({
    failure: `seed ${seed}, ${machine.name}, ${weights} weights, sizes ${JSON.stringify(at)}: ${what}\n${print(graph)}${passes ? `\nas\n${print(compiled)}` : ""}`,
    share,
    elements,
    unknown,
  });
  let at: Sizes = planned;
  try {
    const program = graphProgram({ graph: compiled, planned, target: machine.kernel, weights, ...callOf, ...fixed });
    const memory = await machine.open(program.kernels);
    for (const sizes of made.sizes) {
      if (single && sizes["T"] !== 1) continue;
      at = sizes;
      const run = new GraphRun({
        reference: graph,
        program,
        memory,
        rows: 64,
        ...callOf,
        given: (n) => made.params(sizes).param(n).data,
      });
      for (const n of nodesOf(graph)) {
        if (n.kind !== "state") continue;
        const dims = n.type.dims.map((d) => evalDim(d, sizes));
        run.remember(n, dims, stateTensor(n, sizes, seed).data);
      }
      const found = await run.call(sizes);
      share = Math.max(share, found.share);
      elements += found.elements;
      unknown += found.unknown;
      if (found.wrong !== null) return said(sizes, found.wrong);
    }
  } catch (error) {
    return said(
      at,
      error instanceof Error
        ? `${error.name}: ${error.message}\n${(error.stack ?? "").split("\n").slice(1, 6).join("\n")}`
        : String(error),
    );
  }
  return { failure: null, share, elements, unknown };
}
