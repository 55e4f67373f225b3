/** WGSL as a machine that runs kernels one at a time, for the conformance suite: memory is here, a call moves what it touches. */
import { GrowingMemory } from "../../compiler/conformance/growing-memory.ts";
import type { KernelMemory, Machine } from "../../compiler/conformance/machine.ts";
import type { Arithmetic } from "../../compiler/conformance/rounding.ts";
import { elems } from "../../compiler/kernel/elem.ts";
import type { Kernel } from "../../compiler/kernel/kernel.ts";
import type { KernelTarget } from "../../compiler/target/kernel-target.ts";
import type { CostTarget } from "../../compiler/target/target.ts";
import type { RunCall } from "./device-runner.ts";
import { bufferBytes, launchOf } from "./launch.ts";
import { type WgslModule, wgslModule } from "./module.ts";
import type { WgslVariant } from "./variant.ts";

export interface WgslMachineOptions {
  readonly name: string;
  readonly cost: CostTarget;
  readonly kernel: KernelTarget;
  readonly variant: WgslVariant;
  readonly run: RunCall;
}

/** What stands before and behind each buffer in its binding: nobody may read it. */
const poison = 0xff;

/**
 * Of the specification of WGSL: a quotient is 2.5 ulp off for divisors up to 2^126, an inverse root 2 and a root what a quotient makes of
 * it; an ulp is 2 u at most. A compiler may take it that there are no nans.
 */
export const wgslArithmetic: Arithmetic = { quotient: 5, root: 9, divisor: 2 ** 126, flushed: 2 ** -126, nans: false };

export const wgslMachine = ({ name, cost, kernel, variant, run }: WgslMachineOptions): Machine => ({
  name,
  cost,
  kernel,
  arithmetic: wgslArithmetic,
  open: async (kernels) => {
    const modules = new Map(kernels.map((k) => [k, wgslModule(k, kernel, variant)] as const));
    return new CopiedMemory(modules, variant, run);
  },
});

class CopiedMemory extends GrowingMemory implements KernelMemory {
  readonly #modules: ReadonlyMap<Kernel, WgslModule>;
  readonly #run: RunCall;
  /** Elements before a buffer in its binding: bindings of models start where they have to, and buffers where they want. */
  readonly #lead: number;
  constructor(modules: ReadonlyMap<Kernel, WgslModule>, variant: WgslVariant, run: RunCall) {
    super();
    this.#modules = modules;
    this.#run = run;
    this.#lead = variant.wholeVectors ? 16 : 3;
  }
  async call(k: Kernel, at: Readonly<Record<string, number>>, sizes: Readonly<Record<string, number>>): Promise<void> {
    const module = this.#modules.get(k);
    if (module === undefined) throw new Error(`there is no kernel ${k.name}`);
    const starts: Record<string, number> = {};
    const buffers = module.bindings.map(({ members, written }) => {
      const parts: Uint8Array[] = [];
      let elements = 0;
      for (const b of members) {
        const [size, from, bytes] = [elems[b.elem].bytes, at[b.name] ?? Number.NaN, bufferBytes(k, b, sizes)];
        starts[b.name] = elements + this.#lead;
        const room = this.#lead + Math.ceil(bytes / size / 16) * 16;
        const part = new Uint8Array(room * size).fill(poison);
        part.set(this.bytes().subarray(from, from + bytes), this.#lead * size);
        parts.push(part);
        elements += room;
      }
      return { bytes: joined(parts), written };
    });
    const launch = launchOf(module, sizes, starts);
    const results = await this.#run({ text: module.text, entry: k.name, buffers, ...launch });
    const written = module.bindings.flatMap((b) => (b.written ? b.members : [])); // none of which share
    for (const [i, b] of written.entries()) {
      const [result, bytes] = [results[i] ?? new Uint8Array(0), bufferBytes(k, b, sizes)];
      const lead = this.#lead * elems[b.elem].bytes;
      const around = [...result.subarray(0, lead), ...result.subarray(lead + bytes)];
      if (around.some((x) => x !== poison)) throw new Error(`${k.name} writes beside ${b.name}`);
      this.bytes().set(result.subarray(lead, lead + bytes), at[b.name] ?? 0);
    }
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    all.set(p, at);
    at += p.length;
  }
  return all;
}
