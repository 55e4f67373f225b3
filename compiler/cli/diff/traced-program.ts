/** A program played one step after the other, on one thread, with everything that a step reads and writes to be seen. */
import type { BufferElem, KernelDecl, Program } from "../../../runtime/artifact/program.ts";
import { evalSize } from "../../../runtime/artifact/size-expr.ts";
import { evaluateCall } from "../../../runtime/calls/link-call.ts";
import { compileKernels, kernelFunctions } from "../../../runtime/device/kernel-module.ts";
import { type DevicePlan, planDevice } from "../../../runtime/device/plan-device.ts";
import { callKernel, type KernelFunction } from "../../../runtime/device/thread-main.ts";
import { writeConstants } from "../../../runtime/device/write-constants.ts";
import { type DtypeName, findDtype } from "../../../runtime/formats/dtypes.ts";
import { type LoadTarget, loadWeights } from "../../../runtime/session/load-weights.ts";
import { matchWeights } from "../../../runtime/session/match-weights.ts";
import { hasOptional, withoutDraft } from "../../../runtime/session/optional-weights.ts";
import { formats } from "../../../runtime/session/stored/formats.ts";
import type { Weights } from "../../../runtime/weights/weights.ts";
import { elems } from "../../kernel/elem.ts";

/** A buffer of a kernel, as numbers. */
export interface SeenBuffer {
  readonly name: string;
  readonly elem: BufferElem;
  readonly access: "read" | "write" | "both";
  readonly values: () => Float64Array;
}
export interface SeenStep {
  /** Ordinal within the call, rounds of repeats counted. */
  readonly step: number;
  readonly label: string;
  readonly kernel: KernelDecl;
  readonly sizes: Readonly<Record<string, number>>;
  readonly buffers: readonly SeenBuffer[];
}
export interface StepObserver {
  readonly before?: (step: SeenStep) => void;
  readonly after?: (step: SeenStep) => void;
}
export interface TracedCall {
  /** Ordinal among the phases of `plan.program`. */
  readonly phase: number;
  readonly tokens: readonly number[];
  /** Tokens before the call. */
  readonly before: number;
}

interface Playing {
  readonly phase: number;
  readonly tokens: number;
  readonly before: number;
  readonly inputs: readonly (Int32Array | Float32Array)[];
}
interface PlayedOutput {
  readonly name: string;
  readonly values: Float32Array;
}

const page = 65_536;
export const isLogits = (output: string): boolean => output === "next" || output === "logits";

export interface TraceOrder {
  readonly program: Program;
  readonly module: Uint8Array;
  readonly weights: Weights;
  readonly context: number;
  readonly chunk: number;
}

export class TracedProgram {
  readonly plan: DevicePlan;
  readonly #memory: WebAssembly.Memory;
  readonly #kernels: readonly KernelFunction[];
  readonly #states: number;

  private constructor(
    plan: DevicePlan,
    memory: WebAssembly.Memory,
    kernels: readonly KernelFunction[],
    states: number,
  ) {
    this.plan = plan;
    this.#memory = memory;
    this.#kernels = kernels;
    this.#states = states;
  }

  /** Throws what a package's `load` throws. */
  static async open({ program: whole, module, weights, context, chunk }: TraceOrder): Promise<TracedProgram> {
    const optional = hasOptional(whole, weights);
    const program = optional ? whole : withoutDraft(whole);
    const plan = planDevice({ program, threads: 1, chunk, logitsChunk: chunk, context });
    const { placements } = matchWeights(whole, weights, {
      narrow: true,
      optional,
      features: { formats, tables: null },
    });
    const states = Math.ceil((plan.spread.memories[0]?.end ?? 0) / 64) * 64;
    const memory = new WebAssembly.Memory({ initial: Math.ceil((states + plan.states.bytes) / page), maximum: page });
    const file = "kernels/simd.wasm";
    const compiled = await compileKernels(new Uint8Array(module), file, program.kernels);
    const kernels = await kernelFunctions(compiled, memory, file, program.kernels);
    writeConstants(program.constants, memory.buffer, plan.layout.constants);
    const traced = new TracedProgram(plan, memory, kernels, states);
    const fillWeight: LoadTarget["fillWeight"] = async (index, from, count, fill) => {
      for (const { at } of plan.spread.weights[index] ?? []) fill(new Uint8Array(memory.buffer, at + from, count), 0);
    };
    const decode: LoadTarget["decode"] = async (phase, inputs) => traced.#decode(phase, inputs);
    await loadWeights(weights, placements, { fillWeight, decode, formats });
    return traced;
  }

