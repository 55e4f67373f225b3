/** Machines that have a few pieces of a weight at hand: kernels with windows are called once for each, as a runtime calls them. */
import type { KernelMemory, Machine } from "../../compiler/conformance/machine.ts";
import { elems } from "../../compiler/kernel/elem.ts";
import { evaluateExtent } from "../../compiler/kernel/interpret.ts";
import type { Buffer, Kernel, Window } from "../../compiler/kernel/kernel.ts";

export interface InWindows {
  readonly machine: Machine;
  /** Kernels that have windows, calls of them, and launches that these made. */
  readonly seen: { kernels: number; calls: number; launches: number };
}

export interface WindowOrder {
  /** A weight of more bytes is in pieces. */
  readonly bytes: number;
  /** Pieces of a window. */
  readonly pieces: number;
  /** Plants a fault into all kernels. */
  readonly change?: (k: Kernel) => Kernel;
}

export function inWindows(of: Machine, { bytes, pieces, change = (k) => k }: WindowOrder): InWindows {
  const seen = { kernels: 0, calls: 0, launches: 0 };
  const machine: Machine = {
    ...of,
    name: `${of.name}, windows of ${pieces} pieces`,
    kernel: { ...of.kernel, windowBytes: bytes },
    cost: { ...of.cost, windowElements: bytes / 4 },
    open: async (kernels) => {
      seen.kernels += kernels.filter((k) => k.window !== undefined).length;
      const changed = new Map(kernels.map((k) => [k, change(k)] as const));
      const memory = await of.open([...changed.values()]);
      const call: KernelMemory["call"] = (k, at, sizes) => {
        const made = changed.get(k) ?? k;
        if (k.window === undefined) return memory.call(made, at, sizes);
        const launches = launchesOf(k, k.window, at, sizes, pieces).map((l) => () => memory.call(made, l.at, l.sizes));
        seen.calls += 1;
        seen.launches += launches.length;
        return inTurn(launches);
      };
      return { ...memory, bytes: () => memory.bytes(), reserve: (n) => memory.reserve(n), call };
    },
  };
  return { machine, seen };
}

type Numbers = Readonly<Record<string, number>>;

function launchesOf(
  k: Kernel,
  { first, pieces, of }: Window,
  at: Numbers,
  sizes: Numbers,
  some: number,
): readonly { readonly at: Numbers; readonly sizes: Numbers }[] {
  const isPart = (b: Buffer): boolean => b.pieces?.kind === "name" && b.pieces.name === pieces;
  return Array.from({ length: Math.ceil(of / some) }, (_, i) => {
    const from = i * some;
    const moved = k.buffers.filter(isPart).map((b): readonly [string, number] => {
      const piece = evaluateExtent(b.extent, sizes) * elems[b.elem].bytes;
      return [b.name, (at[b.name] ?? 0) + from * piece];
    });
    return {
      at: { ...at, ...Object.fromEntries(moved) },
      sizes: { ...sizes, [first]: from, [pieces]: Math.min(some, of - from) },
    };
  });
}

function inTurn(launches: readonly (() => void | Promise<void>)[]): void | Promise<void> {
  for (const [i, launch] of launches.entries()) {
    const done = launch();
    if (done instanceof Promise) return done.then(() => inTurn(launches.slice(i + 1)));
  }
  return undefined;
}
