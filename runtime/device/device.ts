/** A program in WebAssembly memory, ready to be called. Everything that a call needs is made when it is opened. */
import { CorruptPackageError, DisposedError, KernelError, OutOfMemoryError } from "../artifact/errors.ts";
import { programFile } from "../artifact/read-value.ts";
import { evaluateCall } from "../calls/link-call.ts";
import type {
  CallResults,
  DeviceCall,
  FillBytes,
  ModelDevice,
  ResultArray,
  SessionPlace,
  StartedCall,
  TakeBytes,
} from "../calls/model-device.ts";
import { copiesBetween } from "./copy-between.ts";
import { compileKernels, kernelFunctions } from "./kernel-module.ts";
import { type LinkedPhase, type TapePart, tapeOf, tapeParts } from "./link-phase.ts";
import { Memories } from "./memories.ts";
import { changingValues, type DevicePlan } from "./plan-device.ts";
import { type Crew, type KernelFunction, patchTape, playAlone, playTogether, type Tape, word } from "./thread-main.ts";
import { type StartThread, Threads } from "./threads.ts";
import { writeConstants } from "./write-constants.ts";

export interface DeviceRequest {
  readonly plan: DevicePlan;
  /** The module; for several threads one that takes shared memory. */
  readonly module: { readonly bytes: Uint8Array<ArrayBuffer>; readonly file: string };
  /** Bytes that the host has; null where it does not say. */
  readonly available: number | null;
  readonly startThread: StartThread;
  readonly waiting: Waiting;
}

/** How the caller waits for the others. */
export interface Waiting {
  /** Whether it may sleep. */
  readonly mayBlock: boolean;
  /** Milliseconds until one that does not come counts as dead. */
  readonly stall: number;
}

interface Started {
  readonly linked: LinkedPhase;
  readonly call: DeviceCall;
  /** Values of the call. */
  readonly numbers: Float64Array;
  /** Ordinals of its tapes. */
  readonly parts: readonly number[];
}

/** About 0.1 ms, then a thread sleeps: between the steps of a call nobody should, between calls everybody. */
const polls = 100_000;
export class Device implements ModelDevice {
  readonly plan: DevicePlan;
  readonly #memories: Memories;
  readonly #kernels: readonly KernelFunction[];
  /** Of phases, in one or two parts; a tape each. */
  readonly #parts: readonly TapePart[];
  readonly #tapes: readonly Tape[];
  readonly #words: Int32Array;
  readonly #crew: Crew;
  #threads: Threads | null = null;
  #disposed = false;
  #suspended: Promise<void> | null = null;

