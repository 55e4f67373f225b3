/** Kernels one at a time on a WebGPU device, with buffers made for the call: for self-tests and conformance, not for models. */

export interface DeviceCall {
  readonly text: string;
  readonly entry: string;
  /** In the order of the bindings; what is written comes back. */
  readonly buffers: readonly { readonly bytes: Uint8Array<ArrayBuffer>; readonly written: boolean }[];
  readonly uniform: Int32Array<ArrayBuffer>;
  readonly workgroups: readonly [x: number, y: number];
}
/** Bytes of the buffers that are written, in their order. */
export type RunCall = (call: DeviceCall) => Promise<readonly Uint8Array<ArrayBuffer>[]>;

/** Flags of the specification, which has them as globals. */
const usages = { mapRead: 1, copySource: 4, copyTarget: 8, uniform: 64, storage: 128 } as const;
const [forReading, inCompute] = [1, 4];

interface Compiled {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

export class DeviceRunner {
  readonly #device: GPUDevice;
  readonly #compiled = new Map<string, Promise<Compiled>>();
  constructor(device: GPUDevice) {
    this.#device = device;
  }

  readonly run: RunCall = async (call) => {
    const { pipeline, layout } = await this.#compile(call);
    const device = this.#device;
    return this.#watched(async () => {
      const usage = usages.storage | usages.copyTarget | usages.copySource;
      const buffers = call.buffers.map(({ bytes }) => this.#filled(bytes, usage));
      const { buffer, byteOffset, byteLength } = call.uniform;
      const uniform = this.#filled(new Uint8Array(buffer, byteOffset, byteLength), usages.uniform | usages.copyTarget);
      const all = [...buffers, uniform];
      const entries = all.map((b, binding) => ({ binding, resource: { buffer: b } }));
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, device.createBindGroup({ layout, entries }));
      pass.dispatchWorkgroups(...call.workgroups);
      pass.end();
      const reads = buffers.flatMap((from, i) => {
        const given = call.buffers[i];
        if (given?.written !== true) return [];
        const to = device.createBuffer({ size: from.size, usage: usages.mapRead | usages.copyTarget });
        encoder.copyBufferToBuffer(from, 0, to, 0, from.size);
        return [{ to, length: given.bytes.length }];
      });
      device.queue.submit([encoder.finish()]);
      const out: Uint8Array<ArrayBuffer>[] = [];
      for (const { to, length } of reads) {
        await to.mapAsync(forReading);
        out.push(new Uint8Array(to.getMappedRange().slice(0, length)));
      }
      for (const b of [...all, ...reads.map((r) => r.to)]) b.destroy();
      return out;
    });
  };

  /** Of a size that bindings may have. */
  #filled(bytes: Uint8Array<ArrayBuffer>, usage: number): GPUBuffer {
    const size = Math.max(16, Math.ceil(bytes.length / 16) * 16);
    const buffer = this.#device.createBuffer({ size, usage });
    const padded = new Uint8Array(size);
    padded.set(bytes);
    this.#device.queue.writeBuffer(buffer, 0, padded);
    return buffer;
  }

  #compile(call: DeviceCall): Promise<Compiled> {
    const known = this.#compiled.get(call.text);
    if (known !== undefined) return known;
    const made = this.#watched(async () => {
      const device = this.#device;
      const entries = call.buffers.map(({ written }, binding): GPUBindGroupLayoutEntry => {
        const type = written ? "storage" : "read-only-storage";
        return { binding, visibility: inCompute, buffer: { type } };
      });
      const uniform = { binding: entries.length, visibility: inCompute, buffer: { type: "uniform" } } as const;
      const layout = device.createBindGroupLayout({ entries: [...entries, uniform] });
      const pipeline = await device.createComputePipelineAsync({
        layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
        compute: { module: device.createShaderModule({ code: call.text }), entryPoint: call.entry },
      });
      return { pipeline, layout };
    });
    this.#compiled.set(call.text, made);
    return made;
  }

  /** Throws what the device finds wrong. */
  async #watched<T>(work: () => Promise<T>): Promise<T> {
    const kinds = ["validation", "out-of-memory", "internal"] as const;
    for (const kind of kinds) this.#device.pushErrorScope(kind);
    const done = work();
    const scopes = kinds.map(() => this.#device.popErrorScope());
    const result = await done.then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    for (const found of await Promise.all(scopes)) if (found !== null) throw new Error(found.message);
    if ("error" in result) throw result.error;
    return result.value;
  }
}
