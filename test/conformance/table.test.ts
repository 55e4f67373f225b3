/** The conformance suite of WebAssembly: every seventh row, all of the longer table in full mode. */
import { expect, test } from "vitest";
import { wasmMachine } from "../../backends/wasm/kernel-machine.ts";
import { runCase } from "../../compiler/conformance/graph-case.ts";
import { suiteCases } from "../../compiler/conformance/suite.ts";
import { readProject } from "./bind-text.ts";

const full = process.env["DSC_FULL"] === "1";
const rows = suiteCases(full, readProject)
  .flatMap((c) => c.weights.map((weights) => ({ c, weights })))
  .filter((_, i) => full || i % 7 === 3);

test("rows of the table pass", async () => {
  const wrong: string[] = [];
  for (const { c, weights } of rows) {
    const row = await runCase(c, weights, wasmMachine);
    if (row.outcome !== "passed") wrong.push(`${row.subject}, ${row.dtype}, ${row.sizes}: ${row.outcome}, ${row.note}`);
  }
  expect(wrong.slice(0, 5).join("\n\n")).toBe("");
  expect(rows.length).toBeGreaterThan(50);
});
