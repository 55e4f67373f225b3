/** A phase as dispatches: repeats unrolled, what is bound told, sizes and starts as blocks of a uniform. */
import { elemBytes } from "../artifact/elems.ts";
import { CorruptPackageError } from "../artifact/errors.ts";
import { behindStarts } from "../artifact/kernel-checks.ts";
import type { BufferElem, GpuKernel, Phase, Program, TokenChoice } from "../artifact/program.ts";
import { programFile } from "../artifact/read-value.ts";
import { product, refusing } from "../calls/call-scope.ts";
import { CallLinker, type CheckedPhase, isGivenRows, type LinkedCall } from "../calls/link-call.ts";
import type { PhaseElements } from "../calls/phase-elements.ts";
import { type UnrolledCall, unroll } from "../calls/unroll.ts";
import type { ValueId } from "../calls/values.ts";
import type { BoundRange, BufferTable } from "./buffer-table.ts";
import type { Gather, Gathered, GatheredMember } from "./gathered.ts";
import type { BoundBuffer, PhasePlaces, Places } from "./places.ts";
import { UniformBuilder, type Uniforms, uniformBytes } from "./uniforms.ts";

export interface GpuStep {
  readonly kernel: number;
  readonly label: string;
  /** Ordinal among the sets of the table. */
  readonly set: number;
  /** Block of the phase's uniforms. */
  readonly block: number;
  readonly items: ValueId;
  /** Elements that are touched: what the step costs, roughly. */
  readonly work: ValueId;
  /** Copies that come before it. */
  readonly gathers: readonly Gather[];
  /** That it is for alone; null: it is played always. */
  readonly choice: TokenChoice | null;
}

export interface GpuOutput {
  readonly name: string;
  readonly elem: BufferElem;
  readonly bound: BoundBuffer;
  readonly elements: ValueId;
}

export interface GpuPhase extends CheckedPhase {
  readonly known: (id: ValueId) => number | null;
  readonly steps: readonly GpuStep[];
  readonly uniforms: Uniforms;
  /** Elements of each input. */
  readonly inputs: readonly ValueId[];
  readonly places: PhasePlaces;
  /** Ordinal of the first step that wants rows which are looked up; null where none does. */
  readonly waits: number | null;
  readonly outputs: readonly GpuOutput[];
}

export interface LinkGpuOrder {
  readonly program: Program;
  readonly phase: Phase;
  readonly elements: PhaseElements;
  readonly context: number;
  readonly at: PhasePlaces;
  readonly places: Places;
  readonly table: BufferTable;
  readonly gathered: Gathered;
}

const i32Max = 2 ** 31 - 1;

/** Throws CorruptPackageError and GpuLimitError. */
export function linkGpuPhase(order: LinkGpuOrder): GpuPhase {
  return refusing(order.phase, () => new GpuLinker(order).link());
}

class GpuLinker {
  readonly #order: LinkGpuOrder;
  readonly #calls: CallLinker;
  readonly #uniforms: UniformBuilder;
  readonly #steps: GpuStep[] = [];
  readonly #elems: { readonly buffers: readonly BufferElem[]; readonly inputs: readonly BufferElem[] };
  #waits: number | null = null;
  constructor(order: LinkGpuOrder) {
    this.#order = order;
    const { program, phase, elements, context } = order;
    this.#calls = new CallLinker({ program, phase, elements, rows: context });
    this.#uniforms = new UniformBuilder((id) => this.#calls.builder.known(id));
    this.#elems = { buffers: phase.buffers.map((b) => b.elem), inputs: phase.inputs.map((i) => i.elem) };
  }

