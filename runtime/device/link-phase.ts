/**
 * From a phase to a tape: repeats are unrolled, addresses and sizes that do not change are numbers, the others are values of
 * a call. That kernels stay inside of what they are given is checked with the same values: once where they are known, and
 * before every call where they are not. Calls that differ only in the layer share their checks, so a call does a handful.
 */
import { elemBytes } from "../artifact/elems.ts";
import { CorruptPackageError } from "../artifact/errors.ts";
import type { Binding, KernelDecl, Phase, Program, SizeExpr } from "../artifact/program.ts";
import { programFile } from "../artifact/read-value.ts";
import { weightElements } from "../artifact/weight-sizes.ts";
import { copyOrdinal } from "./copy-between.ts";
import type { Layout, StateLayout } from "./layout.ts";
import { callScope, type PhaseArena, product, refusing } from "./plan-arena.ts";
import type { BufferCopy, Route, Spread } from "./spread.ts";
import type { Tape, TapeStep } from "./thread-main.ts";
import { type UnrolledCall, unroll } from "./unroll.ts";
import { ValueBuilder, type ValueId, type Values } from "./values.ts";

export interface LinkRequest {
  readonly program: Program;
  readonly phase: Phase;
  readonly layout: Layout;
  readonly states: StateLayout;
  readonly spread: Spread;
  /** Null where there is one memory. */
  readonly route: Route | null;
  readonly arena: PhaseArena;
}

/** `value` is to be in 0 … `most`. */
interface Check {
  readonly value: ValueId;
  readonly most: number;
  readonly what: string;
}

interface LinkedStep {
  /** Kernels of the first memory, then those of the next; then copies between memories (`copy-between.ts`). */
  readonly kernel: number;
  readonly items: ValueId;
  /** Addresses, then sizes. */
  readonly args: readonly ValueId[];
  readonly label: string;
}

export interface LinkedPhase {
  readonly phase: Phase;
  /** Inputs: tokens, rows before, address of the session's rows in each memory. */
  readonly values: Values;
  readonly known: (id: ValueId) => number | null;
  readonly steps: readonly LinkedStep[];
  /** The values of a call, in the order in which threads find them. */
  readonly changing: readonly ValueId[];
  readonly checks: readonly Check[];
  /** Elements of each input. */
  readonly inputs: readonly ValueId[];
  /** Ordinal of the first step that wants rows which are looked up; null where none does. */
  readonly waits: number | null;
  readonly outputs: readonly LinkedOutput[];
}

export interface LinkedOutput {
  readonly memory: number;
  readonly address: ValueId;
  /** How many. */
  readonly elements: ValueId;
}

/** Throws CorruptPackageError where a kernel leaves its memory whatever the call is. */
export function linkPhase(request: LinkRequest): LinkedPhase {
  return refusing(request.phase, () => new Linker(request).link());
}

/** What names and addresses mean at a step. */
interface Place {
  readonly scope: ReadonlyMap<string, ValueId>;
  readonly places: readonly number[];
  readonly memory: number;
}

const i32Max = 2 ** 31 - 1;
const mostElements = 2 ** 32;

