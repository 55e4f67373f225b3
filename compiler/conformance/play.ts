/**
 * Plays the phases of a graph in a memory that is hostile: what a buffer of the call held is overwritten when its life begins
 * and when it ends, so a step that reads memory nobody wrote, or of a value that is gone, computes nans.
 */
import { elemBytes } from "../../runtime/artifact/elems.ts";
import { planMemory } from "../../runtime/artifact/plan-memory.ts";
import type { Binding, Call, Phase, SizeExpr, Step } from "../../runtime/artifact/program.ts";
import { evalSize } from "../../runtime/artifact/size-expr.ts";
import { InternalError } from "../graph/internal-error.ts";
import { elementsOf, sizeOf } from "../program/kernel-pool.ts";
import type { GraphProgram } from "./graph-program.ts";
import type { KernelMemory } from "./machine.ts";

/** Where something is, and how far it reaches. */
interface Place {
  readonly at: number;
  readonly bytes: number;
}
/** Every byte: a nan in all formats, -1 as a whole number. */
const poison = 0xff;

export interface Playing {
  readonly program: GraphProgram;
  readonly memory: KernelMemory;
  /** Of the call. */
  readonly sizes: Readonly<Record<string, number>>;
  /** Of inputs and weights, in the order of the program. */
  readonly given: readonly Place[];
  /** Of each state, and its rows in all. */
  readonly states: readonly { readonly at: number; readonly rows: number }[];
}

/** The bytes of the phase's result. */
export const playPhase = (phase: Phase, playing: Playing): Promise<Uint8Array<ArrayBuffer>> =>
  new Player(phase, playing).play();

/** A repeat that is running. */
interface Round {
  readonly from: number;
  readonly to: number;
  readonly first: boolean;
  readonly last: boolean;
}

class Player {
  readonly #phase: Phase;
  readonly #p: Playing;
  readonly #buffers: readonly Place[];
  /** Which buffer's memory a name means now. */
  readonly #places: number[];
  readonly #scope: Map<string, number>;
  readonly #rounds: Round[] = [];
  readonly #steps: number;

  constructor(phase: Phase, playing: Playing) {
    this.#phase = phase;
    this.#p = playing;
    this.#scope = new Map(Object.entries(playing.sizes));
    this.#places = phase.buffers.map((_, i) => i);
    const living = phase.buffers.map((b) => ({
      bytes: this.#number(b.size) * elemBytes[b.elem],
      live: b.live,
    }));
    const plan = planMemory(living);
    const arena = playing.memory.reserve(plan.bytes);
    this.#buffers = living.map(({ bytes }, i) => ({ at: arena + (plan.offsets[i] ?? 0), bytes }));
    this.#steps = leaves(phase.steps);
    playing.memory.bytes().fill(poison, arena, arena + plan.bytes);
  }
  #number(e: SizeExpr): number {
    return evalSize(e, (n) => this.#scope.get(n));
  }

