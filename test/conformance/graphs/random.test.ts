/** Random graphs, as they are and through the passes: the kernel interpreter and WebAssembly against the reference. */
import { expect, test } from "vitest";
import { wasmMachine } from "../../../backends/wasm/kernel-machine.ts";
import { webgpuCost, webgpuTarget } from "../../../backends/wgsl/target.ts";
import { interpreterMachine } from "../../../compiler/conformance/interpreter-machine.ts";
import { randomGraph } from "../../graph/random-graph.ts";
import { type TryOptions, tryGraph } from "./try-graph.ts";

const full = process.env["DSC_FULL"] === "1";
const interpreter = interpreterMachine(wasmMachine.cost, wasmMachine.kernel);
/** Of so few lanes that they share the sums of small graphs. */
const lanes = interpreterMachine(webgpuCost, { ...webgpuTarget, lanes: 4 });

interface Campaign extends TryOptions {
  readonly name: string;
  readonly large: boolean;
  readonly from: number;
  /** Everyday, and in full mode. */
  readonly count: readonly [number, number];
}
const campaigns: readonly Campaign[] = [
  {
    name: "through passes, WebAssembly",
    machine: wasmMachine,
    passes: true,
    weights: "f32",
    large: false,
    from: 0,
    count: [10, 700],
  },
  {
    name: "large, WebAssembly, bf16",
    machine: wasmMachine,
    passes: true,
    weights: "bf16",
    large: true,
    from: 3000,
    count: [4, 300],
  },
  {
    name: "as they are, WebAssembly, f16",
    machine: wasmMachine,
    passes: false,
    weights: "f16",
    large: true,
    from: 5000,
    count: [3, 200],
  },
  {
    name: "through passes, kernel interpreter",
    machine: interpreter,
    passes: true,
    weights: "f32",
    large: false,
    from: 7000,
    count: [5, 300],
  },
  {
    name: "through passes, kernel interpreter with lanes",
    machine: lanes,
    passes: true,
    weights: "f32",
    large: false,
    from: 8000,
    count: [4, 300],
  },
];

test.each(campaigns)("$name", async ({ from, count, large, ...options }) => {
  let [elements, unknown] = [0, 0];
  const failures: string[] = [];
  for (let seed = from; seed < from + (full ? count[1] : count[0]); seed += 1) {
    const made = randomGraph(seed, { large });
    const tried = await tryGraph(made, seed, options);
    elements += tried.elements;
    unknown += tried.unknown;
    if (tried.failure !== null) failures.push(tried.failure);
  }
  expect(failures.slice(0, 3).join("\n\n")).toBe("");
  // Where rounding decides there is nothing to compare: it is to be rare, or the comparison says little.
  expect(unknown).toBeLessThan(elements / 20);
});
