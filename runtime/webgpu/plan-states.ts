/** The rows of a session as GPUBuffers: of each state its copies one after the other, in as many buffers as bindings ask for. */
import { elemBytes } from "../artifact/elems.ts";
import { GpuLimitError } from "../artifact/errors.ts";
import type { Program } from "../artifact/program.ts";
import { type BoundRange, sizeOf } from "./buffer-table.ts";
import { type GpuLimits, remedies } from "./gpu-limits.ts";
import type { BufferOrder } from "./gpu-memory.ts";
import { alignment } from "./plan-weights.ts";

interface PlannedState {
  /** From one copy to the next. */
  readonly copyElements: number;
  readonly parts: readonly {
    /** The first copy. */
    readonly from: number;
    readonly copies: number;
    readonly range: BoundRange;
  }[];
}
export interface StatePlan {
  readonly states: readonly PlannedState[];
  /** Of one session. */
  readonly orders: readonly BufferOrder[];
}

/** `rows`: the context. Throws GpuLimitError. */
export function planStates({ states }: Program, rows: number, { binding }: GpuLimits): StatePlan {
  const orders: BufferOrder[] = [];
  const planned = states.map(({ name, elem, row, copies }): PlannedState => {
    const copyElements = Math.ceil((rows * row) / alignment) * alignment;
    const copyBytes = copyElements * elemBytes[elem];
    if (copyBytes > binding)
      throw new GpuLimitError(
        "maxStorageBufferBindingSize",
        `${rows} rows of ${name}`,
        copyBytes,
        binding,
        remedies.context,
      );
    const together = Math.max(1, Math.floor(binding / Math.max(1, copyBytes)));
    const parts: PlannedState["parts"][number][] = [];
    for (let from = 0; from < copies; from += together) {
      const some = Math.min(together, copies - from);
      const bytes = sizeOf(some * copyBytes);
      const buffer = orders.push({ what: `rows of ${name}`, bytes }) - 1;
      parts.push({ from, copies: some, range: { session: true, buffer, from: 0, bytes } });
    }
    return { copyElements, parts };
  });
  return { states: planned, orders };
}
