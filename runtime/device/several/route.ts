/**
 * In which memory each step of a phase runs, and which buffers go from one memory to another before it. Every memory has a place
 * for every buffer; this knows, at every step, which of them hold what the buffer holds. A step that writes gets what others have
 * written before, since it may write a part only.
 */

import type { StepUses } from "../../calls/step-uses.ts";
import type { BufferCopy, Route } from "../spread.ts";

export interface RouteRequest {
  readonly memories: number;
  readonly steps: readonly StepUses[];
  /** Memories that have all that a step reads of weights and states. */
  readonly mayRun: (step: StepUses) => readonly number[];
  /** Bytes of each arena buffer, at most. */
  readonly bytes: readonly number[];
}

export function routePhase({ memories, steps, mayRun, bytes }: RouteRequest): Route {
  const holders = bytes.map(() => new Set<number>());
  const homes: number[] = [];
  const copies: (readonly BufferCopy[])[] = [];
  let last = 0;
  for (const step of steps) {
    for (const place of step.ended) holders[place]?.clear();
    const needed = new Set(step.arena.map((use) => use.place));
    const missing = (memory: number): readonly number[] =>
      [...needed].filter((place) => (holders[place]?.size ?? 0) > 0 && holders[place]?.has(memory) !== true);
    const cost = (memory: number): number => missing(memory).reduce((n, place) => n + (bytes[place] ?? 0), 0);
    const far = (memory: number): number => (memory === last ? 0 : 1);
    const home = [...mayRun(step)].sort((a, b) => cost(a) - cost(b) || far(a) - far(b) || a - b)[0];
    if (home === undefined || home >= memories) throw new Error("a step has no memory");
    copies.push(missing(home).map((place) => ({ place, from: holderOf(holders[place], last), to: home })));
    for (const { place, access } of step.arena) {
      const held = holders[place];
      if (access !== "read") held?.clear();
      held?.add(home);
    }
    homes.push(home);
    last = home;
  }
  return { homes, copies };
}

/** The one where the step before ran, if it may be. */
function holderOf(held: ReadonlySet<number> | undefined, last: number): number {
  return held?.has(last) === true ? last : ([...(held ?? [])][0] ?? 0);
}
