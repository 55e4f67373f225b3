/** A GPU with a fault, and what is left of it: the objects of Dawn behind proxies that count, and fail where they are told to. */

export type Fault =
  | { readonly kind: "none" }
  | { readonly kind: "no-adapter" }
  | { readonly kind: "no-device" }
  /** The browser's WGSL has none of its additions. */
  | { readonly kind: "no-language" }
  | { readonly kind: "limits"; readonly limits: Readonly<Record<string, number>> }
  /** The buffer with this number, from 0, has no room. */
  | { readonly kind: "out-of-memory"; readonly at: number }
  /** The device goes when this submit, from 0, is asked for. */
  | { readonly kind: "lost"; readonly at: number };

export interface Counts {
  /** Made so far. */
  readonly buffers: number;
  readonly submits: number;
  readonly dispatches: number;
  /** Reads. */
  readonly maps: number;
  /** Made and not destroyed, and the same of devices. */
  readonly live: number;
  readonly devices: number;
}

interface Scope {
  readonly kind: string;
  error: Error | null;
}

export class FaultyGpu {
  readonly gpu: {
    readonly requestAdapter: (options?: object) => Promise<object | null>;
    readonly wgslLanguageFeatures: ReadonlySet<string>;
  };
  fault: Fault = { kind: "none" };
  /** Is told of each submit, by how many there were. */
  submitted: (count: number) => void = () => undefined;
  readonly #counts = { buffers: 0, submits: 0, dispatches: 0, maps: 0 };
  readonly #live = new Set<object>();
  readonly #devices = new Set<object>();

  constructor(gpu: GPU) {
    this.gpu = {
      requestAdapter: async (options) => {
        const adapter = this.fault.kind === "no-adapter" ? null : await gpu.requestAdapter(options);
        return adapter === null ? null : this.#adapter(adapter);
      },
      wgslLanguageFeatures: new Set(),
    };
    Object.defineProperty(this.gpu, "wgslLanguageFeatures", {
      get: () => new Set(this.fault.kind === "no-language" ? [] : gpu.wgslLanguageFeatures),
    });
  }

  /** From here on counted anew, but for what is live. */
  reset(fault: Fault): void {
    this.fault = fault;
    this.#counts.buffers = 0;
    this.#counts.submits = 0;
    this.#counts.dispatches = 0;
    this.#counts.maps = 0;
  }
  get counts(): Counts {
    return { ...this.#counts, live: this.#live.size, devices: this.#devices.size };
  }

  #adapter(adapter: GPUAdapter): object {
    return over(adapter, {
      limits: () =>
        this.fault.kind === "limits" ? over(adapter.limits, constants(this.fault.limits)) : adapter.limits,
      requestDevice: () => async (descriptor?: GPUDeviceDescriptor) => {
        if (this.fault.kind === "no-device") throw new Error("it is said to be busy");
        return this.#device(await adapter.requestDevice(descriptor));
      },
    });
  }

  #device(device: GPUDevice): object {
    const scopes: Scope[] = [];
    this.#devices.add(device);
    device.lost.then(() => this.#devices.delete(device)).catch(() => undefined);
    const queue = over(device.queue, {
      submit: () => (buffers: readonly GPUCommandBuffer[]) => {
        const lost = this.fault.kind === "lost" && this.fault.at === this.#counts.submits;
        this.#counts.submits += 1;
        this.submitted(this.#counts.submits);
        if (lost) device.destroy();
        else device.queue.submit([...buffers]);
      },
    });
    return over(device, {
      queue: () => queue,
      pushErrorScope: () => (kind: GPUErrorFilter) => {
        scopes.push({ kind, error: null });
        device.pushErrorScope(kind);
      },
      popErrorScope: () => async () => {
        const scope = scopes.pop();
        const found = await device.popErrorScope();
        return scope?.error ?? found;
      },
      createCommandEncoder: () => () => this.#watched(device.createCommandEncoder()),
      createBuffer: () => (descriptor: GPUBufferDescriptor) => {
        const full = this.fault.kind === "out-of-memory" && this.fault.at === this.#counts.buffers;
        this.#counts.buffers += 1;
        const scope = scopes.findLast(({ kind }) => kind === "out-of-memory");
        if (full && scope !== undefined) scope.error = new Error("there is no room");
        return this.#counted(device.createBuffer(descriptor));
      },
    });
  }

  #watched(encoder: GPUCommandEncoder): GPUCommandEncoder {
    const begin = encoder.beginComputePass.bind(encoder);
    const beginComputePass = (): GPUComputePassEncoder => {
      const pass = begin();
      const dispatch = pass.dispatchWorkgroups.bind(pass);
      const dispatchWorkgroups = (...given: Parameters<typeof dispatch>): void => {
        this.#counts.dispatches += 1;
        dispatch(...given);
      };
      return Object.defineProperty(pass, "dispatchWorkgroups", { value: dispatchWorkgroups });
    };
    return Object.defineProperty(encoder, "beginComputePass", { value: beginComputePass });
  }

  #counted(buffer: GPUBuffer): GPUBuffer {
    const destroy = buffer.destroy.bind(buffer);
    const map = buffer.mapAsync.bind(buffer);
    this.#live.add(buffer);
    Object.defineProperty(buffer, "mapAsync", {
      value: (...given: Parameters<typeof map>) => {
        this.#counts.maps += 1;
        return map(...given);
      },
    });
    Object.defineProperty(buffer, "destroy", {
      value: () => {
        this.#live.delete(buffer);
        destroy();
      },
    });
    return buffer;
  }
}

const constants = (values: Readonly<Record<string, number>>): Readonly<Record<string, () => unknown>> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, () => value]));

/** The object with some members replaced; methods that are not are called on the object itself. */
function over<T extends object>(target: T, members: Readonly<Record<string, () => unknown>>): T {
  return new Proxy(target, {
    get: (_, name) => {
      const own = typeof name === "string" ? members[name] : undefined;
      if (own !== undefined) return own();
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
