/** One stretch of memory for the buffers of every phase, large enough for every call that may come. */
import { elemBytes } from "../artifact/elems.ts";
import { CorruptPackageError } from "../artifact/errors.ts";
import { planMemory } from "../artifact/plan-memory.ts";
import type { Phase, Program, SizeExpr } from "../artifact/program.ts";
import { programFile } from "../artifact/read-value.ts";
import { spaced } from "./layout.ts";
import { ValueBuilder, type ValueId } from "./values.ts";

export interface ArenaPlan {
  readonly phases: readonly PhaseArena[];
  readonly bytes: number;
  /** Of the inputs of a call, which stand apart. */
  readonly inputBytes: number;
  /** Most bytes alive at one step. */
  readonly peak: number;
}

/** By buffer, and by input: most elements, and the offset in bytes. */
export interface PhaseArena {
  readonly elements: readonly number[];
  readonly offsets: readonly number[];
  readonly inputs: { readonly elements: readonly number[]; readonly offsets: readonly number[] };
}

/** `context`: most rows in all, of before and of a call. */
export function planArena(program: Program, context: number): ArenaPlan {
  // What is looked up is decoded while a call is under way: apart from what the call holds.
  const apart = new Set((program.tables ?? []).length === 0 ? [] : program.decoders?.map((d) => d.phase));
  const planned = program.phases.map((phase) => {
    const inputSizes = phase.inputs.map((input) => product(input.dims));
    const sizes = [...phase.buffers.map((b) => b.size), ...inputSizes];
    const largest = refusing(phase, () => largestSizes(program, phase, sizes, context));
    const elements = largest.slice(0, phase.buffers.length);
    const inputs = placeInputs(phase, largest.slice(phase.buffers.length));
    const buffers = phase.buffers.map((b, i) => ({
      bytes: spaced((elements[i] ?? 0) * elemBytes[b.elem]),
      live: b.live,
    }));
    return { elements, inputs, ...planMemory(buffers) };
  });
  const sides = [false, true].map((side) =>
    planned.filter((_, i) => apart.has(program.phases[i]?.name ?? "") === side),
  );
  const most = (side: number, of: (p: (typeof planned)[number]) => number): number =>
    Math.max(0, ...(sides[side] ?? []).map(of));
  const [bytes, inputBytes] = [most(0, (p) => p.bytes), most(0, (p) => p.inputs.bytes)];
  const moved = planned.map((p) => (sides[1]?.includes(p) ? shifted(p, bytes, inputBytes) : p));
  return {
    phases: moved,
    bytes: bytes + most(1, (p) => p.bytes),
    inputBytes: inputBytes + most(1, (p) => p.inputs.bytes),
    peak: most(0, (p) => p.peak) + most(1, (p) => p.peak),
  };
}

/** Behind what others have. */
function shifted(p: PhaseArena, bytes: number, inputBytes: number): PhaseArena {
  const inputs = { elements: p.inputs.elements, offsets: p.inputs.offsets.map((at) => at + inputBytes) };
  return { elements: p.elements, offsets: p.offsets.map((at) => at + bytes), inputs };
}

/** The number of elements. */
export const product = (dims: readonly SizeExpr[]): SizeExpr =>
  dims.reduce<SizeExpr>((n, d) => (n === 1 ? d : ["*", n, d]), 1);

/** One after the other. */
function placeInputs({ inputs }: Phase, elements: readonly number[]): PhaseArena["inputs"] & { bytes: number } {
  let bytes = 0;
  const offsets = inputs.map(({ elem }, i) => {
    const at = bytes;
    bytes += spaced((elements[i] ?? 0) * elemBytes[elem]);
    return at;
  });
  return { elements, offsets, bytes };
}

/**
 * The values of `sizes`, the most over all calls. Sizes grow with the rows before a call, as every text that a compiler
 * writes has them, so for each number of tokens all rows that a phase is for need most. Were one to shrink, the check before the call
 * (`link-phase.ts`) would refuse it.
 */
function largestSizes(program: Program, phase: Phase, sizes: readonly SizeExpr[], context: number): readonly number[] {
  const builder = new ValueBuilder();
  const [tokens, before] = [builder.input(), builder.input()];
  const scope = callScope(program, builder, tokens, before);
  const ids = sizes.map((size) => builder.expression(size, scope));
  const values = builder.finish();
  const largest = ids.map(() => 0);
  const rows = Math.min(context, phase.rows?.to ?? context);
  for (let t = phase.from; t <= phase.to; t += 1) {
    const numbers = values.evaluate([t, rows - t]);
    for (const [i, id] of ids.entries()) largest[i] = Math.max(largest[i] ?? 0, numbers[id] ?? 0);
  }
  return largest;
}

/** Names in expressions of a call. */
export function callScope(
  { sizes, tokens, before }: Program,
  builder: ValueBuilder,
  tokensId: ValueId,
  beforeId: ValueId,
): Map<string, ValueId> {
  const scope = new Map(Object.entries(sizes).map(([name, value]) => [name, builder.constant(value)] as const));
  scope.set(tokens, tokensId);
  scope.set(before, beforeId);
  return scope;
}

/** Errors of arithmetic on sizes are those of the file. */
export function refusing<T>(phase: Phase, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof RangeError)
      throw new CorruptPackageError(programFile, `phase ${phase.name}: ${error.message}`);
    throw error;
  }
}
