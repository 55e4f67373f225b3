/**
 * A program on a GPU. A call writes its inputs and what has changed of the uniforms, encodes the dispatches of its phase and a copy of
 * the outputs that are wanted, and submits them: at once where that is little work, else in parts, between which it can be given up.
 */
import { elemBytes } from "../artifact/elems.ts";
import { CorruptPackageError } from "../artifact/errors.ts";
import { programFile } from "../artifact/read-value.ts";
import { evaluateCall } from "../calls/link-call.ts";
import type {
  CallResults,
  CheckedKernel,
  DeviceCall,
  FillBytes,
  ModelDevice,
  SessionPlace,
  StartedCall,
  TakeBytes,
} from "../calls/model-device.ts";
import { CallPlayer, type Played } from "./call-player.ts";
import type { GpuKernels } from "./gpu-kernels.ts";
import { type GpuDeviceOrder, type OpenedGpu, openGpu } from "./opened-gpu.ts";
import type { GpuPlan } from "./plan-gpu.ts";
import { type SessionBuffers, Sessions } from "./sessions.ts";
import { type Begun, StepEncoder } from "./step-encoder.ts";
import { Turns } from "./turns.ts";

export class GpuDevice implements ModelDevice {
  readonly plan: GpuPlan;
  readonly kernels: GpuKernels;
  readonly #gpu: OpenedGpu;
  readonly #sessions: Sessions;
  readonly #encoder: StepEncoder;
  readonly #player: CallPlayer;
  readonly #turns = new Turns();
  #disposed = false;

  private constructor(gpu: OpenedGpu, submitWork: number | undefined) {
    this.plan = gpu.plan;
    this.kernels = gpu.kernels;
    this.#gpu = gpu;
    this.#sessions = new Sessions(gpu);
    this.#encoder = new StepEncoder(gpu);
    this.#player = new CallPlayer(gpu, this.#encoder, submitWork);
  }

  /** Weights are written by the caller. Throws DscError, and has then destroyed the device. */
  static async open(order: GpuDeviceOrder): Promise<GpuDevice> {
    const gpu = await openGpu(order);
    try {
      return new GpuDevice(gpu, order.submitWork);
    } catch (error) {
      gpu.memory.dispose();
      gpu.device.destroy();
      throw error;
    }
  }

  check(signal?: AbortSignal): AsyncIterable<CheckedKernel> {
    this.#check();
    return this.kernels.tryAll(signal);
  }

  get memoryBytes(): number {
    return this.#gpu.memory.bytes;
  }
  get disposed(): boolean {
    return this.#disposed;
  }

  async fillWeight(weight: number, from: number, count: number, fill: FillBytes): Promise<void> {
    const size = elemBytes[this.plan.program.weights[weight]?.elem ?? "f32"];
    for (const place of this.plan.weights[weight] ?? []) {
      const start = Math.max(from, place.from * size);
      const end = Math.min(from + count, (place.from + place.elements) * size);
      const buffer = this.#gpu.buffers[place.buffer];
      if (start >= end || buffer === undefined) continue;
      this.#check();
      const at = place.at + start - place.from * size;
      await this.#gpu.upload.write(buffer, at, end - start, (into, first) => fill(into, start - from + first));
    }
  }

  async loaded(): Promise<void> {
    await this.#gpu.upload.end();
    this.#check();
  }

  allocateStates(): SessionPlace {
    this.#check();
    return this.#sessions.allocate();
  }

  releaseStates(place: SessionPlace): void {
    this.#sessions.release(place);
  }

  readRows(place: SessionPlace, length: number, take: TakeBytes): Promise<void> {
    return this.#inTurn(() => this.#sessions.read(this.#sessions.of(place), length, take));
  }

  writeRows(place: SessionPlace, length: number, rows: Uint8Array): Promise<void> {
    return this.#inTurn(() => this.#sessions.write(this.#sessions.of(place), length, rows));
  }

  async #inTurn(work: () => Promise<void>): Promise<void> {
    const end = await this.#turns.take();
    try {
      this.#check();
      await work();
    } finally {
      end();
    }
  }

  async run(call: DeviceCall): Promise<CallResults> {
    const end = await this.#turns.take();
    let played: Played;
    try {
      const begun = await this.#begin(call);
      played = await this.#player.play(begun, 0, begun.linked.steps.length);
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
      await this.#player.submit(begun, 0, waits ?? 0, []);
      const finish = async (rows: ReadonlyMap<number, Float32Array>): Promise<CallResults> => {
        let played: Played;
        try {
          this.#check();
          for (const [input, values] of rows) this.#writeInput(begun, input, values);
          played = await this.#player.play(begun, waits ?? 0, steps.length);
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
    const { results } = await this.#player.play(begun, 0, begun.linked.steps.length, Number.POSITIVE_INFINITY);
    const [values] = (await results).values();
    return values instanceof Float32Array ? values : new Float32Array(0);
  }

  async #begin(call: DeviceCall): Promise<Begun> {
    this.#check();
    const session = this.#sessions.of(call.states);
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
    this.#gpu.device.queue.writeBuffer(
      this.#encoder.bufferOf(range, null),
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
    this.#gpu.device.queue.writeBuffer(this.#gpu.uniforms, at, numbers.buffer, changing, numbers.byteLength - changing);
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    const { watch, memory, device } = this.#gpu;
    watch.dispose();
    memory.dispose();
    device.destroy();
  }

  #check(): void {
    this.#gpu.watch.check();
  }
}
