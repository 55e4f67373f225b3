/** What a package says of itself: numbers of the model, and what it costs to keep and to run. */
import type { Program } from "../../runtime/artifact/program.ts";
import { type MemoryCard, memoryCard } from "./memory-card.ts";

/** Of one phase, at the sizes that its plan was made for. */
export interface PhaseCost {
  readonly phase: string;
  readonly tokens: number;
  readonly before: number;
  readonly kernels: number;
  readonly flops: number;
  readonly bytes: number;
  /** Of these, of weights. */
  readonly weights: number;
  /** By the roofline of the target's description: each kernel takes the longer of its arithmetic and its traffic. */
  readonly seconds: number;
}

export interface PackageFacts {
  readonly model: string;
  readonly compiler: string;
  readonly target: string;
  readonly format: number;
  readonly vocabulary: number;
  readonly context: number;
  /** What the config fixes. */
  readonly sizes: Readonly<Record<string, number>>;
  /** How weights are kept. */
  readonly weightTypes: readonly string[];
  /** Whether it guesses tokens ahead. */
  readonly drafts: boolean;
  /** Whose rows are looked up. */
  readonly tables: readonly { readonly name: string; readonly shape: readonly number[] }[];
  readonly memory: MemoryCard;
  readonly cost: readonly PhaseCost[];
}

export function packageFacts(program: Program, target: string, cost: readonly PhaseCost[]): PackageFacts {
  const { model, compiler, format, vocabulary, context, sizes, weights, draft, tables = [] } = program;
  const weightTypes = [...new Set(weights.map((w) => w.elem))].sort();
  const memory = memoryCard(program);
  const parts = { drafts: draft !== undefined, tables: tables.map(({ name, shape }) => ({ name, shape })) };
  return { model, compiler, target, format, vocabulary, context, sizes, weightTypes, ...parts, memory, cost };
}
