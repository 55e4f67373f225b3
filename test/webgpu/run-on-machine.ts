/** Kernels on a machine, on the data that the interpreter takes. */
import type { Machine } from "../../compiler/conformance/machine.ts";
import { elems } from "../../compiler/kernel/elem.ts";
import { type AnyData, elementsOf, newData } from "../../compiler/kernel/interpret.ts";
import type { Kernel } from "../../compiler/kernel/kernel.ts";
import { lower } from "../../compiler/kernel/lower/lower.ts";
import { read } from "../kernels/data.ts";
import type { KernelCase } from "../kernels/kernel-case.ts";
import { firstWrong } from "../kernels/tolerance.ts";

export interface Given {
  readonly sizes: Readonly<Record<string, number>>;
  readonly inputs: Readonly<Record<string, AnyData>>;
}

const bytesOf = (data: AnyData): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/** What a kernel writes, as data that starts with what is left where nothing is written. */
export function emptyOutputs(k: Kernel, sizes: Given["sizes"]): Readonly<Record<string, AnyData>> {
  const written = k.buffers.filter((b) => b.access !== "read");
  return Object.fromEntries(
    written.map((b) => {
      const length = elementsOf(b, sizes);
      const data = b.elem === "i64" ? new BigInt64Array(length) : newData(b.elem, length);
      bytesOf(data).fill(0xff);
      return [b.name, data] as const;
    }),
  );
}

/** A kernel that is lowered. */
export async function runKernel(machine: Machine, k: Kernel, { sizes, inputs }: Given): Promise<typeof outputs> {
  const memory = await machine.open([k]);
  const outputs = emptyOutputs(k, sizes);
  const at: Record<string, number> = {};
  for (const b of k.buffers) {
    const data = outputs[b.name] ?? inputs[b.name];
    const bytes = elementsOf(b, sizes) * elems[b.elem].bytes;
    at[b.name] = memory.reserve(bytes);
    if (data !== undefined) memory.bytes().set(bytesOf(data).subarray(0, bytes), at[b.name]);
  }
  await memory.call(k, at, sizes);
  for (const [n, data] of Object.entries(outputs)) {
    const from = at[n] ?? 0;
    bytesOf(data).set(memory.bytes().subarray(from, from + data.byteLength));
  }
  return outputs;
}

/** What is wrong with a case on a machine, or null. */
export async function runOnMachine(machine: Machine, c: KernelCase): Promise<string | null> {
  const k = lower(c.kernel, machine.kernel);
  const outputs = await runKernel(machine, k, c);
  for (const b of k.buffers.filter((x) => x.access !== "read")) {
    const [want, data] = [c.expected[b.name], outputs[b.name]];
    if (want === undefined || data === undefined || data instanceof BigInt64Array)
      return `nothing is expected of ${b.name}`;
    const wrong = firstWrong(read(b.elem, data), want);
    if (wrong !== null) return `${b.name}${wrong}`;
  }
  return null;
}
