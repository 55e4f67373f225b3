/** Every operation, conversion, load and store on every width that WebAssembly says it with, bit for bit as the interpreter. */
import { expect, test } from "vitest";
import { wasmModule } from "../../backends/wasm/module.ts";
import { wasmTarget } from "../../backends/wasm/target.ts";
import { interpret } from "../../compiler/kernel/interpret.ts";
import { verify } from "../../compiler/kernel/verify.ts";
import { operationCases } from "./operation-cases.ts";
import { emptyOutputs, type Outputs, runWasm } from "./run-wasm.ts";

test.each(Object.entries(operationCases))("%s", async (_, cases) => {
  const all = cases();
  for (const { kernel: k } of all) expect(verify(k, wasmTarget), k.name).toEqual([]);
  const bytes = await wasmModule(all.map((x) => x.kernel));
  for (const { kernel: k, inputs } of all) {
    const got = await runWasm(bytes, k, { sizes: {}, inputs }, [null]);
    const want: Outputs = emptyOutputs(k, {});
    expect(interpret(k, { sizes: {}, buffers: { ...inputs, ...want } }), k.name).toBeNull();
    expect(got, k.name).toEqual(want);
  }
});
