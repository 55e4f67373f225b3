/** A product in whole numbers of 8 bits: NumPy's codes and sums to the bit in the reference and compiled, and what `dsc quantize` writes. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { wasmMachine } from "../../backends/wasm/kernel-machine.ts";
import { webgpuCost, webgpuTarget } from "../../backends/wgsl/target.ts";
import { interpreterMachine } from "../../compiler/conformance/interpreter-machine.ts";
import { evalDim } from "../../compiler/graph/dim.ts";
import { interpretSlowly } from "../../compiler/graph/interpret/slowly.ts";
import { StateStore } from "../../compiler/graph/interpret/state-store.ts";
import { realsOf, tensor } from "../../compiler/graph/interpret/tensor.ts";
import { encodeNumbers } from "../../runtime/formats/encode-numbers.ts";
import { openWeights } from "../../runtime/node/open-weights.ts";
import { project } from "../cli/run-dsc.ts";
import { runInside } from "../cli/run-inside.ts";
import { fileOf, matrixText } from "../quantize/matrix.ts";
import { expected, recorded, recordedGraph } from "./int8-recording.ts";
import { resultsOn } from "./results-on.ts";

const most = Math.max(...recorded.y.map(Math.abs));
/** Rows differ by many octaves: each is held to its own. */
function wrongIn(y: readonly number[], within: number): string | null {
  for (let t = 0; t < recorded.tokens; t += 1) {
    const [from, to] = [t * recorded.rows, (t + 1) * recorded.rows];
    const size = Math.max(...recorded.y.slice(from, to).map(Math.abs));
    for (let i = from; i < to; i += 1)
      if (!(Math.abs((y[i] ?? Number.NaN) - (recorded.y[i] ?? 0)) <= within * size))
        return `${i}: ${y[i]}, not ${recorded.y[i]}`;
  }
  return null;
}

test("the reference", () => {
  const { made, parts } = recordedGraph();
  const sizes = {
    ...Object.fromEntries([...made.graph.sizes].map(([n, { low }]) => [n, low])),
    T: recorded.tokens,
    S0: 0,
  };
  const results = interpretSlowly(
    { ...made.graph, results: parts },
    {
      sizes,
      state: new StateStore(),
      param: (n) =>
        tensor(
          n.type.dims.map((d) => evalDim(d, sizes)),
          Float64Array.from(made.given(n, sizes), Number),
        ),
    },
  ).map((r) => [...realsOf(r)]);
  expect(results.slice(0, 3)).toEqual(expected);
  expect(wrongIn(results[3] ?? [], 1e-14)).toBeNull();
  expect(most).toBeGreaterThan(1e20);
});

test.each([wasmMachine, interpreterMachine(webgpuCost, webgpuTarget)])("compiled for $name", async (machine) => {
  const { made, parts } = recordedGraph();
  const results = await resultsOn(machine, made, parts, recorded.tokens);
  expect(results.slice(0, 3)).toEqual(expected);
  expect(wrongIn(results[3] ?? [], 1e-6)).toBeNull();
});

test("dsc quantize writes the weights as NumPy rounds them", async () => {
  const shape = [recorded.rows, recorded.columns];
  const data = encodeNumbers(Float64Array.from(recorded.w), "F32");
  const cwd = project({
    "matrix.ds": matrixText.replaceAll("fp8_blocks", "int8_blocks").replace(/e4m3(.*)128/, "i8$132"),
    "in/config.json": JSON.stringify({ rows: recorded.rows, columns: recorded.columns }),
    "in/model.safetensors": await fileOf([{ name: "w.weight", dtype: "F32", shape, data }]),
  });
  const { code, error } = await runInside(["quantize", "matrix.ds", "--weights", "in", "--out", "out"], cwd);
  expect({ code, error }).toEqual({ code: 0, error: "" });
  const weights = await openWeights(join(cwd, "out"));
  try {
    expect([...new Int8Array((await weights.readBytes("w.weight")).slice().buffer)]).toEqual(recorded.weights);
    expect([...(await weights.read("w.weight_scale"))]).toEqual(recorded.multipliers);
  } finally {
    await weights.close();
  }
});
