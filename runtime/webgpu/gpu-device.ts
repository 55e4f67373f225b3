/**
 * A program on a GPU. A call writes its inputs and what has changed of the uniforms, encodes the dispatches of its phase and a copy of
 * the outputs that are wanted, and submits them: at once where that is little work, else in parts, between which it can be given up.
 */
import { isBestTokens } from "../artifact/best-tokens.ts";
import { elemBytes } from "../artifact/elems.ts";
import { statesOf } from "../artifact/entry-states.ts";
import { CorruptPackageError, DisposedError } from "../artifact/errors.ts";
import type { BufferElem } from "../artifact/program.ts";
import { programFile } from "../artifact/read-value.ts";
import { evaluateCall } from "../calls/link-call.ts";
import type {
  CallResults,
  CheckedKernel,
  DeviceCall,
  FillBytes,
  ModelDevice,
  ResultArray,
  SessionPlace,
  StartedCall,
  TakeBytes,
} from "../calls/model-device.ts";
import { bindGroup, type GroupOrder, Layouts } from "./bind-groups.ts";
import type { BoundRange } from "./buffer-table.ts";
import { usage } from "./flags.ts";
import { GpuKernels, type KernelSource } from "./gpu-kernels.ts";
import { GpuMemory } from "./gpu-memory.ts";
import type { GpuPhase, GpuStep } from "./link-gpu.ts";
import { scoped, Watch } from "./lost.ts";
import { Pace } from "./pace.ts";
import type { GpuPlan } from "./plan-gpu.ts";
import { type Copied, ReadBack, type ReadStretch } from "./read-back.ts";
import { Turns } from "./turns.ts";
import { Upload } from "./upload.ts";
import { writeConstants } from "./write-constants.ts";

export interface GpuDeviceOrder {
  readonly plan: GpuPlan;
  /** This takes it over: it is destroyed with the model. */
  readonly device: GPUDevice;
  readonly kernels: KernelSource;
  /** Elements that a submit may touch; without it as many as it takes little time for. */
  readonly submitWork?: number | undefined;
}

interface SessionBuffers {
  readonly buffers: readonly GPUBuffer[];
  readonly ready: Promise<void>;
  /** By ordinal of the set, as far as they were wanted. */
  readonly groups: (GPUBindGroup | undefined)[];
}

interface Begun {
  readonly call: DeviceCall;
  readonly linked: GpuPhase;
  /** Values of the call. */
  readonly numbers: Float64Array;
  readonly session: SessionBuffers | null;
}

interface Played {
  /** Wait for what comes back; others may be played meanwhile. */
  readonly results: Promise<CallResults>;
}
interface PlayedOutput extends ReadStretch {
  readonly name: string;
  readonly elem: BufferElem;
}

/** Rows that are read or written at one time, in bytes. */
const rowBytesAtOnce = 16 * 2 ** 20;
/** The most workgroups of one dimension, which every adapter has. */
const mostGroups = 65_535;

export class GpuDevice implements ModelDevice {
  readonly plan: GpuPlan;
  readonly #device: GPUDevice;
  readonly #memory: GpuMemory;
  readonly #watch: Watch;
  readonly kernels: GpuKernels;
  readonly #buffers: readonly GPUBuffer[];
  readonly #uniforms: GPUBuffer;
  readonly #groups: readonly (GPUBindGroup | null)[];
  readonly #layouts: Layouts;
  readonly #readBack: ReadBack;
  readonly #upload: Upload;
  readonly #turns = new Turns();
  readonly #pace: readonly Pace[];
  readonly #sessions = new Map<number, SessionBuffers>();
  #nextSession = 0;
  #disposed = false;

  private constructor(
    { plan, device, submitWork }: GpuDeviceOrder,
    parts: {
      readonly memory: GpuMemory;
      readonly watch: Watch;
      readonly layouts: Layouts;
      readonly kernels: GpuKernels;
      readonly buffers: readonly GPUBuffer[];
      readonly uniforms: GPUBuffer;
    },
  ) {
    this.plan = plan;
    this.#device = device;
    this.#memory = parts.memory;
    this.#watch = parts.watch;
    this.#layouts = parts.layouts;
    this.kernels = parts.kernels;
    this.#buffers = parts.buffers;
    this.#uniforms = parts.uniforms;
    this.#pace = plan.phases.map(() => new Pace(submitWork));
    this.#readBack = new ReadBack(parts.memory, parts.watch);
    this.#upload = new Upload(device.queue, parts.watch);
    const order = this.#groupOrder(null);
    this.#groups = plan.sets.map((set) => (set.session ? null : bindGroup(set, order)));
  }

