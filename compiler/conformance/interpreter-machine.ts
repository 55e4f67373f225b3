/** The kernel interpreter as a machine: lane by lane, with every access, race and unwritten read checked. */
import { elems } from "../kernel/elem.ts";
import { type AnyData, elementsOf, interpret, newData } from "../kernel/interpret.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { KernelTarget } from "../target/kernel-target.ts";
import type { CostTarget } from "../target/target.ts";
import { GrowingMemory } from "./growing-memory.ts";
import type { KernelMemory, Machine } from "./machine.ts";

export const interpreterMachine = (cost: CostTarget, kernel: KernelTarget): Machine => ({
  name: `kernel interpreter, ${kernel.name}`,
  cost,
  kernel,
  open: async () => new Interpreted(),
});

class Interpreted extends GrowingMemory implements KernelMemory {
  call(k: Kernel, at: Readonly<Record<string, number>>, sizes: Readonly<Record<string, number>>): void {
    const buffers: Record<string, AnyData> = {};
    const copies: (() => void)[] = [];
    for (const b of k.buffers) {
      const length = elementsOf(b, sizes);
      const data = b.elem === "i64" ? new BigInt64Array(length) : newData(b.elem, length);
      const [from, to] = [at[b.name] ?? 0, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)];
      to.set(this.bytes().subarray(from, from + data.length * elems[b.elem].bytes));
      if (b.access !== "read") copies.push(() => this.bytes().set(to, from));
      buffers[b.name] = data;
    }
    const fault = interpret(k, { sizes, buffers });
    if (fault !== null) throw new Error(`${fault.kind}: ${fault.message}`);
    for (const copy of copies) copy();
  }
}
