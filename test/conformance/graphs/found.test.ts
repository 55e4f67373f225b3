/** Graphs that the compiler once got wrong, each as small as it shows. */
import { expect, test } from "vitest";
import { wasmMachine } from "../../../backends/wasm/kernel-machine.ts";
import { graphProgram } from "../../../compiler/conformance/graph-program.ts";
import { interpreterMachine } from "../../../compiler/conformance/interpreter-machine.ts";
import { GraphRun } from "../../../compiler/conformance/run-graph.ts";
import { fixedSizes } from "../../../compiler/driver/phases.ts";
import { realsOf } from "../../../compiler/graph/interpret/tensor.ts";
import { parse } from "../../../compiler/graph/parse.ts";
import { paramTensor } from "../../graph/random-values.ts";

interface Found {
  readonly what: string;
  readonly text: string;
}
const found: readonly Found[] = [
  {
    what: "an index in range because of the largest size, which kernels do not know",
    text: `graph @found {
  size S0 in 0..12
  size T in 1..8
  %x : f32[T, 8] = input
  %y : f32[S0 + T, 8] = input
  %z : f32[T] = map [t] %x[t, 0] + %y[0, t]
  return %z
}
`,
  },
  {
    what: "a remainder of what is below 0 where it is not used",
    text: `graph @found {
  size S0 in 0..12
  size T in 1..8
  %x : f32[T, 3] = input
  %y : f32[T, 3] = input
  %z : f32[T] = map [t] sum[k: 3 where k <= t](%x[t - k, 0] * %y[0, mod(t - k, 3)])
  return %z
}
`,
  },
  {
    what: "a remainder of a difference that is never below 0",
    text: `graph @found {
  size S0 in 0..12
  size T in 1..8
  %x : f32[T, 3] = input
  %z : f32[4] = map [d] %x[mod(3 - d, T), mod(3 - d, 3)]
  return %z
}
`,
  },
  {
    what: "an index that is called as the round of a repeat was",
    text: `graph @found {
  size S0 in 0..12
  size T in 1..8
  %x : f32[T, 3] = input
  %h : f32[T, 3] = repeat 4 from %x with %c, %l {
    %n : f32[T, 3] = map [t, round] %c[t, round] + %l[] * sum[round1: 3](%c[t, round1] * 0.1 * %l[])
    yield %n
  }
  return %h
}
`,
  },
  {
    what: "indices whose names differ in an underscore",
    text: `graph @found {
  size S0 in 0..12
  size T in 1..8
  %x : f32[T, 12, 8] = input
  %y : f32[12, 12] = input
  %z : f32[T, 12, 12] = map [t, ab, a_b] sum[d: 8](exp(%x[t, ab, d]) * exp(%x[t, a_b, d])) * %y[a_b, ab]
  return %z
}
`,
  },
];

test.each(found)("$what", async ({ text }) => {
  const parsed = parse(text);
  if (!parsed.ok) throw new Error(`${parsed.line}:${parsed.column}: ${parsed.message}`);
  const { graph } = parsed;
  const names = { tokens: "T", before: "S0" };
  const planned = { ...fixedSizes(graph), S0: 5, T: 1 };
  for (const machine of [wasmMachine, interpreterMachine(wasmMachine.cost, wasmMachine.kernel)]) {
    const program = graphProgram({ graph, planned, target: machine.kernel, weights: "f32", ...names });
    const memory = await machine.open(program.kernels);
    const run = new GraphRun({
      reference: graph,
      program,
      memory,
      rows: 32,
      ...names,
      given: (n, sizes) => realsOf(paramTensor(n, sizes, 1)),
    });
    let before = 0;
    for (const T of [1, 5, 3]) {
      expect((await run.call({ ...planned, S0: before, T })).wrong, machine.name).toBeNull();
      before += T;
    }
  }
});

test("whole numbers of 64 bits are refused where a target has none, not cut off", () => {
  const parsed = parse(`graph @wide {
  size S0 in 0..12
  size T in 1..8
  %ids : i64[T] = input
  %hash : i64[T] = map [t] %ids[t] * 6364136223846793
  %y : i32[T] = map [t] mod(%hash[t], 7)
  return %y
}
`);
  if (!parsed.ok) throw new Error(parsed.message);
  const target = { ...wasmMachine.kernel, i64: false };
  const order = { graph: parsed.graph, planned: { S0: 0, T: 1 }, target, weights: "f32" } as const;
  expect(() => graphProgram({ ...order, tokens: "T", before: "S0" })).toThrow("64 bits");
});
