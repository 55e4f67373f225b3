/** What `apart` and `fused` make of a node that has a price: the same graph under each. */
import { expect, test } from "vitest";
import { wasmPackages } from "../../backends/wasm/compile-target.ts";
import { DirectiveError } from "../../compiler/directives/directive-error.ts";
import type { StrategyOf } from "../../compiler/directives/placed-rules.ts";
import { runPasses } from "../../compiler/driver/pipeline.ts";
import { Builder } from "../../compiler/graph/builder.ts";
import { parse } from "../../compiler/graph/parse.ts";
import { isComputed, nodesOf } from "../../compiler/graph/walk.ts";
import { fuse } from "../../compiler/passes/fuse.ts";
import { makeSource, type Span } from "../../dsl/diagnostics/source.ts";

const at: Span = { source: makeSource("g.ds", ""), start: 0, end: 0 };
/** Each output row would compute `costly` again; `cheap` is computed once either way. */
const text = `graph @g {
  size T in 1..4096
  %x : f32[T, 64] = input
  %w : f32[512, 64] = weight
  %costly : f32[T, 64] = map [t, d] erf(tanh(exp(%x[t, d])))
  %y : f32[T, 512] = map [t, i] sum[d: 64](%w[i, d] * %costly[t, d])
  %cheap : f32[T, 512] = map [t, i] %y[t, i] + 1
  %z : f32[T, 512] = map [t, i] %cheap[t, i] * 2
  %best : i32[T, 4] = top_k [t] i: 512 by %z[t, i]
  %out : f32[T, 4] = map [t, j] %z[t, %best[t, j]]
  return %out
}
`;

function left(node: string | null, kind: "apart" | "fused"): readonly string[] {
  const builder = new Builder();
  const parsed = parse(text, builder);
  if (!parsed.ok) throw new Error(`${parsed.line}: ${parsed.message}`);
  const strategy: StrategyOf = (label) =>
    label === node ? { path: label, strategy: { kind }, calls: null, at } : null;
  const { cost: target } = wasmPackages.target;
  const { graph } = runPasses(parsed.graph, { builder, target, sizes: { T: 512 }, passes: [fuse], strategy });
  return nodesOf(graph).flatMap((n) => (isComputed(n) ? [n.name] : []));
}

test("without a rule", () => expect(left(null, "apart")).toEqual(["costly", "z", "best", "out"]));
test("fused, whatever it costs", () => expect(left("costly", "fused")).toEqual(["z", "best", "out"]));
test("apart, though it repeats nothing", () =>
  expect(left("cheap", "apart")).toEqual(["costly", "cheap", "best", "out"]));
test.each([
  ["out", "it is a result, remembered, or carried from round to round: it needs memory"],
  ["best", "it is sorted: it needs memory"],
])("%s cannot be fused", (node, why) => expect(() => left(node, "fused")).toThrow(new DirectiveError(why, at)));
