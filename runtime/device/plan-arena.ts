/** One stretch of memory for the buffers of every phase, large enough for every call that may come. */
import { elemBytes } from "../artifact/elems.ts";
import { planMemory } from "../artifact/plan-memory.ts";
import type { Phase, Program } from "../artifact/program.ts";
import { type PhaseElements, phaseElements } from "../calls/phase-elements.ts";
import { playedBetween } from "../calls/played-program.ts";
import { spaced } from "./layout.ts";

export interface ArenaPlan {
  readonly phases: readonly PhaseArena[];
  readonly bytes: number;
  /** Of the inputs of a call, which stand apart. */
  readonly inputBytes: number;
  /** Most bytes alive at one step. */
  readonly peak: number;
}

/** By buffer, and by input: most elements, and the offset in bytes. */
export interface PhaseArena extends PhaseElements {
  readonly offsets: readonly number[];
  readonly inputOffsets: readonly number[];
}

/** `context`: most rows in all, of before and of a call. */
export function planArena(program: Program, context: number): ArenaPlan {
  // What is looked up is decoded while a call is under way: apart from what the call holds.
  const apart = playedBetween(program);
  const planned = program.phases.map((phase) => {
    const elements = phaseElements(program, phase, context);
    const inputs = placeInputs(phase, elements);
    const buffers = phase.buffers.map((b, i) => ({
      bytes: spaced((elements.buffers[i] ?? 0) * elemBytes[b.elem]),
      live: b.live,
    }));
    return { ...elements, ...inputs, ...planMemory(buffers) };
  });
  const sides = [false, true].map((side) =>
    planned.filter((_, i) => apart.has(program.phases[i]?.name ?? "") === side),
  );
  const most = (side: number, of: (p: (typeof planned)[number]) => number): number =>
    Math.max(0, ...(sides[side] ?? []).map(of));
  const [bytes, inputBytes] = [most(0, (p) => p.bytes), most(0, (p) => p.inputBytes)];
  const moved = planned.map((p) => (sides[1]?.includes(p) ? shifted(p, bytes, inputBytes) : p));
  return {
    phases: moved,
    bytes: bytes + most(1, (p) => p.bytes),
    inputBytes: inputBytes + most(1, (p) => p.inputBytes),
    peak: most(0, (p) => p.peak) + most(1, (p) => p.peak),
  };
}

/** Behind what others have. */
const shifted = (p: PhaseArena, bytes: number, inputBytes: number): PhaseArena => ({
  ...p,
  offsets: p.offsets.map((at) => at + bytes),
  inputOffsets: p.inputOffsets.map((at) => at + inputBytes),
});

/** One after the other. */
function placeInputs(
  { inputs }: Phase,
  elements: PhaseElements,
): Pick<PhaseArena, "inputOffsets"> & { readonly inputBytes: number } {
  let inputBytes = 0;
  const inputOffsets = inputs.map(({ elem }, i) => {
    const at = inputBytes;
    inputBytes += spaced((elements.inputs[i] ?? 0) * elemBytes[elem]);
    return at;
  });
  return { inputOffsets, inputBytes };
}
