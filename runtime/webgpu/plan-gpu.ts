/** How a program will lie in the memory of a GPU: known before a device is asked for. */
import { elemBytes } from "../artifact/elems.ts";
import { GpuLimitError } from "../artifact/errors.ts";
import type { Living } from "../artifact/plan-memory.ts";
import type { Program } from "../artifact/program.ts";
import { evaluateCall } from "../calls/link-call.ts";
import type { PlayedProgram } from "../calls/model-device.ts";
import { type PhaseElements, phaseElements } from "../calls/phase-elements.ts";
import { type CallSizes, extremeCalls, playedBetween, playedProgram } from "../calls/played-program.ts";
import { type BindingSet, type BoundRange, BufferTable, sizeOf } from "./buffer-table.ts";
import { type ConstantCopy, Gathered } from "./gathered.ts";
import { type GpuLimits, remedies } from "./gpu-limits.ts";
import type { BufferOrder } from "./gpu-memory.ts";
import { type GpuPhase, linkGpuPhase } from "./link-gpu.ts";
import { type PhasePlaces, Places, type WeightPlace } from "./places.ts";
import { planSlots } from "./plan-slots.ts";
import type { StatePlan } from "./plan-states.ts";
import type { inWindows } from "./windows.ts";
import { withinLimits } from "./within-limits.ts";

export interface GpuPlan extends PlayedProgram {
  readonly phases: readonly GpuPhase[];
  /** Of all sessions. */
  readonly buffers: readonly BufferOrder[];
  readonly sets: readonly BindingSet[];
  readonly states: StatePlan;
  /** All places where bytes of a weight are to be, by weight. */
  readonly weights: readonly (readonly WeightPlace[])[];
  /** All places of constants. */
  readonly constants: readonly ConstantCopy[];
  /** By phase: the byte of the uniforms' buffer where its blocks start. */
  readonly uniforms: readonly number[];
  readonly uniformBytes: number;
  /** Bytes of what calls need for a while, and of that the most that is alive at one step. */
  readonly arena: number;
  readonly arenaPeak: number;
}

/** `windows`: null where no weight is larger than any binding. Throws CorruptPackageError and GpuLimitError. */
export function planGpu(
  whole: Program,
  sizes: CallSizes,
  limits: GpuLimits,
  windows: typeof inWindows | null,
): GpuPlan {
  const { chunk, context } = sizes;
  const fitting = withinLimits(playedProgram(whole, sizes), context, limits);
  const program = windows?.(fitting, limits) ?? fitting;
  const elements = program.phases.map((phase) => phaseElements(program, phase, context));
  const table = new BufferTable();
  const places = new Places(program, context, limits, table);
  const constants = places.constants.map(({ buffer }, constant): ConstantCopy => {
    const { length } = program.constants[constant]?.values ?? [];
    return { constant, from: 0, elements: length, buffer, at: 0 };
  });
  const gathered = new Gathered(table, places);
  const arena = placeArena(program, elements, table);
  const phases = program.phases.map((phase, i) =>
    linkGpuPhase({
      ...{ program, phase, context, places, table, gathered },
      elements: elements[i] ?? { buffers: [], inputs: [] },
      at: arena.phases[i] ?? { buffers: [], inputs: [] },
    }),
  );
  for (const one of phases)
    for (const { tokens, before } of extremeCalls(one.phase, context)) evaluateCall(one, tokens, before);
  checkLimits(table, places.states, limits);
  let uniformBytes = 0;
  const uniforms = phases.map(({ uniforms: { numbers } }) => {
    const at = uniformBytes;
    uniformBytes += numbers.byteLength;
    return at;
  });
  return {
    ...{ program, chunk, context, phases, uniforms, uniformBytes: sizeOf(uniformBytes) },
    buffers: table.orders,
    sets: table.sets,
    states: places.states,
    weights: places.weights,
    constants: [...constants, ...gathered.constants],
    arena: arena.bytes,
    arenaPeak: arena.peak,
  };
}

interface ArenaPlaces {
  readonly phases: readonly PhasePlaces[];
  readonly bytes: number;
  readonly peak: number;
}

/** Buffers and inputs of calls, those apart that are played while another call is under way. */
function placeArena(program: Program, elements: readonly PhaseElements[], table: BufferTable): ArenaPlaces {
  const between = playedBetween(program);
  const living = program.phases.map((phase, i): readonly Living[] => {
    const { buffers = [], inputs = [] } = elements[i] ?? {};
    return [
      ...phase.buffers.map(({ elem, live }, n) => ({ bytes: sizeOf((buffers[n] ?? 0) * elemBytes[elem]), live })),
      ...phase.inputs.map(({ elem }, n) => ({ bytes: sizeOf((inputs[n] ?? 0) * elemBytes[elem]), live: allOfIt })),
    ];
  });
  const phases: PhasePlaces[] = program.phases.map(() => ({ buffers: [], inputs: [] }));
  let [bytes, peak] = [0, 0];
  for (const side of [false, true]) {
    const its = program.phases.flatMap((p, i) => (between.has(p.name) === side ? [i] : []));
    const { slots, of } = planSlots(its.map((i) => living[i] ?? []));
    const ranges = slots.map((size) => table.add("memory of calls", size));
    bytes += slots.reduce((n, size) => n + size, 0);
    peak += Math.max(0, ...its.map((i) => peakOf(living[i] ?? [])));
    for (const [n, i] of its.entries()) {
      const all = (of[n] ?? []).flatMap((slot): readonly BoundRange[] => ranges.slice(slot, slot + 1));
      const count = program.phases[i]?.buffers.length ?? 0;
      phases[i] = { buffers: all.slice(0, count), inputs: all.slice(count) };
    }
  }
  return { phases, bytes, peak };
}
const allOfIt = [0, Number.POSITIVE_INFINITY] as const;

/** Most bytes alive at one step. */
function peakOf(buffers: readonly Living[]): number {
  const alive = (step: number): number =>
    buffers.reduce((n, { bytes, live }) => n + (live[0] <= step && step <= live[1] ? bytes : 0), 0);
  return Math.max(0, ...new Set(buffers.map((b) => alive(b.live[0]))));
}

/** Weights and rows were planned for them; calls may still take too much. */
function checkLimits(table: BufferTable, states: StatePlan, { binding, buffer }: GpuLimits): void {
  const bound = new Set(table.sets.flatMap(({ ranges }) => ranges));
  for (const range of bound) {
    const { what } = (range.session ? states.orders : table.orders)[range.buffer] ?? { what: "" };
    if (range.bytes > binding)
      throw new GpuLimitError("maxStorageBufferBindingSize", what, range.bytes, binding, remedies.call);
  }
  for (const { what, bytes } of [...table.orders, ...states.orders])
    if (bytes > buffer) throw new GpuLimitError("maxBufferSize", what, bytes, buffer, remedies.call);
}
