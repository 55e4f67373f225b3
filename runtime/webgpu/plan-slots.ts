/**
 * Which buffers of calls share a GPUBuffer. A dispatch may not bind a buffer that it writes a second time, so two that live at one
 * step never share one, unlike in `artifact/plan-memory.ts`, where they lie side by side.
 */
import type { Living } from "../artifact/plan-memory.ts";

export interface SlotPlan {
  /** Bytes of each slot. */
  readonly slots: readonly number[];
  /** Slot of each buffer, by phase. */
  readonly of: readonly (readonly number[])[];
}

/** `phases`: buffers of calls that are never under way together. The largest come first, each in the smallest slot that is free. */
export function planSlots(phases: readonly (readonly Living[])[]): SlotPlan {
  const all = phases.flatMap((buffers, phase) => buffers.map((buffer, i) => ({ phase, i, buffer })));
  const slots: { readonly bytes: number; readonly taken: Map<number, Living[]> }[] = [];
  const of = phases.map((buffers) => buffers.map(() => 0));
  for (const { phase, i, buffer } of all.sort(
    (a, b) => b.buffer.bytes - a.buffer.bytes || a.phase - b.phase || a.i - b.i,
  )) {
    let slot = slots.findLastIndex(({ taken }) => !taken.get(phase)?.some((other) => meet(other, buffer)));
    if (slot < 0) slot = slots.push({ bytes: buffer.bytes, taken: new Map() }) - 1;
    const taken = slots[slot]?.taken;
    taken?.set(phase, [...(taken.get(phase) ?? []), buffer]);
    of[phase]?.splice(i, 1, slot);
  }
  return { slots: slots.map(({ bytes }) => bytes), of };
}

const meet = (a: Living, b: Living): boolean => a.live[0] <= b.live[1] && b.live[0] <= a.live[1];
