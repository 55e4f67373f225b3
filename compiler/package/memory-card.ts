/** How much memory a program takes: weights, what a token leaves behind, what a call needs for a while. In bytes. */
import { planMemory } from "../../runtime/artifact/plan-memory.ts";
import type { BufferElem, Phase, Program, SizeExpr } from "../../runtime/artifact/program.ts";
import { evalSize } from "../../runtime/artifact/size-expr.ts";
import { usualChunk, usualContext, usualLogitsChunk } from "../../runtime/artifact/usual-sizes.ts";
import { elems } from "../kernel/elem.ts";

export interface PhaseMemory {
  readonly phase: string;
  /** What it gives. */
  readonly results: readonly string[];
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
  /** Tokens that a session remembers, and what they take. */
  readonly context: number;
  readonly stateAtContext: number;
  readonly phases: readonly PhaseMemory[];
  /** What calls share: the most of all phases. */
  readonly arena: number;
  /** Most that one worker needs beside. */
  readonly scratch: number;
}

const bytesOf = (elem: BufferElem, count: number): number => elems[elem].bytes * count;
const product = (extents: readonly number[]): number => extents.reduce((n, extent) => n * extent, 1);
const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);

/** As a package is loaded where its caller asks for no other sizes. */
export function memoryCard(program: Program): MemoryCard {
  const { weights, constants, states, kernels } = program;
  const context = Math.min(program.context, usualContext);
  const decoding = new Set(program.decoders?.map((d) => d.phase));
  const called = program.phases.filter(({ name }) => !decoding.has(name));
  const phases = called.map((phase) => phaseMemory(program, phase, context));
  const statePerToken = sum(states.map((s) => bytesOf(s.elem, s.row * s.copies)));
  return {
    weights: sum(weights.map((w) => bytesOf(w.elem, product([...w.stacks, ...w.shape])))),
    constants: sum(constants.map((c) => bytesOf(c.elem, c.values.length))),
    statePerToken,
    context,
    stateAtContext: statePerToken * context,
    phases,
    arena: Math.max(0, ...phases.map(({ arena }) => arena)),
    scratch: Math.max(0, ...kernels.map((k) => k.scratch)),
  };
}

/** The longest call, at the end of a full context, where it needs most. */
function phaseMemory(program: Program, phase: Phase, context: number): PhaseMemory {
  const { name, outputs, inputs, buffers } = phase;
  const results = outputs.map((o) => o.name);
  const chunk = results.includes("logits") ? usualLogitsChunk : usualChunk(program.phases);
  const tokens = Math.max(phase.from, Math.min(phase.to, chunk, context));
  const before = Math.max(0, Math.min(Math.max(context, phase.rows?.from ?? 0), phase.rows?.to ?? context) - tokens);
  const values: Readonly<Record<string, number>> = {
    ...program.sizes,
    [program.tokens]: tokens,
    [program.before]: before,
  };
  const count = (size: SizeExpr): number => evalSize(size, (n) => (Object.hasOwn(values, n) ? values[n] : undefined));
  const { bytes, peak } = planMemory(buffers.map((b) => ({ bytes: bytesOf(b.elem, count(b.size)), live: b.live })));
  const given = sum(inputs.map(({ elem, dims }) => bytesOf(elem, product(dims.map(count)))));
  return { phase: name, results, tokens, before, arena: bytes + given, peak: peak + given };
}
