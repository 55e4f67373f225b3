/** Steps of a call as commands. */
import { asksFor } from "../artifact/best-tokens.ts";
import type { DeviceCall } from "../calls/model-device.ts";
import { bindGroup, type GroupOrder } from "./bind-groups.ts";
import type { BoundRange } from "./buffer-table.ts";
import type { GpuPhase, GpuStep } from "./link-gpu.ts";
import type { OpenedGpu } from "./opened-gpu.ts";
import type { SessionBuffers } from "./sessions.ts";

/** A call whose inputs and uniforms are written. */
export interface Begun {
  readonly call: DeviceCall;
  readonly linked: GpuPhase;
  /** Values of the call. */
  readonly numbers: Float64Array;
  readonly session: SessionBuffers | null;
}

/** Steps for a choice that nobody asks for are left out. */
export const isPlayed = ({ wanted, more }: DeviceCall, { choice }: GpuStep): boolean =>
  choice === null || asksFor(wanted, choice) || asksFor(more?.names ?? [], choice);

/** The most workgroups of one dimension, which every adapter has. */
const mostGroups = 65_535;

export class StepEncoder {
  readonly #gpu: OpenedGpu;
  readonly #groups: readonly (GPUBindGroup | null)[];
  constructor(gpu: OpenedGpu) {
    this.#gpu = gpu;
    const order = this.#groupOrder(null);
    this.#groups = gpu.plan.sets.map((set) => (set.session ? null : bindGroup(set, order)));
  }

  /** Steps `from` … `to - 1`. */
  encode(encoder: GPUCommandEncoder, { linked, numbers, session, call }: Begun, from: number, to: number): void {
    const base = this.#gpu.plan.uniforms[call.phase] ?? 0;
    const { kernels } = this.#gpu.plan.program;
    let pass: GPUComputePassEncoder | null = null;
    let pipeline: GPUComputePipeline | null = null;
    for (let i = from; i < to; i += 1) {
      const step = linked.steps[i];
      if (step === undefined) break;
      const items = numbers[step.items] ?? 0;
      if (items === 0 || !isPlayed(call, step)) continue;
      if (step.gathers.length > 0) {
        pass?.end();
        pass = null;
        for (const g of step.gathers) {
          const source = this.bufferOf(g.range, session);
          const target = this.#gpu.buffers[g.into];
          const [start, count] = [numbers[g.start] ?? 0, numbers[g.elements] ?? 0];
          if (target !== undefined && count > 0)
            encoder.copyBufferToBuffer(source, g.range.from + start * g.size, target, g.at, count * g.size);
        }
      }
      if (pass === null) {
        pass = encoder.beginComputePass();
        pipeline = null;
      }
      const own = this.#gpu.kernels.of(step.kernel);
      if (own !== pipeline) pass.setPipeline(own);
      pipeline = own;
      pass.setBindGroup(0, this.#groupOf(step.set, session), [base + (linked.uniforms.offsets[step.block] ?? 0)]);
      const groups = Math.ceil(items / (kernels[step.kernel]?.gpu?.itemsInGroup ?? 1));
      const x = Math.min(groups, mostGroups);
      pass.dispatchWorkgroups(x, Math.ceil(groups / x));
    }
    pass?.end();
  }

  #groupOf(set: number, session: SessionBuffers | null): GPUBindGroup {
    const shared = this.#groups[set] ?? session?.groups[set];
    if (shared !== undefined) return shared;
    const order = this.#gpu.plan.sets[set];
    if (order === undefined || session === null) throw new RangeError(`no set ${set}`);
    const made = bindGroup(order, this.#groupOrder(session));
    session.groups[set] = made;
    return made;
  }

  #groupOrder(session: SessionBuffers | null): GroupOrder {
    const { device, layouts, plan, uniforms } = this.#gpu;
    return {
      device,
      layouts,
      kernels: plan.program.kernels,
      uniforms,
      bufferOf: (range) => this.bufferOf(range, session),
    };
  }

  bufferOf({ session: own, buffer }: BoundRange, session: SessionBuffers | null): GPUBuffer {
    const found = own ? session?.buffers[buffer] : this.#gpu.buffers[buffer];
    if (found === undefined) throw new RangeError(`no buffer ${buffer}`);
    return found;
  }
}
