/** Rows of hashed n-grams with the multipliers and primes of published models: the reference and WebAssembly, against the published construction. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { wasmMachine } from "../../../backends/wasm/kernel-machine.ts";
import { graphOfText } from "../../../compiler/conformance/blocks.ts";
import { graphProgram } from "../../../compiler/conformance/graph-program.ts";
import { GraphRun, type Values } from "../../../compiler/conformance/run-graph.ts";
import { fixedSizes } from "../../../compiler/driver/phases.ts";
import { runPasses } from "../../../compiler/driver/pipeline.ts";
import { evalDim, type Sizes } from "../../../compiler/graph/dim.ts";
import { prepare } from "../../../compiler/graph/interpret/prepare.ts";
import { StateStore } from "../../../compiler/graph/interpret/state-store.ts";
import { realsOf, tensor, wideTensor } from "../../../compiler/graph/interpret/tensor.ts";
import type { Param } from "../../../compiler/graph/node.ts";
import { newParseCache } from "../../../dsl/checker/load.ts";
import { readProject } from "../bind-text.ts";

type Rows = readonly (readonly number[])[];
interface Numbers {
  readonly primes: Readonly<Record<string, Rows>>;
  readonly multipliers: Readonly<Record<string, readonly string[]>>;
}
interface Golden {
  readonly v41: Numbers & {
    readonly compressed_vocab: number;
    readonly example: { readonly compressed_ids: readonly number[]; readonly pad: number } & Readonly<
      Record<"layer1_bucket_indices_before_offset", Rows>
    >;
  };
  readonly demo: Numbers & {
    readonly compressed_vocab: number;
    readonly pad_id_compressed: number;
    readonly example: { readonly compressed_ids: readonly number[] } & Readonly<
      Record<"layer1_rows_before_offset" | "layer15_rows_before_offset", Rows>
    >;
  };
}
const file = new URL("../../constants/engram-golden.json", import.meta.url);
const { v41, demo }: Golden = JSON.parse(readFileSync(file, "utf8"));

interface Hashed {
  readonly name: string;
  /** Compressed ids: they stand for the ids of tokens. */
  readonly ids: readonly number[];
  readonly pad: number;
  readonly vocabulary: number;
  readonly multipliers: readonly string[];
  readonly primes: Rows;
  /** [T][order and head], before the offset of the head. */
  readonly rows: Rows;
}
const inDemo = (layer: 1 | 15): Hashed => ({
  name: `the published demonstration, layer ${layer}`,
  ids: demo.example.compressed_ids,
  pad: demo.pad_id_compressed,
  vocabulary: demo.compressed_vocab,
  multipliers: demo.multipliers[layer] ?? [],
  primes: demo.primes[layer] ?? [],
  rows: demo.example[`layer${layer}_rows_before_offset`],
});
const cases: readonly Hashed[] = [
  {
    name: "V4.1, layer 1",
    ids: v41.example.compressed_ids,
    pad: v41.example.pad,
    vocabulary: v41.compressed_vocab,
    multipliers: v41.multipliers["1"] ?? [],
    primes: v41.primes["1"] ?? [],
    rows: v41.example.layer1_bucket_indices_before_offset,
  },
  ...([1, 15] as const).map(inDemo),
];

const textOf = ({ pad, vocabulary, multipliers, primes }: Hashed): string => `import ngram_rows from "std/engram"
model hashing {
  config {
    multiplier : [N] i64    = $.multiplier
    prime      : [O, J] i64 = $.prime
    N          : dim = ${multipliers.length}
    O          : dim = ${primes.length}
    J          : dim = ${primes[0]?.length}
  }
  runtime T : dim in 1..64
  runtime S : memory in 1..64
  rows := sum[o,j](prime[o,j])
  part rows_of : ngram_rows(N: N, C: ${vocabulary}, ROWS: rows, pad: ${pad}, ..) at "e"
  entry example(ids: [T] in ${vocabulary}, pos: [T] in S) -> row: [T, O, J] in rows {
    row := rows_of(ids, pos)
  }
}
`;

const cache = newParseCache();
const callOf = { tokens: "T", before: "S0" };

test.each(cases)("$name", async (hashed) => {
  const { ids, vocabulary, multipliers, primes, rows } = hashed;
  const sizes = primes.flat();
  const offsets = sizes.map((_, j) => sizes.slice(0, j).reduce((a, b) => a + b, 0));
  const expected = rows.map((row) => row.map((r, j) => r + (offsets[j] ?? Number.NaN)));
  expect(expected[0]).toHaveLength(sizes.length);

  const config = JSON.stringify({ multiplier: multipliers, prime: primes });
  const made = graphOfText(textOf(hashed), readProject, cache, config);
  const same = Float64Array.from({ length: vocabulary }, (_, i) => i);
  const given = (n: Param, at: Sizes): Values => {
    const { T = 0, S0 = 0 } = at;
    if (n.name === "ids") return ids.slice(S0, S0 + T);
    return n.name === "rows_of.canon" ? same : made.given(n, at);
  };

  // The reference, in one call and token by token.
  for (const step of [ids.length, 1]) {
    const run = prepare(made.graph);
    const state = new StateStore();
    const found: number[] = [];
    for (let S0 = 0; S0 < ids.length; S0 += step) {
      const at = { ...fixedSizes(made.graph), S0, T: step };
      const [row] = run.run({
        sizes: at,
        state,
        param: (n) => {
          const dims = n.type.dims.map((d) => evalDim(d, at));
          const values = Array.from<number | bigint>(given(n, at));
          return n.type.dtype === "i64" ? wideTensor(dims, values.map(BigInt)) : tensor(dims, values.map(Number));
        },
      });
      if (row !== undefined) found.push(...realsOf(row));
    }
    expect(found).toEqual(expected.flat());
  }

  // WebAssembly, bit for bit what the reference has.
  const planned = { ...fixedSizes(made.graph), S0: 0, T: 4 };
  for (const builder of [null, made.builder]) {
    const graph =
      builder === null
        ? made.graph
        : runPasses(made.graph, { builder, sizes: planned, target: wasmMachine.cost }).graph;
    const program = graphProgram({ graph, planned, target: wasmMachine.kernel, weights: "f32", ...callOf });
    const memory = await wasmMachine.open(program.kernels);
    const run = new GraphRun({ reference: made.graph, program, memory, rows: 64, given, ...callOf });
    for (const [S0, T] of [
      [0, 2],
      [2, 1],
      [3, ids.length - 3],
    ] as const) {
      const { wrong, elements, unknown } = await run.call({ ...planned, S0, T });
      expect(wrong).toBeNull();
      expect(unknown).toBe(0);
      expect(elements).toBeGreaterThanOrEqual(T * sizes.length);
    }
  }
});
