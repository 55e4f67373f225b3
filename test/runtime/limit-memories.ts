/** Bytes of one memory that make a model take a given number of them. */

import { OutOfMemoryError } from "../../runtime/artifact/errors.ts";
import type { Program } from "../../runtime/artifact/program.ts";
import { type DevicePlan, type PlanRequest, planDevice } from "../../runtime/device/plan-device.ts";
import { inSeveralMemories } from "../../runtime/device/several/spread.ts";
import { fits } from "../../runtime/device/spread.ts";

type Order = Omit<PlanRequest, "memoryBytes">;

/** What `planInMemories` gives. */
export function planUnder(order: Order, memoryBytes: number): DevicePlan {
  const one = planDevice({ ...order, memoryBytes });
  return fits(one.spread, memoryBytes) ? one : planDevice({ ...order, memoryBytes }, inSeveralMemories);
}

/** How many memories there are under a limit; null where it is too low. */
export function memoriesUnder(order: Order, memoryBytes: number): number | null {
  try {
    return planUnder(order, memoryBytes).spread.memories.length;
  } catch (error) {
    if (error instanceof OutOfMemoryError) return null;
    throw error;
  }
}

/** A high limit under which there are so many. */
export function limitFor(order: Order, count: number): number {
  const one = planDevice(order);
  const [all] = one.spread.memories;
  let room = (all?.end ?? 0) + (all?.states ?? 0) - one.layout.end;
  while (room > 64) {
    if (memoriesUnder(order, one.layout.end + room) === count) return one.layout.end + room;
    room -= Math.ceil(room / 40);
  }
  throw new Error(`no limit makes ${count} memories`);
}

/** As `load` plans it for a context. */
export const orderOf = (program: Program, context: number, threads: number): Order => ({
  program,
  threads,
  context,
  chunk: Math.min(256, context, Math.max(...program.phases.map((p) => p.to))),
  logitsChunk: Math.min(64, context),
});