  #decode(name: string, inputs: readonly Float32Array[]): Float32Array {
    const phase = this.plan.phases.findIndex((p) => p.phase.name === name);
    return this.#play({ phase, tokens: 1, before: 0, inputs }, {})[0]?.values ?? new Float32Array(0);
  }

  /** The logits. Rows before the call are those that earlier calls left; tokens are all that the phase is given. */
  run({ phase, tokens, before }: TracedCall, observer: StepObserver): Float32Array {
    const inputs = [Int32Array.from(tokens)];
    const outputs = this.#play({ phase, tokens: tokens.length, before, inputs }, observer);
    const logits = outputs.find(({ name }) => isLogits(name));
    if (logits === undefined) throw new RangeError(`phase ${phase} gives no logits`);
    return logits.values;
  }

  #play(call: Playing, observer: StepObserver): readonly PlayedOutput[] {
    const linked = this.plan.phases[call.phase];
    if (linked === undefined) throw new RangeError(`no phase ${call.phase}`);
    const { layout, arena } = this.plan;
    const { buffer } = this.#memory;
    for (const [i, values] of call.inputs.entries()) {
      const at = layout.inputs + (arena.phases[call.phase]?.inputOffsets[i] ?? 0);
      const Numbers = values instanceof Int32Array ? Int32Array : Float32Array;
      new Numbers(buffer, at, values.length).set(values);
    }
    const numbers = evaluateCall(linked, call.tokens, call.before, [this.#states]);
    const number = (id: number): number => numbers[id] ?? 0;
    for (const [step, { kernel, items, args, label }] of linked.steps.entries()) {
      const decl = this.plan.program.kernels[kernel];
      const call = this.#kernels[kernel];
      if (decl === undefined || call === undefined) throw new RangeError(`no kernel ${kernel}`);
      const given = args.map(number);
      const seen = this.#seen(step, label, decl, given);
      observer.before?.(seen);
      callKernel(call, [0, number(items), layout.scratch[0] ?? 0, ...given]);
      observer.after?.(seen);
    }
    return linked.phase.outputs.map(({ name }, i) => {
      const [address, elements] = [linked.outputs[i]?.address ?? 0, linked.outputs[i]?.elements ?? 0];
      return { name, values: new Float32Array(buffer, number(address), number(elements)).slice() };
    });
  }

  #seen(step: number, label: string, kernel: KernelDecl, args: readonly number[]): SeenStep {
    const sizes = Object.fromEntries(kernel.sizes.map((name, i) => [name, args[kernel.buffers.length + i] ?? 0]));
    const buffers = kernel.buffers.map(({ name, elem, extent, access }, i): SeenBuffer => {
      const count = evalSize(extent, (n) => sizes[n]);
      return { name, elem, access, values: () => this.#read(args[i] ?? 0, elem, count) };
    });
    return { step, label, kernel, sizes, buffers };
  }

  #read(at: number, elem: BufferElem, count: number): Float64Array {
    const values = new Float64Array(count);
    const decode = findDtype(dtypeOf[elem])?.decode;
    if (decode === null || decode === undefined) throw new Error(`${elem} is not decoded`);
    decode(new Uint8Array(this.#memory.buffer, at, count * elems[elem].bytes), values, 0);
    return values;
  }
}

const dtypeOf: Readonly<Record<BufferElem, DtypeName>> = {
  bool: "I32",
  i8: "I8",
  i16: "I16",
  i32: "I32",
  i64: "I64",
  u32: "U32",
  f16: "F16",
  bf16: "BF16",
  f32: "F32",
};
