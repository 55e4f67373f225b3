/** Loops, guards, registers, scratch and stepped pointers as WebAssembly, in small kernels that strategies do not write. */
import { expect, test } from "vitest";
import { wasmModule, wasmText } from "../../backends/wasm/module.ts";
import { wasmTarget } from "../../backends/wasm/target.ts";
import { interpret } from "../../compiler/kernel/interpret.ts";
import type { Kernel } from "../../compiler/kernel/kernel.ts";
import { lower } from "../../compiler/kernel/lower/lower.ts";
import { parseKernel } from "../../compiler/kernel/parse.ts";
import { floats } from "./data.ts";
import { emptyOutputs, runWasm } from "./run-wasm.ts";
import { statementCases } from "./statement-cases.ts";

function lowered(body: string): Kernel {
  const parsed = parseKernel(body);
  if (!parsed.ok) throw new Error(`${parsed.line}:${parsed.column} ${parsed.message}`);
  return lower(parsed.kernel, wasmTarget);
}
test.each(Object.entries(statementCases))("%s", async (_, text) => {
  const k = lowered(text);
  const bytes = await wasmModule([k]);
  for (const sizes of [
    { N: 1, K: 4 },
    { N: 5, K: 12 },
  ]) {
    const { x } = { x: floats(65_536, 1) };
    const inputs = k.buffers.some((b) => b.name === "x") ? { x } : {};
    const [got, want] = [await runWasm(bytes, k, { sizes, inputs }, [null]), emptyOutputs(k, sizes)];
    expect(interpret(k, { sizes, buffers: { ...inputs, ...want } })).toBeNull();
    expect(got).toEqual(want);
  }
});

test("accesses with the same invariant part share a pointer", async () => {
  const text = await wasmText([lowered(statementCases["far and near constants"] ?? "")]);
  expect(new Set(text.match(/\$x\.at\.\d+/g))).toHaveProperty("size", 1);
});
