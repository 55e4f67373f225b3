/**
 * What every thread does: patch the arguments of a phase with the values of a call, then run its share of every step, all
 * threads meeting after each. This and `copy-between.ts` is all the code that a worker needs.
 *
 * Threads talk through words of the shared memory (`Word`, as indices of an Int32Array, 64 bytes apart so that polling one
 * does not slow another):
 *
 *     arrived, generation, sleepers   the barrier
 *     call                            counts calls; workers sleep on it between them
 *     command                         the phase of the call, or `stop`
 *     failed                          a kernel has failed: the others run no more kernels, but meet until the end
 */

import { copiesBetween } from "./copy-between.ts";

export const word = {
  arrived: 0,
  generation: 16,
  sleepers: 32,
  call: 48,
  command: 64,
  failed: 80,
  /** Words in all; the values of the call follow. */
  end: 96,
} as const;
export const stop = -1;

/** A call of a kernel, with room for what changes. */
export interface TapeStep {
  /** Ordinal of the kernel. */
  readonly kernel: number;
  /** begin, end, scratch, buffers, sizes. Each thread has its own. */
  readonly args: number[];
  /** Work items in all; -1 where `itemsFrom` says it. */
  readonly items: number;
  /** Index among the values of a call; -1 where the items are known. */
  readonly itemsFrom: number;
}

/** A phase with everything that does not depend on the call. */
export interface Tape {
  readonly steps: readonly TapeStep[];
  /** Triples: step, index among its arguments, index among the values of a call. */
  readonly patches: Int32Array;
  /** Values of a call. */
  readonly values: number;
}

export type KernelFunction = (...args: (number | undefined)[]) => unknown;

/** Writes what has changed since the last call into the arguments, and this thread's share of the work items. */
export function patchTape(tape: Tape, values: Int32Array, thread: number, threads: number): void {
  const { steps, patches } = tape;
  for (let i = 0; i < patches.length; i += 3) {
    const step = steps[patches[i] ?? 0];
    if (step !== undefined) step.args[patches[i + 1] ?? 0] = values[patches[i + 2] ?? 0] ?? 0;
  }
  for (const step of steps) {
    if (step.itemsFrom < 0) continue;
    const items = values[step.itemsFrom] ?? 0;
    step.args[0] = Math.floor((items * thread) / threads);
    step.args[1] = Math.floor((items * (thread + 1)) / threads);
  }
}

/** A call with as many arguments as there are, without the cost of spreading a list. */
export function callKernel(f: KernelFunction, a: readonly number[]): void {
  switch (a.length) {
    case 4:
      f(a[0], a[1], a[2], a[3]);
      return;
    case 5:
      f(a[0], a[1], a[2], a[3], a[4]);
      return;
    case 6:
      f(a[0], a[1], a[2], a[3], a[4], a[5]);
      return;
    case 7:
      f(a[0], a[1], a[2], a[3], a[4], a[5], a[6]);
      return;
    case 8:
      f(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]);
      return;
    case 9:
      f(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8]);
      return;
    case 10:
      f(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9]);
      return;
    case 11:
      f(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10]);
      return;
    case 12:
      f(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11]);
      return;
    default:
      f(...a);
  }
}

/**
 * How long a thread polls before it sleeps, and how long it waits in all; sleeping may be forbidden. Who polls in vain takes the
 * time of a core from the one that it waits for, where there are more threads than free cores: it polls for half as long the
 * next time, and longer again while polling does. But sleepers wake
 * late and make others sleep: so every few calls all begin anew.
 */
export interface Patience {
  readonly mostPolls: number;
  polls: number;
  /** Counted, the same by all. */
  calls: number;
  /** Milliseconds until the others count as dead; 0: for ever. */
  readonly stall: number;
  readonly mayBlock: boolean;
}

/** Returns when all threads have come here. False where one of them does not come. */
export function meet(words: Int32Array, threads: number, patience: Patience): boolean {
  const generation = Atomics.load(words, word.generation);
  if (Atomics.add(words, word.arrived, 1) === threads - 1) {
    Atomics.store(words, word.arrived, 0);
    Atomics.add(words, word.generation, 1);
    // A sleeper says so before it looks at the generation a last time, so none is missed.
    if (Atomics.load(words, word.sleepers) > 0) Atomics.notify(words, word.generation);
    return true;
  }
  const { polls } = patience;
  for (let i = 0; i < polls; i += 1) {
    if (Atomics.load(words, word.generation) === generation) continue;
    if (polls < patience.mostPolls) patience.polls = 2 * polls;
    return true;
  }
  if (patience.mayBlock) patience.polls = (polls >> 1) + 1;
  return sleepUntilMet(words, generation, patience);
}