  async play(): Promise<Uint8Array<ArrayBuffer>> {
    await this.#run(this.#phase.steps, 0);
    const [output] = this.#phase.outputs;
    if (output === undefined) throw new InternalError(`${this.#phase.name} has no result`);
    const { at, elem, dims } = output;
    const count = dims.reduce((n: number, d) => n * this.#number(d), 1);
    const from = this.#place(at, count * elemBytes[elem], "the result");
    return this.#p.memory.bytes().slice(from, from + count * elemBytes[elem]);
  }

  async #run(steps: readonly Step[], from: number): Promise<void> {
    let ordinal = from;
    for (const step of steps) {
      if (step.kind === "call") await this.#call(step, ordinal);
      else {
        const to = ordinal + leaves(step.body) - 1;
        const before = [...this.#places];
        for (let round = 0; round < step.count; round += 1) {
          this.#scope.set(step.index, round);
          this.#rounds.push({ from: ordinal, to, first: round === 0, last: round === step.count - 1 });
          await this.#run(step.body, ordinal);
          this.#rounds.pop();
          for (const [a, b] of step.swap) {
            const [x = a, y = b] = [this.#places[a], this.#places[b]];
            this.#places[a] = y;
            this.#places[b] = x;
          }
        }
        this.#places.splice(0, before.length, ...before);
        this.#scope.delete(step.index);
      }
      ordinal += step.kind === "call" ? 1 : leaves(step.body);
    }
  }

  async #call(step: Call, ordinal: number): Promise<void> {
    const { program, memory } = this.#p;
    const kernel = program.kernels[step.kernel];
    if (kernel === undefined) throw new InternalError(`no kernel ${step.kernel}`);
    this.#overwrite(ordinal, 0);
    const sizes: Record<string, number> = {};
    for (const [i, s] of kernel.sizes.entries()) sizes[s.name] = this.#number(step.sizes[i] ?? 0);
    const items = kernel.grid.reduce((n, g) => n * evalSize(sizeOf(g.extent), (x) => sizes[x]), 1);
    const at: Record<string, number> = {};
    for (const [i, b] of kernel.buffers.entries()) {
      const binding = step.buffers[i];
      if (binding === undefined) throw new InternalError(`${kernel.name} has no buffer ${i}`);
      const elements = evalSize(elementsOf(b), (n) => sizes[n]);
      at[b.name] = this.#place(binding, elements * elemBytes[b.elem], `${step.label}: ${b.name}`);
    }
    // Without work items nothing is called: what its sizes are is nobody's business then.
    if (items > 0) await memory.call(kernel, at, sizes);
    if (ordinal < this.#steps - 1) this.#overwrite(ordinal, 1);
  }

  /** Buffers whose life begins, or ends, with this step: not those of around that a repeat has in other rounds too. */
  #overwrite(ordinal: number, edge: 0 | 1): void {
    for (const [i, b] of this.#phase.buffers.entries()) {
      const place = this.#buffers[i];
      if (b.live[edge] !== ordinal || place === undefined || place.bytes === 0) continue;
      const through = this.#rounds.filter((r) => b.live[0] <= r.from && b.live[1] >= r.to);
      if (through.some((r) => (edge === 0 ? !r.first : !r.last))) continue;
      this.#p.memory.bytes().fill(poison, place.at, place.at + place.bytes);
    }
  }

  /** An address with so many bytes behind it, which are to be inside of what it is bound to. */
  #place(b: Binding, bytes: number, what: string): number {
    const inside = (place: Place | undefined, offset: number): number => {
      if (place === undefined) throw new InternalError(`${what} is bound to nothing`);
      if (!(offset >= 0 && bytes >= 0 && offset + bytes <= place.bytes))
        throw new Error(`${what} reaches from ${offset} to ${offset + bytes} of ${place.bytes} bytes`);
      return place.at + offset;
    };
    switch (b.kind) {
      case "arena": {
        const name = this.#places[b.buffer] ?? b.buffer;
        const elem = this.#phase.buffers[name]?.elem ?? "f32";
        return inside(this.#buffers[name], this.#number(b.offset ?? 0) * elemBytes[elem]);
      }
      case "weight": {
        const n = this.#p.program.given[b.weight];
        const elem = n === undefined ? "f32" : this.#p.program.elemOf(n);
        return inside(this.#p.given[b.weight], this.#number(b.offset ?? 0) * elemBytes[elem]);
      }
      case "state": {
        const [decl, place] = [this.#p.program.states[b.state], this.#p.states[b.state]];
        if (decl === undefined || place === undefined) throw new InternalError(`${what} is bound to no state`);
        const row = decl.row * elemBytes[decl.elem];
        const copy = this.#number(b.copy);
        if (copy < 0 || copy >= decl.copies) throw new Error(`${what}: copy ${copy} of ${decl.copies}`);
        const own = { at: place.at + copy * place.rows * row, bytes: place.rows * row };
        return inside(own, this.#number(b.row) * row);
      }
      case "constant":
      case "input":
        throw new InternalError(`${what}: a graph has no ${b.kind}`);
      default:
        return b satisfies never;
    }
  }
}

const leaves = (steps: readonly Step[]): number =>
  steps.reduce((n, s) => n + (s.kind === "call" ? 1 : leaves(s.body)), 0);