class Linker {
  readonly #request: LinkRequest;
  readonly #builder = new ValueBuilder();
  /** By memory. */
  readonly #sessions: readonly ValueId[];
  /** Elements of each input. */
  readonly #inputs: readonly ValueId[];
  #waits: number | null = null;
  readonly #scope: ReadonlyMap<string, ValueId>;
  readonly #steps: LinkedStep[] = [];
  readonly #checks = new Map<string, Check>();
  /** Steps of the phase so far, copies not counted. */
  #step = 0;
  constructor(request: LinkRequest) {
    this.#request = request;
    const [tokens, before] = [this.#builder.input(), this.#builder.input()];
    this.#sessions = request.spread.memories.map(() => this.#builder.input());
    this.#scope = callScope(request.program, this.#builder, tokens, before);
    this.#inputs = request.phase.inputs.map(({ dims }) => this.#builder.expression(product(dims), this.#scope));
  }

  link(): LinkedPhase {
    const { phase } = this.#request;
    unroll(phase, this.#builder, this.#scope, { call: (one) => this.#call(one) });
    for (const [i, id] of this.#inputs.entries()) {
      const { name } = phase.inputs[i] ?? { name: "" };
      this.#check(id, this.#request.arena.inputs.elements[i] ?? 0, `${name} of ${phase.name}`);
    }
    const places = phase.buffers.map((_, i) => i);
    const at: Place = { scope: this.#scope, places, memory: this.#home() };
    const outputs = phase.outputs.map((output): LinkedOutput => {
      const elements = this.#builder.expression(product(output.dims), this.#scope);
      const address = this.#address(output.at, elements, at, `${output.name} of ${phase.name}`);
      return { memory: at.memory, address, elements };
    });
    return {
      phase,
      values: this.#builder.finish(),
      known: (id) => this.#builder.known(id),
      steps: this.#steps,
      changing: this.#changing(),
      checks: [...this.#checks.values()],
      inputs: this.#inputs,
      waits: this.#waits,
      outputs,
    };
  }

  #changing(): readonly ValueId[] {
    const used = this.#steps.flatMap((s) => [...s.args, s.items]);
    return [...new Set(used)].filter((id) => this.#builder.known(id) === null);
  }

  #home(): number {
    return this.#request.route?.homes[this.#step] ?? 0;
  }

  #call({ call, scope, places }: UnrolledCall): void {
    const { program, route } = this.#request;
    const kernel = program.kernels[call.kernel];
    if (kernel === undefined) throw new RangeError(`no kernel ${call.kernel}`);
    const sizes = call.sizes.map((e, i) => {
      const id = this.#builder.expression(e, scope);
      this.#check(id, i32Max, `${kernel.name}: size ${kernel.sizes[i] ?? i}`);
      return id;
    });
    const inner = new Map(kernel.sizes.map((name, i) => [name, sizes[i] ?? 0] as const));
    const memory = this.#home();
    for (const copy of route?.copies[this.#step] ?? []) this.#copy(copy);
    this.#step += 1;
    const at: Place = { scope, places, memory };
    const addresses = call.buffers.map((binding, i) => this.#buffer(kernel, i, binding, at, inner));
    const looked = (this.#request.phase.lookups ?? []).map((l) => l.input);
    if (call.buffers.some((b) => b.kind === "input" && looked.includes(b.input))) this.#waits ??= this.#steps.length;
    this.#steps.push({
      kernel: memory * program.kernels.length + call.kernel,
      items: this.#items(kernel, inner),
      args: [...addresses, ...sizes],
      label: call.label,
    });
  }

  /** All that the buffer holds in a call, as one more step. */
  #copy({ place, from, to }: BufferCopy): void {
    const b = this.#builder;
    const { program, phase, layout, arena, spread } = this.#request;
    const { name, elem, size } = phase.buffers[place] ?? { name: "", elem: "f32", size: 0 };
    const elements = b.expression(size, this.#scope);
    this.#check(elements, arena.elements[place] ?? 0, `${name} for another memory`);
    const address = b.constant(layout.arena + (arena.offsets[place] ?? 0));
    this.#steps.push({
      kernel: copyOrdinal(spread.memories.length, program.kernels.length, from, to),
      items: b.constant(1),
      args: [address, address, b.operation("*", elements, b.constant(elemBytes[elem]))],
      label: `${name} from memory ${from} to ${to}`,
    });
  }

  #buffer(kernel: KernelDecl, i: number, binding: Binding, place: Place, sizes: ReadonlyMap<string, ValueId>): ValueId {
    const buffer = kernel.buffers[i];
    if (buffer === undefined) throw new RangeError(`${kernel.name} has no buffer ${i}`);
    const what = `${kernel.name}: buffer ${buffer.name}`;
    return this.#address(binding, this.#builder.expression(buffer.extent, sizes), place, what);
  }

  /** Work items, the product of the grid's axes. */
  #items(kernel: KernelDecl, sizes: ReadonlyMap<string, ValueId>): ValueId {
    const b = this.#builder;
    const extents = kernel.grid.map((e) => b.operation("max", b.expression(e, sizes), b.constant(0)));
    const items = extents.reduce((n, e) => b.operation("*", n, e), b.constant(1));
    this.#check(items, i32Max, `${kernel.name}: work items`);
    return items;
  }