  link(): GpuPhase {
    const { phase, at: places } = this.#order;
    const { builder, scope, inputs } = this.#calls;
    unroll(phase, builder, scope, { call: (one) => this.#call(one) });
    const at = { scope, places: phase.buffers.map((_, i) => i) };
    const outputs = phase.outputs.map(({ name, elem, dims, at: binding }): GpuOutput => {
      const elements = builder.expression(product(dims), scope);
      const placed = this.#calls.place(binding, elements, at, `${name} of ${phase.name}`);
      return { name, elem, elements, bound: this.#order.places.bound(builder, placed, elements, places) };
    });
    return {
      phase,
      values: builder.finish(),
      known: (id) => builder.known(id),
      steps: this.#steps,
      uniforms: this.#uniforms.finish(),
      checks: this.#calls.checks,
      inputs,
      places,
      waits: this.#waits,
      outputs,
    };
  }

  #call(one: UnrolledCall): void {
    const { phase, table } = this.#order;
    const call = this.#calls.call(one.call, one);
    const { gpu } = call.kernel;
    if (gpu === undefined) throw new RangeError(`${call.kernel.name} is no kernel for WebGPU`);
    if (isGivenRows(phase, one.call)) this.#waits ??= this.#steps.length;
    const { ranges, starts, gathers } = this.#bound(call, gpu);
    refuseTwice(call, gpu, ranges);
    const b = this.#calls.builder;
    for (const start of starts) this.#calls.check(start, i32Max, `${call.kernel.name}: start of a buffer`);
    const numbers = [...call.sizes, ...starts, ...behindStarts().map((x) => b.constant(x))];
    this.#steps.push({
      kernel: one.call.kernel,
      label: one.call.label,
      set: table.set(one.call.kernel, ranges, uniformBytes(call.kernel)),
      block: this.#uniforms.add(numbers),
      items: call.items,
      work: call.extents.reduce((n, extent) => b.operation("+", n, extent), call.items),
      gathers,
      choice: one.call.choice ?? null,
    });
  }

  /** By binding what is bound, and by buffer where it starts there. */
  #bound(
    { kernel, buffers, extents }: LinkedCall,
    { bindings }: GpuKernel,
  ): {
    readonly ranges: readonly BoundRange[];
    readonly starts: readonly ValueId[];
    readonly gathers: readonly Gather[];
  } {
    const { places, at, gathered, elements } = this.#order;
    const b = this.#calls.builder;
    const starts = buffers.map(() => b.constant(0));
    const gathers: Gather[] = [];
    const all = buffers.map((placed, i) => ({
      placed,
      extent: extents[i] ?? 0,
      ...places.bound(b, placed, extents[i] ?? 0, at),
    }));
    const ranges = bindings.map((members, binding): BoundRange => {
      const of = members.flatMap((i) => all[i] ?? []);
      const [only, ...others] = of;
      if (only === undefined) throw new RangeError(`${kernel.name}: nothing is bound`);
      if (others.length === 0) {
        starts.splice(members[0] ?? 0, 1, only.start);
        return only.range;
      }
      const given = of.map((one): GatheredMember => {
        const elem = places.elemOf(one.placed, this.#elems);
        return { ...one, size: elemBytes[elem], most: this.#most(one.placed, elements) };
      });
      const side = gathered.beside(b, given, binding);
      for (const [n, i] of members.entries()) starts.splice(i, 1, side.starts[n] ?? 0);
      gathers.push(...side.gathers);
      return side.range;
    });
    return { ranges, starts, gathers };
  }

  /** Elements that a buffer has at most. */
  #most(placed: LinkedCall["buffers"][number], { buffers, inputs }: PhaseElements): number {
    const { program, context } = this.#order;
    if (placed.kind === "arena") return buffers[placed.place] ?? 0;
    if (placed.kind === "input") return inputs[placed.input] ?? 0;
    if (placed.kind === "constant") return program.constants[placed.constant]?.values.length ?? 0;
    if (placed.kind === "state") return context * (program.states[placed.state]?.row ?? 1);
    const { stacks = [], shape = [] } = program.weights[placed.weight] ?? {};
    return [...stacks, ...shape].reduce((n, e) => n * e, 1);
  }
}

/** A dispatch that writes a buffer may not bind it a second time. */
function refuseTwice({ kernel }: LinkedCall, { bindings }: GpuKernel, ranges: readonly BoundRange[]): void {
  for (const [i, members] of bindings.entries()) {
    const written = members.some((m) => kernel.buffers[m]?.access !== "read");
    const mine = ranges[i];
    const twice = ranges.some((r, j) => j !== i && r.session === mine?.session && r.buffer === mine.buffer);
    if (written && twice)
      throw new CorruptPackageError(programFile, `${kernel.name} is given a buffer that it writes a second time`);
  }
}
