/**
 * A program in a memory, ready to be called: what `runtime/session/` knows of WebAssembly. Everything that a call needs is
 * made when it is opened.
 */
import { DisposedError, KernelError, OutOfMemoryError } from "../artifact/errors.ts";
import type { Program } from "../artifact/program.ts";
import { compileKernels, kernelFunctions } from "./kernel-module.ts";
import { type Layout, layOut, layOutStates, mostBytes, type StateLayout } from "./layout.ts";
import { evaluateCall, type LinkedPhase, linkPhase, tapeOf } from "./link-phase.ts";
import { DeviceMemory } from "./memory.ts";
import { type ArenaPlan, planArena } from "./plan-arena.ts";
import { type Crew, type KernelFunction, patchTape, playAlone, playTogether, type Tape, word } from "./thread-main.ts";
import { type StartThread, Threads } from "./threads.ts";

/** How a program will lie in memory: known before anything is allocated. */
export interface DevicePlan {
  readonly program: Program;
  readonly threads: number;
  readonly chunk: number;
  readonly context: number;
  readonly arena: ArenaPlan;
  readonly layout: Layout;
  readonly states: StateLayout;
  readonly phases: readonly LinkedPhase[];
}

export interface PlanRequest {
  readonly program: Program;
  readonly threads: number;
  /** Most tokens of a call, and of one that gives the logits of all of them. */
  readonly chunk: number;
  readonly logitsChunk: number;
  readonly context: number;
}

/** Phases take no more tokens than a call ever has; those for more are left out. Throws CorruptPackageError. */
export function planDevice({ program: whole, threads, chunk, logitsChunk, context }: PlanRequest): DevicePlan {
  const phases = whole.phases
    .map((p) => ({ ...p, to: Math.min(p.to, context, p.result === "logits" ? logitsChunk : chunk) }))
    .filter((p) => p.from <= p.to);
  const program = { ...whole, phases };
  const arena = planArena(program, context);
  const states = layOutStates(program.states, context);
  const link = (layout: Layout): readonly LinkedPhase[] =>
    program.phases.map((phase, i) =>
      linkPhase({ program, phase, layout, states, arena: arena.phases[i] ?? { elements: [], offsets: [] } }),
    );
  // How many values change does not depend on addresses, so a first link tells how much room they take.
  const request = { program, threads, arenaBytes: arena.bytes, chunk };
  const values = Math.max(0, ...link(layOut({ ...request, controlBytes: 0 })).map((p) => p.changing.length));
  const layout = layOut({ ...request, controlBytes: 4 * (word.end + values) });
  const linked = link(layout);
  for (const one of linked) checkExtremes(one, context);
  return { program, threads, chunk, context, arena, layout, states, phases: linked };
}

/** What a first and a last call would be refused for is refused at once. */
function checkExtremes(linked: LinkedPhase, context: number): void {
  const { from, to } = linked.phase;
  for (const tokens of [from, to]) for (const before of [0, context - tokens]) evaluateCall(linked, tokens, before, 0);
}

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

/** About 0.1 ms, then a thread sleeps: between the steps of a call nobody should, between calls everybody. */
const polls = 100_000;
export class Device {
  readonly plan: DevicePlan;
  readonly #memory: DeviceMemory;
  readonly #kernels: readonly KernelFunction[];
  readonly #tapes: readonly Tape[];
  readonly #words: Int32Array;
  readonly #crew: Crew;
  #threads: Threads | null = null;
  #disposed = false;

  private constructor(plan: DevicePlan, memory: DeviceMemory, kernels: readonly KernelFunction[], waiting: Waiting) {
    this.plan = plan;
    this.#memory = memory;
    this.#kernels = kernels;
    const { layout, phases, threads } = plan;
    this.#tapes = phases.map((p) => tapeOf(p, 0, threads, layout.scratch[0] ?? 0));
    const values = Math.max(0, ...phases.map((p) => p.changing.length));
    // Alone the values may stand anywhere; memory that is not shared moves when it grows.
    this.#words =
      threads > 1
        ? new Int32Array(memory.memory.buffer, layout.control, word.end + values)
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
    const { program, threads, layout } = plan;
    const compiled = await compileKernels(module.bytes, module.file, program.kernels);
    checkMemory(plan, available);
    const memory = new DeviceMemory(layout.end, threads > 1);
    const kernels = await kernelFunctions(compiled, memory.memory, module.file, program.kernels);
    const device = new Device(plan, memory, kernels, waiting);
    device.#writeConstants();
    if (threads > 1) await device.#startThreads(compiled, startThread);
    return device;
  }