  /** `extent` elements from the binding's place on, which are to be inside of what was allocated for it. */
  #address(binding: Binding, extent: ValueId, { scope, places, memory }: Place, what: string): ValueId {
    const b = this.#builder;
    const { program, layout, states, spread, arena } = this.#request;
    const at = (base: number, elements: number, bytes: number, offset: SizeExpr = 0): ValueId => {
      const from = b.expression(offset, scope);
      this.#inside(from, extent, elements, what);
      return b.operation("+", b.constant(base), b.operation("*", from, b.constant(bytes)));
    };
    switch (binding.kind) {
      case "arena": {
        const place = places[binding.buffer] ?? 0;
        const elem = this.#request.phase.buffers[place]?.elem ?? "f32";
        const base = layout.arena + (arena.offsets[place] ?? 0);
        return at(base, arena.elements[place] ?? 0, elemBytes[elem], binding.offset);
      }
      case "weight": {
        const weight = program.weights[binding.weight];
        if (weight === undefined) throw new RangeError(`no weight ${binding.weight}`);
        const bytes = elemBytes[weight.elem];
        // Where the offset is not known before a call, the weight is in one part.
        const from = b.known(b.expression(binding.offset ?? 0, scope)) ?? 0;
        const part = spread.weights[binding.weight]?.findLast((p) => p.memory === memory && p.from <= from);
        const base = (part?.at ?? 0) - (part?.from ?? 0) * bytes;
        return at(base, weightElements(weight), bytes, binding.offset);
      }
      case "constant": {
        const constant = program.constants[binding.constant];
        if (constant === undefined) throw new RangeError(`no constant ${binding.constant}`);
        const { elem, values } = constant;
        return at(layout.constants[binding.constant] ?? 0, values.length, elemBytes[elem], binding.offset);
      }
      case "state": {
        const state = program.states[binding.state];
        if (state === undefined) throw new RangeError(`no state ${binding.state}`);
        const [copy, row] = [b.expression(binding.copy, scope), b.expression(binding.row, scope)];
        this.#check(copy, state.copies - 1, `${what}: copy`);
        const from = b.operation("*", row, b.constant(state.row));
        this.#inside(from, extent, states.rows * state.row, what);
        const rowAt = b.operation("*", row, b.constant(states.rowBytes[binding.state] ?? 0));
        const offset = this.#copyOffset(binding.state, copy);
        return b.operation("+", b.operation("+", this.#sessions[memory] ?? 0, rowAt), offset);
      }
      case "input": {
        const [elements, from] = [this.#inputs[binding.input], b.expression(binding.offset ?? 0, scope)];
        if (elements === undefined) throw new RangeError(`no input ${binding.input}`);
        // What is left of it behind what is touched is not to be negative.
        this.#check(from, mostElements, what);
        this.#check(b.operation("-", elements, b.operation("+", from, extent)), mostElements, what);
        const base = layout.inputs + (arena.inputs.offsets[binding.input] ?? 0);
        return b.operation("+", b.constant(base), b.operation("*", from, b.constant(4)));
      }
      default:
        return binding satisfies never;
    }
  }

  /** Where the copies are that may be meant, they follow each other. */
  #copyOffset(state: number, copy: ValueId): ValueId {
    const b = this.#builder;
    const { states, spread } = this.#request;
    const known = b.known(copy);
    const first = b.constant(spread.states[state]?.[known ?? 0]?.offset ?? 0);
    return known === null
      ? b.operation("+", first, b.operation("*", copy, b.constant(states.copyBytes[state] ?? 0)))
      : first;
  }

  #inside(from: ValueId, extent: ValueId, elements: number, what: string): void {
    this.#check(from, elements, what);
    this.#check(extent, elements, what);
    this.#check(this.#builder.operation("+", from, extent), elements, what);
  }

  #check(value: ValueId, most: number, what: string): void {
    const known = this.#builder.known(value);
    if (known !== null) {
      if (known < 0 || known > most) throw new RangeError(`${what}: ${known} is not in 0 … ${most}`);
      return;
    }
    const key = `${value} ${most}`;
    if (!this.#checks.has(key)) this.#checks.set(key, { value, most, what });
  }
}

/** Evaluates for a call and checks it. Throws CorruptPackageError. */
export function evaluateCall(
  linked: LinkedPhase,
  tokens: number,
  before: number,
  sessions: readonly number[],
): Float64Array {
  const numbers = refusing(linked.phase, () => linked.values.evaluate([tokens, before, ...sessions]));
  for (let i = 0; i < linked.checks.length; i += 1) {
    const check = linked.checks[i];
    if (check === undefined) break;
    const value = numbers[check.value] ?? -1;
    if (value >= 0 && value <= check.most) continue;
    const call = `${tokens} tokens after ${before}`;
    const why = `phase ${linked.phase.name}, ${call}: ${check.what}: ${value} is not in 0 … ${check.most}`;
    throw new CorruptPackageError(programFile, why);
  }
  return numbers;
}

/** A phase, or what comes before and after its waiting for rows that are looked up: the first and last step, `to` excluded. */
export interface TapePart {
  readonly phase: number;
  readonly from: number;
  readonly to: number;
}
export const tapeParts = (phases: readonly LinkedPhase[]): readonly TapePart[] =>
  phases.flatMap(({ steps: { length }, waits }, phase) =>
    waits === null
      ? [{ phase, from: 0, to: length }]
      : [
          { phase, from: 0, to: waits },
          { phase, from: waits, to: length },
        ],
  );

/** The tape of one thread. */
export function tapeOf(
  linked: LinkedPhase,
  { from, to }: Omit<TapePart, "phase">,
  thread: number,
  threads: number,
  scratch: number,
): Tape {
  const index = new Map(linked.changing.map((id, i) => [id, i] as const));
  const patches: number[] = [];
  const steps = linked.steps.slice(from, to).map(({ kernel, items, args }, s): TapeStep => {
    const known = linked.known(items);
    const range =
      known === null ? [0, 0] : [0, 1].map((edge) => Math.floor(((known ?? 0) * (thread + edge)) / threads));
    const rest = args.map((id, i) => {
      const value = linked.known(id);
      if (value === null) patches.push(s, 3 + i, index.get(id) ?? 0);
      return (value ?? 0) | 0;
    });
    return { kernel, args: [...range, scratch | 0, ...rest], items: known ?? -1, itemsFrom: index.get(items) ?? -1 };
  });
  return { steps, patches: Int32Array.from(patches), values: linked.changing.length };
}
