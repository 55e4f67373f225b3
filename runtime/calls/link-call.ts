/**
 * What of linking a phase is the same whatever plays it: sizes and places of a call as values, and that kernels stay inside of
 * what they are given. That is checked with the same values, once where they are known, and before every call where they are
 * not. Calls that differ only in the layer share their checks, so a call does a handful.
 */
import { CorruptPackageError } from "../artifact/errors.ts";
import type { Binding, Call, KernelDecl, Phase, Program, SizeExpr } from "../artifact/program.ts";
import { programFile } from "../artifact/read-value.ts";
import { weightElements } from "../artifact/weight-sizes.ts";
import { callScope, product, refusing } from "./call-scope.ts";
import type { PhaseElements } from "./phase-elements.ts";
import { type Scope, ValueBuilder, type ValueId, type Values } from "./values.ts";

/** Where a buffer of a kernel is; `from` counts elements. */
export type PlacedBuffer =
  /** `place`: the buffer whose memory it is. */
  | { readonly kind: "arena"; readonly place: number; readonly from: ValueId }
  | { readonly kind: "weight"; readonly weight: number; readonly from: ValueId }
  | { readonly kind: "constant"; readonly constant: number; readonly from: ValueId }
  | { readonly kind: "state"; readonly state: number; readonly copy: ValueId; readonly row: ValueId }
  | { readonly kind: "input"; readonly input: number; readonly from: ValueId };

/** What names mean at a step. */
export interface StepScope {
  readonly scope: Scope;
  readonly places: readonly number[];
}

/** `value` is to be in 0 … `most`. */
export interface Check {
  readonly value: ValueId;
  readonly most: number;
  readonly what: string;
}

export interface LinkedCall {
  readonly kernel: KernelDecl;
  readonly sizes: readonly ValueId[];
  /** Work items, the product of the grid's axes. */
  readonly items: ValueId;
  readonly buffers: readonly PlacedBuffer[];
  /** Elements that each touches at most. */
  readonly extents: readonly ValueId[];
}

export interface CallLinkerOrder {
  readonly program: Program;
  readonly phase: Phase;
  /** Elements that there is room for. */
  readonly elements: PhaseElements;
  /** Rows that a state has room for. */
  readonly rows: number;
}

const i32Max = 2 ** 31 - 1;
const mostElements = 2 ** 32;

export class CallLinker {
  readonly builder = new ValueBuilder();
  readonly scope: Scope;
  /** Elements of each input. */
  readonly inputs: readonly ValueId[];
  readonly #order: CallLinkerOrder;
  readonly #checks = new Map<string, Check>();

  /** The first two inputs of the values are tokens and rows before. */
  constructor(order: CallLinkerOrder) {
    this.#order = order;
    const { program, phase, elements } = order;
    this.scope = callScope(program, this.builder, this.builder.input(), this.builder.input());
    this.inputs = phase.inputs.map(({ dims }) => this.builder.expression(product(dims), this.scope));
    for (const [i, { name }] of phase.inputs.entries())
      this.check(this.inputs[i] ?? 0, elements.inputs[i] ?? 0, `${name} of ${phase.name}`);
  }

