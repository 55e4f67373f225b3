/** How much memory a program takes: weights, what a token leaves behind, what a call needs for a while. In bytes. */
import { planMemory } from "../../runtime/artifact/plan-memory.ts";
import type { BufferElem, Phase, Program, SizeExpr } from "../../runtime/artifact/program.ts";
import { evalSize } from "../../runtime/artifact/size-expr.ts";
import { elems } from "../kernel/elem.ts";

export interface PhaseMemory {
  readonly phase: string;
  readonly result: string;
  /** Tokens of the call, and rows before it, for which `arena` is. */
  readonly tokens: number;
  readonly before: number;
  /** Of the plan; no plan takes less than `peak`. */
  readonly arena: number;
  readonly peak: number;
}

export interface MemoryCard {
  readonly weights: number;
  readonly constants: number;
  /** Of one more token. */
  readonly statePerToken: number;
  /** Of as many as the model remembers. */
  readonly stateAtContext: number;
  readonly phases: readonly PhaseMemory[];
  /** Most that one worker needs beside. */
  readonly scratch: number;
}

const bytesOf = (elem: BufferElem, count: number): number => elems[elem].bytes * count;
const product = (extents: readonly number[]): number => extents.reduce((n, extent) => n * extent, 1);
const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);

/** `tokens`: of a long call, where a phase takes as many. */
export function memoryCard(program: Program, tokens: number): MemoryCard {
  const { weights, constants, states, kernels, phases, context } = program;
  const statePerToken = sum(states.map((s) => bytesOf(s.elem, s.row * s.copies)));
  return {
    weights: sum(weights.map((w) => bytesOf(w.elem, product([...w.stacks, ...w.shape])))),
    constants: sum(constants.map((c) => bytesOf(c.elem, c.values.length))),
    statePerToken,
    stateAtContext: statePerToken * context,
    phases: phases.map((phase) => phaseMemory(program, phase, Math.max(phase.from, Math.min(phase.to, tokens)))),
    scratch: Math.max(0, ...kernels.map((k) => k.scratch)),
  };
}

/** At the end of a full context, where a call needs most. */
function phaseMemory(program: Program, { name, result, buffers }: Phase, tokens: number): PhaseMemory {
  const before = Math.max(0, program.context - tokens);
  const values: Readonly<Record<string, number>> = {
    ...program.sizes,
    [program.tokens]: tokens,
    [program.before]: before,
  };
  const count = (size: SizeExpr): number => evalSize(size, (n) => (Object.hasOwn(values, n) ? values[n] : undefined));
  const { bytes, peak } = planMemory(buffers.map((b) => ({ bytes: bytesOf(b.elem, count(b.size)), live: b.live })));
  return { phase: name, result, tokens, before, arena: bytes, peak };
}
