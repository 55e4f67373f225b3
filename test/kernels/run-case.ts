import { elementsOf, interpret, newData, type RunOptions } from "../../compiler/kernel/interpret.ts";
import type { Kernel } from "../../compiler/kernel/kernel.ts";
import { read } from "./data.ts";
import type { KernelCase } from "./kernel-case.ts";
import { firstWrong } from "./tolerance.ts";

/** Runs a form of the case's kernel: what is wrong, or null. Outputs start as nan, so what is left out shows. */
export function runCase(c: KernelCase, k: Kernel = c.kernel, options: RunOptions = {}): string | null {
  const written = k.buffers.filter((b) => b.access !== "read");
  const outputs = written.map((b) => {
    const data = newData(b.elem, elementsOf(b, c.sizes));
    data.fill(b.elem === "f32" ? Number.NaN : 0x7fc1);
    return [b.name, data] as const;
  });
  const buffers = { ...c.inputs, ...Object.fromEntries(outputs) };
  const fault = interpret(k, { sizes: c.sizes, buffers }, options);
  if (fault !== null) return `${fault.kind}: ${fault.message}`;
  for (const b of written) {
    const [want, data] = [c.expected[b.name], buffers[b.name]];
    if (want === undefined || data === undefined) return `nothing is expected of ${b.name}`;
    const wrong = firstWrong(read(b.elem, data), want);
    if (wrong !== null) return `${b.name}${wrong}`;
  }
  return null;
}