  /** Pipelines, memory and constants; weights are written by the caller. Throws DscError, and has then destroyed the device. */
  static async open(order: GpuDeviceOrder): Promise<GpuDevice> {
    const { plan, device, kernels: source } = order;
    const memory = new GpuMemory(device);
    const watch = new Watch(device);
    try {
      const layouts = new Layouts(device);
      const kernels = new GpuKernels({ device, layouts, watch, decls: plan.program.kernels, source });
      await kernels.make(firstKernels(plan));
      const storage = memory.allocate(plan.buffers, usage.storage | usage.copyTarget | usage.copySource);
      const small = memory.allocate(
        [{ what: "sizes of calls", bytes: plan.uniformBytes }],
        usage.uniform | usage.copyTarget,
      );
      await watch.until(Promise.all([storage.ready, small.ready]));
      const [uniforms] = small.buffers;
      if (uniforms === undefined) throw new RangeError("no buffer was made");
      const opened = new GpuDevice(order, { memory, watch, layouts, kernels, buffers: storage.buffers, uniforms });
      await opened.#scoped("loading", async () => {
        writeConstants(device.queue, plan, storage.buffers);
        for (const [i, { uniforms: all }] of plan.phases.entries())
          device.queue.writeBuffer(uniforms, plan.uniforms[i] ?? 0, all.numbers);
      });
      return opened;
    } catch (error) {
      memory.dispose();
      device.destroy();
      throw error;
    }
  }

  check(signal?: AbortSignal): AsyncIterable<CheckedKernel> {
    this.#check();
    return this.kernels.tryAll(signal);
  }

  get memoryBytes(): number {
    return this.#memory.bytes;
  }
  get disposed(): boolean {
    return this.#disposed;
  }

  async fillWeight(weight: number, from: number, count: number, fill: FillBytes): Promise<void> {
    const size = elemBytes[this.plan.program.weights[weight]?.elem ?? "f32"];
    for (const place of this.plan.weights[weight] ?? []) {
      const start = Math.max(from, place.from * size);
      const end = Math.min(from + count, (place.from + place.elements) * size);
      const buffer = this.#buffers[place.buffer];
      if (start >= end || buffer === undefined) continue;
      this.#check();
      const at = place.at + start - place.from * size;
      await this.#upload.write(buffer, at, end - start, (into, first) => fill(into, start - from + first));
    }
  }

  async loaded(): Promise<void> {
    await this.#upload.end();
    this.#check();
  }

  allocateStates(): SessionPlace {
    this.#check();
    const { orders } = this.plan.states;
    const session = this.#memory.allocate(orders, usage.storage | usage.copyTarget | usage.copySource);
    const place = this.#nextSession;
    this.#nextSession += 1;
    this.#sessions.set(place, { ...session, groups: [] });
    return [place];
  }

  releaseStates([place = -1]: SessionPlace): void {
    this.#memory.release(this.#sessions.get(place)?.buffers ?? []);
    this.#sessions.delete(place);
  }

  async readRows(place: SessionPlace, length: number, take: TakeBytes): Promise<void> {
    const { buffers, ready } = this.#session(place);
    const end = await this.#turns.take();
    try {
      await ready;
      for (const { range, at, bytes } of this.#rows(length))
        for (let from = 0; from < bytes; from += rowBytesAtOnce) {
          this.#check();
          const some = Math.min(rowBytesAtOnce, bytes - from);
          const encoder = this.#device.createCommandEncoder();
          const buffer = buffers[range];
          if (buffer === undefined) throw new RangeError(`no buffer ${range}`);
          const stretch = { buffer, from: at + from, bytes: Math.ceil(some / 4) * 4 };
          const { read } = this.#readBack.copy(encoder, [stretch]);
          this.#device.queue.submit([encoder.finish()]);
          const [found] = await read();
          take(new Uint8Array(found ?? new ArrayBuffer(0), 0, some));
        }
    } finally {
      end();
    }
  }

  async writeRows(place: SessionPlace, length: number, rows: Uint8Array): Promise<void> {
    const { buffers, ready } = this.#session(place);
    const end = await this.#turns.take();
    try {
      await ready;
      let first = 0;
      for (const { range, at, bytes } of this.#rows(length)) {
        const from = first;
        const buffer = buffers[range];
        this.#check();
        const fill: FillBytes = (into, i) => into.set(rows.subarray(from + i, from + i + into.length));
        if (buffer !== undefined) await this.#upload.write(buffer, at, bytes, fill);
        first += bytes;
      }
      await this.#upload.end();
    } finally {
      end();
    }
  }

  /** The first `length` rows of each state of the program's entry, and copy: the session's buffer, bytes. */
  #rows(length: number): readonly { readonly range: number; readonly at: number; readonly bytes: number }[] {
    const { program, states } = this.plan;
    const own = statesOf(program, program.entry);
    return program.states.flatMap(({ elem, row }, s) =>
      (own.has(s) ? (states.states[s]?.parts ?? []) : []).flatMap(({ copies, range }) =>
        Array.from({ length: copies }, (_, copy) => ({
          range: range.buffer,
          at: copy * (states.states[s]?.copyElements ?? 0) * elemBytes[elem],
          bytes: length * row * elemBytes[elem],
        })),
      ),
    );
  }

  async run(call: DeviceCall): Promise<CallResults> {
    const end = await this.#turns.take();
    let played: Played;
    try {
      const begun = await this.#begin(call);
      played = await this.#play(begun, 0, begun.linked.steps.length);
    } finally {
      end();
    }
    return played.results;
  }

  async start(call: DeviceCall): Promise<StartedCall> {
    const end = await this.#turns.take();
    try {
      const begun = await this.#begin(call);
      const { waits, steps } = begun.linked;
      await this.#submit(begun, 0, waits ?? 0, []);
      const finish = async (rows: ReadonlyMap<number, Float32Array>): Promise<CallResults> => {
        let played: Played;
        try {
          this.#check();
          for (const [input, values] of rows) this.#writeInput(begun, input, values);
          played = await this.#play(begun, waits ?? 0, steps.length);
        } finally {
          end();
        }
        return played.results;
      };
      return { finish, drop: end };
    } catch (error) {
      end();
      throw error;
    }
  }

  /** Takes no turn: a call may be under way that waits for it. Nothing comes between its inputs and its submit. */
  async decode(name: string, inputs: readonly Float32Array[]): Promise<Float32Array> {
    this.#check();
    const phase = this.plan.phases.findIndex((p) => p.phase.name === name);
    const wanted = this.plan.phases[phase]?.phase.outputs.map((o) => o.name) ?? [];
    await this.#made(phase);
    const begun = this.#prepare({ phase, tokens: 1, inputs, before: 0, states: [], wanted }, null);
    const { results } = await this.#play(begun, 0, begun.linked.steps.length, Number.POSITIVE_INFINITY);
    const [values] = (await results).values();
    return values instanceof Float32Array ? values : new Float32Array(0);
  }

  async #begin(call: DeviceCall): Promise<Begun> {
    const session = this.#session(call.states);
    await session.ready;
    await this.#made(call.phase);
    this.#check();
    call.signal?.throwIfAborted();
    return this.#prepare(call, session);
  }

  /** Kernels of phases that no text begins with are made when they are first wanted. */
  async #made(phase: number): Promise<void> {
    const kernels = this.plan.phases[phase]?.steps.map((s) => s.kernel) ?? [];
    if (!this.kernels.has(kernels)) await this.kernels.make(kernels);
  }

  #prepare(call: DeviceCall, session: SessionBuffers | null): Begun {
    const linked = this.plan.phases[call.phase];
    if (linked === undefined) throw new RangeError(`no phase ${call.phase}`);
    const begun = { call, linked, session, numbers: evaluateCall(linked, call.tokens, call.before) };
    const looked = new Set(linked.phase.lookups?.map((l) => l.input));
    for (const i of linked.inputs.keys()) {
      const values = call.inputs[i];
      if (values !== undefined || !looked.has(i)) this.#writeInput(begun, i, values);
    }
    this.#writeUniforms(begun);
    return begun;
  }

  #writeInput({ linked, numbers }: Begun, i: number, values: Int32Array | Float32Array | undefined): void {
    const wanted = numbers[linked.inputs[i] ?? 0] ?? 0;
    const { name } = linked.phase.inputs[i] ?? { name: "" };
    if (values?.length !== wanted) {
      const why = `phase ${linked.phase.name}: ${name} has ${values?.length ?? 0} values, not ${wanted}`;
      throw new CorruptPackageError(programFile, why);
    }
    const range = linked.places.inputs[i];
    if (range === undefined || wanted === 0) return;
    this.#device.queue.writeBuffer(
      this.#bufferOf(range, null),
      range.from,
      values.buffer,
      values.byteOffset,
      values.byteLength,
    );
  }

  #writeUniforms({ call: { phase }, linked: { uniforms }, numbers: values }: Begun): void {
    const { numbers, changing, patches } = uniforms;
    for (let i = 0; i < patches.length; i += 1) {
      const patch = patches[i];
      if (patch !== undefined) numbers[patch.at] = values[patch.value] ?? 0;
    }
    if (changing >= numbers.byteLength) return;
    const at = (this.plan.uniforms[phase] ?? 0) + changing;
    this.#device.queue.writeBuffer(this.#uniforms, at, numbers.buffer, changing, numbers.byteLength - changing);
  }

  /** Submits steps to the last. `most`: work of one submit, where the pace of the phase does not say it. */
  async #play(begun: Begun, from: number, to: number, most?: number): Promise<Played> {
    const { wanted, more } = begun.call;
    const first = this.#outputs(begun, wanted);
    const others = this.#outputs(begun, more?.names ?? []);
    const [own, spare] = await this.#submit(begun, from, to, [first, others], most);
    const read = async (): Promise<CallResults> => {
      const results = await this.#results(first, own);
      if (more?.when(results) === true) return new Map([...results, ...(await this.#results(others, spare))]);
      spare?.drop();
      return results;
    };
    const results = read();
    results.catch(() => undefined); // whoever waits for it is told
    return { results };
  }

  #outputs({ linked, numbers, session }: Begun, names: readonly string[]): readonly PlayedOutput[] {
    return linked.outputs
      .filter(({ name }) => names.includes(name))
      .map(({ name, elem, bound, elements }) => {
        const buffer = this.#bufferOf(bound.range, session);
        const [start, count] = [numbers[bound.start] ?? 0, numbers[elements] ?? 0];
        return { name, elem, buffer, from: bound.range.from + 4 * start, bytes: 4 * count };
      });
  }

  async #results(outputs: readonly PlayedOutput[], copied: Copied | null | undefined): Promise<CallResults> {
    const parts = (await copied?.read()) ?? [];
    const made = outputs.map(({ name, elem }, i): readonly [string, ResultArray] => {
      const bytes = parts[i] ?? new ArrayBuffer(0);
      return [name, elem === "i32" ? new Int32Array(bytes) : new Float32Array(bytes)];
    });
    return new Map(made);
  }

  /** Steps `from` … `to - 1` in as many submits as their work takes; behind the last each group of stretches is copied to be read. */
  async #submit(
    begun: Begun,
    from: number,
    to: number,
    groups: readonly (readonly ReadStretch[])[],
    most?: number,
  ): Promise<readonly (Copied | null)[]> {
    const { linked, call, numbers } = begun;
    const pace = this.#pace[call.phase] ?? new Pace();
    const workOf = (step: GpuStep): number => (numbers[step.work] ?? 0) * Math.min(call.tokens, mostReuse);
    let waiting: Promise<void> = Promise.resolve();
    for (let at = from; ; ) {
      let [next, work] = [at, 0];
      for (; next < to && (next === at || work < (most ?? pace.work)); next += 1)
        work += workOf(linked.steps[next] ?? noStep);
      const last = next >= to;
      const encode = (): readonly (Copied | null)[] => {
        const encoder = this.#device.createCommandEncoder();
        this.#encode(encoder, begun, at, next);
        const copies = last ? groups.map((g) => (g.length === 0 ? null : this.#readBack.copy(encoder, g))) : [];
        this.#device.queue.submit([encoder.finish()]);
        return copies;
      };
      const { value: copies, checked } = this.#inScopes(`phase ${linked.phase.name}`, encode);
      const read = async (copy: Copied): Promise<readonly ArrayBuffer[]> => {
        // Both ways to the GPU at once.
        const [parts] = await Promise.all([copy.read(), this.#watch.until(checked)]);
        return parts;
      };
      if (last) {
        if (copies.every((c) => c === null)) await this.#watch.until(checked);
        return copies.map((c) => (c === null ? null : { read: () => read(c), drop: c.drop }));
      }
      await this.#watch.until(checked);
      // One is under way while the next is encoded.
      await this.#watch.until(waiting);
      const since = performance.now();
      waiting = this.#device.queue.onSubmittedWorkDone().then(() => pace.saw(work, performance.now() - since));
      waiting.catch(() => undefined);
      call.signal?.throwIfAborted();
      this.#check();
      at = next;
    }
  }

  #encode(encoder: GPUCommandEncoder, { linked, numbers, session, call }: Begun, from: number, to: number): void {
    const base = this.plan.uniforms[call.phase] ?? 0;
    const { kernels } = this.plan.program;
    let pass: GPUComputePassEncoder | null = null;
    let pipeline: GPUComputePipeline | null = null;
    for (let i = from; i < to; i += 1) {
      const step = linked.steps[i];
      if (step === undefined) break;
      const items = numbers[step.items] ?? 0;
      if (items === 0) continue;
      if (step.gathers.length > 0) {
        pass?.end();
        pass = null;
        for (const g of step.gathers) {
          const source = this.#bufferOf(g.range, session);
          const target = this.#buffers[g.into];
          const [start, count] = [numbers[g.start] ?? 0, numbers[g.elements] ?? 0];
          if (target !== undefined && count > 0)
            encoder.copyBufferToBuffer(source, g.range.from + start * g.size, target, g.at, count * g.size);
        }
      }
      if (pass === null) {
        pass = encoder.beginComputePass();
        pipeline = null;
      }
      const own = this.kernels.of(step.kernel);
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
    const order = this.plan.sets[set];
    if (order === undefined || session === null) throw new RangeError(`no set ${set}`);
    const made = bindGroup(order, this.#groupOrder(session));
    session.groups[set] = made;
    return made;
  }

  #groupOrder(session: SessionBuffers | null): GroupOrder {
    return {
      device: this.#device,
      layouts: this.#layouts,
      kernels: this.plan.program.kernels,
      uniforms: this.#uniforms,
      bufferOf: (range) => this.#bufferOf(range, session),
    };
  }

  #bufferOf({ session: own, buffer }: BoundRange, session: SessionBuffers | null): GPUBuffer {
    const found = own ? session?.buffers[buffer] : this.#buffers[buffer];
    if (found === undefined) throw new RangeError(`no buffer ${buffer}`);
    return found;
  }

  #session([place = -1]: SessionPlace): SessionBuffers {
    this.#check();
    const session = this.#sessions.get(place);
    if (session === undefined) throw new DisposedError("session");
    return session;
  }

  /** Does something on the device; `checked` throws what the device finds wrong with it. */
  #inScopes<T>(what: string, work: () => T): { readonly value: T; readonly checked: Promise<void> } {
    const kinds = ["validation", "out-of-memory", "internal"] as const;
    for (const kind of kinds) this.#device.pushErrorScope(kind);
    let value: T;
    let scopes: readonly Promise<GPUError | null>[] = [];
    try {
      value = work();
    } finally {
      scopes = kinds.map(() => this.#device.popErrorScope());
      for (const scope of scopes) scope.catch(() => undefined);
    }
    const checked = Promise.all(scopes).then((errors) => {
      const found = errors.find((e) => e !== null);
      const error = scoped(what, found ?? null);
      if (error !== null) throw error;
    });
    checked.catch(() => undefined);
    return { value, checked };
  }

  async #scoped(what: string, work: () => Promise<void>): Promise<void> {
    const { value, checked } = this.#inScopes(what, work);
    await value;
    await this.#watch.until(checked);
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#watch.dispose();
    this.#memory.dispose();
    this.#device.destroy();
  }

  #check(): void {
    this.#watch.check();
  }
}

/** Those of phases with which a text may begin: they choose a token, behind few rows or none. */
function firstKernels({ phases, program }: GpuPlan): readonly number[] {
  const first = phases.filter(
    ({ phase: { rows, outputs, entry } }) =>
      (rows?.from ?? 1) === 1 &&
      (entry === program.draft?.entry || outputs.some(({ name }) => name === "next" || isBestTokens({ name }))),
  );
  return [...new Set(first.flatMap(({ steps }) => steps.map((s) => s.kernel)))];
}

/** A weight that is read is used for this many tokens of a call, and then for more at no cost. */
const mostReuse = 64;
const noStep: GpuStep = { kernel: 0, label: "", set: 0, block: 0, items: 0, work: 0, gathers: [] };
