/** Where in GPUBuffers the buffers of kernels are: from what names mean in a call to what is bound, and the element where it starts. */
import { elemBytes } from "../artifact/elems.ts";
import { GpuLimitError } from "../artifact/errors.ts";
import type { BufferElem, Program } from "../artifact/program.ts";
import type { PlacedBuffer } from "../calls/link-call.ts";
import type { ValueBuilder, ValueId } from "../calls/values.ts";
import type { BoundRange, BufferTable } from "./buffer-table.ts";
import { type GpuLimits, remedies } from "./gpu-limits.ts";
import { planStates, type StatePlan } from "./plan-states.ts";
import { planWeights, type WeightPart } from "./plan-weights.ts";

/** A stretch of a weight that is in a buffer. */
export interface WeightPlace {
  /** Elements. */
  readonly from: number;
  readonly elements: number;
  readonly buffer: number;
  /** Bytes. */
  readonly at: number;
}

export interface PhasePlaces {
  /** By arena buffer. */
  readonly buffers: readonly BoundRange[];
  readonly inputs: readonly BoundRange[];
}

/** Of a kernel's buffer. */
export interface BoundBuffer {
  readonly range: BoundRange;
  /** Elements from the start of the range on. */
  readonly start: ValueId;
}

/** Of large buffers windows are bound, which start at a multiple of this: `minStorageBufferOffsetAlignment` of every adapter. */
const windowAlignment = 256;

export class Places {
  readonly states: StatePlan;
  readonly constants: readonly BoundRange[];
  /** All places where bytes of a weight are to be, by weight. */
  readonly weights: readonly WeightPlace[][];
  readonly #program: Program;
  readonly #limits: GpuLimits;
  readonly #parts: readonly (readonly (WeightPart & { readonly range: BoundRange })[])[];

  /** Throws GpuLimitError. */
  constructor(program: Program, context: number, limits: GpuLimits, table: BufferTable) {
    this.#program = program;
    this.#limits = limits;
    this.states = planStates(program, context, limits);
    this.constants = program.constants.map((c) => table.add(`constant ${c.name}`, elemBytes[c.elem] * c.values.length));
    this.#parts = planWeights(program, limits).map((parts, weight) => {
      const { name, elem } = program.weights[weight] ?? { name: "", elem: "f32" };
      return parts.map((p) => ({ ...p, range: table.add(`weight ${name}`, p.elements * elemBytes[elem]) }));
    });
    this.weights = this.#parts.map((parts) =>
      parts.map(({ from, elements, range: { buffer } }) => ({ from, elements, buffer, at: 0 })),
    );
  }

  /** `extent`: elements that are touched at most. Throws GpuLimitError. */
  bound(b: ValueBuilder, placed: PlacedBuffer, extent: ValueId, phase: PhasePlaces): BoundBuffer {
    switch (placed.kind) {
      case "arena":
        return { range: rangeAt(phase.buffers, placed.place), start: placed.from };
      case "input":
        return { range: rangeAt(phase.inputs, placed.input), start: placed.from };
      case "constant":
        return { range: rangeAt(this.constants, placed.constant), start: placed.from };
      case "weight":
        return this.#weight(b, placed, extent);
      case "state":
        return this.#state(b, placed);
      default:
        return placed satisfies never;
    }
  }

  elemOf(
    placed: PlacedBuffer,
    elems: { readonly buffers: readonly BufferElem[]; readonly inputs: readonly BufferElem[] },
  ): BufferElem {
    const { weights, constants, states } = this.#program;
    switch (placed.kind) {
      case "arena":
        return elems.buffers[placed.place] ?? "f32";
      case "input":
        return elems.inputs[placed.input] ?? "f32";
      case "constant":
        return constants[placed.constant]?.elem ?? "f32";
      case "weight":
        return weights[placed.weight]?.elem ?? "f32";
      case "state":
        return states[placed.state]?.elem ?? "f32";
      default:
        return placed satisfies never;
    }
  }

  #weight(b: ValueBuilder, placed: PlacedBuffer & { readonly kind: "weight" }, extent: ValueId): BoundBuffer {
    const { name, elem } = this.#program.weights[placed.weight] ?? { name: "", elem: "f32" };
    const parts = this.#parts[placed.weight] ?? [];
    const known = b.known(placed.from);
    const part = parts.findLast((p) => p.from <= (known ?? 0));
    if (part === undefined) throw new RangeError(`no weight ${placed.weight}`);
    const { range } = part;
    if (range.bytes <= this.#limits.binding) return { range, start: minus(b, placed.from, part.from) };
    // A window of it: what is touched is known, or is taken to be all.
    const size = elemBytes[elem];
    const first = (known ?? 0) - part.from;
    const count = known === null ? part.elements : (b.known(extent) ?? part.elements - first);
    const from = first * size - ((first * size) % windowAlignment);
    const bytes = Math.ceil(((first + count) * size - from) / 16) * 16;
    if (bytes > this.#limits.binding)
      throw new GpuLimitError(
        "maxStorageBufferBindingSize",
        `weight ${name}`,
        bytes,
        this.#limits.binding,
        remedies.weight,
      );
    return {
      range: { ...range, from, bytes: Math.min(bytes, range.bytes - from) },
      start: b.constant(first - from / size),
    };
  }

  #state(b: ValueBuilder, { state, copy, row }: PlacedBuffer & { readonly kind: "state" }): BoundBuffer {
    const { row: width = 1 } = this.#program.states[state] ?? {};
    const plan = this.states.states[state];
    if (plan === undefined) throw new RangeError(`no state ${state}`);
    const inRow = b.operation("*", row, b.constant(width));
    const known = b.known(copy);
    const part = plan.parts.findLast((p) => p.from <= (known ?? 0));
    if (part === undefined || (known === null && plan.parts.length > 1))
      throw new RangeError("which rows of a state are meant is not known before a call");
    const copies = b.operation("*", minus(b, copy, part.from), b.constant(plan.copyElements));
    return { range: part.range, start: b.operation("+", copies, inRow) };
  }
}

const minus = (b: ValueBuilder, value: ValueId, by: number): ValueId => b.operation("-", value, b.constant(by));
function rangeAt(ranges: readonly BoundRange[], i: number): BoundRange {
  const range = ranges[i];
  if (range === undefined) throw new RangeError(`no buffer ${i}`);
  return range;
}