  private constructor(plan: DevicePlan, memories: Memories, kernels: readonly KernelFunction[], waiting: Waiting) {
    this.plan = plan;
    this.#memories = memories;
    this.#kernels = kernels;
    const { layout, phases, threads } = plan;
    this.#parts = tapeParts(phases);
    this.#tapes = tapesOf(plan, this.#parts, 0, layout.scratch[0] ?? 0);
    const values = changingValues(phases);
    // Alone the values may stand anywhere; memory that is not shared moves when it grows.
    this.#words =
      threads > 1
        ? new Int32Array(memories.bytes(0).buffer, layout.control, word.end + values)
        : new Int32Array(word.end + values);
    this.#crew = {
      words: this.#words,
      thread: 0,
      threads,
      patience: { polls, mostPolls: polls, calls: 0, ...waiting },
    };
  }

  /** Memory, constants and workers; weights are written by the caller. Throws DscError. */
  static async open(request: DeviceRequest): Promise<Device> {
    const { plan, module, available, startThread, waiting } = request;
    const { program, threads } = plan;
    const compiled = await compileKernels(module.bytes, module.file, program.kernels);
    checkMemory(plan, available);
    const memories = new Memories(plan);
    const all = memories.all.map(({ memory }) => memory);
    const kernels: KernelFunction[] = [];
    for (const memory of all) kernels.push(...(await kernelFunctions(compiled, memory, module.file, program.kernels)));
    const device = new Device(plan, memories, [...kernels, ...copiesBetween(all)], waiting);
    device.#writeConstants();
    if (threads > 1) await device.#startThreads(compiled, startThread);
    return device;
  }

  #writeConstants(): void {
    const { program, layout } = this.plan;
    for (const { memory } of this.#memories.all) writeConstants(program.constants, memory.buffer, layout.constants);
  }

  async #startThreads(module: WebAssembly.Module, startThread: StartThread): Promise<void> {
    const { program, layout, threads } = this.plan;
    const starts = layout.scratch.slice(1).map((scratch, i) => ({
      module,
      memories: this.#memories.all.map(({ memory }) => memory),
      control: layout.control,
      values: this.#words.length - word.end,
      thread: i + 1,
      threads,
      kernels: program.kernels.map((k) => k.name),
      tapes: tapesOf(this.plan, this.#parts, i + 1, scratch),
      polls,
    }));
    this.#threads = await Threads.start(this.#words, starts, startThread);
  }

  /** Bytes of all memory as it is now. */
  get memoryBytes(): number {
    return this.#memories.size;
  }

  async fillWeight(weight: number, from: number, count: number, fill: FillBytes): Promise<void> {
    for (const view of this.#memories.weight(weight, from, count)) fill(view.bytes, view.from);
  }

  async loaded(): Promise<void> {
    this.#check();
  }

  allocateStates(): SessionPlace {
    this.#check();
    return this.#memories.allocateStates();
  }

  releaseStates(place: SessionPlace): void {
    if (!this.#disposed) this.#memories.releaseStates(place);
  }

  async readRows(place: SessionPlace, length: number, take: TakeBytes): Promise<void> {
    this.#check();
    for (const rows of this.#memories.rows(place, length)) take(rows);
  }

  async writeRows(place: SessionPlace, length: number, rows: Uint8Array): Promise<void> {
    this.#check();
    let from = 0;
    for (const kept of this.#memories.rows(place, length)) {
      kept.set(rows.subarray(from, from + kept.length));
      from += kept.length;
    }
  }

  /** Blocks. */
  async run(call: DeviceCall): Promise<CallResults> {
    // Nothing may come between this and the call: others wait as well.
    while (this.#suspended !== null) await this.#suspended;
    call.signal?.throwIfAborted();
    return this.#playAll(call);
  }

  #playAll(call: DeviceCall): CallResults {
    const started = this.#started(call);
    for (const part of started.parts) this.#play(part, started);
    return this.#results(started);
  }

  async start(call: DeviceCall): Promise<StartedCall> {
    while (this.#suspended !== null) await this.#suspended;
    call.signal?.throwIfAborted();
    const started = this.#started(call);
    const [first, ...rest] = started.parts;
    if (rest.length > 0 && first !== undefined) this.#play(first, started);
    let done: () => void = () => undefined;
    this.#suspended = new Promise((resolve) => {
      done = resolve;
    });
    const drop = (): void => {
      this.#suspended = null;
      done();
    };
    const finish = async (rows: ReadonlyMap<number, Float32Array>): Promise<CallResults> => {
      try {
        this.#check();
        for (const [input, values] of rows) this.#writeInput(started, input, values);
        // What was decoded meanwhile had values of its own.
        this.#writeValues(started);
        for (const part of started.parts.slice(-1)) this.#play(part, started);
        return this.#results(started);
      } finally {
        drop();
      }
    };
    return { finish, drop };
  }

  #started(call: DeviceCall): Started {
    this.#check();
    const linked = this.plan.phases[call.phase];
    if (linked === undefined) throw new RangeError(`no phase ${call.phase}`);
    const numbers = evaluateCall(linked, call.tokens, call.before, call.states);
    const parts = this.#parts.flatMap(({ phase }, i) => (phase === call.phase ? [i] : []));
    const started = { linked, call, numbers, parts };
    const looked = new Set(linked.phase.lookups?.map((l) => l.input));
    for (const i of linked.inputs.keys()) {
      const values = call.inputs[i];
      if (values !== undefined || !looked.has(i)) this.#writeInput(started, i, values);
    }
    this.#writeValues(started);
    return started;
  }

  #writeInput(
    { linked, call: { phase }, numbers }: Started,
    i: number,
    values: Int32Array | Float32Array | undefined,
  ): void {
    const wanted = numbers[linked.inputs[i] ?? 0] ?? 0;
    const { name, elem } = linked.phase.inputs[i] ?? { name: "", elem: "f32" };
    if (values?.length !== wanted) {
      const why = `phase ${linked.phase.name}: ${name} has ${values?.length ?? 0} values, not ${wanted}`;
      throw new CorruptPackageError(programFile, why);
    }
    const at = this.plan.layout.inputs + (this.plan.arena.phases[phase]?.inputOffsets[i] ?? 0);
    const Numbers = elem === "i32" ? Int32Array : Float32Array;
    for (const { memory } of this.#memories.all) new Numbers(memory.buffer, at, wanted).set(values);
  }

  #writeValues({ linked, numbers }: Started): void {
    const values = this.#words.subarray(word.end);
    for (let i = 0; i < linked.changing.length; i += 1) values[i] = numbers[linked.changing[i] ?? 0] ?? 0;
  }

  #results(started: Started): CallResults {
    const { wanted, more } = started.call;
    const results = this.#copied(started, wanted);
    return more?.when(results) === true ? new Map([...results, ...this.#copied(started, more.names)]) : results;
  }

  #copied({ linked, numbers }: Started, wanted: readonly string[]): CallResults {
    const results = new Map<string, ResultArray>();
    for (const [i, { memory, address, elements }] of linked.outputs.entries()) {
      const { name = "", elem } = linked.phase.outputs[i] ?? {};
      if (!wanted.includes(name)) continue;
      const { buffer } = this.#memories.bytes(memory);
      const [at, count] = [numbers[address] ?? 0, numbers[elements] ?? 0];
      const values = elem === "i32" ? new Int32Array(buffer, at, count) : new Float32Array(buffer, at, count);
      results.set(name, values.slice());
    }
    return results;
  }

  async decode(name: string, inputs: readonly Float32Array[]): Promise<Float32Array> {
    const phase = this.plan.phases.findIndex((p) => p.phase.name === name);
    const wanted = this.plan.phases[phase]?.phase.outputs.map((o) => o.name) ?? [];
    const states = this.#memories.all.map(() => 0);
    const [values] = this.#playAll({ phase, tokens: 1, inputs, before: 0, states, wanted }).values();
    return values instanceof Float32Array ? values : new Float32Array(0);
  }

  #play(part: number, { linked }: Started): void {
    const { threads: count } = this.plan;
    const tape = this.#tapes[part];
    const from = this.#parts[part]?.from ?? 0;
    if (tape === undefined) throw new RangeError(`no part ${part}`);
    patchTape(tape, this.#words.subarray(word.end), 0, count);
    const threads = this.#threads;
    if (threads === null) {
      const failure = playAlone(tape, this.#kernels);
      if (failure !== null) throw kernelError(linked, from + failure.step, failure.cause);
      return;
    }
    threads.check();
    threads.call(part);
    const result = playTogether(tape, this.#kernels, this.#crew);
    if (result === "lost") throw threads.lose();
    if (result !== null) throw kernelError(linked, from + result.step, result.cause);
    const failed = Atomics.load(this.#words, word.failed);
    if (failed > 0) throw kernelError(linked, from + failed - 1, "in a worker");
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  dispose(): void {
    this.#disposed = true;
    this.#threads?.end();
  }

  #check(): void {
    if (this.#disposed) throw new DisposedError("model");
  }
}

const tapesOf = (
  { phases, threads }: DevicePlan,
  parts: readonly TapePart[],
  thread: number,
  scratch: number,
): readonly Tape[] =>
  parts.flatMap((part) => {
    const linked = phases[part.phase];
    return linked === undefined ? [] : [tapeOf(linked, part, thread, threads, scratch)];
  });

/** Before anything is allocated, with room for one session. */
function checkMemory({ spread }: DevicePlan, available: number | null): void {
  const needed = spread.memories.reduce((n, { end, states }) => n + end + states, 0);
  if (available !== null && needed > available)
    throw new OutOfMemoryError("the model with one session", needed, available);
}

function kernelError({ phase, steps }: LinkedPhase, step: number, cause: unknown): KernelError {
  const label = steps[step]?.label ?? "";
  const why = cause instanceof Error ? cause.message : String(cause);
  return new KernelError(`phase ${phase.name}, ${label}: ${why}`, cause);
}
