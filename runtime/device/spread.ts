/** Where the weights and states of a model are: in one memory, or in several that are alike in front (`several/`). */
import type { Program } from "../artifact/program.ts";
import { weightBytes, weightElements } from "../artifact/weight-sizes.ts";
import { type Layout, type StateLayout, spaced } from "./layout.ts";
import type { ArenaPlan } from "./plan-arena.ts";

/** A stretch of a weight in a memory. */
export interface WeightPart {
  /** Elements. */
  readonly from: number;
  readonly elements: number;
  readonly memory: number;
  /** Byte address. */
  readonly at: number;
}
export interface StateCopy {
  readonly memory: number;
  /** Bytes from the start of a session's rows in that memory. */
  readonly offset: number;
}
export interface MemoryPlace {
  /** First byte behind all that is fixed: from here on sessions live. */
  readonly end: number;
  /** Bytes of a session's rows. */
  readonly states: number;
}

export interface Spread {
  readonly memories: readonly MemoryPlace[];
  /** Of each weight: from the front, without gaps; the same stretch may be in several memories. */
  readonly weights: readonly (readonly WeightPart[])[];
  /** By state and copy. */
  readonly states: readonly (readonly StateCopy[])[];
  /** By phase; null where there is nothing to choose. */
  readonly routes: readonly (Route | null)[];
}

/** A copy of a buffer from one memory to another. */
export interface BufferCopy {
  /** The buffer whose memory it is. */
  readonly place: number;
  readonly from: number;
  readonly to: number;
}
/** Of a phase: the memories in which its steps run, and what is copied before each; the last is what reads the result. */
export interface Route {
  readonly homes: readonly number[];
  readonly copies: readonly (readonly BufferCopy[])[];
}

export interface SpreadRequest {
  readonly program: Program;
  readonly layout: Layout;
  readonly states: StateLayout;
  readonly arena: ArenaPlan;
  /** Bytes that a memory may have, where there are several. */
  readonly limit: number;
}

export function inOneMemory({ program, layout, states }: SpreadRequest): Spread {
  let end = layout.end;
  const weights = program.weights.map((decl): readonly WeightPart[] => {
    const at = end;
    end += spaced(weightBytes(decl));
    return [{ from: 0, elements: weightElements(decl), memory: 0, at }];
  });
  const copies = program.states.map((decl, s) =>
    Array.from({ length: decl.copies }, (_, copy): StateCopy => {
      return { memory: 0, offset: (states.offsets[s] ?? 0) + copy * (states.copyBytes[s] ?? 0) };
    }),
  );
  return {
    memories: [{ end, states: states.bytes }],
    weights,
    states: copies,
    routes: program.phases.map(() => null),
  };
}

/** Whether it has room for a session. */
export const fits = ({ memories }: Spread, limit: number): boolean =>
  memories.every(({ end, states }) => end + states <= limit);
