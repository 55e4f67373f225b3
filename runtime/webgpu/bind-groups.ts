/** What each step binds: made once of what all sessions share, and once a session of what has rows of its own. */
import type { KernelDecl } from "../artifact/program.ts";
import type { BindingSet, BoundRange } from "./buffer-table.ts";
import { inCompute } from "./flags.ts";

/** Layouts by what they are: kernels that bind alike share one. */
export class Layouts {
  readonly #device: GPUDevice;
  readonly #known = new Map<string, GPUBindGroupLayout>();
  constructor(device: GPUDevice) {
    this.#device = device;
  }

  of({ buffers, gpu }: KernelDecl, uniform: number): GPUBindGroupLayout {
    const written = (gpu?.bindings ?? []).map((members) => members.some((m) => buffers[m]?.access !== "read"));
    const key = `${written.join()} ${uniform}`;
    const before = this.#known.get(key);
    if (before !== undefined) return before;
    const entries = written.map(
      (w, binding): GPUBindGroupLayoutEntry => ({
        binding,
        visibility: inCompute,
        buffer: { type: w ? "storage" : "read-only-storage" },
      }),
    );
    const last: GPUBindGroupLayoutEntry = {
      binding: entries.length,
      visibility: inCompute,
      buffer: { type: "uniform", hasDynamicOffset: true, minBindingSize: uniform },
    };
    const layout = this.#device.createBindGroupLayout({ entries: [...entries, last] });
    this.#known.set(key, layout);
    return layout;
  }
}

export interface GroupOrder {
  readonly device: GPUDevice;
  readonly layouts: Layouts;
  readonly kernels: readonly KernelDecl[];
  readonly uniforms: GPUBuffer;
  readonly bufferOf: (range: BoundRange) => GPUBuffer;
}

export function bindGroup({ kernel, ranges, uniform }: BindingSet, order: GroupOrder): GPUBindGroup {
  const decl = order.kernels[kernel];
  if (decl === undefined) throw new RangeError(`no kernel ${kernel}`);
  const entries = ranges.map((range, binding): GPUBindGroupEntry => {
    const buffer = order.bufferOf(range);
    return { binding, resource: { buffer, offset: range.from, size: range.bytes } };
  });
  const last: GPUBindGroupEntry = { binding: entries.length, resource: { buffer: order.uniforms, size: uniform } };
  return order.device.createBindGroup({ layout: order.layouts.of(decl, uniform), entries: [...entries, last] });
}