  get checks(): readonly Check[] {
    return [...this.#checks.values()];
  }

  call({ kernel: ordinal, buffers, sizes: given }: Call, at: StepScope): LinkedCall {
    const kernel = this.#order.program.kernels[ordinal];
    if (kernel === undefined) throw new RangeError(`no kernel ${ordinal}`);
    const sizes = given.map((e, i) => {
      const id = this.builder.expression(e, at.scope);
      this.check(id, i32Max, `${kernel.name}: size ${kernel.sizes[i] ?? i}`);
      return id;
    });
    const inner = new Map(kernel.sizes.map((name, i) => [name, sizes[i] ?? 0] as const));
    const extents = kernel.buffers.map(({ extent }) => this.builder.expression(extent, inner));
    const placed = buffers.map((binding, i) => {
      const { name } = kernel.buffers[i] ?? { name: i };
      return this.place(binding, extents[i] ?? 0, at, `${kernel.name}: buffer ${name}`);
    });
    return { kernel, sizes, items: this.#items(kernel, inner), buffers: placed, extents };
  }

  #items(kernel: KernelDecl, sizes: Scope): ValueId {
    const b = this.builder;
    const extents = kernel.grid.map((e) => b.operation("max", b.expression(e, sizes), b.constant(0)));
    const items = extents.reduce((n, e) => b.operation("*", n, e), b.constant(1));
    this.check(items, i32Max, `${kernel.name}: work items`);
    return items;
  }

  /** Of `extent` elements, which are to be inside of what there is room for. */
  place(binding: Binding, extent: ValueId, { scope, places }: StepScope, what: string): PlacedBuffer {
    const b = this.builder;
    const { program, elements, rows } = this.#order;
    const from = (room: number, offset: SizeExpr = 0): ValueId => {
      const first = b.expression(offset, scope);
      this.#inside(first, extent, room, what);
      return first;
    };
    switch (binding.kind) {
      case "arena": {
        const place = places[binding.buffer] ?? 0;
        return { kind: "arena", place, from: from(elements.buffers[place] ?? 0, binding.offset) };
      }
      case "weight": {
        const weight = program.weights[binding.weight];
        if (weight === undefined) throw new RangeError(`no weight ${binding.weight}`);
        return { ...binding, from: from(weightElements(weight), binding.offset) };
      }
      case "constant": {
        const constant = program.constants[binding.constant];
        if (constant === undefined) throw new RangeError(`no constant ${binding.constant}`);
        return { ...binding, from: from(constant.values.length, binding.offset) };
      }
      case "state": {
        const state = program.states[binding.state];
        if (state === undefined) throw new RangeError(`no state ${binding.state}`);
        const [copy, row] = [b.expression(binding.copy, scope), b.expression(binding.row, scope)];
        this.check(copy, state.copies - 1, `${what}: copy`);
        this.#inside(b.operation("*", row, b.constant(state.row)), extent, rows * state.row, what);
        return { kind: "state", state: binding.state, copy, row };
      }
      case "input": {
        const [all, first] = [this.inputs[binding.input], b.expression(binding.offset ?? 0, scope)];
        if (all === undefined) throw new RangeError(`no input ${binding.input}`);
        // What is left of it behind what is touched is not to be negative.
        this.check(first, mostElements, what);
        this.check(b.operation("-", all, b.operation("+", first, extent)), mostElements, what);
        return { kind: "input", input: binding.input, from: first };
      }
      default:
        return binding satisfies never;
    }
  }

  #inside(from: ValueId, extent: ValueId, elements: number, what: string): void {
    this.check(from, elements, what);
    this.check(extent, elements, what);
    this.check(this.builder.operation("+", from, extent), elements, what);
  }

  /** Throws RangeError where it is known to be wrong. */
  check(value: ValueId, most: number, what: string): void {
    const known = this.builder.known(value);
    if (known !== null) {
      if (known < 0 || known > most) throw new RangeError(`${what}: ${known} is not in 0 … ${most}`);
      return;
    }
    const key = `${value} ${most}`;
    if (!this.#checks.has(key)) this.#checks.set(key, { value, most, what });
  }
}

/** As far as evaluating a call needs it. */
export interface CheckedPhase {
  readonly phase: Phase;
  /** Inputs: tokens, rows before, and what else whoever has linked it has taken. */
  readonly values: Values;
  readonly checks: readonly Check[];
}

/** Evaluates for a call and checks it. Throws CorruptPackageError. */
export function evaluateCall(
  { phase, values, checks }: CheckedPhase,
  tokens: number,
  before: number,
  others: readonly number[] = [],
): Float64Array {
  const numbers = refusing(phase, () => values.evaluate([tokens, before, ...others]));
  for (let i = 0; i < checks.length; i += 1) {
    const check = checks[i];
    if (check === undefined) break;
    const value = numbers[check.value] ?? -1;
    if (value >= 0 && value <= check.most) continue;
    const call = `${tokens} tokens after ${before}`;
    const why = `phase ${phase.name}, ${call}: ${check.what}: ${value} is not in 0 … ${check.most}`;
    throw new CorruptPackageError(programFile, why);
  }
  return numbers;
}

/** Whether a step wants rows that are looked up. */
export const isGivenRows = ({ lookups = [] }: Phase, { buffers }: Call): boolean =>
  buffers.some((b) => b.kind === "input" && lookups.some((l) => l.input === b.input));
