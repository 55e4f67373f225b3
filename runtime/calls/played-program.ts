/** What of a program is played with the sizes that it is loaded with. */
import type { Phase, Program } from "../artifact/program.ts";

/** Of calls. */
export interface CallSizes {
  readonly context: number;
  /** Most tokens of a call, and of one that gives the logits of all of them. */
  readonly chunk: number;
  readonly logitsChunk: number;
}

/** Phases take no more tokens and rows than a call ever has; those for more are left out. */
export function playedProgram(whole: Program, { context, chunk, logitsChunk }: CallSizes): Program {
  const phases = whole.phases
    .map((p) => ({ ...p, to: Math.min(p.to, p.rows?.to ?? context, context, isWide(p) ? logitsChunk : chunk) }))
    .filter((p) => p.from <= p.to && (p.rows?.from ?? 1) <= context);
  return { ...whole, phases };
}
/** Whether it gives the logits of all tokens. */
const isWide = (p: Phase): boolean => p.outputs.some(({ name }) => name === "logits");

/** Names of phases that are played while a call is under way, where tables are: what is looked up is decoded then. */
export const playedBetween = ({ tables = [], decoders = [] }: Program): ReadonlySet<string> =>
  new Set(tables.length === 0 ? [] : decoders.map((d) => d.phase));

/** Calls of a phase that take least and most: what a first and a last call would be refused for is refused at once. */
export function extremeCalls(
  { from, to, rows }: Phase,
  context: number,
): readonly { readonly tokens: number; readonly before: number }[] {
  const { from: least, to: most } = rows ?? { from: 1, to: context };
  return [from, to].flatMap((tokens) =>
    [Math.max(0, least - tokens), Math.min(most, context) - tokens].map((before) => ({ tokens, before })),
  );
}
