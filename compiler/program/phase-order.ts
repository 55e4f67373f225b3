/** What a phase is made of, and what is told of its kernels. */
import type { Binding, BufferElem, TokenChoice } from "../../runtime/artifact/program.ts";
import type { StrategyRule } from "../directives/directives.ts";
import type { StrategyOf } from "../directives/placed-rules.ts";
import type { Computed, Node, Param, State } from "../graph/node.ts";
import type { KernelTarget } from "../target/kernel-target.ts";
import type { KernelPool } from "./kernel-pool.ts";
import type { PhaseSizes } from "./kernel-sizes.ts";

/** How one node was scheduled, for `explain`. */
export interface KernelReport {
  readonly node: Computed;
  readonly kernel: string;
  readonly says: string;
  readonly refused: readonly string[];
  /** What the text says of it. */
  readonly rule: StrategyRule | null;
  /** Where the text defines it; null of what it does not name. */
  readonly where: string | null;
  /** Rounds of the repeats around it. */
  readonly times: number;
  /** The launch of the phase that it is part of. */
  readonly launch: number;
  /** Of a token, that it is for alone; null: it is launched always. */
  readonly choice: TokenChoice | null;
}

export interface PhaseOrder extends PhaseSizes {
  readonly name: string;
  readonly entry: string;
  /** Names of the graph's results, in its order. */
  readonly results: readonly string[];
  readonly from: number;
  readonly to: number;
  readonly target: KernelTarget;
  readonly pool: KernelPool;
  readonly strategy: StrategyOf;
  /** Where the text defines what a label names; without it nobody is told. */
  readonly where?: (label: string) => string | null;
  readonly elemOf: (n: Node) => BufferElem;
  /** Names of the inputs, in the order in which a call gives them. */
  readonly inputs: readonly string[];
  /** Which of them are rows of tables. */
  readonly lookups?: readonly PlacedLookup[];
  /** Where weights are, and inputs that are not among `inputs`. */
  readonly given: (n: Param) => Binding;
  readonly state: (n: State, copies: number, row: number) => number;
}

export interface PlacedLookup {
  readonly input: string;
  readonly table: number;
  readonly phase: string;
  readonly rows: string;
}
