/**
 * Sizes as calls have them, and as kernels have them: there all rows of memory are one size, as a stride may be no sum. What is
 * known of a phase is a number in both.
 */
import type { SizeExpr } from "../../runtime/artifact/program.ts";
import { addDim, constantOf, type Dim, evalDim, type Sizes, subDim } from "../graph/dim.ts";
import type { Graph } from "../graph/node.ts";
import { namesIn } from "../schedule/lift/spell-dim.ts";
import { type Specialiser, specialiser } from "../schedule/nest/specialise.ts";
import { plus } from "./size-of-scalar.ts";

export interface PhaseSizes {
  readonly graph: Graph;
  /** Numbers that hold for all calls of the phase. */
  readonly fixed: Sizes;
  /** Sizes that schedules are chosen for. */
  readonly planned: Sizes;
  /** Names of the tokens of a call and of the rows before it. */
  readonly tokens: string;
  readonly before: string;
}

export class KernelSizes {
  readonly #of: PhaseSizes;
  /** The rows that are remembered after a call. */
  readonly #rows: string;
  readonly ofCalls: Specialiser;
  readonly ofKernels: Specialiser;
  /** Of the sizes that kernels are given. */
  readonly ranges: Graph["sizes"];
  /** What schedules of kernels are chosen for. */
  readonly planned: Sizes;

  constructor(of: PhaseSizes) {
    const { graph, fixed, planned, tokens, before } = of;
    this.#of = of;
    let rows = "S";
    while (graph.sizes.has(rows)) rows += "r";
    this.#rows = rows;
    this.ofCalls = specialiser(fixed);
    this.ofKernels = specialiser(fixed, new Map([[before, subDim(rows, tokens)]]));
    const open = [...graph.sizes].filter(([n]) => fixed[n] === undefined && n !== before);
    this.ranges = new Map(open).set(rows, { low: 1, high: mostRows(of) });
    this.planned = { ...planned, [rows]: (planned[before] ?? 0) + (planned[tokens] ?? 1) };
  }

  /** The number that a size of kernels is planned to be. */
  plannedFor(d: Dim): number {
    return constantOf(specialiser(this.planned).dim(d)) ?? 1;
  }
  /** The largest that a size can be; infinite where that is not known. */
  most(d: Dim): number {
    const { graph } = this.#of;
    const inKernels = greatest(this.ofKernels.dim(d), this.ranges);
    return Number.isSafeInteger(inKernels) ? inKernels : greatest(this.ofCalls.dim(d), graph.sizes);
  }
  /** The sizes that kernels over these are given. */
  given(dims: readonly Dim[]): Record<string, { minimum: number }> {
    const names = new Set<string>();
    for (const d of dims) namesIn(d, names);
    return Object.fromEntries([...names].sort().map((s) => [s, { minimum: this.ranges.get(s)?.low ?? 0 }]));
  }
  /** What a size of kernels is, of a call. */
  inCall(e: SizeExpr): SizeExpr {
    const { fixed, before, tokens } = this.#of;
    if (typeof e === "number") return e;
    if (typeof e === "string") return e === this.#rows ? plus(before, fixed[tokens] ?? tokens) : e;
    return [e[0], this.inCall(e[1]), this.inCall(e[2])];
  }
}

/** As many as the model remembers, or as the graph is for. */
function mostRows({ graph, tokens, before }: PhaseSizes): number {
  const rows = addDim(before, tokens).key;
  const bound = graph.bounds?.find(({ low, high }) => low.key === rows && constantOf(high) !== null);
  return (bound === undefined ? null : constantOf(bound.high)) ?? (graph.sizes.get(before)?.high ?? 0) + 1;
}

/** Infinite for what does not grow with all that it is made of. */
function greatest(d: Dim, ranges: Graph["sizes"]): number {
  const grows = d.terms.every(
    ({ coefficient, monomial }) =>
      Number(coefficient.num) > 0 && monomial.factors.every((f) => f.atom.kind === "symbol" && f.exponent > 0),
  );
  const highs = Object.fromEntries([...ranges].map(([n, { high }]) => [n, high]));
  const known = [...namesIn(d)].every((n) => Number.isSafeInteger(highs[n]));
  return grows && known ? evalDim(d, highs) : Number.POSITIVE_INFINITY;
}
