/**
 * Phases that take no more tokens and rows than an adapter has bindings for what lives during a call. Latent attention has a plan for long
 * prompts that makes keys and values of all rows, and one for a few tokens that makes none: behind so many rows that those of the first are
 * more than a binding, calls are played by the second.
 */
import { elemBytes } from "../artifact/elems.ts";
import type { Phase, Program } from "../artifact/program.ts";
import { callScope, product, refusing } from "../calls/call-scope.ts";
import { logitsOf, unplayed, type Wanted } from "../calls/choose-phase.ts";
import { ValueBuilder } from "../calls/values.ts";
import { sizeOf } from "./buffer-table.ts";
import type { GpuLimits } from "./gpu-limits.ts";

/**
 * Of a program as it is played, up to `context` rows. As it was where some call would be left that nothing plays: whoever plans it then
 * tells which limit that is. Throws CorruptPackageError.
 */
export function withinLimits(program: Program, context: number, limits: GpuLimits): Program {
  const phases = program.phases.flatMap((phase) => refusing(phase, () => fitted(program, phase, context, limits)));
  const most = Math.max(1, ...program.phases.map((p) => p.to));
  const reach = (of: readonly Phase[], wanted: Wanted): number => unplayed(of, most, context, wanted) ?? context;
  const plays = (wanted: Wanted): boolean => reach(phases, wanted) >= reach(program.phases, wanted);
  return program.phases.flatMap(wantedOf).every(plays) ? { ...program, phases } : program;
}

/** What calls ask of a phase that gives logits. */
function wantedOf(phase: Phase): readonly Wanted[] {
  const logits = logitsOf(phase);
  if (logits === null) return [];
  const rows = phase.outputs.map(({ name }) => name).filter((name) => name !== logits);
  return [{ entry: phase.entry, logits, rows }];
}

/** The phase for as many tokens as have room, and then for as many rows; none where not even its least call has. */
function fitted(program: Program, phase: Phase, context: number, limits: GpuLimits): readonly Phase[] {
  // Others hang on no session, and have nobody to take their place.
  if (logitsOf(phase) === null) return [phase];
  const { from: least, to } = phase.rows ?? { from: 1, to: context };
  const most = Math.min(to, context);
  const fits = callsThatFit(program, phase, Math.min(limits.binding, limits.buffer));
  const tokens = last(phase.from, phase.to, (t) => fits(t, Math.max(t, least)));
  if (tokens === null) return [];
  const rows = last(Math.max(tokens, least), most, (r) => fits(tokens, r));
  if (rows === null || rows === most) return [{ ...phase, to: tokens }];
  return [{ ...phase, to: tokens, rows: { from: least, to: rows } }];
}

/** Whether all that a call of so many tokens needs, with so many rows remembered after it, is of at most so many bytes each. */
function callsThatFit(program: Program, phase: Phase, bytes: number): (tokens: number, rows: number) => boolean {
  const builder = new ValueBuilder();
  const [tokens, before] = [builder.input(), builder.input()];
  const scope = callScope(program, builder, tokens, before);
  const sizes = [
    ...phase.buffers.map(({ elem, size }) => ({ elem, size })),
    ...phase.inputs.map(({ elem, dims }) => ({ elem, size: product(dims) })),
  ].map(({ elem, size }) => ({ width: elemBytes[elem], id: builder.expression(size, scope) }));
  const values = builder.finish();
  return (t, r) => {
    const numbers = values.evaluate([t, r - t]);
    return sizes.every(({ width, id }) => sizeOf((numbers[id] ?? 0) * width) <= bytes);
  };
}

/** The last of `from` … `to` up to which all are right, where what is right stops being so at most once; null where none is. */
function last(from: number, to: number, isRight: (n: number) => boolean): number | null {
  if (from > to || !isRight(from)) return null;
  let [right, wrong] = [from, to + 1];
  while (wrong - right > 1) {
    const middle = Math.floor((right + wrong) / 2);
    if (isRight(middle)) right = middle;
    else wrong = middle;
  }
  return right;
}
