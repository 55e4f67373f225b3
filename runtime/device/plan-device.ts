/** How a program will lie in memory: known before anything is allocated. */
import type { Program } from "../artifact/program.ts";
import { evaluateCall } from "../calls/link-call.ts";
import { type CallSizes, extremeCalls, playedProgram } from "../calls/played-program.ts";
import { type Layout, layOut, layOutStates, mostBytes, type StateLayout } from "./layout.ts";
import { type LinkedPhase, linkPhase } from "./link-phase.ts";
import { type ArenaPlan, type PhaseArena, planArena } from "./plan-arena.ts";
import { fits, inOneMemory, type Spread, type SpreadRequest } from "./spread.ts";
import { word } from "./thread-main.ts";

export interface DevicePlan {
  readonly program: Program;
  readonly threads: number;
  readonly chunk: number;
  readonly context: number;
  readonly arena: ArenaPlan;
  readonly layout: Layout;
  readonly states: StateLayout;
  readonly spread: Spread;
  /** Bytes that each memory may have. */
  readonly memoryBytes: number;
  readonly phases: readonly LinkedPhase[];
}

export interface PlanRequest extends CallSizes {
  readonly program: Program;
  readonly threads: number;
  /** Bytes that one memory may have: 4 GiB unless less is said. */
  readonly memoryBytes?: number | undefined;
}

/** In one memory if it fits there with a session, else in several. Throws CorruptPackageError and OutOfMemoryError. */
export async function planInMemories(request: PlanRequest): Promise<DevicePlan> {
  const one = planDevice(request);
  if (fits(one.spread, one.memoryBytes)) return one;
  const { inSeveralMemories } = await import("./several/spread.ts");
  return planDevice(request, inSeveralMemories);
}

/** Throws CorruptPackageError. */
export function planDevice(request: PlanRequest, spread: (r: SpreadRequest) => Spread = inOneMemory): DevicePlan {
  const { threads, chunk, context, memoryBytes = mostBytes } = request;
  const program = playedProgram(request.program, request);
  const arena = planArena(program, context);
  const states = layOutStates(program.states, context);
  const place = (values: number): Pick<DevicePlan, "layout" | "spread" | "phases"> => {
    const controlBytes = 4 * (word.end + values);
    const layout = layOut({ program, threads, arenaBytes: arena.bytes, inputBytes: arena.inputBytes, controlBytes });
    const spreaded = spread({ program, layout, states, arena, limit: memoryBytes });
    const linked = program.phases.map((phase, i) =>
      linkPhase({
        ...{ program, phase, layout, states, spread: spreaded, route: spreaded.routes[i] ?? null },
        arena: arena.phases[i] ?? noArena,
      }),
    );
    return { layout, spread: spreaded, phases: linked };
  };
  // How many values change does not depend on addresses, so a first link tells how much room they take.
  let values = 0;
  let placed = place(values);
  while (changingValues(placed.phases) > values) {
    values = changingValues(placed.phases);
    placed = place(values);
  }
  for (const one of placed.phases) checkExtremes(one, context, placed.spread.memories.length);
  return { program, threads, chunk, context, arena, states, memoryBytes, ...placed };
}

const noArena: PhaseArena = { buffers: [], inputs: [], offsets: [], inputOffsets: [] };

/** The most values that a phase changes in a call. */
export const changingValues = (phases: readonly LinkedPhase[]): number =>
  Math.max(0, ...phases.map((p) => p.changing.length));

function checkExtremes(linked: LinkedPhase, context: number, memories: number): void {
  const sessions = Array<number>(memories).fill(0);
  for (const { tokens, before } of extremeCalls(linked.phase, context)) evaluateCall(linked, tokens, before, sessions);
}
