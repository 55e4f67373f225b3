/** Nodes of a graph as a machine computes them in one call: the numbers themselves, beside no bounds. */
import type { CaseGraph } from "../../compiler/conformance/graph-case.ts";
import { graphProgram } from "../../compiler/conformance/graph-program.ts";
import type { Machine } from "../../compiler/conformance/machine.ts";
import { playPhase } from "../../compiler/conformance/play.ts";
import { decode, encode } from "../../compiler/conformance/run-graph.ts";
import { fixedSizes } from "../../compiler/driver/phases.ts";
import { runPasses } from "../../compiler/driver/pipeline.ts";
import type { Node } from "../../compiler/graph/node.ts";
import { elemBytes } from "../../runtime/artifact/elems.ts";

export async function resultsOn(
  machine: Machine,
  { graph, builder, given }: CaseGraph,
  wanted: readonly Node[],
  T: number,
): Promise<readonly (readonly number[])[]> {
  const fixed = fixedSizes(graph);
  const sizes = { ...fixed, T, S0: 0 };
  const all = { ...graph, results: wanted };
  const compiled = builder === null ? all : runPasses(all, { builder, sizes, target: machine.cost }).graph;
  const names = { tokens: "T", before: "S0", weights: "f32" } as const;
  const program = graphProgram({ graph: compiled, planned: sizes, fixed, target: machine.kernel, ...names });
  const memory = await machine.open(program.kernels);
  const places = program.given.map((n) => {
    const [values, elem] = [given(n, sizes), program.elemOf(n)];
    const place = { at: memory.reserve(values.length * elemBytes[elem]), bytes: values.length * elemBytes[elem] };
    encode(elem, values, new DataView(memory.bytes().buffer, place.at, place.bytes));
    return place;
  });
  const results: (readonly number[])[] = [];
  for (const phase of program.phases) {
    const bytes = await playPhase(phase, { program, memory, sizes, given: places, states: [] });
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    results.push(Array.from(decode(phase.outputs[0]?.elem ?? "f32", view), Number));
  }
  return results;
}
