/** What NumPy makes of a product in whole numbers (test/oracle/record_int8.py), and the library's block as a graph with the same numbers. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { graphOfText } from "../../compiler/conformance/blocks.ts";
import type { CaseGraph } from "../../compiler/conformance/graph-case.ts";
import type { Node } from "../../compiler/graph/node.ts";
import { nodesOf } from "../../compiler/graph/walk.ts";
import { newParseCache } from "../../dsl/checker/load.ts";
import { readProject, root } from "./bind-text.ts";

const file: Readonly<Record<string, unknown>> = JSON.parse(
  readFileSync(join(root, "test/oracle/recorded-int8/linear.json"), "utf8"),
);
const bytesOf = (name: string): ArrayBuffer => new Uint8Array(Buffer.from(String(file[name]), "base64")).buffer;
const floats = (name: string): readonly number[] => [...new Float32Array(bytesOf(name))];
const codes = (name: string): readonly number[] => [...new Int8Array(bytesOf(name))];
const count = (name: string): number => Number(file[name]);

export const recorded = {
  tokens: count("tokens"),
  rows: count("rows"),
  columns: count("blocks") * count("block"),
  x: floats("x"),
  w: floats("w"),
  codes: codes("codes"),
  steps: floats("steps"),
  weights: codes("weights"),
  multipliers: floats("multipliers"),
  sums: file["sums"] as readonly number[],
  y: [...new Float64Array(bytesOf("y"))],
};

const text = `import int8_linear from "std/linear"
model case_of {
  runtime T : dim in 1..64
  part f : int8_linear(O: ${recorded.rows}, B: ${count("block")}) at "f"
  entry example(x: [T, ${recorded.columns}]) -> y: [T, ${recorded.rows}] {
    y[t] := f(x[t])
  }
}
`;

/** Its parts in the order of `expected`: codes and steps of the tokens, sums of blocks, and the result. */
export function recordedGraph(): { readonly made: CaseGraph; readonly parts: readonly Node[] } {
  const { graph, builder } = graphOfText(text, readProject, newParseCache());
  const given: CaseGraph["given"] = (n) =>
    n.kind === "input" ? recorded.x : n.type.dtype === "i8" ? recorded.weights : recorded.multipliers;
  const maps = nodesOf(graph).filter((n) => n.kind === "map");
  const [result] = graph.results;
  const of = (dtype: string): Node | undefined => maps.find((n) => n.type.dtype === dtype);
  const step = maps.find((n) => n.kind === "map" && n.body.kind === "call" && n.body.fn === "to_f32");
  const parts = [of("i8"), step, of("i32"), result];
  return { made: { graph, builder, given }, parts: parts.flatMap((n) => n ?? []) };
}
export const expected = [recorded.codes, recorded.steps, recorded.sums];
