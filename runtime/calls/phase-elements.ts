/** How large what a call needs can get, over all calls that may come. */
import type { Phase, Program, SizeExpr } from "../artifact/program.ts";
import { callScope, product, refusing } from "./call-scope.ts";
import { ValueBuilder } from "./values.ts";

/** Most elements of each arena buffer and each input of a phase. */
export interface PhaseElements {
  readonly buffers: readonly number[];
  readonly inputs: readonly number[];
}

/** `context`: most rows in all, of before and of a call. Throws CorruptPackageError. */
export function phaseElements(program: Program, phase: Phase, context: number): PhaseElements {
  const sizes = [...phase.buffers.map((b) => b.size), ...phase.inputs.map((input) => product(input.dims))];
  const largest = refusing(phase, () => largestSizes(program, phase, sizes, context));
  return { buffers: largest.slice(0, phase.buffers.length), inputs: largest.slice(phase.buffers.length) };
}

/**
 * The values of `sizes`, the most over all calls. Sizes grow with the rows before a call, as every text that a compiler
 * writes has them, so for each number of tokens all rows that a phase is for need most. Were one to shrink, the check before the call
 * (`link-call.ts`) would refuse it.
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
