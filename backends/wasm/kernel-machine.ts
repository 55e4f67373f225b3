/** WebAssembly as a machine that runs kernels one at a time, for the conformance suite. */
import type { KernelMemory, Machine } from "../../compiler/conformance/machine.ts";
import { wasmPackages } from "./compile-target.ts";
import { extentOf } from "./extent.ts";
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
      call: (k, at, sizes) => {
        // The last items first, and in parts, as threads have them: none may need another.
        const items = k.grid.reduce((n, g) => n * Math.max(0, extentOf(k, g.extent, sizes)), 1);
        const run = instance.bind(k, at, sizes);
        const cut = Math.ceil((2 * items) / 3);
        run(cut, items);
        run(0, cut);
      },
    };
  },
};
