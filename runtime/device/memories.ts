/** The memories of a model: weights by what they are, rows of sessions. */
import { elemBytes } from "../artifact/elems.ts";
import { statesOf } from "../artifact/entry-states.ts";
import type { SessionPlace } from "../calls/model-device.ts";
import { DeviceMemory } from "./memory.ts";
import type { DevicePlan } from "./plan-device.ts";

/** Bytes of a weight where they stand. */
interface WeightView {
  /** From the first byte that was asked for. */
  readonly from: number;
  readonly bytes: Uint8Array;
}

export class Memories {
  readonly all: readonly DeviceMemory[];
  readonly #plan: DevicePlan;

  /** Throws OutOfMemoryError. */
  constructor(plan: DevicePlan) {
    this.#plan = plan;
    this.all = plan.spread.memories.map(({ end }) => new DeviceMemory(end, plan.threads > 1, plan.memoryBytes));
  }

  /** As large as they are now. */
  get size(): number {
    return this.all.reduce((n, memory) => n + memory.bytes().length, 0);
  }

  bytes(memory: number): Uint8Array {
    const one = this.all[memory];
    if (one === undefined) throw new RangeError(`no memory ${memory}`);
    return one.bytes();
  }

  /** Bytes `from` … `from + count - 1` of a weight, in all places where they are: not to be kept over an `await`. */
  weight(weight: number, from: number, count: number): readonly WeightView[] {
    const size = elemBytes[this.#plan.program.weights[weight]?.elem ?? "f32"];
    const views: WeightView[] = [];
    for (const part of this.#plan.spread.weights[weight] ?? []) {
      const start = Math.max(from, part.from * size);
      const end = Math.min(from + count, (part.from + part.elements) * size);
      if (start >= end) continue;
      const at = part.at + start - part.from * size;
      views.push({ from: start - from, bytes: this.bytes(part.memory).subarray(at, at + end - start) });
    }
    return views;
  }

  /** Rows of a session, all zeros. Throws OutOfMemoryError and has then taken nothing. */
  allocateStates(): SessionPlace {
    const place: number[] = [];
    try {
      for (const [i, memory] of this.all.entries())
        place.push(memory.allocate(this.#plan.spread.memories[i]?.states ?? 0, this.#what(i)));
      return place;
    } catch (error) {
      this.releaseStates(place);
      throw error;
    }
  }

  #what(memory: number): string {
    return this.all.length === 1 ? "a session" : `a session in memory ${memory + 1} of ${this.all.length}`;
  }

  releaseStates(place: SessionPlace): void {
    for (const [i, at] of place.entries()) this.all[i]?.release(at, this.#plan.spread.memories[i]?.states ?? 0);
  }

  /**
   * The first `length` rows of each state of the program's entry, and copy, in this order whatever the memories are: not to be kept
   * over an `await`.
   */
  rows(place: SessionPlace, length: number): readonly Uint8Array[] {
    const { spread, states, program } = this.#plan;
    const own = statesOf(program, program.entry);
    return spread.states.flatMap((copies, s) =>
      (own.has(s) ? copies : []).map(({ memory, offset }) => {
        const at = (place[memory] ?? 0) + offset;
        return this.bytes(memory).subarray(at, at + length * (states.rowBytes[s] ?? 0));
      }),
    );
  }
}
