/** Runs kernels as WebAssembly, on the data that the interpreter takes. */
import { WasmInstance } from "../../backends/wasm/instance.ts";
import { type Data, elementsOf, newData } from "../../compiler/kernel/interpret.ts";
import type { Kernel } from "../../compiler/kernel/kernel.ts";

export interface Given {
  readonly sizes: Readonly<Record<string, number>>;
  readonly inputs: Readonly<Record<string, Data>>;
}
/** Work items: a range, `null` for all at once. */
export type Ranges = readonly (readonly [begin: number, end: number | undefined] | null)[];
export type Outputs = Readonly<Record<string, Data>>;

/** What a kernel writes, as data that starts with what is left where nothing is written. */
export function emptyOutputs(k: Kernel, sizes: Given["sizes"]): Outputs {
  const written = k.buffers.filter((b) => b.access !== "read");
  return Object.fromEntries(
    written.map((b) => {
      const data = newData(b.elem, elementsOf(b, sizes));
      data.fill(b.elem === "f32" ? Number.NaN : 0x7fc1);
      return [b.name, data] as const;
    }),
  );
}

/** The bytes of modules do not depend on what runs with them, so one module serves many runs. */
export async function runWasm(
  bytes: Uint8Array,
  k: Kernel,
  given: Given,
  ranges: Ranges,
  shared = false,
): Promise<Outputs> {
  const instance = await WasmInstance.open(bytes, 1024, shared);
  const outputs = emptyOutputs(k, given.sizes);
  const placed = Object.entries({ ...given.inputs, ...outputs }).map(([n, d]) => [n, instance.place(d)] as const);
  const at = Object.fromEntries(placed);
  const run = instance.bind(k, at, given.sizes);
  for (const range of ranges)
    if (range === null) run();
    else run(...range);
  for (const [n, data] of Object.entries(outputs)) instance.read(at[n] ?? 0, data);
  return outputs;
}
