/** WebAssembly as a machine that runs kernels one at a time, for the conformance suite. */
import type { KernelMemory, Machine } from "../../compiler/conformance/machine.ts";
import { wasmPackages } from "./compile-target.ts";
import { WasmInstance } from "./instance.ts";
import { maximumPages, wasmModule } from "./module.ts";

const { cost, kernel } = wasmPackages.target;

export const wasmMachine: Machine = {
  name: "wasm",
  cost,
  kernel,
  open: async (kernels): Promise<KernelMemory> => {
    const instance = await WasmInstance.open(await wasmModule(kernels), maximumPages);
    return {
      reserve: (bytes) => instance.reserve(bytes),
      bytes: () => {
        const { buffer } = instance.memory;
        if (!(buffer instanceof ArrayBuffer)) throw new Error("the memory is shared");
        return new Uint8Array(buffer);
      },
      call: (k, at, sizes) => instance.bind(k, at, sizes)(),
    };
  },
};
