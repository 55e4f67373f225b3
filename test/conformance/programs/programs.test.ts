/** Random well-typed programs: checked, elaborated, through the passes, as WebAssembly and in the kernel interpreter. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { wasmMachine } from "../../../backends/wasm/kernel-machine.ts";
import { graphOfText } from "../../../compiler/conformance/blocks.ts";
import { type GraphCase, runCase } from "../../../compiler/conformance/graph-case.ts";
import { interpreterMachine } from "../../../compiler/conformance/interpreter-machine.ts";
import type { Machine } from "../../../compiler/conformance/machine.ts";
import { remembering } from "../../../compiler/conformance/primitives/text-case.ts";
import { printProblem, verify } from "../../../compiler/graph/verify.ts";
import { newParseCache } from "../../../dsl/checker/load.ts";
import { readProject } from "../bind-text.ts";
import { programArbitrary, programText } from "./random-program.ts";

const full = process.env["DSC_FULL"] === "1";
const cache = newParseCache();

const caseOf = (text: string): GraphCase => ({
  kind: "program",
  subject: "random",
  sizes: "",
  calls: remembering,
  weights: ["f32"],
  make: () => {
    const made = graphOfText(text, readProject, cache);
    expect(verify(made.graph).map(printProblem)).toEqual([]);
    return made;
  },
});

const interpreter = interpreterMachine(wasmMachine.cost, wasmMachine.kernel);
const campaigns: readonly (readonly [machine: Machine, runs: number, most: number])[] = [
  [wasmMachine, full ? 300 : 8, full ? 8 : 5],
  [interpreter, full ? 60 : 2, 4],
];

test.each(campaigns)("random programs, $name", async (machine, runs, most) => {
  await fc.assert(
    fc.asyncProperty(programArbitrary(most), async (steps) => {
      const text = programText(steps);
      const { outcome, note } = await runCase(caseOf(text), "f32", machine);
      expect(outcome, `${note}\n${text}`).toBe("passed");
    }),
    // An everyday run is the same every day; a full one is another each time, and tells its seed where it fails.
    { numRuns: runs, ...(full ? {} : { seed: 4 }), interruptAfterTimeLimit: full ? 300_000 : 50_000 },
  );
});