function sleepUntilMet(words: Int32Array, generation: number, { stall, mayBlock }: Patience): boolean {
  const since = performance.now();
  while (Atomics.load(words, word.generation) === generation) {
    if (stall > 0 && performance.now() - since > stall) return false;
    if (!mayBlock) continue;
    Atomics.add(words, word.sleepers, 1);
    Atomics.wait(words, word.generation, generation, 100);
    Atomics.sub(words, word.sleepers, 1);
  }
  return true;
}

export interface Crew {
  readonly words: Int32Array;
  readonly thread: number;
  readonly threads: number;
  readonly patience: Patience;
}

/** Ordinal of the step whose kernel has thrown, with what it threw. */
export interface StepFailure {
  readonly step: number;
  readonly cause: unknown;
}

/** All steps in order, with others. `lost`: a thread does not answer, the memory is no longer to be used. */
export function playTogether(
  tape: Tape,
  kernels: readonly KernelFunction[],
  { words, threads, patience }: Crew,
): StepFailure | "lost" | null {
  const { steps } = tape;
  patience.calls += 1;
  if (patience.calls % 16 === 0) patience.polls = patience.mostPolls;
  let failure: StepFailure | null = null;
  for (let i = 0; i < steps.length; i += 1) {
    const step = steps[i];
    if (step === undefined) break;
    const { args } = step;
    const kernel = kernels[step.kernel];
    if (kernel !== undefined && (args[0] ?? 0) < (args[1] ?? 0) && Atomics.load(words, word.failed) === 0) {
      try {
        callKernel(kernel, args);
      } catch (cause) {
        failure = { step: i, cause };
        Atomics.store(words, word.failed, i + 1);
      }
    }
    if (!meet(words, threads, patience)) return "lost";
  }
  return failure;
}

/** The same alone: nobody to meet. */
export function playAlone(tape: Tape, kernels: readonly KernelFunction[]): StepFailure | null {
  const { steps } = tape;
  for (let i = 0; i < steps.length; i += 1) {
    const step = steps[i];
    if (step === undefined) break;
    const kernel = kernels[step.kernel];
    if (kernel === undefined || (step.args[0] ?? 0) >= (step.args[1] ?? 0)) continue;
    try {
      callKernel(kernel, step.args);
    } catch (cause) {
      return { step: i, cause };
    }
  }
  return null;
}

/** What a worker is started with. */
export interface ThreadStart {
  readonly module: WebAssembly.Module;
  readonly memories: readonly WebAssembly.Memory[];
  /** Byte address of the control words in the first. */
  readonly control: number;
  readonly values: number;
  readonly thread: number;
  readonly threads: number;
  readonly kernels: readonly string[];
  readonly tapes: readonly Tape[];
  readonly polls: number;
}

export type ThreadAnswer = { readonly kind: "ready" } | { readonly kind: "failed"; readonly message: string };

/** The whole life of a worker: calls until it is told to stop. Blocks. */
export function serveCalls(start: ThreadStart, answer: (message: ThreadAnswer) => void): void {
  const { memories, control, thread, threads, tapes, polls } = start;
  const [first] = memories;
  if (first === undefined) throw new Error("there is no memory");
  const kernels = [...memories.flatMap((memory) => kernelsOver(memory, start)), ...copiesBetween(memories)];
  const words = new Int32Array(first.buffer, control, word.end + start.values);
  const values = words.subarray(word.end);
  const crew: Crew = {
    words,
    thread,
    threads,
    patience: { polls, mostPolls: polls, calls: 0, stall: 0, mayBlock: true },
  };
  let seen = Atomics.load(words, word.call);
  answer({ kind: "ready" });
  for (;;) {
    for (let i = 0; i < polls && Atomics.load(words, word.call) === seen; i += 1);
    while (Atomics.load(words, word.call) === seen) Atomics.wait(words, word.call, seen);
    seen = Atomics.load(words, word.call);
    const command = Atomics.load(words, word.command);
    const tape = tapes[command];
    if (command === stop || tape === undefined) return;
    patchTape(tape, values, thread, threads);
    playTogether(tape, kernels, crew);
  }
}

function kernelsOver(memory: WebAssembly.Memory, { module, kernels }: ThreadStart): readonly KernelFunction[] {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  return kernels.map((name): KernelFunction => {
    const f = exports[name];
    if (typeof f !== "function") throw new Error(`the module has no ${name}`);
    return f as KernelFunction;
  });
}