  #writeConstants(): void {
    const { program, layout } = this.plan;
    for (const [i, { elem, values }] of program.constants.entries()) {
      const at = layout.constants[i] ?? 0;
      const Numbers = elem === "f32" ? Float32Array : Int32Array;
      new Numbers(this.#memory.memory.buffer, at, values.length).set(values);
    }
  }

  async #startThreads(module: WebAssembly.Module, startThread: StartThread): Promise<void> {
    const { program, layout, phases, threads } = this.plan;
    const starts = layout.scratch.slice(1).map((scratch, i) => ({
      module,
      memory: this.#memory.memory,
      control: layout.control,
      values: this.#words.length - word.end,
      thread: i + 1,
      threads,
      kernels: program.kernels.map((k) => k.name),
      tapes: phases.map((p) => tapeOf(p, i + 1, threads, scratch)),
      polls,
    }));
    this.#threads = await Threads.start(this.#words, starts, startThread);
  }

  /** All of the memory as it is now: not to be kept over an `await`. */
  bytes(): Uint8Array {
    return this.#memory.bytes();
  }

  /** Rows of a session, all zeros. */
  allocateStates(): number {
    this.#check();
    return this.#memory.allocate(this.plan.states.bytes, "a session");
  }

  releaseStates(at: number): void {
    if (!this.#disposed) this.#memory.release(at, this.plan.states.bytes);
  }

  /**
   * Plays a phase on `tokens`, of which there are as many as it takes, after `before` rows in the session at `states`. Gives a
   * copy of its result. Blocks. Throws DscError; rows from `before` on are then anything.
   */
  run(phase: number, tokens: Int32Array, before: number, states: number): Float32Array<ArrayBuffer> {
    this.#check();
    const { layout, phases, threads } = this.plan;
    const [linked, tape] = [phases[phase], this.#tapes[phase]];
    if (linked === undefined || tape === undefined) throw new RangeError(`no phase ${phase}`);
    const numbers = evaluateCall(linked, tokens.length, before, states);
    const { buffer } = this.#memory.memory;
    new Int32Array(buffer, layout.ids, tokens.length).set(tokens);
    const values = this.#words.subarray(word.end);
    for (let i = 0; i < linked.changing.length; i += 1) values[i] = numbers[linked.changing[i] ?? 0] ?? 0;
    patchTape(tape, values, 0, threads);
    this.#play(phase, linked, tape);
    const { address, dims } = linked.output;
    const count = dims.reduce((n, d) => n * (numbers[d] ?? 0), 1);
    return new Float32Array(buffer, numbers[address] ?? 0, count).slice();
  }

  #play(phase: number, linked: LinkedPhase, tape: Tape): void {
    const threads = this.#threads;
    if (threads === null) {
      const failure = playAlone(tape, this.#kernels);
      if (failure !== null) throw kernelError(linked, failure.step, failure.cause);
      return;
    }
    threads.check();
    threads.call(phase);
    const result = playTogether(tape, this.#kernels, this.#crew);
    if (result === "lost") throw threads.lose();
    if (result !== null) throw kernelError(linked, result.step, result.cause);
    const failed = Atomics.load(this.#words, word.failed);
    if (failed > 0) throw kernelError(linked, failed - 1, "in a worker");
  }

  dispose(): void {
    this.#disposed = true;
    this.#threads?.end();
  }

  #check(): void {
    if (this.#disposed) throw new DisposedError("model");
  }
}

/** Before anything is allocated, with room for one session. */
function checkMemory({ layout, states }: DevicePlan, available: number | null): void {
  const needed = layout.end + states.bytes;
  if (needed > mostBytes) throw new OutOfMemoryError("the model with one session", needed, mostBytes);
  if (available !== null && needed > available)
    throw new OutOfMemoryError("the model with one session", needed, available);
}

function kernelError({ phase, steps }: LinkedPhase, step: number, cause: unknown): KernelError {
  const label = steps[step]?.label ?? "";
  const why = cause instanceof Error ? cause.message : String(cause);
  return new KernelError(`phase ${phase.name}, ${label}: ${why}`, cause);
}
