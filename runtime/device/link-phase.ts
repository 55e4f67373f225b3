/**
 * From a phase to a tape: repeats are unrolled, addresses and sizes that do not change are numbers, the others are values of
 * a call.
 */
import { elemBytes } from "../artifact/elems.ts";
import type { Phase, Program } from "../artifact/program.ts";
import { product, refusing } from "../calls/call-scope.ts";
import { CallLinker, type CheckedPhase, isGivenRows, type PlacedBuffer, type StepScope } from "../calls/link-call.ts";
import { type UnrolledCall, unroll } from "../calls/unroll.ts";
import type { ValueId } from "../calls/values.ts";
import { copyOrdinal } from "./copy-between.ts";
import type { Layout, StateLayout } from "./layout.ts";
import type { PhaseArena } from "./plan-arena.ts";
import type { BufferCopy, Route, Spread } from "./spread.ts";
import type { Tape, TapeStep } from "./thread-main.ts";

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

interface LinkedStep {
  /** Kernels of the first memory, then those of the next; then copies between memories (`copy-between.ts`). */
  readonly kernel: number;
  readonly items: ValueId;
  /** Addresses, then sizes. */
  readonly args: readonly ValueId[];
  readonly label: string;
}

/** Inputs of the values: tokens, rows before, address of the session's rows in each memory. */
export interface LinkedPhase extends CheckedPhase {
  readonly known: (id: ValueId) => number | null;
  readonly steps: readonly LinkedStep[];
  /** The values of a call, in the order in which threads find them. */
  readonly changing: readonly ValueId[];
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

class Linker {
  readonly #request: LinkRequest;
  readonly #calls: CallLinker;
  /** By memory. */
  readonly #sessions: readonly ValueId[];
  #waits: number | null = null;
  readonly #steps: LinkedStep[] = [];
  /** Steps of the phase so far, copies not counted. */
  #step = 0;
  constructor(request: LinkRequest) {
    this.#request = request;
    const { program, phase, arena, states } = request;
    this.#calls = new CallLinker({ program, phase, elements: arena, rows: states.rows });
    this.#sessions = request.spread.memories.map(() => this.#calls.builder.input());
  }

  link(): LinkedPhase {
    const { phase } = this.#request;
    const { builder, scope, inputs } = this.#calls;
    unroll(phase, builder, scope, { call: (one) => this.#call(one) });
    const at: StepScope = { scope, places: phase.buffers.map((_, i) => i) };
    const memory = this.#home();
    const outputs = phase.outputs.map((output): LinkedOutput => {
      const elements = builder.expression(product(output.dims), scope);
      const placed = this.#calls.place(output.at, elements, at, `${output.name} of ${phase.name}`);
      return { memory, address: this.#address(placed, memory), elements };
    });
    return {
      phase,
      values: builder.finish(),
      known: (id) => builder.known(id),
      steps: this.#steps,
      changing: this.#changing(),
      checks: this.#calls.checks,
      inputs,
      waits: this.#waits,
      outputs,
    };
  }

  #changing(): readonly ValueId[] {
    const used = this.#steps.flatMap((s) => [...s.args, s.items]);
    return [...new Set(used)].filter((id) => this.#calls.builder.known(id) === null);
  }

  #home(): number {
    return this.#request.route?.homes[this.#step] ?? 0;
  }

  #call(one: UnrolledCall): void {
    const { program, phase, route } = this.#request;
    const memory = this.#home();
    for (const copy of route?.copies[this.#step] ?? []) this.#copy(copy);
    this.#step += 1;
    const { sizes, items, buffers } = this.#calls.call(one.call, one);
    if (isGivenRows(phase, one.call)) this.#waits ??= this.#steps.length;
    this.#steps.push({
      kernel: memory * program.kernels.length + one.call.kernel,
      items,
      args: [...buffers.map((placed) => this.#address(placed, memory)), ...sizes],
      label: one.call.label,
    });
  }

  /** All that the buffer holds in a call, as one more step. */
  #copy({ place, from, to }: BufferCopy): void {
    const { builder: b, scope } = this.#calls;
    const { program, phase, layout, arena, spread } = this.#request;
    const { name, elem, size } = phase.buffers[place] ?? { name: "", elem: "f32", size: 0 };
    const elements = b.expression(size, scope);
    this.#calls.check(elements, arena.buffers[place] ?? 0, `${name} for another memory`);
    const address = b.constant(layout.arena + (arena.offsets[place] ?? 0));
    this.#steps.push({
      kernel: copyOrdinal(spread.memories.length, program.kernels.length, from, to),
      items: b.constant(1),
      args: [address, address, b.operation("*", elements, b.constant(elemBytes[elem]))],
      label: `${name} from memory ${from} to ${to}`,
    });
  }

  #address(placed: PlacedBuffer, memory: number): ValueId {
    const b = this.#calls.builder;
    const { program, phase, layout, states, spread, arena } = this.#request;
    const at = (base: number, from: ValueId, bytes: number): ValueId =>
      b.operation("+", b.constant(base), b.operation("*", from, b.constant(bytes)));
    switch (placed.kind) {
      case "arena": {
        const elem = phase.buffers[placed.place]?.elem ?? "f32";
        return at(layout.arena + (arena.offsets[placed.place] ?? 0), placed.from, elemBytes[elem]);
      }
      case "weight": {
        const bytes = elemBytes[program.weights[placed.weight]?.elem ?? "f32"];
        // Where the offset is not known before a call, the weight is in one part.
        const from = b.known(placed.from) ?? 0;
        const part = spread.weights[placed.weight]?.findLast((p) => p.memory === memory && p.from <= from);
        return at((part?.at ?? 0) - (part?.from ?? 0) * bytes, placed.from, bytes);
      }
      case "constant": {
        const { elem } = program.constants[placed.constant] ?? { elem: "f32" };
        return at(layout.constants[placed.constant] ?? 0, placed.from, elemBytes[elem]);
      }
      case "state": {
        const rowAt = b.operation("*", placed.row, b.constant(states.rowBytes[placed.state] ?? 0));
        const offset = this.#copyOffset(placed.state, placed.copy);
        return b.operation("+", b.operation("+", this.#sessions[memory] ?? 0, rowAt), offset);
      }
      case "input":
        return at(layout.inputs + (arena.inputOffsets[placed.input] ?? 0), placed.from, 4);
      default:
        return placed satisfies never;
    }
  }

  /** Where the copies are that may be meant, they follow each other. */
  #copyOffset(state: number, copy: ValueId): ValueId {
    const b = this.#calls.builder;
    const { states, spread } = this.#request;
    const known = b.known(copy);
    const first = b.constant(spread.states[state]?.[known ?? 0]?.offset ?? 0);
    return known === null
      ? b.operation("+", first, b.operation("*", copy, b.constant(states.copyBytes[state] ?? 0)))
      : first;
  }
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
